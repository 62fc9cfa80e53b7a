/** Which indicators and marks the chart shows: the menu, and what each of them is drawn as. */

import { element, openBelow } from "../common/page.js";
import { keep, recall } from "../common/storage.js";

/** @import { Catalog } from "../common/catalog.js" */

/**
 * @typedef {object} Indicator
 * @property {string} name  SMA_20
 * @property {string[]} values  the names of its values
 * @property {boolean} overlay  drawn over the candles, else in a pane of its own
 * @property {number} colour  of the first line, counted through those of the timeframe
 */

export const COLOURS = 6; // of lines
const KEY = "tickstock.indicators";
const OVERLAY = /^(?:SMA|EMA|WMA|VWAP|BollingerBands|Donchian)/;
const MARKS = { patterns: "Patterns", alerts: "Alerts", best: "Only the best, and what is forming", figures: "Lines of forming chart patterns" };
const ALL_ARE_BEST = "Only what is confirmed, of any rank, or forming"; // where signals are few
const KEY_TO_MARKS = "Triangle: reversal. Chevron: continuation. Diamond: indecision. House: chart pattern. Shield: alert. "
  + "Bullish ones stand below the bar, others above. Hollow: forming; struck out: void.";
const DEFAULT = ["SMA_20", "SMA_50", "VWAP", "RSI_14", "patterns", "alerts", "best", "figures"];

/** @param {string} name @returns {string} SMA 20, Bollinger bands 20 2 */
export const wordsFor = (name) => name.replace(/([a-z])([A-Z])/g, (_, end, start) => `${end} ${start.toLowerCase()}`).replaceAll("_", " ");

/** @returns {string[]} */
function remembered() {
  try {
    const stored = JSON.parse(recall(KEY) ?? "null");
    return Array.isArray(stored) ? stored : DEFAULT;
  } catch {
    return DEFAULT; // not ours
  }
}

export class Indicators {
  /** @param {HTMLElement} menu @param {HTMLElement} button */
  constructor(menu, button) {
    this.menu = menu;
    this.on = new Set(remembered());
    this.version = 0; // rises with every choice
    /** @type {Catalog | null} */
    this.catalog = null;
    this.timeframe = "";
    menu.addEventListener("change", ({ target }) => this.choose(/** @type {HTMLInputElement} */ (target)));
    openBelow(menu, button);
  }

  /** @param {Catalog | null} catalog @param {string} timeframe */
  offer(catalog, timeframe) {
    if (catalog === this.catalog && timeframe === this.timeframe) return;
    this.catalog = catalog;
    this.timeframe = timeframe;
    this.version += 1;
    const all = this.all();
    const marks = catalog?.thinned.has(timeframe) === false ? { ...MARKS, best: ALL_ARE_BEST } : MARKS;
    this.menu.replaceChildren(
      this.group("Over the candles", all.filter(({ overlay }) => overlay).map(({ name }) => [name, wordsFor(name)])),
      this.group("Below them", all.filter(({ overlay }) => !overlay).map(({ name }) => [name, wordsFor(name)])),
      this.group("Marks", Object.entries(marks)),
      element("p", "note", KEY_TO_MARKS),
    );
  }

  /** @param {string} title @param {string[][]} choices */
  group(title, choices) {
    const group = element("fieldset");
    group.append(element("legend", "", title));
    for (const [name, words] of choices) {
      const box = /** @type {HTMLInputElement} */ (element("input"));
      box.type = "checkbox";
      box.value = name;
      box.checked = this.on.has(name);
      const label = element("label");
      label.append(box, words);
      group.append(label);
    }
    if (!choices.length) group.append(element("p", "note", "None is computed in this timeframe."));
    return group;
  }

  /** @param {HTMLInputElement} box */
  choose({ value, checked }) {
    if (checked) this.on.add(value);
    else this.on.delete(value);
    this.version += 1;
    keep(KEY, JSON.stringify([...this.on]));
  }

  /** @returns {Indicator[]} all that are computed in this timeframe */
  all() {
    const enabled = Object.entries(this.catalog?.enabled[this.timeframe]?.indicators ?? {});
    return enabled.map(([name, values], at) => ({ name, values, overlay: OVERLAY.test(name), colour: at }));
  }

  /** @returns {Indicator[]} those over the candles in different colours, as long as there are some */
  chosen() {
    const taken = new Set();
    return this.all().filter(({ name }) => this.on.has(name)).map((indicator) => {
      let colour = indicator.colour % COLOURS;
      while (indicator.overlay && taken.has(colour) && taken.size < COLOURS) colour = (colour + 1) % COLOURS;
      if (indicator.overlay) taken.add(colour);
      return { ...indicator, colour };
    });
  }
}
