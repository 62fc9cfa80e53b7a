/** The controls of the filter: they show it, change it, keep it, and say what of it is not as by default. */

import { NameBoxes } from "../common/name_boxes.js";
import { byId, element, setData, setText } from "../common/page.js";
import { keep, recall } from "../common/storage.js";
import { TIMEFRAMES } from "../common/words.js";
import { changesOf, DEFAULTS, filterFrom } from "./filter.js";

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Filter } from "./filter.js" */

const KEY = "tickstock.filters";
const NAMES = /** @type {Array<keyof Filter>} */ (Object.keys(DEFAULTS));
const UNITS = /** @type {Record<string, number>} */ ({ price: 1, dollars: 1_000_000 }); // what a typed number counts

export class FilterBar {
  /** @param {(filter: Filter) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.filter = filterFrom(recall(KEY));
    this.form = byId("filters");
    this.picker = /** @type {HTMLDetailsElement} */ (byId("filter-patterns"));
    this.names = new NameBoxes(byId("pattern-list"), (words) => [words], (title, boxes) => this.makeLegend(title, boxes));
    this.search = /** @type {HTMLInputElement} */ (byId("pattern-search"));
    this.toggle = byId("filters-toggle");
    this.listen();
    this.show();
  }

  listen() {
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", ({ target }) => this.read(/** @type {HTMLInputElement} */ (target)));
    byId("filter-reset").addEventListener("click", () => this.choose({ ...DEFAULTS }));
    byId("patterns-all").addEventListener("click", () => this.choose({ ...this.filter, patterns: [] }));
    this.search.addEventListener("input", () => this.names.find(this.search.value));
    this.toggle.addEventListener("click", () => this.toggle.setAttribute("aria-expanded", String(this.toggle.ariaExpanded !== "true")));
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.picker.contains(/** @type {Node} */ (target))) this.picker.open = false;
    });
    this.picker.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.picker.open = false;
      this.picker.querySelector("summary")?.focus();
    });
  }

  /** @param {HTMLInputElement} control  that the visitor has changed */
  read(control) {
    const { name, value, checked, type, validity } = control;
    if (this.names.place.contains(control)) return this.choose({ ...this.filter, patterns: this.names.chosen });
    if (!NAMES.includes(/** @type {keyof Filter} */ (name))) return;
    const unit = UNITS[name];
    const wanted = type === "checkbox" ? checked : unit ? Math.max(0, validity.valid ? Number(value) : 0) * unit : value;
    this.choose({ ...this.filter, [name]: wanted });
  }

  /** @param {Filter} filter */
  choose(filter) {
    this.filter = filter;
    keep(KEY, JSON.stringify(filter));
    this.show();
    this.changed(filter);
  }

  show() {
    const changes = changesOf(this.filter);
    for (const name of NAMES) {
      const control = /** @type {HTMLInputElement} */ (byId(`filter-${name}`));
      const value = this.filter[name];
      if (control.type === "checkbox") control.checked = Boolean(value);
      else if (name !== "patterns") control.value = String(name in UNITS ? Number(value) / UNITS[name] : value);
      setData(control.closest("label") ?? control, "changed", changes.includes(name) ? "yes" : "");
    }
    const { patterns } = this.filter;
    this.names.chosen = patterns;
    setText(byId("patterns-chosen"), patterns.length ? `${patterns.length} ${patterns.length === 1 ? "pattern" : "patterns"}` : "All patterns");
    byId("filter-reset").hidden = !changes.length;
    setText(this.toggle, changes.length ? `Filters (${changes.length})` : "Filters");
  }

  /** @param {Catalog | null} catalog */
  setCatalog(catalog) {
    if (!catalog) return;
    this.names.fill(catalog);
    this.sayBest(catalog);
    const known = this.filter.patterns.filter((name) => catalog.entries.has(name));
    if (known.length < this.filter.patterns.length) this.choose({ ...this.filter, patterns: known }); // what no longer exists would hide everything
    this.show();
  }

  /** Of which timeframes all is shown, because signals are few there, is the server's choice. @param {Catalog} catalog */
  sayBest({ thinned }) {
    const all = Object.keys(TIMEFRAMES).filter((timeframe) => !thinned.has(timeframe)).map((timeframe) => TIMEFRAMES[timeframe]);
    if (!all.length) return;
    const rank = byId("filter-rank");
    const best = /** @type {HTMLOptionElement} */ (rank.querySelector("[value='best']"));
    setText(best, `Rank: the best (${all.join(", ")}: all)`);
    const label = /** @type {HTMLElement} */ (rank.closest("label"));
    label.title = "Rank: so many detections of the same pattern are worse. The best: of each pattern and alert only what is rare; "
      + `of ${all.join(" and ")} bars, where signals are few, all of any rank`;
  }

  /** The title of a family chooses all of what is found of it, or none. @param {string} title @param {HTMLInputElement[]} boxes */
  makeLegend(title, boxes) {
    const button = /** @type {HTMLButtonElement} */ (element("button", "quiet", title));
    button.type = "button";
    button.title = "All of them, or none";
    button.addEventListener("click", () => {
      const found = boxes.filter((box) => !box.closest("label")?.hidden);
      const none = found.every((box) => box.checked);
      for (const box of found) box.checked = !none;
      this.choose({ ...this.filter, patterns: this.names.chosen });
    });
    return button;
  }
}
