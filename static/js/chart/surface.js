/** The chart library's part: candles, volume, lines and panes, in the page's colours. It shows what it is given. */

import "../common/trusted_markup.js";
import { price } from "../common/figures.js";
import { difference } from "./bar_series.js";
import { Drawings } from "./drawings.js";
import { COLOURS, wordsFor } from "./indicators.js";
import { barTime, marketDay, tickText, weightOf } from "./time_axis.js";

/** @import { Bar } from "./bar_series.js" */
/** @import { Indicator } from "./indicators.js" */

/** @typedef {typeof import("../../vendor/lightweight-charts.mjs")} Library */

const PROPERTIES = {
  surface: "--surface", raised: "--raised", text: "--text", muted: "--muted", line: "--line", accent: "--accent", accentSoft: "--accent-soft",
  bullish: "--up", bearish: "--down", neutral: "--neutral", strong: "--line-strong",
  1: "--chart-1", 2: "--chart-2", 3: "--chart-3", 4: "--chart-4", 5: "--chart-5", 6: "--chart-6",
};
const SEE_THROUGH = "70";
const RIGHT_OFFSET = 6; // bars that the running one has room for
const RSI_LINES = [30, 70];

/** @param {HTMLElement} place */
export const openSurface = async (place) => new Surface(await import("../../vendor/lightweight-charts.mjs"), place);

/** @param {number} time Unix milliseconds */
const seconds = (time) => /** @type {any} */ (time / 1000);

/** @param {number} value @returns {string} of an indicator that is not a price */
export function plain(value) {
  const text = Math.abs(value).toFixed(Math.abs(value) < 10 ? 2 : 1);
  return value < 0 && Number(text) ? `\u2212${text}` : text;
}

export class Surface {
  /** @param {Library} library @param {HTMLElement} place */
  constructor(library, place) {
    this.library = library;
    /** @type {Record<string, string>} */
    this.colours = {};
    this.daily = false;
    const daily = () => this.daily;
    class Scale extends library.defaultHorzScaleBehavior() {
      /** @param {any} points @param {number} start */
      fillWeightsForPoints(points, start) {
        const at = (/** @type {number} */ index) => points[index].originalTime * 1000;
        for (let index = Math.max(1, start); index < points.length; index += 1) {
          points[index].timeWeight = weightOf(at(index), at(index - 1), daily());
        }
      }
    }
    this.chart = library.createChartEx(place, new Scale(), /** @type {any} */ ({
      autoSize: true,
      localization: { timeFormatter: (/** @type {number} */ time) => barTime(time * 1000, this.daily) },
      timeScale: {
        timeVisible: true, rightOffset: RIGHT_OFFSET, minBarSpacing: 1,
        tickMarkFormatter: (/** @type {number} */ time, /** @type {number} */ kind) => tickText(time * 1000, kind),
      },
      crosshair: { mode: library.CrosshairMode.Normal },
    }));
    const quiet = { lastValueVisible: false, priceLineVisible: false };
    this.candles = this.chart.addSeries(library.CandlestickSeries, {});
    this.volume = this.chart.addSeries(library.HistogramSeries, { ...quiet, priceScaleId: "volume", priceFormat: { type: "volume" } });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.drawings = new Drawings(this.colours);
    this.candles.attachPrimitive(/** @type {any} */ (this.drawings));
    /** @type {Bar[]} */
    this.drawn = [];
    /** @type {Array<{series: any, name: string, histogram: boolean}>} */
    this.lines = [];
    /** @type {any} */
    this.target = null;
  }

  /** Take the colours of the page as they are now; what is drawn in the old ones must be shown again. */
  recolour() {
    const style = getComputedStyle(document.documentElement);
    for (const [name, property] of Object.entries(PROPERTIES)) this.colours[name] = style.getPropertyValue(property).trim();
    this.colours.font = getComputedStyle(document.body).fontFamily;
    const { surface, text, muted, line, strong, bullish, bearish, font } = this.colours;
    const crosshair = { color: strong, labelBackgroundColor: muted };
    this.chart.applyOptions(/** @type {any} */ ({
      layout: { background: { type: "solid", color: surface }, textColor: muted, fontFamily: font, fontSize: 11, panes: { separatorColor: line, separatorHoverColor: line } },
      grid: { vertLines: { color: line + SEE_THROUGH }, horzLines: { color: line + SEE_THROUGH } },
      rightPriceScale: { borderColor: line, scaleMargins: { top: 0.12, bottom: 0.24 } },
      timeScale: { borderColor: line },
      crosshair: { vertLine: crosshair, horzLine: { ...crosshair, labelTextColor: text } },
    }));
    this.candles.applyOptions({
      upColor: bullish, downColor: bearish, borderUpColor: bullish, borderDownColor: bearish, wickUpColor: bullish, wickDownColor: bearish,
      priceLineColor: strong,
    });
    this.drawn = [];
  }

  /** @param {Bar} bar */
  candle(bar) {
    const { time, open, high, low, close, forming } = bar;
    return { time: seconds(time), open, high, low, close, ...(forming && { color: this.colours.surface }) };
  }

  /** @param {Bar} bar */
  histogram({ time, open, close, volume, forming }) {
    return { time: seconds(time), value: volume, color: this.colours[close < open ? "bearish" : "bullish"] + (forming ? "40" : SEE_THROUGH) };
  }

