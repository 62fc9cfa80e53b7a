/** Signals as the list shows them: those of one symbol, timeframe and bar are one group. Pure. */

/** @import { Signal } from "./messages.js" */

/**
 * @typedef {object} Group
 * @property {string} key
 * @property {string} symbol
 * @property {string} timeframe
 * @property {string} session
 * @property {number} bar
 * @property {number} detected  of its latest signal
 * @property {Signal[]} signals
 *
 * @typedef {object} Filter
 * @property {string} kind  "" | pattern | alert
 * @property {string} direction  "" | bullish | bearish | neutral
 * @property {string} symbol  "" or the beginning of one
 */

const DIRECTIONS = ["bullish", "bearish", "neutral"];

/**
 * Whether the filter lets a signal through.
 * @param {Signal} signal
 * @param {Filter} filter
 */
export function passes(signal, filter) {
  if (filter.kind && (signal.pattern === undefined ? "alert" : "pattern") !== filter.kind) return false;
  if (filter.direction && signal.direction !== filter.direction) return false;
  return !filter.symbol || signal.symbol.startsWith(filter.symbol);
}

/**
 * Group signals, newest first; within one bar's close the richer group, then the better quality.
 * @param {Iterable<Signal>} signals
 * @param {Filter} filter
 * @returns {{groups: Group[], shown: number, total: number}}
 */
export function groupSignals(signals, filter) {
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
        key, symbol: signal.symbol, timeframe: signal.timeframe, session: signal.session, bar: signal.bar_timestamp, detected: 0, signals: [],
      };
      groups.set(key, group);
    }
    group.signals.push(signal);
    group.detected = Math.max(group.detected, signal.detection_timestamp);
  }
  const list = [...groups.values()];
  for (const group of list) group.signals.sort(inGroup);
  return { groups: list.sort(newestFirst), shown, total };
}

/** @param {Signal} a @param {Signal} b */
function inGroup(a, b) {
  const forming = Number(a.state === "forming") - Number(b.state === "forming");
  return forming || DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction) || (a.id < b.id ? -1 : 1);
}

/** @param {Group} a @param {Group} b */
function newestFirst(a, b) {
  const second = Math.floor(b.detected / 1000) - Math.floor(a.detected / 1000);
  return second || b.signals.length - a.signals.length || quality(b) - quality(a) || (a.key < b.key ? -1 : 1);
}

/** @param {Group} group */
const quality = (group) => Math.max(...group.signals.map((signal) => signal.quality ?? 0));
