/** The columns of the list: what each shows of a pattern or an alert. */

import { arrowOf } from "../common/arrow.js";
import { inPercent, price } from "../common/figures.js";
import { clockAt, dayOf, minuteTime, timeZone, zoneAt } from "../common/new_york_time.js";
import { element } from "../common/page.js";
import { nameOf, ORIGINS, SESSION_WORDS, TIMEFRAMES } from "../common/words.js";
import { barEnd, surroundings } from "./surroundings.js";

/** @import { Signal } from "../link/messages.js" */
/** @import { Column } from "./data_table.js" */

/**
 * @typedef {object} Means
 * @property {(symbol: string) => void} choose
 * @property {(signal: Signal) => number | null} rankOf
 */

const YEAR = new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric" });

/** @param {number} time @returns {string} Fri, Nov 20; of another year with it */
const dateOf = (time) => (YEAR.format(time) === YEAR.format() ? dayOf(time) : `${dayOf(time)}, ${YEAR.format(time)}`);

/** @param {Signal} signal @returns {string} of the bar: Fri, Nov 20 15:59 */
function timeOf(signal) {
  const end = barEnd(signal);
  return end === null ? `${dateOf(signal.bar_timestamp)}, day` : `${dateOf(end)} ${minuteTime(end)}`;
}

/** @param {Signal} signal */
function timeCell(signal) {
  const time = element("time", "", timeOf(signal));
  time.setAttribute("datetime", new Date(barEnd(signal) ?? signal.bar_timestamp).toISOString());
  time.title = `Detected ${dateOf(signal.detection_timestamp)} ${clockAt(signal.detection_timestamp)}`;
  return time;
}

/** @param {string} symbol @param {(symbol: string) => void} choose */
function symbolCell(symbol, choose) {
  const button = /** @type {HTMLButtonElement} */ (element("button", "symbol", symbol));
  button.type = "button";
  button.title = `Show ${symbol} only`;
  button.addEventListener("click", () => choose(symbol));
  return button;
}

/** @param {Signal} signal */
function nameCell(signal) {
  const cell = element("span", "detected");
  cell.dataset.direction = signal.direction;
  cell.append(arrowOf(signal.direction), element("b", "", nameOf(signal)), element("span", "side", `, ${signal.direction}`));
  return cell;
}

/** @param {Signal} signal */
function chartCell(signal) {
  const link = /** @type {HTMLAnchorElement} */ (element("a", "chart-link", "Chart"));
  const { symbol, timeframe, bar_timestamp: at } = signal;
  link.href = `/dashboard?${new URLSearchParams({ symbol, timeframe, at: String(at) })}`;
  link.setAttribute("aria-label", `Chart of ${symbol} at ${timeOf(signal)}`);
  return link;
}

/** @param {Signal} signal */
function stateCell({ state = "" }) {
  const cell = element("span", "standing", state);
  cell.dataset.standing = state;
  return cell;
}

/** @param {Signal} signal */
function originCell({ origin }) {
  const cell = element("span", "", origin);
  cell.title = ORIGINS[origin] ?? "";
  return cell;
}

/** @param {number | null | undefined} share */
const shareCell = (share) => (share == null ? "–" : inPercent(share));

/** @param {Signal} signal @returns {string} RSI_14 70.40 against 70.00; with as many digits as tell the two apart */
function figure({ indicator = "", value = 0, threshold = 0 }) {
  const digits = [2, 4, 6].find((many) => value.toFixed(many) !== threshold.toFixed(many)) ?? 2;
  return `${indicator} ${value.toFixed(digits)} against ${threshold.toFixed(digits)}`.replaceAll("-", "\u2212");
}

/** @param {Means} means @returns {Column<Signal>[]} */
const shared = ({ choose }) => [
  { label: `Bar’s end (${zoneAt()})`, name: "time", sort: "detection", first: "desc", cell: timeCell },
  { label: "Symbol", name: "ticker", sort: "symbol", heads: true, cell: ({ symbol }) => symbolCell(symbol, choose) },
];

/** @type {Column<Signal>[]} */
const PLACE = [
  { label: "Direction", name: "direction", cell: ({ direction }) => direction },
  { label: "Timeframe", name: "timeframe", cell: ({ timeframe }) => TIMEFRAMES[timeframe] ?? timeframe },
  { label: "Session", name: "session", cell: ({ session }) => SESSION_WORDS[session] ?? session },
];

/** @param {Means} means @returns {Column<Signal>[]} */
export const patternColumns = (means) => [
  ...shared(means),
  { label: "Pattern", name: "name", sort: "pattern", cell: nameCell },
  ...PLACE,
  { label: "Price", name: "number", cell: ({ price: at = 0 }) => price(at) },
  { label: "Quality", name: "number", sort: "quality", first: "desc", cell: ({ quality }) => shareCell(quality) },
  { label: "Rank", name: "number", cell: (signal) => shareCell(means.rankOf(signal)) },
  { label: "State", name: "stands", cell: stateCell },
  { label: "Origin", name: "origin", cell: originCell },
  { label: "Surroundings", name: "around", cell: (signal) => surroundings(signal).join(" · ") || "–" },
  { label: "Chart", name: "link", cell: chartCell },
];

/** @param {Means} means @returns {Column<Signal>[]} */
export const alertColumns = (means) => [
  ...shared(means),
  { label: "Alert", name: "name", sort: "alert", cell: nameCell },
  ...PLACE,
  { label: "Value against threshold", name: "around", cell: figure },
  { label: "Origin", name: "origin", cell: originCell },
  { label: "Chart", name: "link", cell: chartCell },
];
