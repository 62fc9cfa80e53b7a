/** What the page shows, as its address says it, and as the server is asked for it. Pure, but for the clock that is handed in. */

/** @typedef {Record<string, string>} Shown  by the name in the address; what is not chosen is "" or missing */

export const SORTS = /** @type {Record<string, string[]>} */ ({
  patterns: ["detection", "quality", "symbol", "pattern"],
  alerts: ["detection", "symbol", "alert"],
});
const SAME_SORT = /** @type {Shown} */ ({ pattern: "alert", alert: "pattern" }); // by name, of the other kind
const PAGE_SIZES = ["50", "100"];

const BOTH = ["symbol", "family", "direction", "timeframe", "session", "origin"];
const FILTERS = /** @type {Record<string, string[]>} */ ({
  patterns: [...BOTH, "pattern", "state", "quality_from"],
  alerts: [...BOTH, "alert"],
});
const OUTCOME_FILTERS = ["pattern", "timeframe", "horizon", "quality"];
const TIME = ["when", "from", "to"];
const PAGING = ["sort", "order", "limit", "next", "previous"];
const NAMES = ["view", "kind", ...new Set([...FILTERS.patterns, ...FILTERS.alerts, ...OUTCOME_FILTERS, ...TIME, ...PAGING])];
const WHOLE_DAYS = /** @type {Record<string, number>} */ ({ today: 1, "5days": 5 });
const LONGEST = 400;

/** What an address without anything shows. */
export const DEFAULTS = /** @type {Shown} */ ({ view: "list", kind: "patterns", sort: "detection", order: "desc", limit: "100" });
/** What the outcomes begin with: a whole report has thousands of rows. */
export const OUTCOME_DEFAULTS = /** @type {Shown} */ ({ timeframe: "1min", horizon: "5", quality: "all", sort: "pattern", order: "asc" });

/** @param {Shown} shown @returns {Shown} what its view shows when nothing else is said */
const defaultsOf = ({ view }) => (view === "outcomes" ? { ...DEFAULTS, ...OUTCOME_DEFAULTS } : DEFAULTS);

/**
 * @param {string} search  of the address
 * @returns {Shown}
 */
export function fromAddress(search) {
  const given = new URLSearchParams(search);
  const said = /** @type {Shown} */ ({});
  for (const name of NAMES) {
    const value = given.get(name)?.trim().slice(0, LONGEST);
    if (value) said[name] = value;
  }
  if (said.view !== "outcomes") delete said.view;
  if (said.kind !== "alerts") delete said.kind;
  if (!PAGE_SIZES.includes(said.limit)) delete said.limit;
  return { ...defaultsOf(said), ...said };
}

/**
 * @param {Shown} shown
 * @returns {string} the search part of the address: only what differs from the defaults
 */
export function toAddress(shown) {
  const defaults = defaultsOf(shown);
  const said = new URLSearchParams();
  for (const name of namesOf(shown)) {
    // An empty choice is said where the default is another one.
    if ((shown[name] ?? "") !== (defaults[name] ?? "") || (name === "view" && shown.view === "outcomes")) said.set(name, shown[name] || "any");
  }
  return said.size ? `?${said}` : "";
}

/** @param {Shown} shown @returns {string[]} the names that count in its view */
function namesOf({ view, kind }) {
  return view === "outcomes" ? ["view", ...OUTCOME_FILTERS, "sort", "order"] : ["kind", ...FILTERS[kind], ...TIME, ...PAGING];
}

/** @param {Shown} shown @returns {string[]} the filters that are set: what "clear" takes away */
export function filtersOf(shown) {
  const defaults = defaultsOf(shown);
  const names = shown.view === "outcomes" ? OUTCOME_FILTERS : [...FILTERS[shown.kind], "when", "from", "to"];
  return names.filter((name) => (shown[name] ?? "") !== (defaults[name] ?? ""));
}

/**
 * @param {Shown} shown
 * @param {Shown} changes
 * @returns {Shown} with the changes, on the first page again unless they say which one
 */
export function changed(shown, changes) {
  const family = (changes.kind ?? shown.kind) === shown.kind ? shown.family : ""; // alerts have families of their own
  const after = /** @type {Shown} */ ({ ...shown, family, next: "", previous: "", ...changes });
  if (after.view !== "outcomes" && !SORTS[after.kind].includes(after.sort)) after.sort = SAME_SORT[after.sort] ?? DEFAULTS.sort;
  return after;
}

/**
 * The questions to the server.
 * @param {Shown} shown
 * @param {number} now
 * @returns {{list: string, file: string}}
 */
export function questionsOf(shown, now) {
  const { kind } = shown;
  const filters = pick(shown, [...FILTERS[kind], "from", "to"]);
  const days = WHOLE_DAYS[shown.when];
  if (days) {
    filters.from = `${newYorkDay(now, days - 1)}T00:00`;
    delete filters.to;
  }
  const sorted = { ...filters, sort: shown.sort, order: shown.order };
  const paged = { ...sorted, ...pick(shown, ["limit", shown.previous ? "previous" : "next"]) };
  return { list: `/api/${kind}?${new URLSearchParams(paged)}`, file: `/api/${kind}.csv?${new URLSearchParams(sorted)}` };
}

/** @param {Shown} shown @returns {string} the question for outcomes */
export const outcomeQuestion = (shown) => `/api/outcomes?${new URLSearchParams(pick(shown, OUTCOME_FILTERS))}`;

/** @param {Shown} shown @param {string[]} names @returns {Shown} those that are chosen */
function pick(shown, names) {
  return Object.fromEntries(names.filter((name) => shown[name] && shown[name] !== "any").map((name) => [name, shown[name]]));
}

const DAY = new Intl.DateTimeFormat("en-CA", { timeZone: "America/New_York", year: "numeric", month: "2-digit", day: "2-digit" });

/**
 * @param {number} now
 * @param {number} before  so many days earlier
 * @returns {string} a day in New York: 2026-11-20
 */
export function newYorkDay(now, before) {
  return new Date(Date.parse(DAY.format(now)) - before * 86_400_000).toISOString().slice(0, 10);
}
