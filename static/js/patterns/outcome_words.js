/** What a report of outcomes says, in words and figures: no more than its tests allow. Pure. */

import { whole } from "../common/figures.js";
import { clockAt, dayOf, span } from "../common/new_york_time.js";

/**
 * @typedef {object} Outcome  a row of /api/outcomes; rates and returns are fractions
 * @property {string} pattern
 * @property {string} direction
 * @property {string} timeframe
 * @property {number} horizon
 * @property {string} quality  all, or a third
 * @property {number} events
 * @property {number} incomplete
 * @property {number} zero
 * @property {number} unmatched
 * @property {number} days
 * @property {number | null} hits
 * @property {number | null} rate
 * @property {number | null} base_rate
 * @property {[number, number] | null} interval
 * @property {number | null} mean_return
 * @property {number | null} median_return
 * @property {number | null} mean_after_cost
 * @property {number | null} median_after_cost
 * @property {number | null} mean_size
 * @property {number | null} median_size
 * @property {number | null} base_size
 * @property {boolean} too_few
 * @property {boolean} survives
 * @property {boolean} pays
 * @property {boolean} repeats
 * @property {boolean} edge
 */

const MINUS = "\u2212";

/** @param {number | null} share @param {number} digits @returns {string} in hundredths; nothing has no sign */
function signed(share, digits) {
  if (share === null) return "–";
  const size = (Math.abs(share) * 100).toFixed(digits);
  return Number(size) === 0 ? size : `${share < 0 ? MINUS : "+"}${size}`;
}

/** @param {number | null} share @returns {string} +0.012 % */
export const returned = (share) => (share === null ? "–" : `${signed(share, 3)} %`);

/** @param {number | null} share @returns {string} 51.2 % */
export const rated = (share) => (share === null ? "–" : `${(share * 100).toFixed(1)} %`);

/** @param {Outcome} row @returns {boolean} whether its pattern speaks for no side, so that there is no hit */
const isNeutral = ({ direction }) => direction === "neutral";

/** @param {Outcome} row @returns {number | null} */
const differenceOf = ({ rate, base_rate: base }) => (rate === null || base === null ? null : rate - base);

/** @param {Outcome} row @returns {[string, string]} +1.2, and where it lies with 95 %: −0.4 to +2.8; in percentage points */
export function differenceWords(row) {
  const difference = differenceOf(row);
  if (difference === null) return ["–", ""];
  return [signed(difference, 1), row.interval ? `95 %: ${row.interval.map((end) => signed(end, 1)).join(" to ")}` : "no interval"];
}

/**
 * What the test says. Only a row that passed all of it is called an edge.
 * @param {Outcome} row
 * @returns {{said: string, why: string}}
 */
export function verdict(row) {
  if (row.edge) return { said: "edge", why: "beyond what so many rows bring by chance, pays its cost, and repeated" };
  if (row.too_few) return { said: "too few", why: "under 30 events or 20 days" };
  if (isNeutral(row)) return { said: "no side", why: "a neutral pattern has no hits: only the size of the move is told" };
  if (!row.survives) return { said: "no difference found", why: "not beyond what so many rows bring by chance" };
  return row.pays
    ? { said: "not repeated", why: "different in the first two thirds of the days, not again in the last" }
    : { said: "does not pay", why: "different, but the mean return does not pay the cost" };
}

/**
 * What the report is about.
 * @param {any} answer  of /api/outcomes
 * @param {number} now
 * @returns {string[]} sentences
 */
export function headerWords({ computed, header }, now) {
  if (!computed) return [];
  const when = `Computed ${dayOf(computed)} ${clockAt(computed)}, ${span(now - computed)} ago`;
  if (!header.rows) return [`${when}.`, header.empty ?? ""].filter(Boolean);
  const days = header.days === 1 ? `one day, ${header.first_day}` : `${whole(header.days)} days, ${header.first_day} to ${header.last_day}`;
  return [
    `${when}, from live signals of ${days}: only what fired as its bar closed counts, neither history nor repaired minutes.`,
    `The symbols are ${header.chosen}. ${header.missing}`,
    `${whole(header.rows)} rows were computed, ${whole(header.rows_tested)} of them had enough events and days to be tested, ${header.edges ? whole(header.edges) : "none"} ${header.edges === 1 ? "is" : "are"} called an edge.`,
    `Returns are in the pattern’s direction, from the next bar’s open; the cost taken off is ${header.cost_basis_points} basis points.`,
  ];
}

const VERDICTS = ["edge", "not repeated", "does not pay", "no difference found", "no side", "too few"];

/** The order of the columns that the page sorts by; what is not there stands last. */
const SORTED_BY = /** @type {Record<string, (row: Outcome) => string | number | null>} */ ({
  pattern: ({ pattern, timeframe, direction, horizon, quality }) => `${pattern} ${timeframe.padStart(6)} ${direction} ${String(horizon).padStart(3)} ${quality}`,
  events: ({ events }) => events,
  rate: ({ rate }) => rate,
  base: ({ base_rate: base }) => base,
  difference: differenceOf,
  mean: ({ mean_return: mean }) => mean, // after cost in the same order: the cost is one for all
  median: ({ median_return: median }) => median,
  verdict: (row) => VERDICTS.indexOf(verdict(row).said),
});

/**
 * @param {Outcome[]} rows
 * @param {string} sort
 * @param {string} order
 * @returns {Outcome[]}
 */
export function sorted(rows, sort, order) {
  const key = SORTED_BY[sort] ?? SORTED_BY.pattern;
  const side = order === "desc" ? -1 : 1;
  const keyed = rows.map((row) => ({ row, by: key(row) }));
  return keyed
    .sort(({ by: a }, { by: b }) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : (a < b ? -1 : 1) * side))
    .map(({ row }) => row);
}
