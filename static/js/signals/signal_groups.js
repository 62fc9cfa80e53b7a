/** Signals as the list shows them: those of one symbol, timeframe and bar are one group. Pure. */

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Signal } from "../link/messages.js" */

/**
 * @typedef {object} Group
 * @property {string} key
 * @property {string} symbol
 * @property {string} timeframe
 * @property {string} session
 * @property {number} bar
 * @property {number} time  of its latest signal on the market's clock: its detection, or in a recorded day its bar's close
 * @property {number} detected  of its latest signal
 * @property {Signal[]} signals
 *
 * @typedef {object} Burst
 * @property {number} minute  on the market's clock
 * @property {Group[]} groups
 * @property {number} signals
 * @property {number} bullish
 * @property {number} bearish
 * @property {number} neutral
 *
 * @typedef {object} Filter
 * @property {string} kind  "" | pattern | alert
 * @property {string} direction  "" | bullish | bearish | neutral
 * @property {string} symbol  "" or the beginning of one
 * @property {Catalog | null} [best]  by which only the best pass; null: all do
 */

const DIRECTIONS = ["bullish", "bearish", "neutral"];
const HOUR_MS = 3_600_000;
// From a bar's start to its close; a day bar starts at midnight and its price is that of the regular close.
const LENGTHS = /** @type {Record<string, number>} */ ({
  "1min": HOUR_MS / 60, "5min": HOUR_MS / 12, "15min": HOUR_MS / 4, "60min": HOUR_MS, "1day": 16 * HOUR_MS,
});

/**
 * Whether the filter lets a signal through.
 * @param {Signal} signal
 * @param {Filter} filter
 */
export function passes(signal, filter) {
  if (filter.kind && (signal.pattern === undefined ? "alert" : "pattern") !== filter.kind) return false;
  if (filter.direction && signal.direction !== filter.direction) return false;
  if (filter.best && !filter.best.isBest(signal)) return false;
  return !filter.symbol || signal.symbol.startsWith(filter.symbol);
}

/**
 * Group signals, newest first; within one bar's close confirmed before forming, then the richer group, then the better quality.
 * @param {Iterable<Signal>} signals
 * @param {Filter} filter
 * @param {boolean} [followsEvents]  the market's clock is a recorded day's, and the wall clock of a detection says nothing
 * @returns {{groups: Group[], shown: number, total: number}}
 */
export function groupSignals(signals, filter, followsEvents = false) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  let total = 0;
  let shown = 0;
  for (const signal of signals) {
    total += 1;
    if (!passes(signal, filter)) continue;
    shown += 1;
    const key = `${signal.symbol} ${signal.timeframe} ${signal.bar_timestamp}`;
    let group = groups.get(key);
    if (!group) {
      group = {
        key, symbol: signal.symbol, timeframe: signal.timeframe, session: signal.session, bar: signal.bar_timestamp, time: 0, detected: 0, signals: [],
      };
      groups.set(key, group);
    }
    group.signals.push(signal);
    group.detected = Math.max(group.detected, signal.detection_timestamp);
    group.time = followsEvents ? signal.bar_timestamp + (LENGTHS[signal.timeframe] ?? 0) : group.detected;
  }
  const list = [...groups.values()];
  for (const group of list) group.signals.sort(inGroup);
  return { groups: list.sort(newestFirst), shown, total };
}

/** @param {Signal} a @param {Signal} b */
function inGroup(a, b) {
  const open = Number((a.state ?? "confirmed") !== "confirmed") - Number((b.state ?? "confirmed") !== "confirmed");
  return open || DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction) || (a.id < b.id ? -1 : 1);
}

/**
 * The moments at which bars closed together: runs of groups of one minute. Pure.
 * @param {Group[]} groups newest first
 * @returns {Burst[]}
 */
export function burstsOf(groups) {
  /** @type {Burst[]} */
  const bursts = [];
  for (const group of groups) {
    const minute = Math.floor(group.time / 60_000) * 60_000;
    let burst = bursts.at(-1);
    if (!burst || burst.minute !== minute) bursts.push((burst = { minute, groups: [], signals: 0, bullish: 0, bearish: 0, neutral: 0 }));
    burst.groups.push(group);
    for (const { direction } of group.signals) {
      burst.signals += 1;
      if (direction === "bullish" || direction === "bearish") burst[direction] += 1;
      else burst.neutral += 1;
    }
  }
  return bursts;
}

/** @param {Group} a @param {Group} b */
function newestFirst(a, b) {
  const second = Math.floor(b.time / 1000) - Math.floor(a.time / 1000);
  return second || Number(isOpen(a)) - Number(isOpen(b)) || b.signals.length - a.signals.length || quality(b) - quality(a) || (a.key < b.key ? -1 : 1);
}

/** @param {Group} group @returns {boolean} whether nothing of it is confirmed */
const isOpen = (group) => group.signals.every((signal) => (signal.state ?? "confirmed") !== "confirmed");

/** @param {Group} group */
const quality = (group) => Math.max(...group.signals.map((signal) => signal.quality ?? 0));
