/** The Health page: makes its parts, asks the server, and draws what it says. */

import { attachCopy, copyPlaces } from "./common/clipboard.js";
import { diagnosticsText } from "./health/diagnostics.js";
import { Source } from "./health/health_poll.js";
import { startPage } from "./common/every_page.js";
import { clockAt, span } from "./common/new_york_time.js";
import { byId, element, setData, setPressed, setText } from "./common/page.js";
import { dayBarsNote, gapRows, matchNote, matchRows, outcomesNote, settingRows, versionRows } from "./health/report_tables.js";
import { Rates, SampleHistory } from "./health/sample_history.js";
import { StageCard } from "./health/stage_card.js";
import { GROUPS, issueText, overallWords, stagesOf } from "./health/stages.js";
import { SESSIONS } from "./common/words.js";

/** @import { Stage } from "./health/stages.js" */

const TICK_MS = 500;
const MINUTE_MS = 60_000;

const health = new Source("/health", 2_000);
const gaps = new Source("/api/gaps?limit=50", 10_000);
const outcomes = new Source("/api/outcomes?pattern=Doji&timeframe=1min&horizon=1", MINUTE_MS); // for its header, not for its rows
const system = new Source("/api/system", MINUTE_MS);
const sources = [health, gaps, outcomes, system];

const rates = new Rates();
const slowRates = new Rates(MINUTE_MS);
/** @type {Map<string, SampleHistory>} */
const histories = new Map();
/** @type {Map<string, StageCard>} */
const cards = new Map();
/** @type {Stage[]} */
let stages = [];
let restarts = 0; // of the app, since the page was opened
let started = 0;
let pausedAt = 0;
const drawn = new Map(); // source: its version that is on the page

function makeCards() {
  stages = stagesOf(null, rates, slowRates);
  for (const [group, title] of GROUPS) {
    const lane = element("section", "lane");
    const heading = element("h2", "", title);
    heading.id = `lane-${group}`;
    lane.setAttribute("aria-labelledby", heading.id);
    const list = element("ol", "stages");
    for (const stage of stages.filter((each) => each.group === group)) {
      const card = new StageCard(stage);
      cards.set(stage.id, card);
      histories.set(stage.id, new SampleHistory());
      list.append(card.element);
    }
    lane.append(heading, list);
    byId("path").append(lane);
  }
}

/** Take a new answer, or the lack of one, into the histories. */
function takeHealth() {
  const now = Date.now();
  if (health.failingSince) {
    for (const history of histories.values()) history.add(now, null);
    return;
  }
  const report = health.answer;
  if (started && report.app.started !== started) {
    restarts += 1;
    system.dueAt = 0;
  }
  started = report.app.started;
  stages = stagesOf(report, rates, slowRates);
  for (const { id, main } of stages) histories.get(id)?.add(now, main.value);
}

function drawStages() {
  const moment = { now: Date.now(), stale: health.failingSince > 0 };
  for (const stage of stages) {
    const history = histories.get(stage.id);
    if (history) cards.get(stage.id)?.draw(stage, history, moment);
  }
}

function drawSummary() {
  const report = health.answer;
  const state = byId("overall");
  const [word, level] = health.failingSince ? ["No answer", "bad"] : report ? overallWords(report.status) : ["Asking TickStock", "wait"];
  setText(state, word);
  setData(state, "level", level);
  const issues = (health.failingSince ? [] : (report?.issues ?? [])).map(issueText);
  const list = byId("issues");
  if (issues.join("\n") !== (list.dataset.shown ?? "")) {
    list.dataset.shown = issues.join("\n");
    list.replaceChildren(...issues.map((/** @type {string} */ issue) => element("li", "", issue)));
  }
  setText(byId("app-line"), report ? `TickStock ${report.app.version}, ${restarts ? `${restarts} restarts since this page was opened` : "no restart since this page was opened"}` : "");
  drawBanner();
}

function drawBanner() {
  const banner = byId("unreachable");
  banner.hidden = !health.failingSince;
  const shown = health.answeredAt ? `What is shown is from ${clockAt(health.answeredAt)}.` : "Nothing has been read yet.";
  setText(banner, health.failingSince ? `TickStock does not answer since ${clockAt(health.failingSince)} (${health.problem}); trying again every 2 s. ${shown}` : "");
  setData(byId("main"), "stale", health.failingSince ? "yes" : "");
}

