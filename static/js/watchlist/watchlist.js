/** The watchlist: a row per symbol, in the list's own order or ranked by a column; only what is in view is drawn, only what changed is written. */

import { minuteAt } from "../common/new_york_time.js";
import { byId, element, setData, setText } from "../common/page.js";
import { whole } from "../common/figures.js";
import { ColumnChoice } from "./column_choice.js";
import { carriedOver, ranked, sorted } from "./ranking.js";
import { RowPool } from "./row_pool.js";
import { ageWords, stateOf } from "./symbol_state.js";

/** @import { Selection } from "../common/selection.js" */
/** @import { Quote, Store } from "../link/store.js" */
/** @import { Column } from "./columns.js" */
/** @import { Moment } from "./symbol_state.js" */

/** @typedef {{row: HTMLElement, symbol: string, name: HTMLElement, cells: HTMLElement[], price: number | null, movedAt: number, isNew: boolean}} Line */

const AGES_EVERY_MS = 500;
const RANK_EVERY_MS = 2000;
const MOVED_MS = 600; // how long a new price is marked
const STEPS = /** @type {Record<string, number>} */ ({ ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity, PageDown: 10, PageUp: -10 });
const SYMBOL = /** @type {Column} */ ({ id: "symbol", head: "Symbol", margin: 0 });

export class Watchlist {
  /** @param {Store} store @param {Selection} selection */
  constructor(store, selection) {
    this.store = store;
    this.selection = selection;
    this.view = byId("watch-view");
    this.head = byId("watch-head");
    this.empty = byId("watch-empty");
    this.note = byId("watch-note");
    this.held = byId("watch-held");
    this.counts = { total: 0, fresh: 0, quiet: 0, stale: 0, none: 0 };
    this.versions = "";
    this.agedAt = this.rankedAt = 0;
    this.rank = SYMBOL; // while `direction` is 0 the order is the list's own
    this.direction = 0;
    this.active = ""; // the symbol on which the keys act
    this.isPointed = false;
    /** @type {Set<string>} */
    this.unknown = new Set();
    /** @type {Moment} */
    this.moment = { now: 0, time: null, session: "", feed: null, isUp: false };
    const body = byId("watch-rows");
    /** @type {RowPool<Line>} */
    this.pool = new RowPool(this.view, body, () => this.makeLine(), (line, symbol, place) => this.bind(line, symbol, place));
    this.choice = new ColumnChoice(/** @type {HTMLElement} */ (this.view.parentElement), () => this.remake());
    this.remake();
    this.listen(body);
    selection.onChange(() => this.showSelected());
  }

  /** @param {HTMLElement} body */
  listen(body) {
    const symbolAt = (/** @type {Event} */ { target }) =>
      /** @type {Element} */ (target).closest("tr")?.dataset.symbol ?? "";
    body.addEventListener("click", (event) => this.choose(symbolAt(event)));
    body.addEventListener("pointerenter", () => (this.isPointed = true));
    body.addEventListener("pointerleave", () => (this.isPointed = false));
    body.addEventListener("pointerover", (event) => this.explain(/** @type {Element} */ (event.target).closest("td"), symbolAt(event)));
    this.head.addEventListener("click", ({ target }) => {
      const id = /** @type {Element} */ (target).closest("th")?.dataset.column;
      if (id) this.turn([SYMBOL, ...this.choice.columns].find((column) => column.id === id) ?? SYMBOL);
    });
    this.view.addEventListener("keydown", (event) => this.press(event));
    this.view.addEventListener("focus", () => this.activate(this.active || this.selection.symbol));
  }

  get paused() {
    return this.store.paused > 0;
  }

  // --- what is asked of it ---------------------------------------------------------------------------------------

