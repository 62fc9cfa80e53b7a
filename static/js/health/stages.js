/** The tick's path as the Health page shows it, made from a /health report. Pure. */

import { bytes, rate, whole } from "../common/figures.js";
import { clockAt, span } from "../common/new_york_time.js";
import { SOURCES } from "../common/words.js";

/** @import { Rates } from "./sample_history.js" */

/**
 * @typedef {{label: string, value: string, alarming?: boolean}} Figure
 *
 * @typedef {object} MainFigure  what the small history is of
 * @property {string} label
 * @property {number | null} value
 * @property {(value: number) => string} format
 *
 * @typedef {object} Stage
 * @property {string} id
 * @property {string} group
 * @property {string} title
 * @property {string} word  its state
 * @property {string} level  good | warn | bad | wait
 * @property {string} detail
 * @property {number | null} age  milliseconds that its figures were old when the server answered; null: not reported at all
 * @property {MainFigure} main
 * @property {Figure[]} figures
 */

const LATE_COMMIT_MS = 150_000; // while ticks flow, a minute is committed every minute

export const GROUPS = [
  ["in", "TickStockAppV2: in"],
  ["stores", "Stores"],
  ["pl", "TickStockPL"],
  ["out", "TickStockAppV2: out"],
];

const WORDS = /** @type {Record<string, [string, string]>} */ ({
  ok: ["OK", "good"],
  degraded: ["Degraded", "warn"],
  waiting: ["Waiting", "wait"],
  down: ["Down", "bad"],
  off: ["Off", "wait"],
});
const OVERALL = /** @type {Record<string, [string, string]>} */ ({
  ok: ["Healthy", "good"],
  degraded: ["Degraded", "warn"],
  waiting: ["Starting", "wait"],
  down: ["Down", "bad"],
});
const NAMES = /** @type {Record<string, string>} */ ({
  feed_client: "Feed",
  market_data: "Market data",
  tick_recorder: "Recorder",
  tick_forwarder: "Forwarder",
  redis: "Redis",
  tickstock_pl: "TickStockPL",
  results_subscriber: "Results",
  database: "Database",
  browsers: "Browsers",
});

// Which part of TickStockPL an issue is about, by its words.
const PL_PARTS = /** @type {Array<[string, RegExp]>} */ ([
  ["writer", /database|stored/],
  ["publisher", /to be published/],
  ["subscriber", /feed|no ticks|log of ticks|subscribed|app has not/],
]);

const count = (/** @type {number | null | undefined} */ value) => (value == null ? "not reported" : whole(value));
const ms = (/** @type {number} */ value) => `${value < 9.95 ? value.toFixed(1) : whole(value)} ms`;
const seconds = (/** @type {number} */ value) => `${value < 99.95 ? value.toFixed(1) : whole(value)} s`;
const perMinute = (/** @type {number} */ value) => `${whole(value)} a minute`;
const perSecond = (/** @type {number} */ value) => `${value ? rate(value) : 0} a second`;

/** @param {string} status @returns {[string, string]} the word for all of it, and its level */
export const overallWords = (status) => OVERALL[status] ?? [status, "wait"];

/** @param {string} issue of the report @returns {string} with the stage's name as the page has it */
export function issueText(issue) {
  const [name, ...rest] = issue.split(": ");
  return NAMES[name] ? `${NAMES[name]}: ${rest.join(": ")}` : issue;
}

/**
 * @param {any} report  of /health; null before the first answer
 * @param {Rates} rates
 * @param {Rates} slowRates  over a minute, for what comes in bursts
 * @returns {Stage[]} in the order of the path
 */
export function stagesOf(report, rates, slowRates) {
  const found = report?.stages ?? {};
  const per = (/** @type {string} */ name, /** @type {number | undefined} */ total) => (report ? rates.perSecond(name, report.time, total) : null);
  const slow = (/** @type {string} */ name, /** @type {number | undefined} */ total) => {
    const measured = report ? slowRates.perSecond(name, report.time, total) : null;
    return measured === null ? null : measured * 60;
  };
  const ticks = per("ticks", found.market_data?.ticks);
  return [
    feed(found.feed_client, found.market_data),
    marketData(found.market_data, ticks),
    recorder(found.tick_recorder, per("stored", found.tick_recorder?.stored_ticks)),
    forwarder(found.tick_forwarder, per("forwarded", found.tick_forwarder?.acknowledged_position)),
    redis(found.redis),
    database(found.database, report?.time),
    ...streaming(found, report?.time, ticks, slow("results", resultsReceived(found.results_subscriber))),
    results(found.results_subscriber, slow("received", total(found.results_subscriber?.received))),
    sockets(found.browsers, per("frames", found.browsers?.frames_sent)),
    browsers(found.browsers),
  ];
}

