/** What the page says of its list: how much is shown, why nothing is, and what is wrong. Pure. */

import { whole } from "../common/figures.js";
import { clockAt } from "../common/new_york_time.js";

/** @import { Shown } from "./address.js" */

const RETRY = "trying again every 5 s";

/** @param {Shown} shown @param {number} many */
const things = ({ view, kind }, many) => `${whole(many)} ${view === "outcomes" ? "row" : kind === "alerts" ? "alert" : "pattern"}${many === 1 ? "" : "s"}`;

/**
 * How much of what there is stands on the page. The whole is never counted: it would be read for its number alone.
 * @param {Shown} shown
 * @param {any} answer
 * @param {number} rows  on the page
 * @returns {string}
 */
export function countWords(shown, answer, rows) {
  const count = things(shown, rows);
  if (shown.view === "outcomes") {
    const all = answer.outcomes.length;
    return rows < all ? `${count} of ${whole(all)} shown: narrow them down to see the others` : `${count}, all that match`;
  }
  if (answer.next) return answer.previous ? `${count} shown, more before and after them` : `${count} shown, more follow`;
  return answer.previous ? `${count} shown, the last ones` : `${count}, all that match`;
}

/**
 * Why there is nothing.
 * @param {Shown} shown
 * @param {any} answer
 * @param {number} filters  that are set
 * @returns {string}
 */
export function emptyWords(shown, answer, filters) {
  if (shown.view === "outcomes") {
    const why = answer.header?.empty;
    return why ?? "The report has no row for these filters. It has rows for what fired live on the timeframes that are analysed.";
  }
  const what = shown.kind === "alerts" ? "alert" : "pattern";
  if (shown.next || shown.previous) return `No ${what} is left on this page. Go to the first page by changing a filter.`;
  if (filters) return `No stored ${what} matches these filters.`;
  return `No ${what} is stored yet. TickStockPL stores what it finds in the history a minute or two after its first start, and then every minute.`;
}

/**
 * @param {{refused: string, failingSince: number, problem: string, answer: any, answeredAt: number}} reader
 * @returns {string} "" while all is well
 */
export function problemWords({ refused, failingSince, problem, answer, answeredAt }) {
  if (refused) return `The address asks for what cannot be: ${refused}. Clear the filters, or correct it.`;
  if (!failingSince) return "";
  const kept = answer ? `What is shown was read at ${clockAt(answeredAt)}.` : "Nothing has been read yet.";
  return `Not readable since ${clockAt(failingSince)}: ${problem.replace(/\.$/, "")}; ${RETRY}. ${kept}`;
}
