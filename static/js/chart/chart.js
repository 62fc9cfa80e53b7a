/** The chart of the selected symbol: brings together what is stored, what is live, what is chosen, and draws it once per frame. */

import { clockAt, dayOf, minuteAt } from "../common/new_york_time.js";
import { byId, setData, setText } from "../common/page.js";
import { stateOf } from "../common/signal.js";
import { BarHistory } from "./bar_history.js";
import { LENGTHS } from "./bar_series.js";
import { BarTable, inWords } from "./bar_table.js";
import { Indicators } from "./indicators.js";
import { Legend } from "./legend.js";
import { figureOf, MOST_MARKS, marksOf, wantedSignals } from "./marks.js";
import { completed } from "./studies.js";
import { openSurface } from "./surface.js";
import { isExtended, marketDay } from "./time_axis.js";
import { Upkeep } from "./upkeep.js";
import { waitingFor } from "./waiting.js";

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Selection } from "../common/selection.js" */
/** @import { FormingBar, Session, Signal } from "../link/messages.js" */
/** @import { Store } from "../link/store.js" */
/** @import { Bar } from "./bar_series.js" */
/** @import { ValuesByTime } from "./studies.js" */
/** @import { Surface } from "./surface.js" */

const MINUTE_MS = 60_000;
/** @type {Bar[]} */
const NO_BARS = [];
const RETRY_MS = 2000; // after the library could not be loaded
const MARGIN = 30; // bars left of the view when older ones are asked for

export class Chart {
  /** @param {Store} store @param {Selection} selection */
  constructor(store, selection) {
    this.store = store;
    this.selection = selection;
    this.place = byId("chart");
    this.indicators = new Indicators(byId("chart-menu"), byId("chart-indicators"));
    this.legend = new Legend();
    this.table = new BarTable();
    /** @type {Catalog | null} */
    this.catalog = null;
    /** @type {Surface | null} */
    this.surface = null;
    this.opening = false;
    this.isSeen = false;
    this.asTable = false;
    this.recoloured = true;
    this.moment = Number(new URLSearchParams(location.search).get("at")) || 0;
    /** @type {Signal | null} */
    this.pattern = null; // whose lines are shown because they were asked for
    /** @type {number | null} */
    this.pointed = null; // time of the bar under the crosshair
    this.keys = /** @type {Record<string, string>} */ ({}); // of what is drawn, by part
    /** @type {Signal[]} */
    this.signals = [];
    /** @type {Map<number, Signal[]>} */
    this.signalsByBar = new Map();
    this.seenSignals = -1;
    this.hasJumped = false; // to the moment
    this.tableWantsMore = false;
    this.isPaused = false;
    /** @type {Bar[] | null} */
    this.held = null; // while it is paused
    this.hidden = "";
    /** @type {FormingBar | null} */
    this.takenMinute = null;
    /** @type {Bar[] | null} */
    this.drawnTable = null;
    /** @type {Bar[] | null} */
    this.toldBars = null; // by the legend
    this.values = /** @type {ValuesByTime} */ (new Map());
    this.history = new BarHistory(selection.symbol, selection.timeframe, () => this.store.marketTime());
    this.upkeep = new Upkeep(this.history, store);
    this.open();
    this.listen();
  }

  listen() {
    const redraw = () => (this.recoloured = true);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme", "data-palette"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new ResizeObserver((seen) => (this.isSeen = seen[0].contentRect.width > 0)).observe(byId("chart-panel"));
    this.store.onBarClosed.push((values) => values.symbol === this.history.symbol && this.upkeep.takeClosed(values));
    this.selection.onChange(() => {
      this.moment = 0;
      const address = new URL(location.href);
      address.searchParams.delete("at");
      history.replaceState(null, "", address);
      this.open();
    });
    byId("chart-timeframes").addEventListener("click", ({ target }) => {
      const { value } = /** @type {HTMLButtonElement} */ (target);
      if (value) this.selection.choose({ timeframe: value });
    });
    byId("chart-table").addEventListener("click", () => this.showTable(!this.asTable));
    byId("chart-retry").addEventListener("click", () => this.upkeep.retry());
    byId("chart-rows").addEventListener("keydown", ({ key }) => key === "Escape" && this.showTable(false));
    this.place.addEventListener("keydown", (event) => this.press(event));
    this.place.addEventListener("blur", () => this.point(null));
    document.addEventListener("tickstock:show-pattern", (event) => this.showPattern(/** @type {CustomEvent} */ (event).detail.signal));
  }