  /** @param {string} symbol */
  choose(symbol) {
    if (!symbol) return;
    this.active = symbol;
    this.selection.choose({ symbol });
    this.showSelected();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const { key, target } = event;
    if (target !== this.view || event.ctrlKey || event.metaKey || event.altKey) return;
    const { order } = this.pool;
    if (key in STEPS) this.activate(order[Math.max(0, Math.min(order.length - 1, order.indexOf(this.active) + STEPS[key]))]);
    else if (key === "Enter") this.choose(this.active);
    else if (key === "Escape") this.view.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string | undefined} symbol  the keys act on it from now on */
  activate(symbol) {
    const place = this.pool.order.indexOf(symbol ?? "");
    if (symbol) this.active = symbol;
    if (place >= 0) this.pool.reveal(place, this.head.offsetHeight);
    this.pool.isDue = true;
  }

  showSelected() {
    this.activate(this.selection.symbol);
  }

  /** Rank by a column: first one way, then the other, then not. @param {Column} column */
  turn(column) {
    const first = column === SYMBOL ? 1 : -1;
    if (column !== this.rank || !this.direction) this.direction = first;
    else this.direction = this.direction === first ? -first : 0;
    this.rank = column;
    this.markHead();
    this.arrange(true);
  }

  // --- order -----------------------------------------------------------------------------------------------------

  /** @returns {(symbol: string) => number} */
  keys() {
    const { rank, direction, store } = this;
    if (rank === SYMBOL) {
      const places = new Map([...store.watch].sort().map((symbol, place) => [symbol, place * -direction]));
      return (symbol) => places.get(symbol) ?? 0;
    }
    return (symbol) => {
      const value = rank.value(store.quotes.get(symbol), store.indicators.get(symbol)?.values ?? {});
      return value == null ? -Infinity : rank.key(value) * -direction;
    };
  }

  /** @param {boolean} isBegun  by the visitor just now; else what stands is only corrected */
  arrange(isBegun) {
    const { pool, store } = this;
    this.rankedAt = Date.now();
    if (!this.direction) pool.order = store.watch;
    else if (isBegun) pool.order = sorted(store.watch, this.keys());
    else {
      const order = carriedOver(pool.order, store.watch);
      pool.order = this.isHeld ? order : ranked(order, this.keys(), this.rank.margin);
    }
    pool.isDue = true;
  }

  /** @returns {boolean} whether a row must not move under a pointer or a finger on the keys */
  get isHeld() {
    return this.paused || this.isPointed || document.activeElement === this.view;
  }

  // --- drawing ---------------------------------------------------------------------------------------------------

  /** @param {number} now */
  draw(now) {
    const { store, pool } = this;
    const versions = `${store.watchVersion} ${store.listsVersion} ${store.list} ${store.link}`;
    if (versions !== this.versions) this.take(versions);
    if (this.direction && now - this.rankedAt >= RANK_EVERY_MS && !this.isHeld) this.arrange(false);
    if (pool.draw() && !pool.lines.has(this.active)) this.view.removeAttribute("aria-activedescendant");
    const isAged = now - this.agedAt >= AGES_EVERY_MS;
    if (isAged) this.count(now);
    for (const line of pool.lines.values()) {
      const isChanged = line.isNew || (!this.paused && store.changedSymbols.has(line.symbol));
      if (isChanged) this.drawLine(line, now);
      if (isChanged || (isAged && !this.paused)) this.drawAge(line, now);
    }
    if (!this.paused) store.changedSymbols.clear();
  }

  /** The list is another one. @param {string} versions */
  take(versions) {
    const { store } = this;
    const [symbols, , list] = this.versions.split(" ");
    if (list !== String(store.list)) this.view.scrollTop = 0;
    if (symbols !== String(store.watchVersion)) this.arrange(false);
    this.versions = versions;
    this.unknown = new Set(store.watchlists.unknown);
    for (const line of this.pool.lines.values()) line.isNew = true;
    this.view.hidden = !store.watch.length;
    this.empty.hidden = store.watch.length > 0;
    this.view.ariaRowCount = String(store.watch.length + 1);
    if (!store.watch.length && store.link === "live") {
      setText(this.empty, this.empty.dataset[store.list === "default" ? "default" : "own"] ?? "");
    }
    if (symbols !== String(store.watchVersion) && store.watch.includes(this.selection.symbol)) this.showSelected();
  }

