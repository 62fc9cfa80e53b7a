/** What the server stores of one symbol in one timeframe: bars page by page into the past, with their values and signals. */

import { stateOf } from "../common/signal.js";
import { BarSeries } from "./bar_series.js";

/** @import { Signal } from "../link/messages.js" */
/** @import { StoredBar } from "./bar_series.js" */

const PAGE = 1000;
const SIGNAL_PAGES = 3; // of one page of bars
const KEPT_BARS = 60_000;

export class BarHistory {
  /**
   * @param {string} symbol
   * @param {string} timeframe
   * @param {() => number} now  the market's time
   */
  constructor(symbol, timeframe, now) {
    this.symbol = symbol;
    this.timeframe = timeframe;
    this.now = now;
    this.series = new BarSeries(timeframe);
    /** @type {Map<number, Record<string, number>>} */
    this.values = new Map(); // of indicators, by bar
    /** @type {Map<string, Signal>} */
    this.signals = new Map();
    this.valuesVersion = 0;
    this.signalsVersion = 0;
    /** @type {string | null | undefined} */
    this.next = undefined; // the page before; null: there is none
    this.oldest = Infinity;
    this.busy = false;
    this.problem = "";
    this.gone = new AbortController();
  }

  close() {
    this.gone.abort();
  }

  /** The newest page, then the ones before it. */
  async loadOlder() {
    if (this.busy || this.next === null || this.series.closed.size > KEPT_BARS) return;
    const to = this.oldest;
    await this.attempt(async () => {
      const askedAt = this.now();
      const { bars, next } = await this.ask("bars", { limit: PAGE, next: this.next });
      this.next = next;
      this.oldest = bars.at(-1)?.timestamp ?? Math.min(to, askedAt);
      this.series.takeStored(bars, next === null ? -Infinity : this.oldest, askedAt);
      void this.loadBeside(this.oldest, to);
    });
  }

  /**
   * What the server has since a time: corrections, and what was missed.
   * @param {number} from
   * @param {boolean} all  signals too
   */
  async refresh(from, all) {
    if (this.next === undefined) return this.loadOlder();
    return this.attempt(async () => {
      const askedAt = this.now();
      this.series.takeStored(await this.barsSince(this.timeframe, from), from, askedAt);
      await this.loadBeside(from, Infinity, all);
    });
  }

  /** @param {number} from  the one-minute bars that the running bar is made of */
  refreshMinutes(from) {
    return this.attempt(async () => {
      const askedAt = this.now();
      this.series.takeStoredMinutes(await this.barsSince("1min", from), from, askedAt);
    });
  }

  /** @param {string} timeframe @param {number} from @returns {Promise<StoredBar[]>} */
  async barsSince(timeframe, from) {
    const bars = [];
    for (let next; next !== null; ) {
      const page = await this.ask("bars", { timeframe, from, limit: PAGE, next });
      bars.push(...page.bars);
      next = page.next;
    }
    return bars;
  }

  /**
   * Values and signals of a page's bars; the chart is drawn meanwhile. A signal is detected after its bar.
   * @param {number} from
   * @param {number} to
   * @param {boolean} [signals]
   */
  async loadBeside(from, to, signals = true) {
    const span = { from, to: to === Infinity ? undefined : to };
    const values = async () => {
      for (const row of (await this.ask("indicators", { ...span, limit: PAGE })).indicators) this.takeValues(row.bar_timestamp, row.values);
    };
    const found = async (/** @type {"patterns" | "alerts"} */ kind) => {
      let next;
      for (let page = 0; page < SIGNAL_PAGES && next !== null; page += 1) {
        const answer = await this.ask(kind, { ...span, symbol: this.symbol, limit: PAGE, next });
        for (const signal of answer[kind]) this.takeSignal(signal);
        next = answer.next;
      }
    };
    await this.attempt(() => Promise.all([values(), ...(signals ? [found("patterns"), found("alerts")] : [])]), false);
  }

  /** @param {number} time @param {Record<string, number>} values */
  takeValues(time, values) {
    this.values.set(time, values);
    this.valuesVersion += 1;
  }

  /** @param {Signal} signal  what is confirmed or void is never replaced by what was forming */
  takeSignal(signal) {
    const before = this.signals.get(signal.id);
    if (before && (signal.state === "forming" || stateOf(before) !== "forming")) return;
    this.signals.set(signal.id, signal);
    this.signalsVersion += 1;
  }

  /** @param {() => Promise<any>} work @param {boolean} [alone]  whether no other page is asked for meanwhile */
  async attempt(work, alone = true) {
    if (alone && this.busy) return;
    if (alone) this.busy = true;
    try {
      await work();
      if (alone) this.problem = "";
    } catch (problem) {
      if (!this.gone.signal.aborted) this.problem = problem instanceof TypeError ? "The server does not answer." : /** @type {Error} */ (problem).message;
    } finally {
      if (alone) this.busy = false;
    }
  }

  /**
   * @param {"bars" | "indicators" | "patterns" | "alerts"} what
   * @param {Record<string, string | number | null | undefined>} parameters  those without a value are left out
   */
  async ask(what, parameters) {
    const path = what === "bars" || what === "indicators" ? `${what}/${encodeURIComponent(this.symbol)}` : what;
    const given = Object.entries({ timeframe: this.timeframe, ...parameters }).filter(([, value]) => value !== undefined && value !== null);
    const asked = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    const response = await fetch(`/api/${path}?${asked}`, { signal: this.gone.signal });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }
}
