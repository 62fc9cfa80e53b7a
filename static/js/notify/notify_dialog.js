/** The dialog of sound and notifications: on or off, how loud, and for which patterns and alerts. */

import { byId, element, setData, setText } from "../common/page.js";
import { ARROWS, nameOf } from "../common/words.js";
import { permission } from "./announcer.js";

/** @import { Preferences } from "../common/preferences.js" */
/** @import { Entry } from "../common/catalog.js" */
/** @import { Announcer } from "./announcer.js" */

/** @typedef {Entry & {direction?: string}} Choice */
/** @typedef {{label: HTMLElement, box: HTMLInputElement, text: string}} Line */

const KINDS = /** @type {Record<string, string>} */ ({ candlestick: "Candlesticks", chart_pattern: "Chart patterns", alert: "Alerts" });
const SAID = {
  missing: "This browser shows notifications only on pages from https or from this computer itself.",
  denied: "The browser refuses notifications of this page. Allow them in its settings for this site (beside the address), then switch them on again.",
  default: "Not allowed yet: answer the browser’s question with “Allow”.",
  granted: "",
};

export class NotifyDialog {
  /** @param {Preferences} preferences @param {Announcer} announcer */
  constructor(preferences, announcer) {
    this.preferences = preferences;
    this.announcer = announcer;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("notify"));
    this.inputs = Object.fromEntries(
      ["sound", "desktop", "unlisted", "volume", "search"].map((name) => [name, /** @type {HTMLInputElement} */ (byId(`notify-${name}`))]),
    );
    /** @type {Map<string, Line>} */
    this.lines = new Map(); // by name
    this.attach();
    preferences.onChange(() => this.show());
    this.show();
  }

  attach() {
    const { inputs, preferences } = this;
    byId("notify-open").addEventListener("click", () => this.dialog.showModal());
    byId("mute").addEventListener("click", () => this.mute());
    inputs.sound.addEventListener("change", () => {
      preferences.set("sound", inputs.sound.checked);
      if (inputs.sound.checked) this.tryOut("bullish");
    });
    inputs.desktop.addEventListener("change", () => this.switchDesktop(inputs.desktop.checked));
    inputs.unlisted.addEventListener("change", () => preferences.set("unlisted", inputs.unlisted.checked));
    inputs.volume.addEventListener("change", () => preferences.set("volume", Number(inputs.volume.value) / 100));
    inputs.search.addEventListener("input", () => this.filter());
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.dialog.querySelectorAll("[data-try]"))) {
      button.addEventListener("click", () => this.tryOut(button.dataset.try ?? ""));
    }
    byId("notify-try").addEventListener("click", () => this.tryDesktop());
    byId("notify-all").addEventListener("click", () => this.choose(true));
    byId("notify-none").addEventListener("click", () => this.choose(false));
    byId("notify-list").addEventListener("change", () => this.store());
  }

  mute() {
    this.preferences.set("muted", !this.preferences.get("muted"));
  }

  /** @param {string} direction */
  async tryOut(direction) {
    await this.announcer.chime.wake();
    this.announcer.chime.play(direction, this.preferences.get("volume"));
    this.drawButtons();
  }

  /** @param {boolean} isOn  asking is what switching on does */
  async switchDesktop(isOn) {
    const allowed = isOn && permission() === "default" ? await Notification.requestPermission() : permission();
    this.preferences.set("notifications", isOn && allowed === "granted");
    setText(byId("notify-said"), isOn ? SAID[allowed] : "");
  }

  tryDesktop() {
    const shown = this.announcer.show({ title: "▲ AAPL Hammer", body: "This is how a signal is told. It is only a try.", tag: "try" });
    setText(byId("notify-said"), shown ? "Sent. Nothing to be seen? Then the system holds notifications back." : SAID[permission()] || "This browser lets pages not notify.");
  }

  /** @param {Choice[]} entries  of the catalogue */
  setCatalog(entries) {
    const families = new Map();
    for (const entry of entries) {
      if (!(entry.kind in KINDS)) continue;
      const title = `${KINDS[entry.kind]}: ${entry.family}`;
      families.set(title, [...(families.get(title) ?? []), entry]);
    }
    byId("notify-list").replaceChildren(...[...families].map(([title, members]) => this.makeFamily(title, members)));
    this.show();
  }

  /** @param {string} title @param {Choice[]} entries */
  makeFamily(title, entries) {
    const family = element("fieldset");
    family.append(element("legend", "", title));
    for (const entry of entries) {
      const words = nameOf(/** @type {any} */ (entry.kind === "alert" ? { alert: entry.name } : { pattern: entry.name }));
      const label = element("label");
      const box = /** @type {HTMLInputElement} */ (element("input"));
      box.type = "checkbox";
      box.name = entry.name;
      const arrow = element("span", "arrow", ARROWS[entry.direction ?? ""] ?? "◆");
      setData(arrow, "direction", entry.direction ?? "");
      arrow.ariaHidden = "true";
      label.title = entry.description;
      label.append(box, arrow, element("span", "", words));
      family.append(label);
      this.lines.set(entry.name, { label, box, text: `${words} ${entry.name} ${title} ${entry.direction}`.toLowerCase() });
    }
    return family;
  }

  /** Show only what is searched for. */
  filter() {
    const words = this.inputs.search.value.toLowerCase().split(/\s+/);
    for (const { label, text } of this.lines.values()) label.hidden = !words.every((word) => text.includes(word));
    for (const family of byId("notify-list").children) {
      /** @type {HTMLElement} */ (family).hidden = !family.querySelector("label:not([hidden])");
    }
    this.drawCount();
  }

  /** @param {boolean} isChosen  of everything that the search shows */
  choose(isChosen) {
    for (const { label, box } of this.lines.values()) if (!label.hidden) box.checked = isChosen;
    this.store();
  }

  store() {
    this.preferences.set("chosen", [...this.lines].filter(([, { box }]) => box.checked).map(([name]) => name));
  }

  show() {
    const { preferences, inputs } = this;
    inputs.sound.checked = preferences.get("sound");
    inputs.desktop.checked = preferences.get("notifications");
    inputs.unlisted.checked = preferences.get("unlisted");
    inputs.volume.value = String(Math.round(preferences.get("volume") * 100));
    const chosen = new Set(preferences.get("chosen"));
    for (const [name, { box }] of this.lines) box.checked = chosen.has(name);
    this.drawCount();
    this.drawButtons();
  }

  drawCount() {
    const lines = [...this.lines.values()];
    const found = lines.filter(({ label }) => !label.hidden).length;
    const chosen = lines.filter(({ box }) => box.checked).length;
    const among = found < lines.length ? ` · ${found} found` : "";
    setText(byId("notify-count"), lines.length ? `${chosen} of ${lines.length} chosen${among}` : "Loading the catalogue…");
  }

  /** The buttons of the top bar: whether anything may sound is always in view. */
  drawButtons() {
    const { preferences, announcer } = this;
    const isSound = preferences.get("sound");
    const isOn = isSound || preferences.get("notifications");
    const isMuted = preferences.get("muted");
    const waits = isSound && !announcer.chime.isAwake;
    const state = isMuted ? "muted" : !isOn ? "off" : !preferences.get("chosen").length ? "none chosen" : waits ? "sound waits for a click" : "on";
    setText(byId("notify-state"), state);
    const mute = byId("mute");
    mute.hidden = !isOn && !isMuted;
    mute.setAttribute("aria-pressed", String(isMuted));
    mute.firstChild?.replaceWith(isMuted ? "Muted " : "Mute ");
  }
}