  /** Other columns: rows and head are made anew. */
  remake() {
    const { columns, width, isChosen } = this.choice;
    const table = /** @type {HTMLElement} */ (this.head.parentElement);
    table.style.minWidth = isChosen ? `${width}px` : "";
    const row = element("tr");
    row.role = "row";
    row.ariaRowIndex = "1";
    for (const column of [SYMBOL, ...columns]) {
      const cell = element("th", column === SYMBOL ? "" : `number ${column.id}`);
      const button = element("button", "", column.head ?? "");
      cell.role = "columnheader";
      cell.dataset.column = column.id;
      if (column.width) cell.style.width = `${(column.width / width) * 100}%`;
      button.title = [column.title, this.head.dataset.use].join(" ").trim();
      cell.append(button);
      row.append(cell);
    }
    this.head.replaceChildren(row);
    this.markHead();
    this.pool.clear();
  }

  markHead() {
    for (const cell of this.head.querySelectorAll("th")) {
      const isRanked = this.direction !== 0 && cell.dataset.column === this.rank.id;
      cell.ariaSort = isRanked ? (this.direction > 0 ? "ascending" : "descending") : "none";
    }
  }

  /** @returns {Line} */
  makeLine() {
    const row = element("tr");
    row.role = "row";
    row.id = `watch-row-${(Watchlist.made += 1)}`;
    const name = element("th", "symbol");
    name.role = "rowheader";
    const cells = this.choice.columns.map(({ id }) => {
      const cell = element("td", `number ${id}`);
      cell.role = "gridcell";
      cell.append(element("span", id === "last" ? "arrow" : "tag"), element("span"));
      return cell;
    });
    row.append(name, ...cells);
    return { row, symbol: "", name, cells, price: null, movedAt: 0, isNew: true };
  }

  /** @param {Line} line @param {string} symbol @param {number} place */
  bind(line, symbol, place) {
    const { row, name } = line;
    if (line.symbol !== symbol) {
      Object.assign(line, { symbol, price: null, movedAt: 0, isNew: true });
      row.dataset.symbol = symbol;
      setText(name, symbol);
    }
    row.ariaRowIndex = String(place + 2);
    row.ariaSelected = String(symbol === this.selection.symbol);
    setData(row, "active", symbol === this.active ? "true" : "");
    if (symbol === this.active) this.view.setAttribute("aria-activedescendant", row.id);
  }

  /** @param {Line} line @param {number} now */
  drawLine(line, now) {
    const quote = this.store.quotes.get(line.symbol);
    const values = this.store.indicators.get(line.symbol)?.values ?? {};
    if (line.isNew) {
      setData(line.name, "unknown", this.unknown.has(line.symbol) ? "true" : "");
      line.name.title = (this.unknown.has(line.symbol) && this.view.dataset.unknown) || "";
    }
    line.isNew = false;
    this.choice.columns.forEach((column, index) => {
      const cell = line.cells[index];
      if (column.id === "age") return;
      const value = column.value(quote, values);
      setText(cell.children[1], value == null ? "" : column.text(value));
      if ((value == null) !== (cell.ariaLabel !== null)) cell.ariaLabel = value == null ? (column.missing ?? "") : null;
      if (column.id === "last") drawMove(line, cell, quote, now);
      else if (column.isChange) setData(cell, "direction", !value || Math.abs(value) < 0.00005 ? "" : value > 0 ? "up" : "down");
      else if (column.mark) {
        const mark = value == null ? "" : column.mark(value);
        setText(cell.children[0], mark);
        setData(cell, "level", mark);
      }
    });
  }

