/** The control that shows the best signals only, or all of them; it remembers the choice. */

import { setText } from "../common/page.js";

/** @import { Catalog } from "../common/catalog.js" */

const KEY = "tickstock.signals";

/** @returns {boolean} the choice of an earlier visit; the best only when there was none */
function remembered() {
  try {
    return localStorage.getItem(KEY) !== "all";
  } catch {
    return true; // storage is switched off
  }
}

export class BestOnly {
  /**
   * @param {{state: HTMLElement, button: HTMLElement}} parts
   * @param {() => void} changed
   */
  constructor(parts, changed) {
    this.parts = parts;
    this.changed = changed;
    this.wanted = remembered();
    this.known = false; // whether the catalogue was asked for, with or without success
    /** @type {Catalog | null} */
    this.catalog = null;
    parts.button.addEventListener("click", () => this.choose(!this.wanted));
    this.show();
  }

  /** @param {Catalog | null} catalog */
  take(catalog) {
    this.catalog = catalog;
    this.known = true;
    this.show();
    this.changed();
  }

  /** @param {boolean} wanted */
  choose(wanted) {
    this.wanted = wanted;
    try {
      localStorage.setItem(KEY, wanted ? "best" : "all");
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    this.show();
    this.changed();
  }

  /** @returns {Catalog | null} by which the list is thinned; null: all of it is shown */
  get inForce() {
    return this.wanted ? this.catalog : null;
  }

  show() {
    const { state, button } = this.parts;
    const unable = this.wanted && this.known && !this.catalog;
    setText(state, unable ? "Showing all: what is best could not be loaded" : this.wanted ? "Showing the best" : "Showing all");
    setText(button, this.wanted ? "show all" : "show the best");
    button.hidden = unable;
  }
}
