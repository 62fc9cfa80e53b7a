/** Times as the market says them: New York, labelled ET. */

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const MINUTE = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
const DAY = new Intl.DateTimeFormat("en-US", { timeZone: "America/New_York", weekday: "short", month: "short", day: "numeric" });

/** @param {number} time @returns {string} 10:42:07 */
export const clockTime = (time) => CLOCK.format(time);

/** @param {number} time @returns {string} 10:42 */
export const minuteTime = (time) => MINUTE.format(time);

/** @param {number} time @returns {string} Mon, Nov 23 */
export const dayOf = (time) => DAY.format(time);

/**
 * A span of time, short.
 * @param {number} milliseconds
 * @returns {string} 4 s, 3 m, 2 h
 */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 100 ? `${minutes} m` : `${Math.floor(minutes / 60)} h`;
}