/**
 * @param {string} id @param {string} group @param {string} title @param {any} stage
 * @param {MainFigure} main @param {Figure[]} figures
 * @returns {Stage}
 */
function made(id, group, title, stage, main, figures) {
  const [word, level] = stage ? (WORDS[stage.status] ?? [String(stage.status), "wait"]) : ["Not reported", "wait"];
  const detail = stage ? String(stage.detail ?? "") : "This process reports no such stage, or has not answered yet.";
  return { id, group, title, word, level, detail, age: stage ? (stage.reported_ms ?? 0) : null, main, figures: stage ? figures : [] };
}

/** @param {any} stage @param {any} market */
function feed(stage, market) {
  const lastEvent = market?.age_ms ?? null;
  const connects = market?.connected_times;
  return made("feed", "in", "Feed", stage, { label: "since the last event", value: lastEvent === null ? null : lastEvent / 1000, format: seconds }, [
    { label: "source", value: stage?.source ? `${SOURCES[stage.source] ?? stage.source}, channel ${stage.channel}` : "none" },
    { label: "in this state since", value: stage?.since ? clockAt(stage.since) : "not reported" },
    { label: "shortest delay", value: market?.smallest_delay_ms == null ? "not measured" : ms(market.smallest_delay_ms) },
    { label: "complete until", value: stage?.watermark ? clockAt(stage.watermark) : "not reported" },
    { label: "halts", value: stage?.halts ?? "not reported" },
    { label: "reconnects", value: connects == null ? "not reported" : whole(Math.max(0, connects - 1)) },
    ...rejected(market?.rejected),
  ]);
}

/** @param {any} stage @param {number | null} measured */
function marketData(stage, measured) {
  const faults = total(stage?.step_faults) ?? 0;
  return made("market", "in", "Market data", stage, { label: "ticks", value: measured, format: perSecond }, [
    { label: "ticks in this run", value: count(stage?.ticks) },
    { label: "feed's events", value: total(stage?.counts) ? listed(stage.counts).replaceAll("_", " ") : "none yet" },
    queue("frames wait", stage?.frame_bytes_waiting, stage?.most_frame_bytes_waiting, bytes),
    { label: "faults of our own", value: faults ? listed(stage.step_faults) : "none", alarming: faults > 0 },
    ...(stage?.issues?.length ? [{ label: "noticed", value: stage.issues.join("; "), alarming: true }] : []),
  ]);
}

/** @param {any} stage @param {number | null} measured */
function recorder(stage, measured) {
  const spilled = stage?.spilled_ticks ?? 0;
  return made("recorder", "in", "Recorder → database", stage, { label: "ticks stored", value: measured, format: perSecond }, [
    { label: "stored by this process", value: count(stage?.stored_ticks) },
    queue("wait in memory", stage ? stage.waiting_ticks - spilled : null, stage?.most_waiting_ticks, whole),
    { label: "wait in the spill file", value: `${whole(spilled)} of at most 5 GB`, alarming: spilled > 0 },
    drops(stage),
    ...rejected(stage?.rejected),
  ]);
}

/** @param {any} stage @param {number | null} measured */
function forwarder(stage, measured) {
  return made("forwarder", "in", "Forwarder → Redis", stage, { label: "ticks forwarded", value: measured, format: perSecond }, [
    { label: "position", value: count(stage?.acknowledged_position) },
    queue("wait in memory", stage?.waiting_bytes, stage?.most_waiting_bytes, bytes),
    { label: "ticks that wait", value: count(stage?.waiting_ticks) },
    drops(stage),
    { label: "Redis was away", value: `${count(stage?.outages)} times` },
    { label: "lease", value: stage?.lease === "other" ? `another app (run ${stage.lease_holder})` : String(stage?.lease ?? "not reported") },
    ...(stage?.problem ? [{ label: "last error", value: String(stage.problem), alarming: true }] : []),
  ]);
}

