/** What the card of a signal says in words. Pure. */

import { inPercent } from "../common/figures.js";
import { span } from "../common/new_york_time.js";
import { ORIGINS, SESSION_WORDS } from "../common/words.js";
import { amount, confirmation } from "./confirmation.js";
import { closeOf } from "./signal_groups.js";
import { percent, valuesOf } from "./signal_row.js";

/** @import { Signal } from "../link/messages.js" */

/** @typedef {[string, string]} Line  what is told, and how it is */

const TRENDS = /** @type {Record<string, string>} */ ({
  with: "The trend before it runs as the book demands.",
  against: "The trend before it runs against what the book demands.",
  flat: "There was no trend before it, although the book demands one.",
});
const LATE_MS = 60_000;

/**
 * How good it is among its like.
 * @param {Signal} signal
 * @param {number | null} rank
 * @returns {Line[]}
 */
export function qualityLines(signal, rank) {
  if (signal.pattern === undefined) return [["Values", valuesOf(signal)]];
  /** @type {Line[]} */
  const lines = [["Quality", `${percent(signal.quality)}: how far inside its conditions its shape is. It is not a probability.`]];
  if (rank !== null) lines.push(["Rank", `${inPercent(rank)} of the detections of this pattern have a lower quality.`]);
  return lines;
}

/**
 * What is known of its surroundings.
 * @param {Signal} signal
 * @returns {Line[]}
 */
export function contextLines(signal) {
  const { state, details = {} } = signal;
  const waits = confirmation(signal);
  const ratio = details.volume_ratio;
  const place = details.day_position;
  /** @type {Array<[string, string | false | undefined]>} */
  const lines = [
    ["Not confirmed", waits && `It is still forming. Confirmed by ${waits}.`],
    ["Void", state === "void" && `It ended without being confirmed${details.reason ? `: ${details.reason}` : ""}.`],
    ["Stage", details.stage === "setup" && "Only the set-up stands; its confirmation is a signal of its own."],
    ["Against", details.against && "It broke to the other side than the textbook expects."],
    ["Target", amount(details.target) && `${amount(details.target)}: its height beyond the line, by the textbook. Not a forecast.`],
    ["Part of", details.part_of && `It became part of a larger pattern: ${String(details.part_of).split(":")[0]}.`],
    ["Trend", TRENDS[details.trend_before]],
    ["Touching", details.touching && "Its candles only touch where the strict form wants one beyond the other."],
    ["Colour", details.colour && `The candle is ${details.colour}.`],
    ["Volume", Number.isFinite(ratio) && `${ratio.toFixed(1)} times the mean of the same minutes of the last 14 sessions.`],
    ["Day's range", Number.isFinite(place) && `Its close lies at ${percent(place)} of it so far: 0 % is the low, 100 % the high.`],
    ["After a gap", details.after_gap && "The symbol had not traded for five minutes or more just before: handle with care."],
    ["Corrected later", details.bar_revised && "Its bar was corrected after the detection, which stays as it was."],
  ];
  return /** @type {Line[]} */ (lines.filter(([, words]) => words));
}

/** @param {Signal} signal @returns {Line[]} */
export const sourceLines = ({ session, origin }) => [
  ["Session", SESSION_WORDS[session] ?? session],
  ["Origin", `${origin}: ${ORIGINS[origin] ?? "not known to this page"}.`],
];

/** @param {number} milliseconds @returns {string} +0.04 s */
const after = (milliseconds) => `${milliseconds < 0 ? "\u2212" : "+"}${Math.abs(milliseconds) < 100_000 ? `${(Math.abs(milliseconds) / 1000).toFixed(2)} s` : span(Math.abs(milliseconds))}`;

/**
 * The three times, and how long each step took.
 * @param {Signal} signal
 * @param {boolean} followsEvents  the bar's clock is a recorded day's, and its distance to ours says nothing
 * @returns {Array<{what: string, time: number, after: string, why: string}>}
 */
export function timesOf(signal, followsEvents) {
  const { detection_timestamp: detected, arrived, origin } = signal;
  const close = closeOf(signal);
  const steps = [
    { what: "Bar closed", time: close, after: "", why: "" },
    { what: "Detected", time: detected, after: followsEvents ? "" : after(detected - close), why: followsEvents ? "on the wall clock, while the day was replayed" : "" },
  ];
  if (origin === "history") steps[1].why = "its bar was analysed later; the bar's end counts as detection";
  if (!arrived) return [...steps, { what: "Shown", time: 0, after: "", why: "read from the database" }];
  const late = arrived - detected > LATE_MS ? "this page was opened, or connected again, after it" : "";
  return [...steps, { what: "Shown", time: arrived, after: after(arrived - detected), why: late }];
}

/**
 * What followed such detections, one line for each horizon.
 * @param {any} row  of /api/outcomes
 * @returns {string[]}
 */
export function outcomeCells(row) {
  const share = (/** @type {number | null} */ value) => (value == null ? "–" : `${(value * 100).toFixed(1)} %`);
  const neutral = row.rate == null && row.mean_size != null;
  const interval = row.interval ? `difference ${row.interval.map((/** @type {number} */ end) => share(end)).join(" to ")}` : "";
  const verdict = row.too_few ? "too few to say" : row.edge ? "holds up in all tests" : interval || "no edge found";
  return [
    `${row.horizon} ${row.horizon === 1 ? "bar" : "bars"}`,
    String(row.events),
    neutral ? `moved ${share(row.mean_size)}` : share(row.rate),
    neutral ? share(row.base_size) : share(row.base_rate),
    verdict,
  ];
}
