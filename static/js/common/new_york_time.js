/** Times as the market says them: New York, labelled ET; or in the browser's zone where the visitor has chosen that, labelled too. */

import { preferences } from "./preferences.js";

export const MARKET_ZONE = "America/New_York";
export const BROWSER_ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The zone of this page for as long as it is open; another choice loads the page anew. */
export const timeZone = preferences.get("zone") === "browser" ? BROWSER_ZONE : MARKET_ZONE;

/** @param {Intl.DateTimeFormatOptions} options @param {string} [language] */
const formatter = (options, language = "en-GB") => new Intl.DateTimeFormat(language, { timeZone, hourCycle: "h23", ...options });

const CLOCK = formatter({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = formatter({ hour: "2-digit", minute: "2-digit" });
const DAY = formatter({ weekday: "short", month: "short", day: "numeric", hourCycle: undefined }, "en-US");

/** @param {number} time @returns {string} 10:42:07 */
export const clockTime = (time) => CLOCK.format(time);

/** @param {number} time @returns {string} 10:42 */
export const minuteTime = (time) => MINUTE.format(time);

/** @param {number} time @returns {string} Mon, Nov 23 */
export const dayOf = (time) => DAY.format(time);

/** @param {number} time @returns {string} 10:42:07 ET */
export const clockAt = (time) => `${CLOCK.format(time)} ${zoneAt(time)}`;

/** @param {number} time @returns {string} 10:42 ET */
export const minuteAt = (time) => `${MINUTE.format(time)} ${zoneAt(time)}`;

/**
 * The label of a time: ET in New York, else the zone's short name at that time. English has short names of some zones only
 * in America, of some only in Britain; for the rest it is the distance from Greenwich.
 * @param {number} [time]
 * @param {string} [zone]
 * @returns {string} ET, CET, PST, GMT+9
 */
export function zoneAt(time = Date.now(), zone = timeZone) {
  if (zone === MARKET_ZONE) return "ET";
  const hour = `${zone} ${Math.floor(time / 3_600_000)}`; // in which no zone changes its name
  if (labelled.hour !== hour) {
    const names = ["en-US", "en-GB"].map((language) => {
      const parts = new Intl.DateTimeFormat(language, { timeZone: zone, timeZoneName: "short" }).formatToParts(time);
      return parts.find(({ type }) => type === "timeZoneName")?.value ?? zone;
    });
    labelled = { hour, label: names.find((name) => !/^(?:GMT|UTC).+/.test(name)) ?? names[0] };
  }
  return labelled.label;
}

let labelled = { hour: "", label: "" };

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
