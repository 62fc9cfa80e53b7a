/** The dialog of sound and notifications: on or off, how loud, and for which patterns and alerts. */

import { arrowOf } from "../common/arrow.js";
import { NameBoxes } from "../common/name_boxes.js";
import { byId, element, setData, setPressed, setText } from "../common/page.js";
import { permission } from "./announcer.js";

/** @import { Preferences } from "../common/preferences.js" */
/** @import { Catalog, Entry } from "../common/catalog.js" */
/** @import { Announcer } from "./announcer.js" */

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
    this.names = new NameBoxes(byId("notify-list"), withArrow, (title) => title);
    this.attach();
    preferences.onChange(() => this.show());
    announcer.chime.onChange = () => this.drawButtons();
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
    inputs.search.addEventListener("input", () => this.find());
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
  }

  /** @param {boolean} isOn  asking is what switching on does */
  async switchDesktop(isOn) {
    const allowed = isOn && permission() === "default" ? await Notification.requestPermission() : permission();
    this.preferences.set("notifications", isOn && allowed === "granted");
    setText(byId("notify-said"), isOn ? SAID[allowed] : "");
  }

  tryDesktop() {
    const shown = this.announcer.show({ title: "▲ AAPL Hammer", body: "This is how a signal is told. It is only a try.", tag: "try" });
    setText(byId("notify-said"), shown ? "Sent. Nothing to be seen? Then the system holds notifications back." : SAID[permission()] || "This browser does not let pages notify.");
  }

  /** @param {Catalog} catalog */
  setCatalog(catalog) {
    this.names.fill(catalog);
    this.show();
  }

  find() {
    this.names.find(this.inputs.search.value);
    this.drawCount();
  }

  /** @param {boolean} isChosen  of everything that the search shows */
  choose(isChosen) {
    for (const { box } of this.names.found) box.checked = isChosen;
    this.store();
  }

  store() {
    this.preferences.set("chosen", this.names.chosen);
  }

  show() {
    const { preferences, inputs } = this;
    inputs.sound.checked = preferences.get("sound");
    inputs.desktop.checked = preferences.get("notifications");
    inputs.unlisted.checked = preferences.get("unlisted");
    inputs.volume.value = String(Math.round(preferences.get("volume") * 100));
    this.names.chosen = preferences.get("chosen");
    this.drawCount();
    this.drawButtons();
  }

  drawCount() {
    const { lines, found, chosen } = this.names;
    const among = found.length < lines.length ? ` · ${found.length} found` : "";
    setText(byId("notify-count"), lines.length ? `${chosen.length} of ${lines.length} chosen${among}` : "Loading the catalogue…");
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
    setPressed(mute, isMuted, isMuted ? "Muted" : "Mute");
  }
}

/** @param {string} words @param {Entry} entry */
function withArrow(words, { direction = "" }) {
  const arrow = arrowOf(direction);
  setData(arrow, "direction", direction);
  return [arrow, element("span", "", words)];
}
