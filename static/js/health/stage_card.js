/** One stage of the tick's path on the page. */

import { span } from "../common/new_york_time.js";
import { element, setData, setText } from "../common/page.js";
import { described, Sparkline } from "./sparkline.js";

/** @import { Stage } from "./stages.js" */
/** @import { SampleHistory } from "./sample_history.js" */

const SHORTEST_SPAN_MS = 60_000; // from edge to edge of the small line; it widens with what is kept

export class StageCard {
  /** @param {Stage} stage */
  constructor(stage) {
    this.element = element("li", "stage");
    this.element.dataset.stage = stage.id;
    const head = element("div", "stage-head");
    this.state = element("span", "state");
    head.append(element("h3", "", stage.title), this.state);
    this.detail = element("p", "detail");
    const main = element("p", "main");
    this.value = element("b");
    this.label = element("span");
    main.append(this.value, this.label);
    this.sparkline = new Sparkline();
    this.list = element("dl");
    this.age = element("p", "as-of");
    this.element.append(head, this.detail, main, this.sparkline.element, this.list, this.age);
    /** @type {Array<{label: HTMLElement, value: HTMLElement, row: HTMLElement}>} */
    this.rows = [];
  }

  /**
   * @param {Stage} stage
   * @param {SampleHistory} history
   * @param {{now: number, stale: boolean}} moment  stale: what is shown is from before the app fell silent
   */
  draw(stage, history, { now, stale }) {
    const { main } = stage;
    setText(this.state, stale ? `Unknown, was ${stage.word}` : stage.word);
    setData(this.state, "level", stale ? "wait" : stage.level);
    setData(this.element, "level", stale ? "wait" : stage.level);
    setText(this.detail, stage.detail);
    setText(this.value, main.value === null ? "not known" : main.format(main.value));
    setText(this.label, main.label);
    const spanMs = Math.max(SHORTEST_SPAN_MS, now - (history.samples[0]?.time ?? now));
    this.sparkline.draw(history.samples, now, spanMs, described(history.values, `${stage.title}, ${main.label}`, main.format));
    this.drawFigures(stage.figures);
  }

  /** @param {import("./stages.js").Figure[]} figures */
  drawFigures(figures) {
    while (this.rows.length > figures.length) this.rows.pop()?.row.remove();
    while (this.rows.length < figures.length) {
      const row = element("div");
      const label = element("dt");
      const value = element("dd");
      row.append(label, value);
      this.list.append(row);
      this.rows.push({ label, value, row });
    }
    figures.forEach((figure, at) => {
      const { label, value, row } = this.rows[at];
      setText(label, figure.label);
      setText(value, figure.alarming ? `! ${figure.value}` : figure.value);
      setData(row, "alarming", figure.alarming ? "yes" : "");
    });
  }

  /** @param {number | null} age of the figures, in ms; null: there are none */
  drawAge(age) {
    setText(this.age, age === null ? "no figures yet" : `figures ${span(age)} old`);
  }
}
