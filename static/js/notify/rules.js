/**
 * Which signals may sound or notify, and when. Pure: the time comes in. The lists are not its matter: they show everything.
 *
 * News is what was confirmed live within the last minute, once per id. A symbol is told of at most once a minute, and the same
 * signal of it once in five; signals of one symbol that come together are one notice. Within any minute there are at most
 * six notifications: when more notices wait than there is room for, the last is a digest of all the rest.
 */

import { isConfirmed, kindOf } from "../common/signal.js";

/** @import { Signal } from "../link/messages.js" */

export const NEWS_MS = 60_000;
export const SYMBOL_RESTS_MS = 60_000;
export const SIGNAL_RESTS_MS = 300_000;
export const WINDOW_MS = 60_000;
export const MOST_IN_WINDOW = 6;
const GATHER_MS = 1000; // what a bar's close brings arrives within a second
const KEPT_IDS = 5000;

/** @typedef {{symbol: string, signals: Signal[]}} Notice */
/** @typedef {{singles: Notice[], rest: Notice[]}} Round  a notification for each single, and one for all the rest */

export class NotificationRules {
  constructor() {
    /** @type {Set<string>} */
    this.known = new Set(); // ids
    /** @type {Map<string, number>} */
    this.told = new Map(); // symbol, and symbol with signal: when it was last told
    /** @type {number[]} */
    this.sent = []; // when notifications were sent, in the last minute
    /** @type {Map<string, Notice>} */
    this.waiting = new Map(); // by symbol
    this.waitsSince = 0;
  }

  /**
   * A signal has come; forming, repaired and old ones, and one that was here before, never wait.
   * @param {Signal} signal
   * @param {number} now  the server's clock
   * @param {boolean} isWanted
   */
  take(signal, now, isWanted) {
    if (!isConfirmed(signal) || this.known.has(signal.id)) return;
    this.known.add(signal.id);
    if (this.known.size > KEPT_IDS) this.known.delete(/** @type {string} */ (this.known.values().next().value));
    if (!isWanted || signal.origin !== "live" || now - signal.detection_timestamp > NEWS_MS) return;
    const { symbol } = signal;
    if (this.rests(`${symbol} ${kindOf(signal)}`, SIGNAL_RESTS_MS, now)) return;
    const notice = this.waiting.get(symbol);
    if (notice) {
      if (!notice.signals.some((each) => kindOf(each) === kindOf(signal))) notice.signals.push(signal);
    } else if (!this.rests(symbol, SYMBOL_RESTS_MS, now)) {
      if (!this.waiting.size) this.waitsSince = now;
      this.waiting.set(symbol, { symbol, signals: [signal] });
    }
  }

  /** @param {string} key @param {number} rest @param {number} now */
  rests(key, rest, now) {
    const last = this.told.get(key);
    return last !== undefined && Math.abs(now - last) < rest; // a clock that was set back gives no second chance
  }

  /** @returns {number | null} when the next round is due */
  get dueAt() {
    if (!this.waiting.size) return null;
    const room = this.sent.length < MOST_IN_WINDOW ? 0 : this.sent[0] + WINDOW_MS;
    return Math.max(this.waitsSince + GATHER_MS, room);
  }

  /**
   * What is to be told now.
   * @param {number} now
   * @param {(notice: Notice) => number} weigh  the heaviest come first
   * @returns {Round | null}
   */
  round(now, weigh) {
    while (this.sent.length && now - this.sent[0] >= WINDOW_MS) this.sent.shift();
    const due = this.dueAt;
    if (due === null || now < due) return null;
    const notices = [...this.waiting.values()].sort((a, b) => weigh(b) - weigh(a));
    const room = MOST_IN_WINDOW - this.sent.length;
    const alone = notices.length <= room ? notices.length : room - 1;
    for (const { symbol, signals } of notices) {
      this.told.set(symbol, now);
      for (const signal of signals) this.told.set(`${symbol} ${kindOf(signal)}`, now);
    }
    for (let count = Math.min(notices.length, room); count > 0; count -= 1) this.sent.push(now);
    this.waiting.clear();
    this.forget(now);
    return { singles: notices.slice(0, alone), rest: notices.slice(alone) };
  }

  /** @param {number} now */
  forget(now) {
    for (const [key, time] of this.told) if (Math.abs(now - time) >= SIGNAL_RESTS_MS) this.told.delete(key);
  }

  /** @returns {string} what another tab, or this page after a reload, must know */
  get memory() {
    return JSON.stringify({ told: [...this.told], sent: this.sent });
  }

  /** @param {string | null} memory  of another tab, or from before a reload; rubbish is no memory */
  remember(memory) {
    try {
      const { told, sent } = JSON.parse(memory ?? "{}");
      for (const [key, time] of told ?? []) {
        if (typeof key === "string" && Number.isFinite(time)) this.told.set(key, Math.max(time, this.told.get(key) ?? 0));
      }
      const times = (sent ?? []).filter(Number.isFinite);
      if (times.length >= this.sent.length) this.sent = times.sort((/** @type {number} */ a, /** @type {number} */ b) => a - b).slice(-MOST_IN_WINDOW);
    } catch {
      // Nothing that this page has written.
    }
  }
}

/**
 * Whether a tab that kept this memory has told one of these notices since then.
 * @param {string | null} memory
 * @param {Round} round
 * @param {number} since
 */
export function hasTold(memory, round, since) {
  const other = new NotificationRules();
  other.remember(memory);
  return [...round.singles, ...round.rest].some(({ symbol }) => (other.told.get(symbol) ?? 0) >= since);
}