  /** Begin with the selected symbol and timeframe. */
  open() {
    const { symbol, timeframe } = this.selection;
    this.history.close();
    this.history = new BarHistory(symbol, timeframe, () => this.store.marketTime());
    this.upkeep = new Upkeep(this.history, this.store);
    this.seenSignals = -1;
    this.takenMinute = null;
    this.hasJumped = !this.moment;
    this.table.page = 0;
    this.held = null;
    this.pointed = null;
    this.keys = {};
    if (this.pattern?.symbol !== symbol || this.pattern?.timeframe !== timeframe) this.pattern = null;
    this.surface?.show([]);
    for (const button of byId("chart-timeframes").children) {
      button.setAttribute("aria-pressed", String(/** @type {HTMLButtonElement} */ (button).value === timeframe));
    }
  }

  /** @param {Catalog | null} catalog */
  setCatalog(catalog) {
    this.catalog = catalog;
  }

  /** @param {number} now */
  draw(now) {
    const { selection, store } = this;
    if (!selection.symbol && store.watch.length) selection.choose({ symbol: store.watch[0] });
    if (!this.isSeen || document.hidden) return;
    if (!this.surface) return void this.openSurface();
    if (selection.symbol) this.upkeep.keepUp(now, () => this.wantsOlder());
    this.takeLive();
    this.indicators.offer(this.catalog, selection.timeframe);
    this.collectSignals();
    this.collectValues();
    if (this.asTable) this.drawTable();
    else this.drawSurface(this.surface);
    this.say();
  }

  async openSurface() {
    if (this.opening) return;
    this.opening = true;
    const surface = await openSurface(this.place).catch(() => null);
    if (!surface) return void setTimeout(() => (this.opening = false), RETRY_MS); // away just now
    surface.chart.subscribeCrosshairMove(({ time, sourceEvent }) => sourceEvent && this.point(time === undefined ? null : Number(time) * 1000));
    surface.chart.subscribeClick(({ time }) => time !== undefined && this.openCard(Number(time) * 1000));
    this.surface = surface;
  }

  /** @returns {boolean} whether what is looked at lies before the loaded bars */
  wantsOlder() {
    const { history, surface } = this;
    const since = Math.min(this.moment || Infinity, figureOf(this.pattern)?.points[0]?.timestamp ?? Infinity);
    if (since < history.oldest || this.tableWantsMore) return true;
    const from = surface?.chart.timeScale().getVisibleLogicalRange()?.from;
    return !this.asTable && from != null && surface !== null && surface.drawn.length > 0 && from < MARGIN;
  }

  /** The running minute, and the signals, of the store. */
  takeLive() {
    const { history, store } = this;
    const { formingBar, session } = store;
    history.series.learn(session);
    if (formingBar && formingBar.symbol === history.symbol && formingBar !== this.takenMinute) {
      this.takenMinute = formingBar;
      history.series.takeMinute(formingBar);
    }
    if (store.signalsVersion === this.seenSignals) return;
    this.seenSignals = store.signalsVersion;
    for (const signal of store.signals.values()) {
      if (signal.symbol === history.symbol && signal.timeframe === history.timeframe) history.takeSignal(signal);
    }
  }

  /** @param {string} part @param {unknown[]} of @returns {boolean} whether the part was drawn from something else */
  changed(part, ...of) {
    const key = of.join(" ");
    if (this.keys[part] === key) return false;
    this.keys[part] = key;
    return true;
  }

  collectSignals() {
    const { history, indicators, catalog } = this;
    if (this.held || !this.changed("signals", history.signalsVersion, indicators.version, catalog !== null)) return;
    const { on } = indicators;
    const wanted = { patterns: on.has("patterns"), alerts: on.has("alerts"), best: on.has("best") };
    this.signals = wantedSignals(history.signals.values(), wanted, catalog);
    this.signalsByBar = Map.groupBy(this.signals, (signal) => signal.bar_timestamp);
  }

