/** What stands around a stored detection, in few words; and when its bar ended. Pure. */

import { nameOf } from "../common/words.js";
import { span } from "../common/new_york_time.js";

/** @import { Signal } from "../link/messages.js" */

const LENGTH_MS = /** @type {Record<string, number>} */ ({ "1min": 60_000, "5min": 300_000, "15min": 900_000, "60min": 3_600_000 });
const TRENDS = /** @type {Record<string, string>} */ ({
  with: "after the trend it asks for",
  against: "against the trend it asks for",
  flat: "no trend before it",
});
const EDGE = 0.1; // of the session's range
const LATE_MS = 60_000;

/**
 * When the bar of a detection ended. A session's last bar may be short, and its detection comes right behind it; a detection from
 * before that belongs to another clock.
 * @param {Signal} signal
 * @returns {number | null} null for a day's bar, of which only the day is known
 */
export function barEnd({ timeframe, bar_timestamp: start, detection_timestamp: detected }) {
  const length = LENGTH_MS[timeframe];
  if (!length) return null;
  const minute = Math.floor(detected / 60_000) * 60_000;
  return minute > start && minute < start + length ? minute : start + length;
}

/**
 * @param {Signal} signal
 * @returns {string[]} one phrase for each thing that is known
 */
export function surroundings(signal) {
  const details = signal.details ?? {};
  const said = [
    ...confirmation(details),
    ratio(details.volume_ratio, "the usual volume of its minutes"),
    ratio(details.volume_ratio_20, "the volume of the 20 bars before"),
    position(details.day_position),
    TRENDS[details.trend_before],
    details.after_gap === true && "just after a hole in the data",
    details.bar_revised === true && "its bar was corrected later",
    late(signal),
  ];
  return said.filter((phrase) => typeof phrase === "string");
}

/** @param {Record<string, any>} details @returns {Array<string | false>} */
function confirmation({ reason, against, stage, part_of: whole, touching }) {
  return [
    typeof reason === "string" && `void: ${reason}`,
    against === true && "broke against the textbook",
    stage === "setup" && "set-up only",
    stage === "confirmed" && "the confirmation of its set-up",
    typeof whole === "string" && `part of ${nameOf({ pattern: whole.split(":")[0] }).toLowerCase()}`,
    touching === true && "its bodies share an end",
  ];
}

/** @param {unknown} value @param {string} of */
const ratio = (value, of) => typeof value === "number" && `${value.toFixed(1)} × ${of}`;

/** @param {unknown} share  of the session's range so far */
function position(share) {
  if (typeof share !== "number") return false;
  if (share >= 1 - EDGE) return "at the day’s high";
  return share <= EDGE ? "at the day’s low" : `at ${Math.round(share * 100)} % of the day’s range`;
}

/** @param {Signal} signal */
function late(signal) {
  const end = barEnd(signal);
  const behind = end === null ? 0 : signal.detection_timestamp - end;
  return signal.origin === "repair" && behind > LATE_MS && `found ${span(behind)} late`;
}
