/** What is drawn over the candles beside the library's series: marks of signals, lines of chart patterns, extended hours, one moment. */

import { stateOf } from "../common/signal.js";
import { isExtended } from "./time_axis.js";

/** @import { Bar } from "./bar_series.js" */
/** @import { Figure, Mark, Point } from "./marks.js" */

const OUTLINES = /** @type {Record<string, number[][]>} */ ({ // pointing up
  reversal: [[0, -5], [5.5, 4.5], [-5.5, 4.5]],
  continuation: [[0, -5], [5.5, 1], [5.5, 5], [0, -0.5], [-5.5, 5], [-5.5, 1]],
  indecision: [[0, -5.5], [4.5, 0], [0, 5.5], [-4.5, 0]],
  chart: [[0, -5.5], [5, -1], [5, 4.5], [-5, 4.5], [-5, -1]],
  alert: [[0, -5.5], [3.5, -2], [3.5, 2.5], [1.5, 4.5], [-1.5, 4.5], [-3.5, 2.5], [-3.5, -2]],
});
const FIRST_MARK = 12; // pixels from the bar
const NEXT_MARK = 14;

export class Drawings {
  /** @param {Record<string, string>} colours */
  constructor(colours) {
    this.colours = colours;
    /** @type {Bar[]} */
    this.bars = [];
    /** @type {Mark[]} */
    this.marks = [];
    /** @type {Array<Figure & {strong: boolean}>} */
    this.figures = [];
    this.moment = 0;
    this.hasSessions = false;
    const view = (/** @type {"bottom" | "top"} */ layer, /** @type {(context: CanvasRenderingContext2D, size: any) => void} */ paint) => ({
      zOrder: () => layer,
      renderer: () => ({
        draw: (/** @type {any} */ target) =>
          target.useMediaCoordinateSpace((/** @type {any} */ scope) => paint(scope.context, scope.mediaSize)),
      }),
    });
    this.views = [
      view("bottom", (context, size) => this.paintGround(context, size.height)),
      view("top", (context) => {
        for (const figure of this.figures) this.paintFigure(context, figure);
        for (const mark of this.marks) this.paintMark(context, mark);
      }),
    ];
  }

  /** @param {any} parts  of the library: the chart, the series, and how to ask for another frame */
  attached({ chart, series, requestUpdate }) {
    this.scale = chart.timeScale();
    this.series = series;
    this.redraw = requestUpdate;
  }

  paneViews() {
    return this.views;
  }

  /** @param {number} time @returns {number} index of the bar that holds it, or is next to it */
  indexAt(time) {
    let low = 0;
    for (let high = this.bars.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.bars[middle].time <= time) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** @param {number} time @returns {number} */
  x(time) {
    return this.scale.logicalToCoordinate(this.indexAt(time)) ?? 0;
  }

  /** @param {CanvasRenderingContext2D} context @param {number} height */
  paintGround(context, height) {
    const width = this.scale.options().barSpacing;
    const range = this.scale.getVisibleLogicalRange();
    const band = (/** @type {number} */ at, /** @type {string} */ colour) => {
      context.fillStyle = colour;
      context.fillRect(this.scale.logicalToCoordinate(at) - width / 2, 0, width + 0.5, height);
    };
    if (this.hasSessions && range) {
      const last = Math.min(this.bars.length - 1, Math.ceil(range.to));
      for (let at = Math.max(0, Math.floor(range.from)); at <= last; at += 1) {
        if (isExtended(this.bars[at].time)) band(at, this.colours.raised);
      }
    }
    if (this.moment && this.bars.length) band(this.indexAt(this.moment), this.colours.accentSoft);
  }

  /** @param {CanvasRenderingContext2D} context @param {Mark} mark */
  paintMark(context, { signal, shape, above, level }) {
    const bar = this.bars[this.indexAt(signal.bar_timestamp)];
    if (bar?.time !== signal.bar_timestamp) return;
    const up = above ? -1 : 1;
    const x = this.x(bar.time);
    const y = this.series.priceToCoordinate(above ? bar.high : bar.low) + up * (FIRST_MARK + level * NEXT_MARK);
    const state = stateOf(signal);
    const colour = state === "void" ? this.colours.muted : this.colours[signal.direction] ?? this.colours.neutral;
    context.beginPath();
    for (const [dx, dy] of OUTLINES[shape] ?? OUTLINES.indecision) context.lineTo(x + dx, y + up * dy);
    context.closePath();
    context.lineWidth = 1.5;
    context.strokeStyle = state === "confirmed" ? this.colours.surface : colour;
    context.fillStyle = state === "confirmed" ? colour : this.colours.surface;
    context.stroke();
    context.fill();
    if (state !== "void") return;
    context.beginPath();
    context.moveTo(x - 7, y + 4);
    context.lineTo(x + 7, y - 4);
    context.stroke();
  }

  /** @param {CanvasRenderingContext2D} context @param {Figure & {strong: boolean}} figure */
  paintFigure(context, { lines, points, direction, strong }) {
    const at = (/** @type {Point} */ { timestamp, price }) => [this.x(timestamp), this.series.priceToCoordinate(price) ?? 0];
    context.strokeStyle = context.fillStyle = this.colours[direction] ?? this.colours.neutral;
    context.font = `11px ${this.colours.font}`;
    context.lineWidth = strong ? 2 : 1.25;
    context.setLineDash(strong ? [] : [5, 4]);
    for (const [from, to] of lines) {
      context.beginPath();
      context.moveTo(...(/** @type {[number, number]} */ (at(from))));
      context.lineTo(...(/** @type {[number, number]} */ (at(to))));
      context.stroke();
    }
    context.setLineDash([]);
    for (const point of points) {
      const [x, y] = at(point);
      context.beginPath();
      context.arc(x, y, strong ? 3.5 : 2.5, 0, 2 * Math.PI);
      context.fill();
      if (!strong || !point.name) continue;
      context.save();
      context.strokeStyle = this.colours.surface;
      context.lineWidth = 4;
      context.strokeText(point.name, x + 6, y - 7);
      context.fillText(point.name, x + 6, y - 7);
      context.restore();
    }
  }
}
