/**
 * Indicator values of bars of which the server stores none, because they closed before TickStockPL was started: by the same formulas
 * (TA-Lib's, over the bars that are loaded). Pure.
 */

/** @import { Bar } from "./bar_series.js" */

/** @typedef {Array<number | undefined>} Values  undefined before the first */
/** @typedef {Map<number, Record<string, number>>} ValuesByTime */

/** @param {Values} of @param {number} period @param {number} weight  of each new value @returns {Values} begun with the mean of the first ones */
function smoothed(of, period, weight) {
  const first = of.findIndex((value) => value !== undefined);
  let sum = 0;
  let last = 0;
  return of.map((value = 0, at) => {
    const count = first < 0 ? 0 : at - first + 1;
    if (count <= period) sum += value;
    if (count < period) return undefined;
    return (last = count === period ? sum / period : last + weight * (value - last));
  });
}

/** @param {Values} of @param {number} period @returns {Values} */
const ema = (of, period) => smoothed(of, period, 2 / (period + 1));

/** @param {number[]} of @param {number} period @param {number} [deviations] @returns {Values} */
const sma = (of, period, deviations = 0) =>
  of.map((_, at) => {
    if (at + 1 < period) return undefined;
    const window = of.slice(at + 1 - period, at + 1);
    const mean = window.reduce((sum, value) => sum + value, 0) / period;
    return mean + deviations * Math.sqrt(window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / period);
  });

/** @param {number[]} of @param {number} period @returns {Values} */
function rsi(of, period) {
  const moves = (/** @type {number} */ sign) => of.map((value, at) => (at ? Math.max(0, sign * (value - of[at - 1])) : undefined));
  const [gains, losses] = [smoothed(moves(1), period, 1 / period), smoothed(moves(-1), period, 1 / period)];
  return gains.map((gain = 0, at) => {
    const loss = losses[at];
    return loss === undefined ? undefined : gain + loss ? (100 * gain) / (gain + loss) : 0;
  });
}

/** @param {Values} a @param {Values} b @returns {Values} */
const less = (a, b) => a.map((value, at) => (value === undefined || b[at] === undefined ? undefined : value - b[at]));

/** @param {number[]} of @param {number[]} periods  fast, slow, signal @param {string} part @returns {Values} */
function macd(of, [fast, slow, signal], part) {
  const line = less(ema(of, fast), ema(of, slow));
  const average = ema(line, signal);
  return part === "SIGNAL" ? average : part === "HIST" ? less(line, average) : line;
}

/** @param {Bar[]} bars @param {(time: number) => string} dayOf @returns {Values} of each day's bars so far */
function vwap(bars, dayOf) {
  let [day, money, shares] = ["", 0, 0];
  return bars.map(({ time, high, low, close, volume }) => {
    if (dayOf(time) !== day) [day, money, shares] = [dayOf(time), 0, 0];
    money += ((high + low + close) / 3) * volume;
    shares += volume;
    return shares ? money / shares : undefined;
  });
}

/** @param {string} name  of a value, as docs/indicators.md has it @param {Bar[]} bars @param {(time: number) => string} dayOf @returns {Values | null} */
function study(name, bars, dayOf) {
  const [kind, part] = name.split("_");
  const numbers = (name.match(/_[\d.]+/g) ?? []).map((text) => Number(text.slice(1)));
  const closes = bars.map(({ close }) => close);
  switch (kind) {
    case "SMA": return sma(closes, numbers[0]);
    case "EMA": return ema(closes, numbers[0]);
    case "RSI": return rsi(closes, numbers[0]);
    case "BB": return sma(closes, numbers[0], { UPPER: 1, LOWER: -1 }[part] ? numbers[1] * (part === "UPPER" ? 1 : -1) : 0);
    case "MACD": return macd(closes, numbers, part);
    case "VWAP": return vwap(bars, dayOf);
    default: return null;
  }
}

/**
 * The stored values, and computed ones where there are none.
 * @param {string[]} names
 * @param {Bar[]} bars  that are analysed: closed ones, of the regular session
 * @param {ValuesByTime} stored
 * @param {(time: number) => string} dayOf
 * @returns {ValuesByTime}
 */
export function completed(names, bars, stored, dayOf) {
  if (bars.every(({ time }) => stored.has(time))) return stored;
  const all = new Map(stored);
  for (const name of names) {
    study(name, bars, dayOf)?.forEach((value, at) => {
      const { time } = bars[at];
      if (value === undefined || stored.has(time)) return;
      const values = all.get(time) ?? {};
      values[name] = value;
      all.set(time, values);
    });
  }
  return all;
}