  /** @returns {Bar[]} nothing before the first page is there */
  bars() {
    if (this.held) return this.held;
    if (this.history.next === undefined) return NO_BARS;
    const bars = this.history.series.bars();
    if (this.isPaused) this.held = bars;
    return bars;
  }

  /** @param {boolean} paused  whether what is shown stays as it is, whatever comes */
  setPaused(paused) {
    this.isPaused = paused;
    this.held = null;
  }

  /** @returns {boolean} whether some of the bars are of extended hours */
  hasSessions() {
    return LENGTHS[this.history.timeframe] <= LENGTHS["60min"] && !isAllDay(this.store.session);
  }

  collectValues() {
    const { history, indicators } = this;
    if (!this.changed("values", indicators.version, history.valuesVersion, history.series.closedVersion, this.store.session?.starts)) return;
    const all = !this.hasSessions();
    const analysed = this.bars().filter(({ time, forming }) => !forming && (all || !isExtended(time)));
    this.values = completed(indicators.chosen().flatMap(({ values }) => values), analysed, history.values, marketDay);
  }

  /** @param {Surface} surface */
  drawSurface(surface) {
    const { history, indicators } = this;
    const bars = this.bars();
    const fresh = surface.drawn.length === 0 && bars.length > 0;
    if (this.recoloured) {
      this.recoloured = false;
      surface.recolour();
      this.keys = {};
    }
    if (fresh) performance.mark("chart-bars");
    surface.daily = history.timeframe === "1day";
    surface.drawings.hasSessions = this.hasSessions();
    if (this.changed("lines", indicators.version)) surface.choose(indicators.chosen());
    surface.show(bars);
    if (this.changed("drawn values", this.keys.lines, this.keys.values)) surface.showValues(bars, this.values);
    if (fresh) {
      surface.chart.timeScale().resetTimeScale();
      requestAnimationFrame(() => performance.measure(`chart: ${bars.length} bars drawn`, "chart-bars"));
    }
    this.jump(surface);
    this.drawMarks(surface);
    if (this.changed("legend", this.pointed, this.keys.lines, this.keys.values) || bars !== this.toldBars) {
      this.toldBars = bars;
      this.legend.show(bars, this.pointed, indicators.chosen(), this.values, surface);
    }
  }

  /** To the moment that the page's address names, once its bars are here. @param {Surface} surface */
  jump(surface) {
    const { history } = this;
    if (this.hasJumped || !surface.drawn.length || (history.oldest > this.moment && history.next !== null)) return;
    this.hasJumped = true;
    surface.centre(surface.drawings.indexAt(this.moment));
    this.pointed = surface.drawn[surface.drawings.indexAt(this.moment)].time;
  }

  /** @param {Surface} surface */
  drawMarks(surface) {
    const range = surface.chart.timeScale().getVisibleLogicalRange();
    const bars = surface.drawn;
    if (!range || !bars.length) return;
    const [from, to] = [Math.max(0, Math.floor(range.from)), Math.min(bars.length - 1, Math.ceil(range.to))];
    if (!this.changed("marks", from, to, bars.length, this.keys.signals, this.pattern?.id, this.moment)) return;
    const { marks, total } = marksOf(this.signals, { from: bars[from]?.time ?? Infinity, to: bars[to]?.time ?? 0 }, this.catalog);
    this.hidden = total > marks.length ? `${MOST_MARKS} of ${total} signals shown` : "";
    const { drawings } = surface;
    drawings.marks = marks;
    const forming = this.indicators.on.has("figures") ? [...this.history.signals.values()].filter((signal) => stateOf(signal) === "forming") : [];
    drawings.moment = this.moment;
    drawings.figures = [...forming.filter(({ id }) => id !== this.pattern?.id), this.pattern].flatMap((signal) => {
      const figure = figureOf(signal);
      return figure ? [{ ...figure, strong: signal === this.pattern }] : [];
    });
    surface.showTarget(figureOf(this.pattern)?.target);
    drawings.redraw?.();
  }

