/** The columns of the outcomes: what each shows of a row. */

import { arrowOf } from "../common/arrow.js";
import { whole } from "../common/figures.js";
import { element } from "../common/page.js";
import { TIMEFRAMES } from "../common/words.js";
import { labelOf } from "./families.js";
import { differenceWords, rated, returned, verdict } from "./outcome_words.js";

/** @import { Column } from "./data_table.js" */
/** @import { Outcome } from "./outcome_words.js" */

const THIRDS = /** @type {Record<string, string>} */ ({ all: "all", low: "lowest third", middle: "middle third", high: "highest third" });

/** @param {Outcome} row */
function nameCell({ pattern, direction }) {
  const cell = element("span", "detected");
  cell.dataset.direction = direction;
  cell.append(arrowOf(direction), element("b", "", labelOf("patterns", pattern)));
  const both = element("span", "both");
  both.append(cell, element("span", "why", direction));
  return both;
}

/** @param {Outcome} row */
function eventsCell({ events, incomplete, zero, days }) {
  const cell = element("span", "", whole(events));
  cell.title = `on ${whole(days)} days; ${whole(incomplete)} not scored, because their session ended or nobody traded; ${whole(zero)} unchanged`;
  return cell;
}

/** @param {Outcome} row */
function verdictCell(row) {
  const { said, why } = verdict(row);
  const cell = element("span", "verdict", said);
  cell.dataset.verdict = said;
  const both = element("span", "both");
  both.append(cell, element("span", "why", why));
  return both;
}

/** @param {number} size  a fraction @returns {string} of a pattern that speaks for no side */
const moved = (size) => `moved ${(size * 100).toFixed(3)} %`;

/**
 * A return before and after cost; of a neutral pattern the size of the move.
 * @param {number | null} before
 * @param {number | null} after
 * @param {number | null} size
 */
function returnCell(before, after, size) {
  if (size !== null) return moved(size);
  const both = element("span", "both", returned(before));
  if (after !== null) both.append(element("span", "why", `${returned(after)} after cost`));
  return both;
}

/** @param {Outcome} row */
function differenceCell(row) {
  const [difference, interval] = differenceWords(row);
  const both = element("span", "both", difference);
  if (interval) both.append(element("span", "why", interval));
  return both;
}

/** @param {Outcome} row @returns {string} */
const baseOf = ({ base_rate: base, base_size: size }) => (size === null ? rated(base) : moved(size));

/** @type {Column<Outcome>[]} */
export const OUTCOME_COLUMNS = [
  { label: "Pattern", name: "name", sort: "pattern", heads: true, cell: nameCell },
  { label: "The test says", name: "says", sort: "verdict", cell: verdictCell },
  { label: "Timeframe", name: "timeframe", cell: ({ timeframe }) => TIMEFRAMES[timeframe] ?? timeframe },
  { label: "After", name: "after", cell: ({ horizon }) => `${horizon} ${horizon === 1 ? "bar" : "bars"}` },
  { label: "Quality", name: "third", cell: ({ quality }) => THIRDS[quality] ?? quality },
  { label: "Events", name: "number", sort: "events", first: "desc", cell: eventsCell },
  { label: "Hit rate", name: "number", sort: "rate", first: "desc", cell: ({ rate }) => rated(rate) },
  { label: "Other bars", name: "number", sort: "base", first: "desc", cell: baseOf },
  { label: "Difference, points", name: "number wide", sort: "difference", first: "desc", cell: differenceCell },
  {
    label: "Mean return", name: "number wide", sort: "mean", first: "desc",
    cell: ({ mean_return: mean, mean_after_cost: paid, mean_size: size }) => returnCell(mean, paid, size),
  },
  {
    label: "Median return", name: "number wide", sort: "median", first: "desc",
    cell: ({ median_return: median, median_after_cost: paid, median_size: size }) => returnCell(median, paid, size),
  },
];
