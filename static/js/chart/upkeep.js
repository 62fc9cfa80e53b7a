/** When a chart's history asks the server again: at first, after a gap, for what closed meanwhile, and further into the past. */

/** @import { IndicatorValues } from "../link/messages.js" */
/** @import { Store } from "../link/store.js" */
/** @import { BarHistory } from "./bar_history.js" */

const MINUTE_MS = 60_000;
const SETTLED_MS = 5000; // after a bar's close the server has it, and what corrected it
const UNTOLD_MS = 8000; // after a minute's end: a bar may have closed of which no message tells
const RETRY_MS = 10_000;
const MISSED_BARS = 1000;
const REFRESHED_BARS = 20;
const REFRESHED_MINUTES = 5;

export class Upkeep {
  /** @param {BarHistory} history @param {Store} store */
  constructor(history, store) {
    this.history = history;
    this.store = store;
    this.epoch = store.epochVersion;
    this.retryAt = 0;
    this.refreshAt = 0; // when the newest bars are asked for again; 0: nobody knows of any
    this.refreshFrom = Infinity;
    this.minute = 0;
    this.hasMinutes = false; // whether the running bar's were asked for
    this.minutesDue = false;
  }

  /** @param {IndicatorValues} message  that tells of a closed bar of the symbol */
  takeClosed({ timeframe, bar_timestamp, bar, values }) {
    const { history } = this;
    if (timeframe === history.timeframe) {
      history.series.takeClosed(bar_timestamp, bar);
      history.takeValues(bar_timestamp, values);
      this.refreshFrom = Math.min(this.refreshFrom, bar_timestamp);
      this.refreshAt = Date.now() + SETTLED_MS;
    } else if (timeframe === "1min") history.series.takeClosedMinute({ timestamp: bar_timestamp, ...bar });
  }

  /** Try again at once. */
  retry() {
    this.retryAt = 0;
  }

  /**
   * Ask the server for what is missing, one thing at a time.
   * @param {number} now
   * @param {() => boolean} wantsOlder  whether somebody looks at what is before the loaded bars
   */
  keepUp(now, wantsOlder) {
    const { history, store } = this;
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.minute) {
      if (this.minute) this.refreshAt ||= now + UNTOLD_MS;
      this.minute = minute;
    }
    if (history.busy || now < this.retryAt || store.link !== "live") return;
    this.retryAt = now + (history.problem ? RETRY_MS : 0);
    if (history.next === undefined) {
      this.epoch = store.epochVersion;
      void history.loadOlder();
    } else if (store.epochVersion !== this.epoch) {
      this.epoch = store.epochVersion;
      this.hasMinutes = false;
      void history.refresh(this.lastBars(MISSED_BARS), true);
    } else if (this.refreshAt && now >= this.refreshAt) {
      void history.refresh(Math.min(this.refreshFrom, this.lastBars(REFRESHED_BARS)), false);
      this.refreshFrom = Infinity;
      this.refreshAt = 0;
      this.minutesDue = true;
    } else if (!this.hasMinutes || this.minutesDue) this.askForMinutes();
    else if (history.next !== null && wantsOlder()) void history.loadOlder();
  }

  /** @param {number} count @returns {number} when that many bars from the end begin */
  lastBars(count) {
    return this.history.series.bars().at(-count)?.time ?? Math.max(0, this.history.oldest - 1);
  }

  askForMinutes() {
    const { series } = this.history;
    const now = this.history.now();
    const start = series.timeframe === "1min" ? null : series.startOf(now);
    if (start !== null) void this.history.refreshMinutes(this.hasMinutes ? Math.max(start, now - REFRESHED_MINUTES * MINUTE_MS) : start);
    this.hasMinutes = start !== null || series.timeframe === "1min" || series.sessions.length > 0;
    this.minutesDue = false;
  }
}
