/** The tables below the stages: gaps, the comparison with the vendor, outcomes, versions, settings. */

import { percent, whole } from "../common/figures.js";
import { clockAt, dayOf, span } from "../common/new_york_time.js";
import { element, setData } from "../common/page.js";

const at = (/** @type {number} */ time) => `${dayOf(time)}, ${clockAt(time)}`;

/** @param {Array<string | HTMLElement>} cells @param {string[]} labels @returns {HTMLElement} a row; the first cell heads it */
function row(cells, labels) {
  const made = element("tr");
  cells.forEach((content, number) => {
    const cell = element(number === 0 ? "th" : "td");
    if (number === 0) cell.setAttribute("scope", "row");
    cell.dataset.label = labels[number];
    cell.append(content);
    made.append(cell);
  });
  return made;
}

/** @param {string} text @param {string} level @returns {HTMLElement} */
function mark(text, level) {
  const made = element("span", "state", text);
  setData(made, "level", level);
  return made;
}

/**
 * @param {any[]} gaps  of /api/gaps
 * @returns {HTMLElement[]}
 */
export function gapRows(gaps) {
  const labels = ["From", "To", "Length", "Cause", "Repair", "Lost"];
  return gaps.map((gap) =>
    row([
      at(gap.started),
      gap.ended === null ? "not ended" : at(gap.ended),
      gap.ended === null ? "not ended" : span(gap.ended - gap.started),
      gap.cause,
      gap.repair !== null ? mark(gap.repair, "good") : gap.lost !== null ? mark("not possible", "bad") : mark("waits", "warn"),
      gap.lost !== null ? mark(gap.lost, "bad") : gap.repair !== null ? "nothing" : "not known yet",
    ], labels));
}

/** @param {any} compared  of TickStockPL's health; null before the first comparison @returns {HTMLElement[]} */
export function matchRows(compared) {
  const labels = ["Field", "Same as the vendor's"];
  return Object.entries(compared?.match ?? {}).map(([name, share]) => row([name, percent(Number(share))], labels));
}

/** @param {any} compared @returns {string} what was compared, in words */
export function matchNote(compared) {
  if (!compared) return "Not compared yet: TickStockPL compares the day's minute bars with the vendor's in the evening.";
  const waiting = compared.waiting ? `; ${whole(compared.waiting)} symbols still wait` : "";
  if (!Object.keys(compared.match ?? {}).length) return `Trading day ${compared.day}: no bar to compare${waiting}.`;
  const counts = `${whole(compared.missing)} were missing here, ${whole(compared.extra)} only here, ${whole(compared.corrected)} corrected`;
  return `Trading day ${compared.day}: ${whole(compared.bars)} bars of ${whole(compared.symbols)} symbols compared; ${counts}${waiting}.`;
}

/** @param {any} days  of TickStockPL's health; null before the first close @returns {string} how the day's bars stand */
export function dayBarsNote(days) {
  if (!days) return "";
  const waiting = days.provisional ? `, ${whole(days.provisional)} still made from ticks` : "";
  return `Day bars of ${days.day}: ${days.state}${waiting}.`;
}

/** @param {any} answer  of /api/outcomes @param {number} now @returns {string} */
export function outcomesNote(answer, now) {
  if (!answer.computed) return answer.header.empty ?? "No report has been computed yet.";
  const { days, first_day: first, last_day: last, rows, edges, empty } = answer.header;
  const about = rows ? `${whole(rows)} rows of ${whole(days)} days, ${first} to ${last}; ${whole(edges)} called an edge` : (empty ?? "no rows");
  return `Computed ${at(answer.computed)}, ${span(now - answer.computed)} ago: ${about.replace(/\.$/, "")}.`;
}

/** @param {any} system  of /api/system @param {any} report  of /health @returns {HTMLElement[]} */
export function versionRows(system, report) {
  const stages = report?.stages ?? {};
  const unknown = "not known while it does not answer";
  const all = {
    ...system?.versions,
    Redis: stages.redis?.version ? `${stages.redis.server} ${stages.redis.version}` : unknown,
    Database: stages.database?.version ? `${stages.database.kind} ${stages.database.version}, schema revision ${stages.database.schema}` : unknown,
    ...Object.fromEntries(Object.entries(system?.browser ?? {}).map(([name, version]) => [`${name} (browser)`, version])),
    ...Object.fromEntries(Object.entries(system?.packages ?? {}).map(([name, version]) => [`${name} (Python)`, version])),
  };
  return Object.entries(all).map(([name, version]) => row([name, String(version)], ["Part", "Version"]));
}

/** @param {any[]} settings @param {boolean} onlyChanged @returns {HTMLElement[]} */
export function settingRows(settings, onlyChanged) {
  const labels = ["Setting", "In force", "", "Meaning"];
  return settings
    .filter((each) => !(onlyChanged && each.default))
    .map((each) => row([element("code", "", each.name), element("code", "", each.value || "empty"), each.default ? "default" : "changed", each.meaning], labels));
}