  /**
   * Show these bars: one update of each series, or all of their data.
   * @param {Bar[]} bars
   */
  show(bars) {
    const change = difference(this.drawn, bars);
    if (change === "nothing") return;
    if (change === "all") {
      const tiny = (bars.at(-1)?.close ?? 1) < 1;
      this.candles.applyOptions({ priceFormat: { type: "custom", minMove: tiny ? 0.0001 : 0.01, formatter: price } });
      this.drawings.bars = bars;
      this.candles.setData(bars.map((bar) => this.candle(bar)));
      this.volume.setData(bars.map((bar) => this.histogram(bar)));
    } else {
      const last = bars[bars.length - 1];
      this.drawings.bars = bars;
      this.candles.update(this.candle(last));
      this.volume.update(this.histogram(last));
    }
    this.drawn = bars;
  }

  /** @param {Indicator[]} indicators  to be drawn from now on, in place of those before */
  choose(indicators) {
    for (const { series } of this.lines) this.chart.removeSeries(series);
    this.lines = [];
    let panes = 0;
    for (const indicator of indicators) {
      const pane = indicator.overlay ? 0 : (panes += 1);
      indicator.values.forEach((name, at) => this.addLine(indicator, name, at, pane));
      if (pane) this.title(pane, wordsFor(indicator.name));
    }
    this.chart.panes().forEach((pane, at) => pane.setStretchFactor(at ? 1 : 3));
  }

  /** @param {number} pane @param {string} text */
  title(pane, text) {
    const lines = [{ text, color: this.colours.muted, fontSize: 11, fontFamily: this.colours.font }];
    this.library.createTextWatermark(this.chart.panes()[pane], { horzAlign: "left", vertAlign: "top", lines });
  }

  /** @param {Indicator} indicator @param {string} name @param {number} at @param {number} pane */
  addLine(indicator, name, at, pane) {
    const { overlay } = indicator;
    const histogram = name.startsWith("MACD_HIST");
    const banded = isBanded(indicator);
    const style = {
      color: this.lineColour(indicator, at), lineWidth: /** @type {1 | 2} */ (banded && at !== 1 ? 1 : 2), lineStyle: banded && at === 1 ? 2 : 0,
      priceLineVisible: false, lastValueVisible: !overlay && !histogram, crosshairMarkerVisible: false,
      priceFormat: /** @type {any} */ ({ type: "custom", minMove: 0.0001, formatter: overlay ? price : plain }),
    };
    const kind = /** @type {any} */ (histogram ? this.library.HistogramSeries : this.library.LineSeries);
    const series = this.chart.addSeries(kind, style, pane);
    if (name.startsWith("RSI")) {
      for (const price of RSI_LINES) series.createPriceLine({ price, color: this.colours.strong, lineStyle: 2, lineWidth: 1, axisLabelVisible: false });
      series.applyOptions(/** @type {any} */ ({ autoscaleInfoProvider: within(22, 78) }));
    }
    this.lines.push({ series, name, histogram });
  }

  /** @param {Indicator} indicator @param {number} at  which of its values */
  lineColour(indicator, at) {
    return this.colours[((indicator.colour + (isBanded(indicator) ? 0 : at)) % COLOURS) + 1];
  }

  /** @param {Bar[]} bars @param {Map<number, Record<string, number>>} values */
  showValues(bars, values) {
    for (const { series, name, histogram } of this.lines) {
      series.setData(bars.map(({ time }, at) => {
        const value = values.get(time)?.[name];
        if (value === undefined) return { time: seconds(time) };
        const ends = name === "VWAP" && at + 1 < bars.length && marketDay(time) !== marketDay(bars[at + 1].time); // no line leads to the next day's
        const color = ends ? "transparent" : histogram ? this.colours[value < 0 ? "bearish" : "bullish"] + SEE_THROUGH : "";
        return { time: seconds(time), value, ...(color && { color }) };
      }));
    }
  }

  /** @param {number | undefined} price  of the shown chart pattern */
  showTarget(price) {
    if (this.target) this.candles.removePriceLine(this.target);
    const look = { title: "target", color: this.colours.accent, lineStyle: 1, lineWidth: /** @type {1} */ (1), axisLabelVisible: true };
    this.target = price === undefined ? null : this.candles.createPriceLine({ price, ...look });
  }

  /** @param {number} index  of a bar @param {number} [around]  how many are shown beside it */
  centre(index, around = 60) {
    const to = Math.min(index + around, this.drawn.length + RIGHT_OFFSET);
    this.chart.timeScale().setVisibleLogicalRange({ from: to - 2 * around, to });
  }
}

/** @param {Indicator} indicator @returns {boolean} whether its values are the upper, middle and lower of bands: in one colour */
const isBanded = ({ values, overlay }) => values.length > 2 && overlay;

/** @param {number} low @param {number} high  that the axis shows at least */
const within = (low, high) => (/** @type {() => any} */ original) => {
  const found = original();
  const { minValue, maxValue } = found?.priceRange ?? { minValue: low, maxValue: high };
  return { ...found, priceRange: { minValue: Math.min(low, minValue), maxValue: Math.max(high, maxValue) } };
};
