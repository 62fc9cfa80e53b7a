/** Signals as the list shows them: those of one symbol, timeframe and bar are one group. Pure. */

import { isConfirmed } from "../common/signal.js";

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
 * @property {boolean} open  nothing of it is confirmed
 * @property {number} volume  the symbol's relative volume; 0 where it is not known
 * @property {number} rank  of its best signal
 *
 * @typedef {object} Burst
 * @property {number} minute  on the market's clock
 * @property {Group[]} groups
 * @property {number} signals
 * @property {number} bullish
 * @property {number} bearish
 * @property {number} neutral
 *
 * @typedef {object} Means  by which groups are ordered
 * @property {boolean} [followsEvents]  the market's clock is a recorded day's, and the wall clock of a detection says nothing
 * @property {(group: Group) => number} [volumeOf]
 * @property {(signal: Signal) => number | null} [rankOf]
 */

const DIRECTIONS = ["bullish", "bearish", "neutral"];
const HOUR_MS = 3_600_000;
// From a bar's start to its close; a day bar starts at midnight and its price is that of the regular close.
const LENGTHS = /** @type {Record<string, number>} */ ({
  "1min": HOUR_MS / 60, "5min": HOUR_MS / 12, "15min": HOUR_MS / 4, "60min": HOUR_MS, "1day": 16 * HOUR_MS,
});

/** @param {{timeframe: string, bar_timestamp: number}} signal @returns {number} when its bar closed */
export const closeOf = ({ timeframe, bar_timestamp }) => bar_timestamp + (LENGTHS[timeframe] ?? 0);

/** @param {number} time */
const minuteOf = (time) => Math.floor(time / 60_000) * 60_000;

/**
 * Group signals, the newest minute first; within one close confirmed before forming, then by relative volume, then by rank.
 * @param {Iterable<Signal>} signals
 * @param {(signal: Signal) => boolean} passes
 * @param {Means} [means]
 * @returns {{groups: Group[], shown: number, total: number}}
 */
export function groupSignals(signals, passes, { followsEvents = false, volumeOf = () => 0, rankOf = () => null } = {}) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  let total = 0;
  let shown = 0;
  for (const signal of signals) {
    total += 1;
    if (!passes(signal)) continue;
    shown += 1;
    const { symbol, timeframe, session, bar_timestamp: bar } = signal;
    const key = `${symbol} ${timeframe} ${bar}`;
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { key, symbol, timeframe, session, bar, time: 0, detected: 0, signals: [], open: true, volume: 0, rank: 0 }));
    group.signals.push(signal);
    group.open &&= !isConfirmed(signal);
    group.detected = Math.max(group.detected, signal.detection_timestamp);
    group.time = followsEvents ? closeOf(signal) : group.detected;
    group.rank = Math.max(group.rank, rankOf(signal) ?? 0);
  }
  const list = [...groups.values()];
  for (const group of list) {
    group.signals.sort(inGroup);
    group.volume = volumeOf(group);
  }
  return { groups: list.sort(newestFirst), shown, total };
}

/** @param {Signal} a @param {Signal} b */
function inGroup(a, b) {
  return Number(isConfirmed(b)) - Number(isConfirmed(a)) || DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction) || (a.id < b.id ? -1 : 1);
}

/** @param {Group} a @param {Group} b */
function newestFirst(a, b) {
  return minuteOf(b.time) - minuteOf(a.time) || Number(a.open) - Number(b.open) || b.volume - a.volume || b.rank - a.rank || (a.key < b.key ? -1 : 1);
}

/**
 * The moments at which bars closed together: runs of groups of one minute.
 * @param {Group[]} groups newest first
 * @returns {Burst[]}
 */
export function burstsOf(groups) {
  /** @type {Burst[]} */
  const bursts = [];
  for (const group of groups) {
    const minute = minuteOf(group.time);
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
