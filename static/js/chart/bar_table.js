/** The bars as a table: newest first, a page at a time, with the chosen values and the signals in words. */

import { percentChange, price, whole } from "../common/figures.js";
import { byId, element, setText } from "../common/page.js";
import { stateOf } from "../common/signal.js";
import { nameOf } from "../common/words.js";
import { wordsFor } from "./indicators.js";
import { plain } from "./surface.js";
import { barTime } from "./time_axis.js";

/** @import { Signal } from "../link/messages.js" */
/** @import { Bar } from "./bar_series.js" */
/** @import { Indicator } from "./indicators.js" */

const ROWS = 50;
const FIGURES = ["Open", "High", "Low", "Close", "Change", "Volume"];

/** @param {Signal} signal @returns {string} Hammer, bullish, forming */
export function inWords(signal) {
  const state = stateOf(signal);
  return `${nameOf(signal)}, ${signal.direction}${state === "confirmed" ? "" : `, ${state}`}`;
}

export class BarTable {
  constructor() {
    this.head = byId("chart-table-head");
    this.body = byId("chart-table-body");
    this.page = 0;
    byId("chart-newer").addEventListener("click", () => (this.page -= 1));
    byId("chart-older").addEventListener("click", () => (this.page += 1));
  }

  /**
   * @param {Bar[]} bars  oldest first
   * @param {boolean} daily
   * @param {Indicator[]} indicators
   * @param {Map<number, Record<string, number>>} values
   * @param {Map<number, Signal[]>} signals  by bar
   * @param {boolean} more  whether older ones can be loaded
   * @returns {boolean} whether the page after this one must be loaded
   */
  show(bars, daily, indicators, values, signals, more) {
    const pages = Math.max(1, Math.ceil(bars.length / ROWS));
    this.page = Math.min(this.page, pages - 1);
    const shown = indicators.flatMap(({ values: names, overlay }) => names.map((name) => ({ name, write: overlay ? price : plain })));
    this.line(this.head, ["Time", ...FIGURES, ...shown.map(({ name }) => wordsFor(name)), "Signals"], "th");
    const last = bars.length - this.page * ROWS;
    const rows = Math.min(ROWS, last);
    while (this.body.children.length > rows) this.body.lastElementChild?.remove();
    for (let row = 0; row < rows; row += 1) {
      const bar = bars[last - 1 - row];
      const before = bars[last - 2 - row];
      const line = this.body.children[row] ?? this.body.appendChild(element("tr"));
      this.line(line, [
        barTime(bar.time, daily) + (bar.forming ? ", forming" : bar.provisional ? ", provisional" : ""),
        price(bar.open), price(bar.high), price(bar.low), price(bar.close), before ? `${percentChange(bar.close / before.close - 1)} %` : "", whole(bar.volume),
        ...shown.map(({ name, write }) => ((value) => (value === undefined ? "" : write(value)))(values.get(bar.time)?.[name])),
        (signals.get(bar.time) ?? []).map(inWords).join("; "),
      ]);
    }
    byId("chart-newer").toggleAttribute("disabled", this.page === 0);
    byId("chart-older").toggleAttribute("disabled", this.page === pages - 1);
    const first = this.page * ROWS;
    const span = `Bars ${whole(first + 1)} to ${whole(first + rows)} of ${whole(bars.length)}${more ? " loaded" : ""}`;
    setText(byId("chart-page"), bars.length ? span : "No bars");
    return more && this.page >= pages - 2;
  }

  /** @param {Element} line @param {string[]} texts @param {string} [tag] */
  line(line, texts, tag = "td") {
    while (line.children.length > texts.length) line.lastElementChild?.remove();
    texts.forEach((text, at) => {
      let cell = line.children[at];
      if (!cell) {
        cell = line.appendChild(element(at ? tag : "th"));
        if (cell.tagName === "TH") cell.setAttribute("scope", tag === "th" ? "col" : "row");
      }
      cell.className = at && at < texts.length - 1 ? "number" : "";
      setText(cell, text);
    });
  }
}
