/** Sounds and desktop notifications of the signals that the visitor has chosen. It listens to the store, also while the tab is hidden. */

import { kindOf } from "../common/signal.js";
import { keep, recall } from "../common/storage.js";
import { Chime } from "./chime.js";
import { NotificationRules, hasTold } from "./rules.js";
import { Speaker } from "./speaker.js";
import { digestText, directionOf, noticeText } from "./words.js";

/** @import { Preferences } from "../common/preferences.js" */
/** @import { Signal } from "../link/messages.js" */
/** @import { Store } from "../link/store.js" */
/** @import { Round } from "./rules.js" */

const MEMORY = "tickstock.told";
const HANDOVER_MS = 10_000; // no tab that is closed leaves the others without a speaker for so long

/**
 * @typedef {object} List  what the announcer asks of the list of signals
 * @property {(signal: Signal) => boolean} isListed  whether its filter lets a signal through
 * @property {(signal: Signal) => number | null} rank
 * @property {(signal: Signal) => void} open  show a signal whose notification was clicked
 */

/** @returns {NotificationPermission | "missing"} */
export const permission = () => (globalThis.Notification ? Notification.permission : "missing");

export class Announcer {
  /** @param {Store} store @param {Preferences} preferences @param {List} list */
  constructor(store, preferences, list) {
    this.store = store;
    this.preferences = preferences;
    this.list = list;
    this.rules = new NotificationRules();
    this.chime = new Chime();
    this.speaker = new Speaker(navigator.locks, () => this.begin());
    this.timer = 0;
    /** @type {{round: Round, at: number} | null} */
    this.untold = null; // the last round that was left to another tab
    this.remember();
    store.onSignal.push((signal) => this.take(signal));
    for (const used of ["pointerdown", "keydown"]) addEventListener(used, () => this.used(), { capture: true });
  }

  /** The visitor uses this tab. */
  used() {
    this.speaker.takeOver();
    if (this.preferences.get("sound") && !this.chime.isAwake) this.chime.wake();
  }

  /** What was told before this page was loaded, or by another tab. */
  remember() {
    this.rules.remember(recall(MEMORY));
  }

  /** @param {Signal} signal */
  take(signal) {
    const isFirst = this.store.feed === null; // of the first snapshot: what was there before the page
    this.rules.take(signal, this.store.now(), !isFirst && this.isWanted(signal));
    this.plan();
  }

  /** @param {Signal} signal */
  isWanted(signal) {
    const { preferences } = this;
    if (!preferences.get("sound") && !preferences.get("notifications")) return false;
    if (!preferences.get("chosen").includes(kindOf(signal))) return false;
    return preferences.get("unlisted") || this.list.isListed(signal);
  }

  plan() {
    const due = this.rules.dueAt;
    if (this.timer || due === null) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.tell();
      this.plan();
    }, Math.max(50, due - this.store.now()));
  }

  tell() {
    const round = this.rules.round(this.store.now(), ({ signals }) => Math.max(...signals.map((signal) => this.list.rank(signal) ?? 0.5)));
    if (!round) return;
    if (this.speaker.speaks) this.say(round);
    else this.untold = { round, at: this.store.now() }; // the tab that speaks has the same rules and signals
  }

  /** This tab speaks from now on. What no tab told, because the one that spoke was just being closed, is told now. */
  begin() {
    const { untold } = this;
    const recent = untold && this.store.now() - untold.at < HANDOVER_MS;
    const wasTold = untold && hasTold(recall(MEMORY), untold.round, untold.at - HANDOVER_MS);
    this.untold = null;
    this.remember();
    if (recent && !wasTold) this.say(untold.round);
  }

  /** @param {Round} round */
  say(round) {
    keep(MEMORY, this.rules.memory);
    if (this.preferences.get("muted")) return;
    if (this.preferences.get("notifications")) this.notify(round);
    if (this.preferences.get("sound")) {
      const signals = [...round.singles, ...round.rest].flatMap((notice) => notice.signals);
      this.chime.play(directionOf(signals), this.preferences.get("volume"));
    }
  }

  /** @param {Round} round */
  notify({ singles, rest }) {
    for (const notice of singles) this.show(noticeText(notice), notice.signals[0]);
    if (rest.length) this.show(digestText(rest), rest[0].signals[0]);
  }

  /**
   * @param {{title: string, body: string, tag: string}} text
   * @param {Signal} [signal]  to open when it is clicked
   * @returns {boolean} whether the browser shows notifications
   */
  show({ title, body, tag }, signal) {
    if (permission() !== "granted") return false;
    try {
      const shown = new Notification(title, { body, tag, silent: true, icon: "/static/icon.svg" }); // the sound is a choice of its own
      shown.onclick = () => {
        window.focus();
        if (signal) this.list.open(signal);
        shown.close();
      };
      return true;
    } catch {
      return false; // some browsers of phones have the name, but only let workers notify
    }
  }
}
