/** Which signals the list shows: the choices, their defaults, and what a choice hides. Pure. */

import { isConfirmed, kindOf, priceOf } from "../common/signal.js";

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Signal, SymbolRow } from "../link/messages.js" */

/**
 * @typedef {object} Filter
 * @property {string} scope  watch | all | selected
 * @property {string} kind  "" | pattern | alert
 * @property {string[]} patterns  names of patterns and alerts; none: all
 * @property {string} direction
 * @property {string} rank  best, or the least share of its like that is worse
 * @property {string} session
 * @property {string} timeframe
 * @property {number} price  at least, in dollars
 * @property {number} dollars  at least, traded this session
 * @property {boolean} confirmed  these only
 *
 * @typedef {object} Surroundings  what a filter is applied with
 * @property {Set<string>} watch
 * @property {string} selected
 * @property {Map<string, SymbolRow>} quotes
 * @property {Catalog | null} catalog
 */

/** @type {Readonly<Filter>} */
export const DEFAULTS = Object.freeze({
  scope: "watch", kind: "", patterns: [], direction: "", rank: "best", session: "", timeframe: "", price: 1, dollars: 1_000_000, confirmed: true,
});

const CHOICES = /** @type {Record<string, string[]>} */ ({
  scope: ["watch", "all", "selected"],
  kind: ["", "pattern", "alert"],
  direction: ["", "bullish", "bearish", "neutral"],
  rank: ["best", "0", "0.5", "0.75", "0.9", "0.95"],
  session: ["", "pre", "regular", "post"],
  timeframe: ["", "1min", "5min", "15min", "60min", "1day"],
});

/** @param {string} key @param {any} value @returns {boolean} whether it can be chosen */
function isChoice(key, value) {
  if (key in CHOICES) return CHOICES[key].includes(value);
  if (key === "patterns") return Array.isArray(value) && value.every((name) => typeof name === "string");
  return key === "confirmed" ? typeof value === "boolean" : Number.isFinite(value) && value >= 0;
}

/**
 * The filter that was kept; whatever of it cannot be read is as by default.
 * @param {string | null} text
 * @returns {Filter}
 */
export function filterFrom(text) {
  /** @type {any} */
  let kept = null;
  try {
    kept = JSON.parse(text ?? "");
  } catch {
    // Nothing was kept, or not by this page.
  }
  const entries = Object.entries(DEFAULTS).map(([key, value]) => [key, isChoice(key, kept?.[key]) ? kept[key] : value]);
  return Object.fromEntries(entries);
}

/** @param {Filter} filter @returns {string[]} names of the choices that are not those by default */
export const changesOf = (filter) =>
  Object.entries(DEFAULTS).filter(([key, value]) => String(filter[/** @type {keyof Filter} */ (key)]) !== String(value)).map(([key]) => key);

/**
 * Whether the filter lets a signal through. What is not known hides nothing.
 * @param {Signal} signal
 * @param {Filter} filter
 * @param {Surroundings} at
 */
export function passes(signal, filter, { watch, selected, quotes, catalog }) {
  const { symbol } = signal;
  if (filter.scope === "selected" ? symbol !== selected : filter.scope === "watch" && !watch.has(symbol)) return false;
  if (filter.confirmed && !isConfirmed(signal)) return false;
  if (filter.kind && (signal.pattern === undefined ? "alert" : "pattern") !== filter.kind) return false;
  if (filter.patterns.length && !filter.patterns.includes(kindOf(signal))) return false;
  if (filter.direction && signal.direction !== filter.direction) return false;
  if (filter.session && signal.session !== filter.session) return false;
  if (filter.timeframe && signal.timeframe !== filter.timeframe) return false;
  const quote = quotes.get(symbol);
  if ((priceOf(signal) ?? quote?.price ?? Infinity) < filter.price || (quote?.dollars ?? Infinity) < filter.dollars) return false;
  return !catalog || ranks(signal, filter, catalog);
}

/** @param {Signal} signal @param {Filter} filter @param {Catalog} catalog */
function ranks(signal, { rank, patterns }, catalog) {
  if (rank !== "best") return (catalog.rank(signal) ?? 1) >= Number(rank);
  // What was asked for by its name is shown, also where its like never is unasked.
  if (patterns.length && catalog.entries.get(kindOf(signal))?.shown_from === null) return true;
  return catalog.isBest(isConfirmed(signal) ? signal : { ...signal, state: "confirmed" });
}
