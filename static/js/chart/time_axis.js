/** The chart's axis of time: which bars begin an hour, a day, a month where the page's times are from, and how that is written. Pure. */

import { dayOf, MARKET_ZONE, minuteAt, minuteTime } from "../common/new_york_time.js";

const DAY = 50; // weights of the chart library: a heavier mark is kept when there is little room
const MONTH = 60;
const YEAR = 70;
const STEPS = [[720, 33], [360, 32], [180, 31], [60, 30], [30, 22], [5, 21]]; // minutes, weight
const MINUTE = 20;
const MARKET_DAY = new Intl.DateTimeFormat("en-GB", { timeZone: MARKET_ZONE });
const MARKET_CLOCK = new Intl.DateTimeFormat("en-GB", { timeZone: MARKET_ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** @param {number} time @returns {string} Nov 23 */
const dateOf = (time) => dayOf(time).split(", ")[1];

/** @param {number} time */
const yearOf = (time) => String(new Date(time).getUTCFullYear());

/** @param {number} time @param {boolean} daily @returns {string} Nov 23 10:42 ET, or Nov 23, 2026 */
export const barTime = (time, daily) => `${dateOf(time)}${daily ? `, ${yearOf(time)}` : ` ${minuteAt(time)}`}`;

/** @param {number} time @returns {number} */
function minuteOfDay(time) {
  const [hour, minute] = minuteTime(time).split(":");
  return Number(hour) * 60 + Number(minute);
}

/**
 * How heavy the mark of a bar is after the bar before it.
 * @param {number} time
 * @param {number} before
 * @param {boolean} daily
 */
export function weightOf(time, before, daily) {
  if (daily) return yearOf(time) !== yearOf(before) ? YEAR : dateOf(time).slice(0, 3) !== dateOf(before).slice(0, 3) ? MONTH : DAY;
  if (dayOf(time) !== dayOf(before)) return DAY;
  const [now, then] = [minuteOfDay(time), minuteOfDay(before)];
  return STEPS.find(([step]) => Math.floor(now / step) !== Math.floor(then / step))?.[1] ?? MINUTE;
}

/** @param {number} time @param {number} kind  the library's: 0 year, 1 month, 2 day, 3 time */
export const tickText = (time, kind) =>
  kind === 0 ? yearOf(time) : kind === 1 ? dateOf(time).slice(0, 3) : kind === 2 ? dateOf(time) : minuteTime(time);

/** @param {number} time @returns {string} the market's day, whatever zone the page shows */
export const marketDay = (time) => MARKET_DAY.format(time);

/** @param {number} time @returns {boolean} whether the market's clock stands outside its regular hours */
export function isExtended(time) {
  const clock = MARKET_CLOCK.format(time);
  return clock < "09:30" || clock >= "16:00";
}
