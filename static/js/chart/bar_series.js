/** The bars of one symbol in one timeframe, whatever comes in whatever order: stored, closed just now, or still running. Pure. */

/** @import { Session } from "../link/messages.js" */

/**
 * @typedef {object} Figures
 * @property {number} open
 * @property {number} high
 * @property {number} low
 * @property {number} close
 * @property {number} volume
 *
 * @typedef {Figures & {timestamp: number, revision?: number, provisional?: boolean}} StoredBar  as /api/bars has it
 * @typedef {Figures & {time: number, revision: number, forming: boolean, provisional: boolean}} Bar  time: its start, Unix milliseconds
 */

const MINUTE_MS = 60_000;
const UNKNOWN_REVISION = -1; // of what a message brought: any stored row knows better
const RUNNING = -2;
export const GRACE_MS = 15_000; // what the server does not have so long after its end does not exist
export const LENGTHS = /** @type {Record<string, number>} */ ({
  "1min": MINUTE_MS, "5min": 5 * MINUTE_MS, "15min": 15 * MINUTE_MS, "60min": 60 * MINUTE_MS, "1day": 1440 * MINUTE_MS,
});

/** @param {{time: number}} a @param {{time: number}} b */
const byTime = (a, b) => a.time - b.time;

/** @param {number} time @param {Figures & {provisional?: boolean}} from @param {number} revision @returns {Bar} */
function makeBar(time, { open, high, low, close, volume, provisional = false }, revision) {
  return { time, open, high, low, close, volume, revision, forming: false, provisional };
}

/** @param {Bar} bar @param {Bar} next @returns {Bar} both as one bar */
const joined = (bar, next) => ({
  ...bar, high: Math.max(bar.high, next.high), low: Math.min(bar.low, next.low), close: next.close, volume: bar.volume + next.volume,
});

export class BarSeries {
  /** @param {string} timeframe */
  constructor(timeframe) {
    this.timeframe = timeframe;
    this.length = LENGTHS[timeframe];
    /** @type {Map<number, Bar>} */
    this.closed = new Map();
    /** @type {Map<number, Bar>} */
    this.minutes = new Map(); // of the bars that are not closed
    this.wholeFrom = timeframe === "1min" ? -Infinity : Infinity; // since when no minute is missing
    /** @type {Array<{name: string, starts: number, ends: number}>} */
    this.sessions = [];
    this.closedVersion = 0; // rises when a closed bar came or changed
    /** @type {Bar[] | null} */
    this.inOrder = [];
  }

  /**
   * Bars of this timeframe from the server, all that it has between `from` and what is newest or known.
   * @param {StoredBar[]} rows
   * @param {number} from
   * @param {number} askedAt  server time
   */
  takeStored(rows, from, askedAt) {
    for (const row of rows) this.hold(row.timestamp, row, row.revision ?? 0);
    this.forget((minute) => {
      const start = this.startOf(minute.time) ?? minute.time;
      return start >= from && start + this.length + GRACE_MS <= askedAt;
    });
  }

  /**
   * One-minute bars from the server since `from`, for the running bar of a longer timeframe.
   * @param {StoredBar[]} rows
   * @param {number} from
   * @param {number} askedAt
   */
  takeStoredMinutes(rows, from, askedAt) {
    for (const row of rows) this.takeMinute(row, row.revision ?? 0);
    const stored = new Set(rows.map((row) => row.timestamp));
    this.forget(({ time }) => time >= from && time + MINUTE_MS + GRACE_MS <= askedAt && !stored.has(time));
    this.wholeFrom = Math.min(this.wholeFrom, from);
  }

  /** @param {number} time @param {Figures} bar  that closed just now; a stored one is left as it is */
  takeClosed(time, bar) {
    this.hold(time, bar, UNKNOWN_REVISION);
  }

  /** @param {Figures & {timestamp: number}} minute @param {number} [revision]  without one it is still running */
  takeMinute(minute, revision = RUNNING) {
    if ((this.minutes.get(minute.timestamp)?.revision ?? RUNNING) > revision) return;
    this.minutes.set(minute.timestamp, makeBar(minute.timestamp, minute, revision));
    this.inOrder = null;
  }

  /** @param {Figures & {timestamp: number}} minute  that closed just now */
  takeClosedMinute(minute) {
    this.takeMinute(minute, UNKNOWN_REVISION);
  }

  /** @param {Session | null} session  bars align to its start */
  learn(session) {
    if (!session?.starts || !session.ends || this.sessions.at(-1)?.starts === session.starts) return;
    this.sessions = [...this.sessions.slice(-1), { name: session.name, starts: session.starts, ends: session.ends }];
    this.inOrder = null;
  }

  /** @param {number} minute @returns {number | null} start of the bar that it belongs to; null where there is none */
  startOf(minute) {
    if (this.timeframe === "1min") return minute;
    const session = this.sessions.find(({ starts, ends }) => starts <= minute && minute < ends);
    if (!session) return null;
    if (this.timeframe === "1day") return session.name === "regular" ? session.starts : null;
    return minute - ((minute - session.starts) % this.length);
  }

  /** @returns {Bar[]} all of them, oldest first; the same bar is the same object as long as nothing of it changes */
  bars() {
    this.inOrder ??= [...this.closed.values(), ...this.open()].sort(byTime);
    return this.inOrder;
  }

  /** @returns {Iterable<Bar>} those that no closed bar has replaced yet */
  open() {
    /** @type {Map<number, Bar>} */
    const open = new Map();
    for (const minute of [...this.minutes.values()].sort(byTime)) {
      const time = this.startOf(minute.time);
      if (time === null || time < this.wholeFrom) continue;
      if (this.closed.has(time)) this.minutes.delete(minute.time);
      else {
        const begun = open.get(time);
        open.set(time, begun ? joined(begun, minute) : { ...minute, time, forming: true });
      }
    }
    return open.values();
  }

  /** @param {number} time @param {Figures} figures @param {number} revision */
  hold(time, figures, revision) {
    const before = this.closed.get(time);
    if (before && before.revision > revision) return;
    const bar = makeBar(time, figures, revision);
    if (before && isSame(before, bar)) return;
    this.closed.set(time, bar);
    this.closedVersion += 1;
    this.inOrder = null;
  }

  /** @param {(minute: Bar) => boolean} gone */
  forget(gone) {
    for (const minute of this.minutes.values()) {
      if (!gone(minute) || !this.minutes.delete(minute.time)) continue;
      this.inOrder = null;
    }
  }
}

/** @param {Bar} a @param {Bar} b */
const isSame = (a, b) => /** @type {Array<keyof Bar>} */ (Object.keys(a)).every((name) => a[name] === b[name]);

/**
 * What a drawn series needs to show other bars: nothing, its last point, or all of them. A point before the last is never updated.
 * @param {Bar[]} drawn
 * @param {Bar[]} wanted
 * @returns {"nothing" | "last" | "all"}
 */
export function difference(drawn, wanted) {
  if (drawn === wanted) return "nothing";
  const more = wanted.length - drawn.length;
  if (!drawn.length || more < 0 || more > 1) return "all";
  const kept = wanted.length - 1;
  for (let at = 0; at < kept; at += 1) if (drawn[at] !== wanted[at]) return "all";
  if (more) return "last";
  return drawn[kept] === wanted[kept] ? "nothing" : drawn[kept].time === wanted[kept].time ? "last" : "all";
}
