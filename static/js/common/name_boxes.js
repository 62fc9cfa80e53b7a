/** A checkbox for each pattern and alert of the catalogue, family by family, and the search among them. */

import { element } from "./page.js";
import { KINDS, nameOf } from "./words.js";

/** @import { Catalog, Entry } from "./catalog.js" */

export class NameBoxes {
  /**
   * @param {HTMLElement} place
   * @param {(words: string, entry: Entry) => Array<Node | string>} label  what stands beside a box
   * @param {(title: string, boxes: HTMLInputElement[]) => Node | string} legend
   */
  constructor(place, label, legend) {
    this.place = place;
    this.label = label;
    this.legend = legend;
    /** @type {Array<{label: HTMLElement, box: HTMLInputElement, text: string}>} */
    this.lines = [];
  }

  /** @param {Catalog} catalog */
  fill({ entries }) {
    this.lines = [];
    const all = [...entries.values()].filter(({ kind }) => kind in KINDS);
    const families = Map.groupBy(all, ({ kind, family }) => `${KINDS[kind]}: ${family}`);
    this.place.replaceChildren(...[...families].map(([title, members]) => this.makeFamily(title, members)));
  }

  /** @param {string} title @param {Entry[]} entries */
  makeFamily(title, entries) {
    const family = element("fieldset");
    const lines = entries.map((entry) => this.makeLine(title, entry));
    const legend = element("legend");
    legend.append(this.legend(title, lines.map(({ box }) => box)));
    family.append(legend, ...lines.map(({ label }) => label));
    this.lines.push(...lines);
    return family;
  }

  /** @param {string} title @param {Entry} entry */
  makeLine(title, entry) {
    const { name, kind, direction, description } = entry;
    const words = nameOf(kind === "alert" ? { alert: name } : { pattern: name });
    const box = /** @type {HTMLInputElement} */ (element("input"));
    Object.assign(box, { type: "checkbox", name: "pattern", value: name });
    const label = element("label");
    label.title = description ?? "";
    label.append(box, ...this.label(words, entry));
    return { label, box, text: `${words} ${name} ${title} ${direction}`.toLowerCase() };
  }

  /** Show only those that have every word of it. @param {string} text */
  find(text) {
    const wanted = text.toLowerCase().split(/\s+/);
    for (const line of this.lines) line.label.hidden = !wanted.every((word) => line.text.includes(word));
    for (const family of this.place.querySelectorAll("fieldset")) family.hidden = !family.querySelector("label:not([hidden])");
  }

  /** Names of those that are checked. */
  get chosen() {
    return this.lines.filter(({ box }) => box.checked).map(({ box }) => box.value);
  }

  /** @param {string[]} names */
  set chosen(names) {
    const chosen = new Set(names);
    for (const { box } of this.lines) box.checked = chosen.has(box.value);
  }

  get found() {
    return this.lines.filter(({ label }) => !label.hidden);
  }
}