/** @param {any} stage */
function redis(stage) {
  const log = stage?.ticks_log;
  return made("redis", "stores", "Redis", stage && { ...stage, reported_ms: stage.age_ms }, { label: "round trip", value: stage?.round_trip_ms ?? null, format: ms }, [
    { label: "version", value: stage?.version ? `${stage.server} ${stage.version}` : "not known while it does not answer" },
    queue("memory", stage?.memory_bytes, stage?.most_memory_bytes, bytes),
    queue("log of ticks", log?.bytes, log?.most_bytes, bytes),
    { label: "entries in it", value: count(log?.entries) },
    { label: "minutes in the results' log", value: count(stage?.results_log?.entries) },
    { label: "up for", value: stage?.uptime_seconds == null ? "not reported" : span(stage.uptime_seconds * 1000) },
  ]);
}

/** @param {any} stage @param {number} now */
function database(stage, now) {
  const progress = stage?.progress;
  const committed = progress ? (now - progress.updated) / 1000 : null;
  return made("database", "stores", "Database", stage, { label: "since the last commit of TickStockPL", value: committed, format: seconds }, [
    { label: "version", value: stage?.version ? `${stage.kind} ${stage.version}` : "not known while it does not answer" },
    { label: "schema revision", value: stage?.schema ?? "not known while it does not answer" },
    { label: "last minute committed", value: progress ? clockAt(progress.minute) : "none yet" },
    ...(stage?.symbols_without_whole_day ? [{ label: "symbols without a whole day yet", value: count(stage.symbols_without_whole_day) }] : []),
    ...(stage?.last_problem ? [{ label: "last error", value: String(stage.last_problem), alarming: true }] : []),
  ]);
}

/** @param {any} found @param {number} now @param {number | null} ticks a second @param {number | null} published @returns {Stage[]} */
function streaming(found, now, ticks, published) {
  const stage = found.tickstock_pl;
  const report = stage?.report ?? {};
  const known = report.uptime_seconds !== undefined;
  const progress = found.database?.progress;
  const forwarded = found.tick_forwarder?.acknowledged_position;
  const behind = progress && progress.run === found.market_data?.run && forwarded != null ? Math.max(0, forwarded - progress.position) : null;
  const of = (/** @type {string} */ part) => partOf(stage, part);
  const num = (/** @type {string} */ name) => (known ? (report[name] ?? null) : null);
  return [
    made("subscriber", "pl", "Subscriber", of("subscriber"), { label: "ticks taken", value: num("ticks_per_second"), format: perSecond }, [
      waits("wait for the engine", report.waiting?.ticks, 100_000),
      { label: "ticks taken in all", value: count(num("ticks_total")) },
      { label: "lag p50 / p99", value: lag(report.lag_ms) },
      { label: "late ticks", value: count(num("ticks_late")) },
      { label: "ticks rejected", value: count(num("ticks_rejected")), alarming: (num("ticks_rejected") ?? 0) > 0 },
      ...rejected(report.rejected),
    ]),
    made("engine", "pl", "Engine", of("engine"), { label: "bars in the last minute", value: num("bars_per_minute"), format: whole }, [
      { label: "symbols active / quiet", value: known ? `${whole(report.symbols_active)} / ${whole(report.symbols_stale)}` : "not reported" },
      { label: "patterns", value: count(num("patterns_detected")) },
      { label: "indicators", value: count(num("indicators_calculated")) },
      { label: "alerts", value: count(num("alerts_raised")) },
      { label: "up for", value: known ? span(report.uptime_seconds * 1000) : "not reported" },
      { label: "restarts seen", value: count(stage?.restarts) },
    ]),
    made("writer", "pl", "Minute writer → database", of("writer"), { label: "ticks not committed, the open minute's among them", value: behind, format: whole }, [
      waits("minutes wait to be stored", report.waiting?.minutes_to_store, 2),
      { label: "position committed", value: progress ? whole(progress.position) : "none yet" },
      { label: "committed", value: progress ? `${span(now - progress.updated)} before this report` : "nothing yet", alarming: (ticks ?? 0) > 0 && now - progress?.updated > LATE_COMMIT_MS },
    ]),
    made("publisher", "pl", "Publisher → Redis", of("publisher"), { label: "results that arrived here", value: published, format: perMinute }, [
      waits("minutes wait to be published", report.waiting?.minutes_to_publish, 2),
      ...received(found.results_subscriber),
    ]),
  ];
}

/** @param {{p50: number, p99: number} | undefined} measured  zeros before the first status @returns {string} */
function lag(measured) {
  if (!measured) return "not reported";
  return measured.p99 > 0 ? `${ms(measured.p50)} / ${ms(measured.p99)}` : "not measured yet";
}