/** @param {string} id @param {Source} source @param {string} text what to say once it was read */
function note(id, source, text) {
  const read = source.answeredAt ? `${text} Read ${span(Date.now() - source.answeredAt)} ago.` : "Asking TickStock…";
  setText(byId(id), source.failingSince ? `Not readable since ${clockAt(source.failingSince)} (${source.problem}). ${source.answeredAt ? read : ""}` : read);
}

function drawNotes() {
  const found = gaps.answer?.gaps ?? [];
  const waiting = found.filter((/** @type {any} */ gap) => gap.repair === null && gap.lost === null).length;
  const lost = found.filter((/** @type {any} */ gap) => gap.lost !== null).length;
  const of = found.length === 50 ? "The newest 50 gaps" : `${found.length} ${found.length === 1 ? "gap" : "gaps"} on record`;
  note("gaps-note", gaps, found.length ? `${of}: ${waiting} wait for repair, ${lost} with something lost.` : "No gap is on record: nothing is missing.");
  const pl = health.answer?.stages.tickstock_pl;
  const told = pl?.report.reconciliation;
  setText(byId("match-note"), pl ? `${matchNote(told)} ${dayBarsNote(pl.report.day_bars)} Reported ${span(Date.now() - health.answeredAt + pl.age_ms)} ago.` : "Asking TickStock…");
  note("outcomes-note", outcomes, outcomes.answer ? outcomesNote(outcomes.answer, Date.now()) : "");
  note("versions-note", system, "");
  const all = system.answer?.settings.length ?? 0;
  const shown = byId("setting-rows").childElementCount;
  note("settings-note", system, `${all} settings, ${shown} shown. Secrets never leave the server.`);
}

function drawTables() {
  const report = health.answer;
  if (isNew("gaps", gaps.version) && gaps.answer) byId("gap-rows").replaceChildren(...gapRows(gaps.answer.gaps));
  byId("gap-table").hidden = !gaps.answer?.gaps.length;
  const compared = report?.stages.tickstock_pl.report.reconciliation ?? null;
  if (isNew("match", JSON.stringify(compared))) byId("match-rows").replaceChildren(...matchRows(compared));
  byId("match-table").hidden = !byId("match-rows").childElementCount;
  const { redis, database } = report?.stages ?? {};
  if (isNew("versions", [system.version, redis?.version, database?.version].join())) byId("version-rows").replaceChildren(...versionRows(system.answer, report));
  const { checked: onlyChanged } = /** @type {HTMLInputElement} */ (byId("only-changed"));
  if (isNew("settings", `${system.version} ${onlyChanged}`)) byId("setting-rows").replaceChildren(...settingRows(system.answer?.settings ?? [], onlyChanged));
}

/** @param {string} part @param {unknown} mark @returns {boolean} whether the part has not been drawn with this mark */
function isNew(part, mark) {
  if (drawn.get(part) === mark) return false;
  drawn.set(part, mark);
  return true;
}

function drawAges() {
  const now = Date.now();
  const since = health.answeredAt ? now - health.answeredAt : null;
  for (const stage of stages) cards.get(stage.id)?.drawAge(since === null || stage.age === null ? null : since + stage.age);
  setText(byId("checked"), pausedAt ? `paused at ${clockAt(pausedAt)}` : since === null ? "no answer yet" : `answered ${span(since)} ago`);
  const session = health.answer?.session;
  const offset = health.answer ? health.answer.time - health.answeredAt : 0;
  setText(byId("session"), SESSIONS[session?.name ?? "unknown"] ?? "");
  setText(byId("time"), clockAt(session?.time ?? now + offset));
}

function turn() {
  const now = Date.now();
  if (!pausedAt) for (const source of sources) source.askWhenDue(now);
  if (isNew("health", health.version) && health.version) {
    takeHealth();
    drawStages();
    drawSummary();
  }
  drawTables();
  if (!pausedAt) drawNotes();
  drawAges();
}

function togglePause() {
  pausedAt = pausedAt ? 0 : Date.now();
  if (pausedAt) for (const source of sources) source.forget();
  setPressed(byId("pause"), pausedAt > 0, pausedAt ? "Continue" : "Pause");
  turn();
}

makeCards();
drawStages();
drawSummary();
startPage({ pause: togglePause });
byId("pause").addEventListener("click", togglePause);
byId("only-changed").addEventListener("change", turn);
attachCopy(byId("copy"), copyPlaces(), () =>
  diagnosticsText({
    report: health.answer, answeredAt: health.answeredAt, failingSince: health.failingSince, stages, histories,
    system: system.answer, gaps: gaps.answer, outcomes: outcomes.answer, browser: navigator.userAgent,
  }, Date.now()));
turn();
setInterval(turn, TICK_MS);
