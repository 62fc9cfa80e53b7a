/** One row of the list of signals: where and when, and a chip for each signal; and the line above a minute's rows. */

import { inPercent, price, whole } from "../common/figures.js";
import { clockAt, clockTime, dayOf, minuteAt } from "../common/new_york_time.js";
import { element } from "../common/page.js";
import { priceOf, stateOf } from "../common/signal.js";
import { ARROWS, nameOf, ORIGINS, TIMEFRAMES } from "../common/words.js";
import { confirmation } from "./confirmation.js";

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Signal } from "../link/messages.js" */
/** @import { Burst, Group } from "./signal_groups.js" */

/**
 * The line that sums up what one minute brought.
 * @param {Burst} burst
 * @returns {HTMLElement}
 */
export function makeBurst({ minute, signals, groups, bullish, bearish, neutral }) {
  const line = element("div", "burst");
  const symbols = new Set(groups.map((group) => group.symbol)).size;
  const balance = element("span", "balance");
  for (const [direction, many] of Object.entries({ bullish, bearish, neutral })) {
    if (!many) continue;
    const part = element("span", "", `${ARROWS[direction]} ${whole(many)}`);
    part.dataset.direction = direction;
    part.title = `${whole(many)} ${direction}`;
    balance.append(part);
  }
  line.append(
    element("b", "", `${minuteAt(minute)}`),
    element("span", "", `${whole(signals)} ${signals === 1 ? "signal" : "signals"} of ${whole(symbols)} ${symbols === 1 ? "symbol" : "symbols"}`),
    balance,
  );
  line.title = `Signals of the minute ${minuteAt(minute)}, ${dayOf(minute)}`;
  return line;
}

/**
 * @param {Group} group
 * @param {Catalog | null} catalog
 * @returns {HTMLElement}
 */
export function makeRow(group, catalog) {
  const row = element("article", "signal");
  const when = element("time", "when", clockTime(group.time));
  when.setAttribute("datetime", new Date(group.time).toISOString());
  when.title = `Detected ${dayOf(group.detected)} ${clockAt(group.detected)}, in the bar of ${minuteAt(group.bar)}`;
  const symbol = element("button", "symbol", group.symbol);
  symbol.title = `Select ${group.symbol} for the chart`;
  const timeframe = element("span", "timeframe", TIMEFRAMES[group.timeframe] ?? group.timeframe);
  timeframe.title = `${group.timeframe} bar of ${dayOf(group.bar)} ${minuteAt(group.bar)}`;
  const notes = element("span", "notes");
  if (group.session !== "regular") notes.append(element("span", "", group.session));
  const origins = new Set(group.signals.map((signal) => signal.origin));
  for (const origin of origins) if (origin !== "live") notes.append(titled(element("span", "origin", origin), ORIGINS[origin]));
  if (!origins.has("live")) row.dataset.origin = "past";
  if (group.volume) notes.append(titled(element("span", "volume", `RVol ${group.volume.toFixed(1)}`), "Relative volume: the session's so far against the mean of 14 sessions"));
  const at = group.signals.map(priceOf).find((found) => found !== undefined);
  const paid = titled(element("span", "at number", at === undefined ? "" : price(at)), "Close of the bar");
  const chips = element("span", "chips");
  chips.append(...group.signals.map((signal) => makeChip(signal, catalog?.rank(signal) ?? null)));
  row.append(when, symbol, timeframe, notes, paid, chips, element("span", "rest"));
  const wanted = waitsFor(group);
  if (wanted) row.append(titled(element("span", "wanted", wanted), wanted));
  row.ariaLabel = `${group.symbol} ${group.timeframe}, ${group.signals.map((each) => `${nameOf(each)} ${each.direction} ${each.state ?? ""}`).join(", ")}`;
  return row;
}

/** @param {Group} group @returns {string} what would confirm its first forming signal */
export function waitsFor({ signals }) {
  const words = signals.map(confirmation).find(Boolean);
  return words ? `Confirmed by ${words}` : "";
}

/** Say in each row how many of its chips have no room; read first, then written. @param {Iterable<HTMLElement>} rows */
export function countHiddenChips(rows) {
  const found = [...rows].map((row) => {
    const chips = /** @type {HTMLElement[]} */ ([...row.querySelectorAll(".chip")]);
    return { rest: row.querySelector(".rest"), hidden: chips.filter((chip) => chip.offsetTop > chips[0].offsetTop + 4).length };
  });
  for (const { rest, hidden } of found) if (rest) rest.textContent = hidden ? `+${hidden}` : "";
}

/** @param {HTMLElement} target @param {string} title */
function titled(target, title) {
  target.title = title;
  return target;
}

/** @param {Signal} signal @param {number | null} rank */
function makeChip(signal, rank) {
  const chip = element("span", "chip");
  chip.dataset.direction = signal.direction;
  chip.dataset.state = stateOf(signal);
  chip.dataset.id = signal.id;
  const arrow = element("span", "arrow", ARROWS[signal.direction] ?? "◆");
  arrow.ariaHidden = "true";
  chip.append(arrow, element("b", "", nameOf(signal)), element("span", "unseen", signal.direction));
  if (signal.state === "forming" || signal.state === "void") chip.append(element("span", "word", signal.state));
  const figure = figureOf(signal, rank);
  if (figure) chip.append(element("span", "figure", figure));
  return titled(chip, explanation(signal, rank));
}

/**
 * What tells signals of one kind apart: a pattern's rank or quality, the RSI; the price stands beside.
 * @param {Signal} signal
 * @param {number | null} rank
 * @returns {string}
 */
function figureOf(signal, rank) {
  if (signal.pattern !== undefined) return rank === null ? `quality ${percent(signal.quality)}` : `rank ${inPercent(rank)}`;
  return isOscillator(signal) ? (signal.value ?? 0).toFixed(1) : "";
}

/** @param {Signal} signal */
const isOscillator = (signal) => signal.indicator?.startsWith("RSI") ?? false;

/** @param {number | undefined} share */
export const percent = (share) => `${Math.round((share ?? 0) * 100)} %`;

/** @param {Signal} signal @returns {string} RSI_14 70.4 against 70 */
export function valuesOf({ indicator, value = 0, threshold = 0 }) {
  const isPrice = !indicator?.startsWith("RSI") && indicator !== "BarVolumeRatio";
  return `${indicator} ${isPrice ? price(value) : value.toFixed(2)} against ${isPrice ? price(threshold) : threshold.toFixed(0)}`;
}

/** @param {Signal} signal @param {number | null} rank */
function explanation(signal, rank) {
  const bar = `${signal.timeframe} bar of ${minuteAt(signal.bar_timestamp)}, detected ${clockAt(signal.detection_timestamp)}`;
  if (signal.pattern === undefined) return `${valuesOf(signal)} (${signal.direction}) on the ${bar}`;
  const quality = `quality ${percent(signal.quality)} (how far inside its conditions, not a probability)`;
  const better = rank === null ? "" : `rank ${inPercent(rank)} (so many of its kind are worse), `;
  return `${nameOf(signal)}, ${signal.direction}, ${signal.state}: ${better}${quality}; ${bar}`;
}
