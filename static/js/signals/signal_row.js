/** One row of the list of signals: symbol, timeframe, a chip for each signal, the price; and the line above a minute's rows. */

import { price, whole } from "../common/figures.js";
import { clockTime, dayOf, minuteTime } from "../common/new_york_time.js";
import { element } from "../common/page.js";
import { ARROWS, nameOf, TIMEFRAMES } from "../common/words.js";

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Signal } from "../link/messages.js" */
/** @import { Burst, Group } from "./signal_groups.js" */

/**
 * The line that sums up what one minute brought.
 * @param {Burst} burst
 * @returns {HTMLElement}
 */
export function makeBurst({ minute, signals, groups, bullish, bearish, neutral }) {
  const line = element("li", "burst");
  const symbols = new Set(groups.map((group) => group.symbol)).size;
  const count = `${whole(signals)} ${signals === 1 ? "signal" : "signals"}`;
  const balance = element("span", "balance");
  for (const [direction, many] of Object.entries({ bullish, bearish, neutral })) {
    if (!many) continue;
    const part = element("span", "", `${ARROWS[direction]} ${whole(many)}`);
    part.dataset.direction = direction;
    part.title = `${whole(many)} ${direction}`;
    balance.append(part);
  }
  line.append(
    element("b", "", `${minuteTime(minute)} ET`),
    element("span", "", `${count} of ${whole(symbols)} ${symbols === 1 ? "symbol" : "symbols"}`),
    balance,
  );
  line.title = `Signals of the minute ${minuteTime(minute)} ET, ${dayOf(minute)}`;
  return line;
}

/**
 * @param {Group} group
 * @param {(symbol: string) => void} choose
 * @param {Catalog | null} catalog
 * @returns {HTMLElement}
 */
export function makeRow(group, choose, catalog) {
  const row = element("li", "signal");
  row.dataset.key = group.key;
  const when = element("time", "when", clockTime(group.time));
  when.setAttribute("datetime", new Date(group.time).toISOString());
  when.title = `Detected ${dayOf(group.detected)} ${clockTime(group.detected)} ET, in the bar of ${minuteTime(group.bar)} ET`;
  const symbol = element("button", "symbol", group.symbol);
  symbol.title = `Show signals of ${group.symbol} only`;
  symbol.addEventListener("click", () => choose(group.symbol));
  const timeframe = element("span", "timeframe", TIMEFRAMES[group.timeframe] ?? group.timeframe);
  timeframe.title = `${group.timeframe} bar of ${dayOf(group.bar)} ${minuteTime(group.bar)} ET`;
  const chips = element("span", "chips");
  chips.append(...group.signals.map((signal) => makeChip(signal, catalog?.rank(signal) ?? null)));
  const origins = new Set(group.signals.map((signal) => signal.origin));
  for (const origin of origins) {
    if (origin !== "live") chips.append(originTag(origin));
  }
  if (!origins.has("live")) row.dataset.origin = "past";
  const at = group.signals.map(priceOf).find((found) => found !== undefined);
  const paid = element("span", "at number", at === undefined ? "" : price(at));
  if (at !== undefined) paid.title = "Close of the bar";
  row.append(when, symbol, timeframe, chips, paid);
  return row;
}

/** @param {Signal} signal @returns {number | undefined} the bar's close, where the signal tells it */
const priceOf = (signal) => signal.price ?? (signal.indicator === "close" ? signal.value : undefined);

/** @param {string} origin repair | history */
function originTag(origin) {
  const tag = element("span", "origin", origin);
  tag.title = origin === "history" ? "Found in bars from before TickStockPL was started" : "Found when a minute was processed after an outage";
  return tag;
}

/** @param {Signal} signal @param {number | null} rank */
function makeChip(signal, rank) {
  const chip = element("span", "chip");
  chip.dataset.direction = signal.direction;
  chip.dataset.state = signal.state ?? "confirmed";
  chip.dataset.id = signal.id;
  const arrow = element("span", "arrow", ARROWS[signal.direction] ?? "◆");
  arrow.setAttribute("aria-hidden", "true");
  chip.append(arrow, element("b", "", nameOf(signal)), element("span", "unseen", signal.direction));
  if (signal.state === "forming" || signal.state === "void") chip.append(element("span", "word", signal.state));
  const figure = figureOf(signal, rank);
  if (figure) chip.append(element("span", "figure", figure));
  chip.title = explanation(signal, rank);
  return chip;
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

/** @param {number} rank @returns {string} rounded down: 100 % is what nothing can be better than */
const inPercent = (rank) => `${Math.floor(rank * 100)} %`;

/** @param {number | undefined} share */
const percent = (share) => `${Math.round((share ?? 0) * 100)} %`;

/** @param {Signal} signal @param {number | null} rank */
function explanation(signal, rank) {
  const bar = `${signal.timeframe} bar of ${minuteTime(signal.bar_timestamp)} ET, detected ${clockTime(signal.detection_timestamp)} ET`;
  if (signal.pattern === undefined) {
    const value = signal.value ?? 0;
    const threshold = signal.threshold ?? 0;
    const shown = isOscillator(signal) ? [value.toFixed(2), threshold.toFixed(0)] : [price(value), price(threshold)];
    return `${signal.indicator} ${shown[0]} crossed ${shown[1]} (${signal.direction}) on the ${bar}`;
  }
  const quality = `quality ${percent(signal.quality)} (how far inside its conditions, not a probability)`;
  const better = rank === null ? "" : `rank ${inPercent(rank)} (so many of its kind are worse), `;
  return `${nameOf(signal)}, ${signal.direction}, ${signal.state}: ${better}${quality}; ${bar}`;
}
