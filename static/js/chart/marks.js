/** Which signals are marked in the chart, with which shape and where. Pure. */

import { stateOf } from "../common/signal.js";

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Signal } from "../link/messages.js" */

/**
 * @typedef {object} Mark
 * @property {Signal} signal
 * @property {string} shape  reversal | continuation | indecision | chart | alert
 * @property {boolean} above  the bar: bearish and neutral ones; bullish ones are below
 * @property {number} level  0 is next to the bar
 *
 * @typedef {{patterns: boolean, alerts: boolean, best: boolean}} Wanted
 */

export const MOST_MARKS = 500;
const MOST_LEVELS = 4;

/**
 * @param {Signal} signal
 * @param {Catalog | null} catalog
 * @returns {string}
 */
function shapeOf({ pattern }, catalog) {
  if (pattern === undefined) return "alert";
  const entry = catalog?.entries.get(pattern);
  return entry?.kind === "chart_pattern" ? "chart" : (entry?.family ?? "indecision");
}

/**
 * Those that are wanted: of the best also what is forming now.
 * @param {Iterable<Signal>} signals
 * @param {Wanted} wanted
 * @param {Catalog | null} catalog
 */
export const wantedSignals = (signals, { patterns, alerts, best }, catalog) =>
  [...signals].filter((signal) => {
    if (!(signal.pattern === undefined ? alerts : patterns)) return false;
    return !best || !catalog || stateOf(signal) === "forming" || catalog.isBest(signal);
  });

/**
 * The marks of the bars between two times: the best ranked where there are too many.
 * @param {Signal[]} signals
 * @param {{from: number, to: number}} span
 * @param {Catalog | null} catalog
 * @returns {{marks: Mark[], total: number}}
 */
export function marksOf(signals, { from, to }, catalog) {
  const inView = signals.filter(({ bar_timestamp: time }) => from <= time && time <= to);
  const rank = new Map(inView.map((signal) => [signal, stateOf(signal) === "void" ? -1 : (catalog?.rank(signal) ?? signal.quality ?? 0.5)]));
  inView.sort((a, b) => (rank.get(b) ?? 0) - (rank.get(a) ?? 0) || b.bar_timestamp - a.bar_timestamp);
  /** @type {Map<string, number>} */
  const levels = new Map();
  const marks = [];
  for (const signal of inView.slice(0, MOST_MARKS)) {
    const above = signal.direction !== "bullish";
    const place = `${signal.bar_timestamp} ${above}`;
    const level = levels.get(place) ?? 0;
    levels.set(place, level + 1);
    marks.push({ signal, shape: shapeOf(signal, catalog), above, level: Math.min(level, MOST_LEVELS) });
  }
  return { marks, total: inView.length };
}

/**
 * @typedef {{timestamp: number, price: number, name?: string}} Point
 * @typedef {object} Figure  the lines of a chart pattern
 * @property {Point[][]} lines
 * @property {Point[]} points
 * @property {number | undefined} target
 * @property {string} direction
 */

/** @param {any} point */
const isPoint = (point) => Number.isFinite(point?.timestamp) && Number.isFinite(point?.price);

/** @param {Signal | null} signal @returns {Figure | null} null for what has no lines */
export function figureOf(signal) {
  const { lines, points, target } = signal?.details ?? {};
  if (!signal || !Array.isArray(lines) || !Array.isArray(points)) return null;
  return {
    lines: lines.map((line) => line?.points ?? []).filter((ends) => ends.length > 1 && ends.every(isPoint)),
    points: points.filter(isPoint),
    target: Number.isFinite(target) ? target : undefined,
    direction: signal.direction,
  };
}