  /** @param {Line} line @param {number} now */
  drawAge(line, now) {
    const quote = this.store.quotes.get(line.symbol);
    const state = stateOf(quote, this.moment);
    setData(line.row, "state", state);
    if (line.movedAt && now - line.movedAt > MOVED_MS) {
      line.movedAt = 0;
      for (const cell of line.cells) setData(cell, "moved", "");
    }
    const cell = line.cells[this.choice.columns.findIndex(({ id }) => id === "age")];
    if (!cell) return;
    const [word, age] = !quote && this.unknown.has(line.symbol) ? ["unknown\u00a0to the\u00a0vendor", ""] : ageWords(state, quote, this.moment);
    setText(cell.children[0], word);
    setText(cell.children[1], age);
  }

  /** What a cell means, when it is pointed at. @param {HTMLElement | null} cell @param {string} symbol */
  explain(cell, symbol) {
    const column = this.choice.columns.find(({ id }) => cell?.classList.contains(id));
    const quote = this.store.quotes.get(symbol);
    if (cell && column) cell.title = cell.ariaLabel ?? ((quote && column.hint?.(quote)) || "");
  }

  /** How many are fresh, also of those that are not in view; a halted symbol, or one without prints, is a quiet one. @param {number} now */
  count(now) {
    const { store } = this;
    const isUp = store.isHeard(now);
    this.agedAt = now;
    this.moment = { now: store.now(), time: store.session?.time ?? null, session: store.session?.name ?? "", feed: store.feed, isUp };
    const counts = { total: store.watch.length, fresh: 0, quiet: 0, stale: 0, none: 0 };
    let withoutClose = 0;
    for (const symbol of store.watch) {
      const quote = store.quotes.get(symbol);
      const state = stateOf(quote, this.moment);
      counts[state in counts ? /** @type {"fresh"} */ (state) : "quiet"] += 1;
      if (quote && quote.previous_close === null) withoutClose += 1;
    }
    this.counts = counts;
    if (!this.paused) this.drawNote(counts.total - counts.none, withoutClose);
  }

  /** @param {number} priced @param {number} withoutClose */
  drawNote(priced, withoutClose) {
    const { store, rank, direction } = this;
    const notes = store.listReason ? [`${store.listReason}: this is Default`] : [];
    if (direction) {
      const way = rank === SYMBOL ? (direction > 0 ? "A to Z" : "Z to A") : direction < 0 ? "highest first" : "lowest first";
      notes.push(`ranked by ${rank.head}, ${way}`);
    } else notes.push("own order");
    const ofBar = this.choice.columns.filter((column) => column.ofBar).map(({ head }) => head);
    const bar = Math.max(0, ...[...this.pool.lines.keys()].map((symbol) => store.indicators.get(symbol)?.bar_timestamp ?? 0));
    if (ofBar.length && bar) notes.push(`${ofBar.join(", ")} of the ${minuteAt(bar)} bar`);
    if (this.moment.session === "closed") notes.push("market closed: the last session");
    if (this.unknown.size) {
      const unknown = store.watch.filter((symbol) => this.unknown.has(symbol)).length;
      if (unknown) notes.push(`${whole(unknown)} unknown to the vendor`);
    }
    if (withoutClose) notes.push(`no Chg%${withoutClose < priced ? ` of ${whole(withoutClose)}` : ""}: no previous close`);
    setText(this.note, notes.join(" · "));
    this.held.hidden = !direction;
    this.held.classList.toggle("unsaid", !this.isHeld);
  }
}

Watchlist.made = 0; // rows, for their ids

/** @param {Line} line @param {HTMLElement} cell @param {Quote | undefined} quote @param {number} now */
function drawMove(line, cell, quote, now) {
  const price = quote?.price ?? null;
  const direction = quote?.direction ?? 0;
  const before = line.price;
  const hasMoved = price !== null && before !== null && before !== price;
  if (hasMoved) line.movedAt = now;
  if (hasMoved || !line.movedAt) setData(cell, "moved", hasMoved ? "now" : "");
  line.price = price;
  setText(cell.children[0], direction > 0 ? "▲" : direction < 0 ? "▼" : "");
  setData(cell, "direction", direction > 0 ? "up" : direction < 0 ? "down" : "");
}
