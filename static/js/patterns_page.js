/** The Patterns page: what was detected, from the database, and what followed. Everything that is chosen stands in the address. */

import { loadCatalog } from "./common/catalog.js";
import { startPage } from "./common/every_page.js";
import { whole } from "./common/figures.js";
import { clockAt } from "./common/new_york_time.js";
import { byId, setData, setText } from "./common/page.js";
import { changed, filtersOf, fromAddress, outcomeQuestion, questionsOf, toAddress } from "./patterns/address.js";
import { DataTable } from "./patterns/data_table.js";
import { alertColumns, patternColumns } from "./patterns/detection_columns.js";
import { familiesOf } from "./patterns/families.js";
import { FilterBar } from "./patterns/filter_bar.js";
import { labelPicker, NamePicker } from "./patterns/name_picker.js";
import { OUTCOME_COLUMNS } from "./patterns/outcome_columns.js";
import { headerWords, sorted } from "./patterns/outcome_words.js";
import { Reader } from "./patterns/reader.js";
import { countWords, emptyWords, problemWords } from "./patterns/state_words.js";

/** @import { Catalog } from "./common/catalog.js" */
/** @import { Choice } from "./patterns/families.js" */
/** @import { Shown } from "./patterns/address.js" */

const MOST_OUTCOMES = 400; // rows on the page; a whole report has thousands
const INTRO = /** @type {Record<string, string>} */ ({
  list: "Every pattern and alert that was detected and is stored.",
  outcomes: "What live patterns were followed by, measured. Not advice.",
});

const phone = matchMedia("(max-width: 767px)");
const means = {
  /** @param {string} symbol */
  choose: (symbol) => show(changed(shown, { symbol })),
  /** @param {any} signal */
  rankOf: (signal) => catalog?.rank(signal) ?? null,
};
const tables = /** @type {Record<string, {columns: any[], caption: string}>} */ ({
  patterns: { columns: patternColumns(means), caption: "Detected patterns" },
  alerts: { columns: alertColumns(means), caption: "Raised alerts" },
  outcomes: { columns: OUTCOME_COLUMNS, caption: "What followed live patterns" },
});
const table = /** @type {DataTable<any>} */ (new DataTable(byId("table"), (sort, order) => show(changed(shown, { sort, order }))));
const readers = { list: new Reader(() => draw()), outcomes: new Reader(() => draw()) };
const filters = new FilterBar(byId("filters"), (changes, isTyping) => show(changed(shown, changes), isTyping && typing));
const picker = new NamePicker({ input: byId("name"), list: byId("names") }, choose);
const limit = /** @type {HTMLSelectElement} */ (byId("limit"));
const paging = { previous: byId("previous"), next: byId("next") };

/** @type {Catalog | null} */
let catalog = null;
/** @type {Shown} */
let shown = fromAddress(location.search);
let typing = false; // whether the address in force was made by the field that is being typed in
let drawn = { answer: /** @type {any} */ (null), sort: "" };
/** @type {Record<string, Shown>} */
const left = {}; // how each view was left

const isList = () => shown.view !== "outcomes";
const reader = () => (isList() ? readers.list : readers.outcomes);
const question = () => (isList() ? questionsOf(shown, Date.now()).list : outcomeQuestion(shown));

/**
 * Show something else: in the address, on the page, and asked from the server where it is another question.
 * @param {Shown} wanted
 * @param {boolean} [replaces]  the address in force, as another letter of one word does
 */
function show(wanted, replaces = false) {
  const address = location.pathname + toAddress(wanted);
  history[replaces ? "replaceState" : "pushState"](null, "", address);
  typing = true;
  restore(wanted);
}

/** @param {Shown} wanted */
function restore(wanted) {
  const turned = wanted.next !== shown.next || wanted.previous !== shown.previous || wanted.view !== shown.view;
  shown = wanted;
  left[shown.view] = shown;
  showControls();
  ask();
  if (turned) byId("scroll").scrollTop = 0;
}

function ask() {
  readers[isList() ? "outcomes" : "list"].stop();
  const { path, answer, isOld } = reader();
  if (!isList() && path === question() && answer && !isOld) draw(); // only sorted otherwise
  else reader().ask(question());
}

/** @param {Choice} choice */
function choose({ value, what }) {
  const name = shown.kind === "alerts" && isList() ? "alert" : "pattern";
  show(changed(shown, what === "family" ? { [name]: "", family: value } : { [name]: value, family: "" }));
}

