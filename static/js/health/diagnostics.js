/** The Health page as plain text, to paste into a report. Pure. The server sends no secret, so there is none to leave out here. */

import { described } from "./sparkline.js";
import { GROUPS, issueText, overallWords } from "./stages.js";

/** @import { Stage } from "./stages.js" */
/** @import { SampleHistory } from "./sample_history.js" */

/**
 * @typedef {object} Known
 * @property {any} report  of /health; null before the first answer
 * @property {number} answeredAt  browser time of that answer
 * @property {number} failingSince  browser time; 0 while the app answers
 * @property {Stage[]} stages
 * @property {Map<string, SampleHistory>} histories
 * @property {any} system  of /api/system
 * @property {any} gaps  of /api/gaps
 * @property {any} outcomes  of /api/outcomes
 * @property {string} browser  its name for itself
 */

/** @param {number} time @returns {string} */
const utc = (time) => new Date(time).toISOString();

/**
 * @param {Known} known
 * @param {number} now browser time
 * @returns {string}
 */
export function diagnosticsText(known, now) {
  const { report, system } = known;
  return [
    `TickStock diagnostics, made ${utc(now)} (all times UTC)`,
    known.failingSince ? `The app has not answered since ${utc(known.failingSince)}; what follows is from before.` : "",
    report ? `State: ${overallWords(report.status)[0]}, told by the app at ${utc(report.time)}` : "The app has not answered since the page was opened.",
    ...(report?.issues ?? []).map((/** @type {string} */ issue) => `Issue: ${issueText(issue)}`),
    "",
    ...GROUPS.flatMap(([group, title]) => [`== ${title}`, ...known.stages.filter((stage) => stage.group === group).flatMap((stage) => stageLines(stage, known.histories.get(stage.id)))]),
    "",
    "== Comparison with the vendor's bars",
    JSON.stringify(report?.stages?.tickstock_pl?.report?.reconciliation ?? "not compared yet"),
    "",
    "== Gaps",
    ...gapLines(known.gaps),
    "",
    "== Outcomes report",
    known.outcomes?.computed ? `computed ${utc(known.outcomes.computed)}` : String(known.outcomes?.header?.empty ?? "not read"),
    "",
    "== Versions",
    ...Object.entries({ ...system?.versions, ...system?.packages, ...system?.browser }).map(([name, version]) => `${name}: ${version}`),
    `This browser: ${known.browser}`,
    "",
    "== Settings that differ from their default",
    ...(system?.settings ?? []).filter((/** @type {any} */ each) => !each.default).map((/** @type {any} */ each) => `${each.name}: ${each.value}`),
    "",
  ].join("\n");
}

/** @param {Stage} stage @param {SampleHistory | undefined} history @returns {string[]} */
function stageLines(stage, history) {
  const { main } = stage;
  const values = history?.values ?? [];
  return [
    `${stage.title}: ${stage.word} (${stage.detail})`,
    `  ${main.label}: ${main.value === null ? "not known" : main.format(main.value)}`,
    ...(values.length ? [`  ${described(values, main.label, main.format)}`] : []),
    ...stage.figures.map(({ label, value }) => `  ${label}: ${value}`),
  ];
}

/** @param {any} answer of /api/gaps @returns {string[]} */
function gapLines(answer) {
  if (!answer) return ["not read"];
  if (!answer.gaps.length) return ["none on record"];
  return answer.gaps.map((/** @type {any} */ gap) =>
    `${utc(gap.started)} to ${gap.ended ? utc(gap.ended) : "now"}: ${gap.cause}; repair: ${gap.repair ?? "none"}; lost: ${gap.lost ?? "nothing"}`);
}
