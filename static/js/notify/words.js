/** What a notification says. */

import { price } from "../common/figures.js";
import { minuteAt } from "../common/new_york_time.js";
import { priceOf } from "../common/signal.js";
import { ARROWS, nameOf, TIMEFRAMES } from "../common/words.js";

/** @import { Signal } from "../link/messages.js" */
/** @import { Notice } from "./rules.js" */

const MOST_NAMED = 8;

/** @param {Signal[]} signals @returns {string} their common direction; neutral where they disagree */
export function directionOf(signals) {
  const [first] = signals;
  return signals.every(({ direction }) => direction === first.direction) ? first.direction : "neutral";
}

/** @param {Notice} notice @returns {string} NVDA Hammer · VWAP cross */
const named = ({ symbol, signals }) => `${symbol} ${signals.map(nameOf).join(" · ")}`;

/** @param {Notice} notice @returns {{title: string, body: string, tag: string}} */
export function noticeText(notice) {
  const [first] = notice.signals;
  const direction = directionOf(notice.signals);
  const paid = priceOf(first);
  const lines = [
    ...notice.signals.map((signal) => `${ARROWS[signal.direction] ?? ""} ${nameOf(signal)}, ${signal.direction}`),
    `${TIMEFRAMES[first.timeframe] ?? first.timeframe} bar of ${minuteAt(first.bar_timestamp)}${paid === undefined ? "" : `, at ${price(paid)}`}`,
  ];
  return { title: `${ARROWS[direction] ?? ""} ${named(notice)}`, body: lines.join("\n"), tag: first.id };
}

/** @param {Notice[]} rest @returns {{title: string, body: string, tag: string}} */
export function digestText(rest) {
  const names = rest.slice(0, MOST_NAMED).map(named).join(", ");
  const body = rest.length > MOST_NAMED ? `${names} …` : names;
  return { title: `And ${rest.length} more`, body, tag: rest[0].signals[0].id };
}