  /** @param {Signal} signal  a chart pattern whose lines are wanted */
  showPattern(signal) {
    this.pattern = signal;
    this.selection.choose({ symbol: signal.symbol, timeframe: signal.timeframe });
    this.showTable(false);
    this.moment = signal.bar_timestamp;
    this.hasJumped = false;
  }

  drawTable() {
    const { history, indicators } = this;
    const bars = this.bars();
    const key = [this.keys.values, this.keys.signals, this.table.page, history.next];
    if (this.drawnTable === bars && !this.changed("table", ...key)) return;
    this.drawnTable = bars;
    const daily = history.timeframe === "1day";
    this.tableWantsMore = this.table.show(bars, daily, indicators.chosen(), this.values, this.signalsByBar, history.next !== null);
  }

  /** @param {boolean} wanted */
  showTable(wanted) {
    if (wanted === this.asTable) return;
    this.asTable = wanted;
    this.tableWantsMore = false;
    this.drawnTable = null;
    this.place.hidden = byId("chart-legend").hidden = wanted;
    byId("chart-rows").hidden = !wanted;
    byId("chart-table").setAttribute("aria-pressed", String(wanted));
    this.point(null);
    (wanted ? byId("chart-rows") : byId("chart-table")).focus();
  }

  /** The crosshair stands at this bar. @param {number | null} time */
  point(time) {
    this.pointed = time;
    const signals = time === null ? [] : (this.signalsByBar.get(time) ?? []);
    setData(this.place, "signals", signals.length ? "here" : "");
    this.legend.tip(time, signals.map(inWords), this.surface);
  }

  /** Step through the bars by keys. @param {KeyboardEvent} event */
  press(event) {
    const { surface } = this;
    const bars = surface?.drawn ?? [];
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity });
    if (event.key === "Enter" && this.pointed !== null) return this.openCard(this.pointed);
    if (event.key === "Escape") return this.point(null);
    if (!surface || !bars.length || !(event.key in steps)) return;
    event.preventDefault();
    const from = this.pointed === null ? bars.length : surface.drawings.indexAt(this.pointed);
    const at = Math.max(0, Math.min(bars.length - 1, from + steps[event.key]));
    const range = surface.chart.timeScale().getVisibleLogicalRange();
    if (range && (at < range.from || at > range.to)) surface.centre(at, (range.to - range.from) / 2);
    surface.chart.setCrosshairPosition(bars[at].close, /** @type {any} */ (bars[at].time / 1000), surface.candles);
    this.point(bars[at].time);
  }

  /** @param {number} time  of a bar */
  openCard(time) {
    const signals = this.signalsByBar.get(time) ?? [];
    const known = signals.map((signal) => this.store.signals.get(signal.id) ?? signal);
    if (signals.length) document.dispatchEvent(new CustomEvent("tickstock:card", { detail: { signals: known } }));
  }

  /** What the chart shows, what it waits for and what is wrong. */
  say() {
    const { history, store, selection } = this;
    const bars = this.bars();
    const away = store.link === "lost";
    setText(byId("chart-title"), selection.symbol || "Chart");
    setData(byId("chart-panel"), "away", away ? "away" : "");
    const failed = bars.length && history.problem ? `could not be brought up to date: ${history.problem}` : "";
    const stale = away ? `server away since ${clockAt(store.linkSince)}` : failed;
    const loading = history.busy && history.next !== undefined && !this.hasJumped ? `loading back to ${dayOf(this.moment)} ${minuteAt(this.moment)}…` : "";
    setText(byId("chart-note"), [stale, loading, this.pattern && figureOf(this.pattern) ? `Lines of: ${inWords(this.pattern)}` : "", this.hidden].filter(Boolean).join(" · "));
    const empty = bars.length ? "" : waitingFor({
      symbol: history.symbol, timeframe: history.timeframe, problem: history.problem,
      isLoading: history.busy || history.next === undefined, start: history.series.startOf(this.store.marketTime()),
    }, store);
    setText(byId("chart-said"), empty);
    byId("chart-empty").hidden = !empty;
    byId("chart-retry").hidden = !(empty && history.problem);
  }
}

/** @param {Session | null} session @returns {boolean} whether the market never closes */
const isAllDay = (session) => (session?.ends ?? 0) - (session?.starts ?? 0) > 20 * 60 * MINUTE_MS;