function showControls() {
  const view = isList() ? "list" : "outcomes";
  for (const part of /** @type {Iterable<HTMLElement>} */ (document.querySelectorAll("main [data-view]:not(nav a)"))) part.hidden = part.dataset.view !== view;
  for (const link of /** @type {Iterable<HTMLElement>} */ (document.querySelectorAll(".views a"))) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  setText(byId("intro"), INTRO[view]);
  filters.show(shown);
  limit.value = shown.limit;
  const kind = isList() ? shown.kind : "patterns";
  labelPicker(byId("name-label"), kind);
  picker.offer(catalog ? familiesOf(catalog, kind).map((family) => (isList() ? family : { ...family, whole: null })) : []);
  picker.show(kind, (kind === "alerts" ? shown.alert : shown.pattern) ?? "", (isList() && shown.family) || "");
  const many = filtersOf(shown).length;
  byId("clear").hidden = many === 0;
  setText(byId("fold-title"), many ? `Filters (${many} set)` : "Filters");
  /** @type {HTMLAnchorElement} */ (byId("file")).href = questionsOf(shown, Date.now()).file;
}

function draw() {
  const { asking, answer, isOld, answeredAt } = reader();
  const rows = rowsOf(answer);
  drawTable(rows);
  const words = problemWords(reader());
  drawProblem(words);
  setData(byId("main"), "old", isOld ? "yes" : "");
  byId("scroll").setAttribute("aria-busy", String(asking));
  const empty = rows.length ? "" : answer && !words ? emptyWords(shown, answer, filtersOf(shown).length) : words ? "Nothing can be shown yet." : "Reading from the database…";
  setText(byId("empty"), empty);
  byId("empty").hidden = !empty;
  setText(byId("count"), answer && rows.length ? countWords(shown, answer, Math.min(rows.length, isList() ? Infinity : MOST_OUTCOMES)) : "");
  setText(byId("read-at"), asking ? "Reading…" : answeredAt ? `Read ${clockAt(answeredAt)}` : "");
  for (const [name, button] of Object.entries(paging)) button.setAttribute("aria-disabled", String(!answer?.[name]));
}

/** @param {any} answer @returns {any[]} */
const rowsOf = (answer) => (isList() ? answer?.patterns ?? answer?.alerts : answer?.outcomes) ?? [];

/** @param {any[]} rows */
function drawTable(rows) {
  const { answer } = reader();
  // While another kind is read, the rows keep the columns that they were read with.
  const kind = isList() ? (answer ? ("alerts" in answer ? "alerts" : "patterns") : shown.kind) : "outcomes";
  const sort = `${kind} ${shown.sort} ${shown.order} ${catalog !== null}`;
  table.setColumns(tables[kind].columns, tables[kind].caption);
  byId("table").hidden = rows.length === 0;
  table.showSort(shown.sort, shown.order);
  if (drawn.answer === answer && drawn.sort === sort) return;
  drawn = { answer, sort };
  setData(byId("table"), "kind", kind);
  table.draw(isList() ? rows : sorted(rows, shown.sort, shown.order).slice(0, MOST_OUTCOMES));
  if (!isList()) drawReport(answer);
}

/** @param {any} answer */
function drawReport(answer) {
  const words = answer ? headerWords(answer, Date.now()) : [];
  setText(byId("report-words"), words.join(" "));
  const universe = answer?.header.universe ?? [];
  setText(byId("universe-title"), `Universe: ${whole(universe.length)} symbols`);
  setText(byId("universe"), universe.join(", "));
}

/** @param {string} words */
function drawProblem(words) {
  const banner = byId("problem");
  setText(banner, words);
  banner.hidden = !words;
  byId("about-report").hidden = isList() || !readers.outcomes.answer?.computed;
}

function foldOnPhones() {
  /** @type {HTMLDetailsElement} */ (byId("fold")).open = !phone.matches;
}

/** @param {"next" | "previous"} way */
function turn(way) {
  const token = reader().answer?.[way];
  if (token && !reader().isOld) show({ ...shown, next: "", previous: "", [way]: token });
}

/** Take all filters away, and keep how the list is sorted. */
function clear() {
  const { view, kind, sort, order, limit: size } = shown;
  show({ ...fromAddress(isList() ? "" : "?view=outcomes"), view, kind, sort, order, limit: size });
  byId(isList() ? "symbol" : "name").focus();
}

for (const link of /** @type {Iterable<HTMLAnchorElement>} */ (document.querySelectorAll(".views a"))) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(left[link.dataset.view ?? ""] ?? fromAddress(new URL(link.href).search));
  });
}
paging.next.addEventListener("click", () => turn("next"));
paging.previous.addEventListener("click", () => turn("previous"));
limit.addEventListener("change", () => show(changed(shown, { limit: limit.value })));
byId("clear").addEventListener("click", clear);
byId("refresh").addEventListener("click", () => reader().ask(question()));
byId("filters").addEventListener("focusin", () => (typing = false));
addEventListener("popstate", () => restore(fromAddress(location.search)));
phone.addEventListener("change", foldOnPhones);
foldOnPhones();
startPage({ search: () => { /** @type {HTMLDetailsElement} */ (byId("fold")).open = true; byId(isList() ? "symbol" : "name").focus(); } });
restore(shown);
void loadCatalog((loaded) => {
  catalog = loaded;
  picker.explain(loaded !== null);
  showControls();
  draw();
});
