/** What the watchlist can show of a symbol. Pure. */

import { clockAt } from "../common/new_york_time.js";
import { compact, percentChange, price } from "../common/figures.js";

/** @import { Quote } from "../link/store.js" */

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} [head]
 * @property {string} [title]
 * @property {string} [missing]  why there is no value
 * @property {number} width  pixels
 * @property {(quote: Quote | undefined, values: Record<string, number>) => number | null | undefined} value
 * @property {(value: number) => string} text
 * @property {boolean} [isChange]  up or down, with a sign
 * @property {(value: number) => string} [mark]  a word beside the figure
 * @property {(quote: Quote) => string} [hint]
 * @property {boolean} [ofBar]  of the last closed 1-minute bar
 * @property {(value: number) => number} key  by which it is ranked
 * @property {number} margin  by how much of that a row must beat another to be moved past it: "clearly"
 */

/** @param {number} value  a hundred percent and more without hundredths */
const change = (value) => percentChange(value).replace(/(\d{3})\.\d+$/, "$1");
const POINTS = { isChange: true, text: change, key: Number, margin: 0.001 }; // a tenth of a percentage point
const SIZE = { text: compact, key: Math.log, margin: Math.log(1.05) }; // 5 %
const PRICE = { text: price, key: Math.log, margin: Math.log(1.005) };

/** @type {(id: string, name: string) => Column} */
const average = (id, name) => ({ id, width: 68, ofBar: true, value: (_, values) => values[name], ...PRICE });

/** @param {Quote} quote */
const openOf = (quote) => `Open ${price(quote.day_open ?? 0)}`;

/** @type {Column[]} in the order in which they stand; their words stand in the page's markup, in the choice of columns */
export const COLUMNS = [
  { id: "last", width: 73, value: (quote) => quote?.price, ...PRICE },
  { id: "change", width: 58, value: (quote) => quote?.change, hint: (quote) => `Previous close ${price(quote.previous_close ?? 0)}`, ...POINTS },
  {
    id: "gap", width: 58, hint: openOf, ...POINTS,
    value: (quote) => quote?.day_open && quote.previous_close && quote.day_open / quote.previous_close - 1,
  },
  { id: "fromopen", width: 74, value: (quote) => quote?.day_open && quote.price / quote.day_open - 1, hint: openOf, ...POINTS },
  { id: "rvol", width: 42, ofBar: true, value: (_, values) => values.RelativeVolume, ...SIZE, text: (value) => value.toFixed(value < 100 ? 1 : 0) },
  { id: "volume", width: 62, value: (quote) => quote?.volume, ...SIZE },
  { id: "dollars", width: 68, value: (quote) => quote?.dollars, ...SIZE },
  {
    id: "rsi", width: 112, ofBar: true, value: (_, values) => values.RSI_14, text: (value) => value.toFixed(1), key: Number, margin: 1,
    mark: (value) => (value >= 70 ? "overbought" : value <= 30 ? "oversold" : ""),
  },
  average("sma20", "SMA_20"),
  average("sma50", "SMA_50"),
  average("vwap", "VWAP"),
  {
    id: "age", width: 88, value: (quote) => quote && -quote.timestamp, text: () => "", key: Number, margin: 5000,
    hint: ({ timestamp, received }) => `Printed ${clockAt(timestamp)}, received ${((received - timestamp) / 1000).toFixed(1)} s later`,
  },
];

const SYMBOL_WIDTH = 66;
const BY_IMPORTANCE = ["last", "change", "age", "rvol", "rsi", "volume", "fromopen", "sma20", "sma50", "vwap", "gap", "dollars"];

/**
 * @param {string[]} chosen  none: as many as there is room for, the important ones first
 * @param {number} room  pixels
 * @returns {{columns: Column[], width: number}}  and what they need
 */
export function columnsFor(chosen, room) {
  const wanted = new Set(chosen);
  const needed = () => COLUMNS.reduce((sum, { id, width }) => sum + (wanted.has(id) ? width : 0), SYMBOL_WIDTH);
  if (!chosen.length) {
    for (const id of BY_IMPORTANCE) {
      wanted.add(id);
      if (needed() <= room || wanted.size <= 3) continue;
      wanted.delete(id);
      break;
    }
  }
  return { columns: COLUMNS.filter(({ id }) => wanted.has(id)), width: needed() };
}