/** @param {any} stage of TickStockPL @param {string} part @returns {any} the part as a stage of its own */
function partOf(stage, part) {
  if (!stage) return undefined;
  const age = { reported_ms: stage.age_ms };
  if (stage.status !== "degraded") return { ...age, status: stage.status, detail: stage.status === "ok" ? "no issue reported" : stage.detail };
  const issues = /** @type {string[]} */ (stage.report?.issues ?? []).filter((issue) => partNamed(issue) === part);
  return { ...age, status: issues.length ? "degraded" : "ok", detail: issues.join("; ") || "no issue reported" };
}

/** @param {string} issue @returns {string} the part of TickStockPL that it is about */
export const partNamed = (issue) => PL_PARTS.find(([, words]) => words.test(issue))?.[0] ?? "engine";

/** @param {any} stage @param {number | null} measured */
function results(stage, measured) {
  return made("results", "out", "Results ← Redis", stage, { label: "messages", value: measured, format: perMinute }, [
    { label: "last message", value: stage?.age_ms == null ? "none yet" : `${span(stage.age_ms)} before this report` },
    { label: "subscribed since", value: stage?.connected_since ? clockAt(stage.connected_since) : "not subscribed" },
    { label: "reconnects", value: count(stage?.reconnects) },
    ...received(stage),
    ...rejected(stage?.rejected),
  ]);
}

/** @param {any} stage @param {number | null} measured */
function sockets(stage, measured) {
  return made("sockets", "out", "Socket.IO", stage, { label: "frames sent", value: measured, format: perSecond }, [
    { label: "signals since the start", value: count(stage?.events) },
    { label: "frames sent", value: count(stage?.frames_sent) },
    { label: "frames skipped for slow browsers", value: count(stage?.frames_skipped) },
    ...(stage?.unacknowledged === undefined ? [] : [{ label: "never acknowledged", value: count(stage.unacknowledged) }]),
    { label: "resynchronised", value: `${count(stage?.resynchronised)} times` },
    ...rejected(stage?.rejected),
  ]);
}

/** @param {any} stage */
function browsers(stage) {
  const requests = rejected(stage?.requests_rejected).map((figure) => ({ ...figure, label: `requests ${figure.label}` }));
  return made("browsers", "out", "Browsers", stage, { label: "live pages open", value: stage?.connected ?? null, format: whole }, [
    ...(stage?.hidden === undefined ? [] : [{ label: "hidden / behind", value: `${whole(stage.hidden)} / ${whole(stage.behind)}`, alarming: stage.behind > 0 }]),
    ...requests,
  ]);
}

/** @param {string} label @param {number | null | undefined} held @param {number | null | undefined} cap @param {(value: number) => string} format @returns {Figure} */
function queue(label, held, cap, format) {
  if (held == null) return { label, value: "not reported" };
  return { label, value: cap ? `${format(held)} of ${format(cap)}` : `${format(held)}, no cap`, alarming: cap ? held > cap / 2 : false };
}

/** @param {string} label @param {number | undefined} held @param {number} many @returns {Figure} of a queue without a cap of its own */
const waits = (label, held, many) => ({ label, value: count(held), alarming: (held ?? 0) > many });

/** @param {any} stage @returns {Figure} */
const drops = (stage) => ({ label: "dropped", value: count(stage?.dropped_ticks), alarming: (stage?.dropped_ticks ?? 0) > 0 });

/** @param {Record<string, number> | undefined} kinds @returns {Figure[]} */
function rejected(kinds) {
  if (!kinds) return [];
  const all = total(kinds) ?? 0;
  return [{ label: "rejected", value: all ? `${whole(all)}: ${listed(kinds)}` : "none", alarming: all > 0 }];
}

/** @param {any} stage @returns {Figure[]} messages by kind */
function received(stage) {
  const names = { "tickstock:patterns:streaming": "patterns", "tickstock:alerts:indicators": "alerts", "tickstock:indicators:streaming": "indicators" };
  return Object.entries(names).map(([channel, label]) => ({ label, value: stage ? whole(stage.received?.[channel] ?? 0) : "not reported" }));
}

/** @param {any} stage @returns {number | undefined} results, without the reports of health */
function resultsReceived(stage) {
  return stage ? (total(stage.received) ?? 0) - (stage.received?.["tickstock:streaming:health"] ?? 0) : undefined;
}

/** @param {Record<string, number> | undefined} kinds @returns {number | undefined} */
const total = (kinds) => (kinds ? Object.values(kinds).reduce((sum, each) => sum + each, 0) : undefined);

/** @param {Record<string, number>} kinds @returns {string} */
const listed = (kinds) => Object.entries(kinds).map(([kind, times]) => `${kind} ${whole(times)}`).join(", ");
