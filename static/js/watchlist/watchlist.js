/** The watchlist: one row per symbol, in the list's own order; only cells that changed are written. */

import { freshness } from "../link/freshness.js";
import { compact, percentChange, price, whole } from "../common/figures.js";
import { minuteTime, span } from "../common/new_york_time.js";
import { element, setData, setText } from "../common/page.js";

/** @import { Store } from "../link/store.js" */

/** @typedef {{row: HTMLElement, cells: Record<string, HTMLElement>, price: number | null, movedAt: number}} Line */

const AGES_EVERY_MS = 500;
const MOVED_MS = 600; // how long a new price is marked
const CLASSES = /** @type {Record<string, string>} */ ({
  last: "number last", change: "number change", volume: "number volume wide", rsi: "number rsi",
  sma20: "number average wide", sma50: "number average wide", age: "number age",
});
const STATES = /** @type {Record<string, string>} */ ({ fresh: "", quiet: "quiet", stale: "stale", none: "no tick yet" });

export class Watchlist {
  /**
   * @param {Store} store
   * @param {{body: HTMLElement, empty: HTMLElement, note: HTMLElement}} parts
   * @param {(symbol: string) => void} choose
   */
  constructor(store, { body, empty, note }, choose) {
    this.store = store;
    this.body = body;
    this.empty = empty;
    this.note = note;
    this.newestBar = 0;
    this.paused = false;
    this.choose = choose;
    /** @type {Map<string, Line>} */
    this.lines = new Map();
    this.version = -1;
    this.agedAt = 0;
    this.counts = { total: 0, fresh: 0, quiet: 0, stale: 0, none: 0 };
  }

  /** @param {number} now */
  draw(now) {
    if (this.version !== this.store.watchVersion) this.rebuild();
    if (!this.paused) {
      for (const symbol of this.store.changedSymbols) this.drawSymbol(symbol);
    }
    if ((this.store.changedSymbols.size && !this.paused) || now - this.agedAt >= AGES_EVERY_MS) this.drawAges(now);
    if (!this.paused) this.store.changedSymbols.clear();
  }

  rebuild() {
    this.version = this.store.watchVersion;
    this.lines.clear();
    this.body.replaceChildren(...this.store.watch.map((symbol) => this.makeLine(symbol)));
    this.empty.hidden = this.store.watch.length > 0;
    if (!this.store.watch.length && this.store.link === "live") setText(this.empty, "No symbols are watched. TICKSTOCK_SYMBOLS names them.");
    this.store.watch.forEach((symbol) => this.store.changedSymbols.add(symbol));
  }

  /** @param {string} symbol */
  makeLine(symbol) {
    const row = element("tr");
    row.dataset.symbol = symbol;
    const head = element("th");
    head.setAttribute("scope", "row");
    const button = element("button", "symbol", symbol);
    button.title = `Show signals of ${symbol} only`;
    button.addEventListener("click", () => this.choose(symbol));
    head.append(button);
    /** @type {Record<string, HTMLElement>} */
    const cells = {};
    for (const [name, className] of Object.entries(CLASSES)) cells[name] = element("td", className);
    cells.arrow = element("span", "arrow");
    cells.price = element("span");
    cells.last.append(cells.arrow, cells.price);
    cells.level = element("span", "tag");
    cells.strength = element("span");
    cells.rsi.append(cells.level, cells.strength);
    cells.state = element("span", "tag");
    cells.seconds = element("span");
    cells.age.append(cells.state, cells.seconds);
    row.append(head, cells.last, cells.change, cells.volume, cells.rsi, cells.sma20, cells.sma50, cells.age);
    this.lines.set(symbol, { row, cells, price: null, movedAt: 0 });
    return row;
  }

  /** @param {string} symbol */
  drawSymbol(symbol) {
    const line = this.lines.get(symbol);
    if (!line) return;
    this.drawQuote(symbol, line);
    this.drawIndicators(symbol, line.cells);
  }

  /** @param {string} symbol @param {Line} line */
  drawQuote(symbol, line) {
    const quote = this.store.quotes.get(symbol);
    if (!quote) return;
    const { cells } = line;
    if (line.price !== null && line.price !== quote.price) {
      line.movedAt = Date.now();
      setData(cells.last, "moved", quote.price > line.price ? "up" : "down");
    }
    line.price = quote.price;
    setText(cells.price, price(quote.price));
    setText(cells.arrow, quote.direction > 0 ? "▲" : quote.direction < 0 ? "▼" : "");
    setData(cells.last, "direction", quote.direction > 0 ? "up" : quote.direction < 0 ? "down" : "");
    setText(cells.volume, quote.volume === null ? "" : compact(quote.volume));
    const { change } = quote;
    setText(cells.change, change === null ? "" : percentChange(change));
    setData(cells.change, "direction", change === null || Math.abs(change) < 0.00005 ? "" : change > 0 ? "up" : "down");
    cells.change.title =
      quote.previous_close === null ? "No previous close: no day bar before this trading day is stored yet" : `Previous close ${price(quote.previous_close)}`;
  }

  /** @param {string} symbol @param {Record<string, HTMLElement>} cells */
  drawIndicators(symbol, cells) {
    const held = this.store.indicators.get(symbol);
    if (!held) return;
    const { values } = held;
    this.newestBar = Math.max(this.newestBar, held.bar_timestamp);
    const rsi = values.RSI_14;
    const level = rsi === undefined ? "" : rsi >= 70 ? "overbought" : rsi <= 30 ? "oversold" : "";
    setText(cells.strength, rsi === undefined ? "" : rsi.toFixed(1));
    setText(cells.level, level);
    setData(cells.rsi, "level", level);
    setText(cells.sma20, values.SMA_20 === undefined ? "" : price(values.SMA_20));
    setText(cells.sma50, values.SMA_50 === undefined ? "" : price(values.SMA_50));
  }

  /** @param {number} now */
  drawAges(now) {
    this.agedAt = now;
    const serverNow = this.store.now();
    const counts = { total: this.lines.size, fresh: 0, quiet: 0, stale: 0, none: 0 };
    let withoutClose = 0;
    for (const [symbol, line] of this.lines) {
      const quote = this.store.quotes.get(symbol);
      const age = quote ? Math.max(0, serverNow - quote.received) : null;
      const state = freshness(age, this.store.feed, this.store.link === "live");
      counts[state] += 1;
      if (quote && quote.previous_close === null) withoutClose += 1;
      if (this.paused) continue;
      if (line.movedAt && now - line.movedAt > MOVED_MS) {
        line.movedAt = 0;
        setData(line.cells.last, "moved", "");
      }
      setData(line.row, "freshness", state);
      setText(line.cells.state, STATES[state]);
      setText(line.cells.seconds, age === null ? "" : span(age));
    }
    this.counts = counts;
    if (!this.paused) this.drawNote(counts.total - counts.none, withoutClose);
  }

  /**
   * Say which bar the indicators are of, and how many changes are missing.
   * @param {number} priced @param {number} withoutClose
   */
  drawNote(priced, withoutClose) {
    const notes = [];
    if (this.newestBar) notes.push(`RSI and SMA of the 1-minute bar of ${minuteTime(this.newestBar)} ET`);
    else if (priced) notes.push("no RSI and SMA yet");
    if (withoutClose) notes.push(`no Chg%${withoutClose < priced ? ` of ${whole(withoutClose)}` : ""}: no previous close is stored`);
    setText(this.note, notes.join(" · "));
  }
}
