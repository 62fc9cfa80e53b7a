/** What the watchlist can show of a symbol. Pure. */

import { clockAt } from "../common/new_york_time.js";
import { compact, percentChange, price } from "../common/figures.js";

/** @import { Quote } from "../link/store.js" */

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} head
 * @property {string} title
 * @property {number} width  pixels
 * @property {(quote: Quote | undefined, values: Record<string, number>) => number | null | undefined} value
 * @property {(value: number) => string} text
 * @property {string} missing  why there is no value
 * @property {boolean} [isChange]  up or down, with a sign
 * @property {(value: number) => string} [mark]  a word beside the figure
 * @property {(quote: Quote) => string} [hint]
 * @property {boolean} [ofBar]  of the last closed 1-minute bar
 * @property {(value: number) => number} key  by which it is ranked
 * @property {number} margin  by how much of that a row must beat another to be moved past it: "clearly"
 */

const POINTS = { key: Number, margin: 0.001 }; // percentages: a tenth of a point
const SCALE = { key: Math.log, margin: Math.log(1.05) }; // sizes: 5 %
const PRICE = { key: Math.log, margin: Math.log(1.005) };
const NO_REFERENCE = "No previous close: no day bar before this trading day is stored yet";
const NOT_OPEN = "Not known: the regular session has not opened, or its open was not seen";
const NOT_WARM = "Not there yet: it needs more closed 1-minute bars, or TickStockPL does not compute it";
const NOT_SUMMED = "Not known yet: what was traded before the app started is still being read";

/** @type {(name: string, head: string, title: string) => Column} */
const average = (name, head, title) => ({
  id: head.toLowerCase().replace(" ", ""), head, title, width: 68, ofBar: true, value: (_, values) => values[name], text: price, missing: NOT_WARM, ...PRICE,
});

/** @type {Column[]} in the order in which they stand */
export const COLUMNS = [
  {
    id: "last", head: "Last", title: "The last price; the arrow is its last move", width: 80,
    value: (quote) => quote?.price, text: price, missing: "No tick yet", ...PRICE,
  },
  {
    id: "change", head: "Chg%", title: "Last price against the previous regular close, in percent", width: 58, isChange: true,
    value: (quote) => quote?.change, text: percentChange, missing: NO_REFERENCE,
    hint: (quote) => `Previous close ${price(quote.previous_close ?? 0)}`, ...POINTS,
  },
  {
    id: "gap", head: "Gap%", title: "Today's open against the previous regular close, in percent", width: 58, isChange: true,
    value: (quote) => quote?.day_open && quote.previous_close && quote.day_open / quote.previous_close - 1,
    text: percentChange, missing: `${NOT_OPEN}; or there is no previous close`, hint: (quote) => `Open ${price(quote.day_open ?? 0)}`, ...POINTS,
  },
  {
    id: "fromopen", head: "From open", title: "Last price against the regular session's open, in percent", width: 74, isChange: true,
    value: (quote) => quote?.day_open && quote.price / quote.day_open - 1,
    text: percentChange, missing: NOT_OPEN, hint: (quote) => `Open ${price(quote.day_open ?? 0)}`, ...POINTS,
  },
  {
    id: "rvol", head: "RVol", title: "Volume of the session so far ÷ its mean up to the same minute over the last 14 sessions", width: 48,
    ofBar: true, value: (_, values) => values.RelativeVolume, text: (value) => value.toFixed(1),
    missing: "Not there yet: it needs 5 earlier sessions of this symbol, and a closed bar of this one", ...SCALE,
  },
  {
    id: "volume", head: "Volume", title: "Shares traded this trading day", width: 62,
    value: (quote) => quote?.volume, text: compact, missing: NOT_SUMMED, ...SCALE,
  },
  {
    id: "dollars", head: "$ volume", title: "Dollars traded this session", width: 68,
    value: (quote) => quote?.dollars, text: compact, missing: NOT_SUMMED, ...SCALE,
  },
  {
    id: "rsi", head: "RSI 14", title: "Relative strength over 14 closed 1-minute bars; 70 and more is overbought, 30 and less oversold", width: 112,
    ofBar: true, value: (_, values) => values.RSI_14, text: (value) => value.toFixed(1), missing: NOT_WARM,
    mark: (value) => (value >= 70 ? "overbought" : value <= 30 ? "oversold" : ""), key: Number, margin: 1,
  },
  average("SMA_20", "SMA 20", "Mean close of the last 20 1-minute bars"),
  average("SMA_50", "SMA 50", "Mean close of the last 50 1-minute bars"),
  average("VWAP", "VWAP", "Volume-weighted mean price of the regular session"),
  {
    id: "age", head: "Age", title: "Time since the last print", width: 116,
    value: (quote) => quote && -quote.timestamp, text: () => "", missing: "No tick yet", key: Number, margin: 5000,
    hint: ({ timestamp, received }) => `Printed ${clockAt(timestamp)}, received ${((received - timestamp) / 1000).toFixed(1)} s later`,
  },
];

const SYMBOL_WIDTH = 74;
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
