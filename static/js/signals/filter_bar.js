/** The controls of the filter: they show it, change it, keep it, and say what of it is not as by default. */

import { byId, element, setData, setText } from "../common/page.js";
import { keep, recall } from "../common/storage.js";
import { nameOf } from "../common/words.js";
import { changesOf, DEFAULTS, filterFrom } from "./filter.js";

/** @import { Catalog, Entry } from "../common/catalog.js" */
/** @import { Filter } from "./filter.js" */

const KEY = "tickstock.filters";
const NAMES = /** @type {Array<keyof Filter>} */ (Object.keys(DEFAULTS));
const UNITS = /** @type {Record<string, number>} */ ({ price: 1, dollars: 1_000_000 }); // what a typed number counts
const KINDS = /** @type {Record<string, string>} */ ({ candlestick: "Candlesticks", chart_pattern: "Chart patterns", alert: "Alerts" });

/** @param {Entry} entry @returns {string} */
const wordsOf = ({ name, kind }) => nameOf(/** @type {any} */ (kind === "alert" ? { alert: name } : { pattern: name }));

export class FilterBar {
  /** @param {(filter: Filter) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.filter = filterFrom(recall(KEY));
    this.form = byId("filters");
    this.picker = /** @type {HTMLDetailsElement} */ (byId("filter-patterns"));
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
    this.search.addEventListener("input", () => this.find());
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
  read({ name, value, checked, type, validity }) {
    if (name === "pattern") return this.choose({ ...this.filter, patterns: this.picked() });
    if (!NAMES.includes(/** @type {keyof Filter} */ (name))) return;
    const unit = UNITS[name];
    const wanted = type === "checkbox" ? checked : unit ? Math.max(0, validity.valid ? Number(value) : 0) * unit : value;
    this.choose({ ...this.filter, [name]: wanted });
  }

  picked() {
    return [...this.picker.querySelectorAll("input:checked")].map((box) => /** @type {HTMLInputElement} */ (box).value);
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
    for (const box of this.picker.querySelectorAll("input")) if (box.type === "checkbox") box.checked = patterns.includes(box.value);
    setText(byId("patterns-chosen"), patterns.length ? `${patterns.length} ${patterns.length === 1 ? "pattern" : "patterns"}` : "All patterns");
    byId("filter-reset").hidden = !changes.length;
    setText(this.toggle, changes.length ? `Filters (${changes.length})` : "Filters");
  }

  /** @param {Catalog | null} catalog */
  setCatalog(catalog) {
    if (!catalog) return;
    /** @type {Map<string, HTMLElement>} */
    const families = new Map();
    for (const entry of catalog.entries.values()) {
      if (!(entry.kind in KINDS)) continue;
      const title = `${KINDS[entry.kind]}: ${entry.family}`;
      const family = families.get(title) ?? this.makeFamily(title);
      families.set(title, family);
      family.append(makeBox(entry));
    }
    byId("pattern-list").replaceChildren(...families.values());
    const known = this.filter.patterns.filter((name) => catalog.entries.has(name));
    if (known.length < this.filter.patterns.length) this.choose({ ...this.filter, patterns: known }); // what no longer exists would hide everything
    this.show();
  }

  /** @param {string} title */
  makeFamily(title) {
    const family = element("fieldset");
    const legend = element("legend");
    const all = element("button", "quiet", title);
    all.title = "All of them, or none";
    /** @type {HTMLButtonElement} */ (all).type = "button";
    all.addEventListener("click", () => {
      const boxes = /** @type {HTMLInputElement[]} */ ([...family.querySelectorAll("label:not([hidden]) input")]);
      const none = boxes.every((box) => box.checked);
      for (const box of boxes) box.checked = !none;
      this.choose({ ...this.filter, patterns: this.picked() });
    });
    legend.append(all);
    family.append(legend);
    return family;
  }

  /** Show those whose words or names have what is searched for. */
  find() {
    const wanted = this.search.value.trim().toLowerCase();
    for (const label of this.picker.querySelectorAll("label")) {
      const { value } = /** @type {HTMLInputElement} */ (label.querySelector("input"));
      label.hidden = !`${label.textContent} ${value}`.toLowerCase().includes(wanted);
    }
    for (const family of this.picker.querySelectorAll("fieldset")) family.hidden = !family.querySelector("label:not([hidden])");
  }
}

/** @param {Entry} entry */
function makeBox(entry) {
  const label = element("label");
  const box = /** @type {HTMLInputElement} */ (element("input"));
  Object.assign(box, { type: "checkbox", name: "pattern", value: entry.name });
  label.append(box, wordsOf(entry));
  label.title = entry.description ?? "";
  return label;
}
