/** The line above the chart that tells the pointed bar, or the last, in figures; and the words beside the pointed bar. */

import { percentChange, price, whole } from "../common/figures.js";
import { dayOf, minuteAt } from "../common/new_york_time.js";
import { byId, element, setData, setText } from "../common/page.js";
import { wordsFor } from "./indicators.js";
import { plain } from "./surface.js";
import { barTime } from "./time_axis.js";

/** @import { Bar } from "./bar_series.js" */
/** @import { Indicator } from "./indicators.js" */
/** @import { Surface } from "./surface.js" */

const LABELLED = ["open", "high", "low", "close", "volume"];
const MOST_RUNNING = 5;
const PARTS = ["when", "forming", ...LABELLED, "change"];

/** @param {Bar[]} bars @param {Map<number, Record<string, number>>} values  a running bar has none: those of the last one that has */
const lastOf = (bars, values) => values.get(bars.slice(-MOST_RUNNING).findLast(({ time }) => values.has(time))?.time ?? 0);

export class Legend {
  constructor() {
    this.bar = byId("chart-bar");
    this.values = byId("chart-values");
    this.tipPlace = byId("chart-tip");
    this.parts = PARTS.map((name) => {
      const part = element("span", name);
      if (LABELLED.includes(name)) {
        const label = element("abbr", "", name.charAt(0).toUpperCase());
        label.title = name;
        part.append(label, element("b"));
      }
      return this.bar.appendChild(part);
    });
    /** @type {Element[]} */
    this.figures = [];
    this.names = "";
  }

  /**
   * @param {Bar[]} bars
   * @param {number | null} pointed  time of a bar
   * @param {Indicator[]} indicators
   * @param {Map<number, Record<string, number>>} values
   * @param {Surface} surface
   */
  show(bars, pointed, indicators, values, surface) {
    const at = pointed === null ? bars.length - 1 : surface.drawings.indexAt(pointed);
    const bar = bars[at];
    this.bar.hidden = !bar;
    if (!bar) return;
    const before = bars[at - 1];
    const change = before ? bar.close / before.close - 1 : 0;
    const isToday = !surface.daily && dayOf(bar.time) === dayOf(bars[bars.length - 1].time);
    const texts = [isToday ? minuteAt(bar.time) : barTime(bar.time, surface.daily), bar.forming ? "forming" : bar.provisional ? "provisional" : "",
      price(bar.open), price(bar.high), price(bar.low), price(bar.close), whole(bar.volume),
      before ? `${percentChange(change)} %` : ""];
    texts.forEach((text, part) => setText(this.parts[part].querySelector("b") ?? this.parts[part], text));
    setData(this.parts[7], "direction", change > 0 ? "up" : change < 0 ? "down" : "");
    this.showValues(indicators, (bar.forming ? lastOf(bars, values) : values.get(bar.time)) ?? {}, surface);
  }

  /** @param {Indicator[]} indicators @param {Record<string, number>} values @param {Surface} surface */
  showValues(indicators, values, surface) {
    const lines = indicators.flatMap((indicator) =>
      indicator.values.map((name, at) => ({ name, overlay: indicator.overlay, colour: surface.lineColour(indicator, at) })));
    const names = lines.map(({ name, colour }) => name + colour).join();
    if (names !== this.names) {
      this.names = names;
      this.figures = lines.map(({ name, colour }) => {
        const swatch = element("i");
        swatch.style.background = colour;
        const part = element("span");
        part.append(swatch, `${wordsFor(name)} `, element("b"));
        return part;
      });
      this.values.replaceChildren(...this.figures);
    }
    lines.forEach(({ name, overlay }, at) => {
      const value = values[name];
      setText(/** @type {Element} */ (this.figures[at].lastElementChild), value === undefined ? "–" : overlay ? price(value) : plain(value));
    });
  }

  /**
   * @param {number | null} time  of the pointed bar
   * @param {string[]} words
   * @param {Surface | null} surface
   */
  tip(time, words, surface) {
    this.tipPlace.hidden = !words.length;
    if (!words.length || time === null || !surface) return;
    this.tipPlace.replaceChildren(...words.map((text) => element("span", "", text)));
    const x = surface.drawings.x(time);
    const { style } = this.tipPlace;
    style.left = `${Math.max(0, Math.min(x + 14, surface.chart.timeScale().width() - this.tipPlace.offsetWidth))}px`;
  }
}
