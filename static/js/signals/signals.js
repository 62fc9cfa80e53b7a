/** The panel of signals: what of them is listed, and held while the visitor has paused it or is in it. */

import { whole } from "../common/figures.js";
import { clockAt, dayOf, minuteAt } from "../common/new_york_time.js";
import { setData, setText } from "../common/page.js";
import { preferences } from "../common/preferences.js";
import { passes } from "./filter.js";
import { MOST_OLDER, OlderSignals } from "./older.js";
import { burstsOf, closeOf, groupSignals } from "./signal_groups.js";
import { countHiddenChips, makeBurst, makeRow, waitsFor } from "./signal_row.js";
import { VirtualList } from "./virtual_list.js";

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Selection } from "../common/selection.js" */
/** @import { Signal } from "../link/messages.js" */
/** @import { Filter } from "./filter.js" */
/** @import { Burst, Group } from "./signal_groups.js" */
/** @import { Item } from "./virtual_list.js" */
/** @import { Store } from "../link/store.js" */

const SUMMED_UP = 3; // a minute with fewer rows needs no line above them
const HEIGHTS = { burst: 28, row: 51, waiting: 71 }; // as signals.css has them
const PAGES_AT_MOST = 5; // that one "Load older" asks for, until a row passes the filter
const KEYS = /** @type {Record<string, number>} */ ({ ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity });

/** @param {Signal} signal @returns {string} */
const versionOf = ({ id, state }) => `${id} ${state}`;

/** @param {string} name @param {unknown} detail */
const say = (name, detail) => document.dispatchEvent(new CustomEvent(`tickstock:${name}`, { detail }));

export class Signals {
  /**
   * @param {Store} store
   * @param {Record<"scroll" | "rows" | "empty" | "note" | "news" | "older", HTMLElement>} parts
   * @param {Selection} selection
   * @param {Filter} filter
   */
  constructor(store, parts, selection, filter) {
    this.store = store;
    this.parts = parts;
    this.selection = selection;
    this.filter = filter;
    /** @type {Catalog | null | undefined} */
    this.catalog = undefined; // null: it could not be loaded; nothing is listed before that is known
    /** @type {Signal[] | null} */
    this.held = null; // what is listed while nothing shall move
    this.heldStates = new Set();
    this.pointed = false;
    this.drawn = ""; // what the list was made of
    this.arrived = 0; // version of the store's signals by which it was made
    this.revision = 0; // rises when it must be made anew although no signal has come
    this.counts = { shown: 0, total: 0, news: 0, unknown: 0 };
    this.older = new OlderSignals();
    /** @type {Map<string, number>} */
    this.volumes = new Map(); // relative volume by symbol and minute
    /** @type {Map<string, Group>} */
    this.groups = new Map();
    this.list = new VirtualList(parts.scroll, parts.rows);
    this.listen();
  }

  listen() {
    const { scroll, rows, news, older } = this.parts;
    scroll.addEventListener("pointerenter", () => (this.pointed = true));
    scroll.addEventListener("pointerleave", () => (this.pointed = false));
    rows.addEventListener("click", (event) => this.clicked(/** @type {HTMLElement} */ (event.target)));
    scroll.addEventListener("keydown", (event) => this.pressed(event));
    news.addEventListener("click", () => this.goToTop());
    older.addEventListener("click", () => this.loadOlder());
    this.selection.onChange(() => (this.revision += 1));
    this.store.onBarClosed.push(() => (this.revision += 1)); // by which its signals are ordered
  }

  /** @param {Filter} filter */
  setFilter(filter) {
    this.filter = filter;
    if (!this.paused) this.goToTop();
    this.revision += 1;
  }

  /** @param {Catalog | null} catalog */
  setCatalog(catalog) {
    this.catalog = catalog;
    this.list.rows.forEach((entry) => (entry.mark = "")); // made anew
    this.revision += 1;
  }

  get paused() {
    return this.store.paused > 0;
  }

  /** @param {boolean} paused */
  setPaused(paused) {
    this.store.paused = paused ? this.store.now() : 0;
    this.held = null;
    this.revision += 1;
    this.draw(); // so that what comes in the same frame waits already
  }

  /** Show what waits, from the newest. */
  goToTop() {
    if (!this.paused) this.held = null;
    this.parts.scroll.scrollTop = 0;
    this.revision += 1;
  }

  /** @param {HTMLElement} target */
  clicked(target) {
    const group = this.groups.get(target.closest("article")?.dataset.key ?? "");
    if (!group) return;
    if (target.closest("button")) this.selection.choose({ symbol: group.symbol });
    else this.open(group);
  }

  /** @param {Group} group */
  open(group) {
    this.list.activate(group.key);
    this.list.rows.get(group.key)?.row.focus({ preventScroll: true });
    this.selection.choose({ symbol: group.symbol, timeframe: group.timeframe });
    const [first] = group.signals;
    say("show-pattern", { signal: group.signals.find((signal) => signal.details?.lines) ?? first });
    say("card", { signals: group.signals });
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const step = event.key.length > 1 || preferences.get("keys") ? KEYS[event.key] : 0;
    if (step) this.list.move(step);
    else if (event.key === "Enter" && target.matches("article")) this.clicked(target);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Hold the list while it is paused, or somebody is in it; release it when nobody is. */
  hold() {
    const inside = this.pointed || this.list.top > 0 || document.activeElement?.closest("#signal-rows, #card");
    if (!this.paused && !inside) this.held = null;
    else if (!this.held) {
      this.held = this.present();
      this.heldStates = new Set(this.held.map(versionOf));
    }
  }

  /** @returns {Signal[]} all that is in memory */
  present() {
    const { signals } = this.store;
    if (this.older.signals.size > 2 * MOST_OLDER) this.older = new OlderSignals(); // a page that is open for days stays small
    if (!this.older.used) return [...signals.values()];
    this.older.keep(signals.values());
    return [...this.older.signals.values()];
  }

  draw() {
    if (this.catalog === undefined) return;
    this.hold();
    const { signalsVersion, watchVersion } = this.store;
    const wanted = `${this.held ? "held" : ""} ${signalsVersion} ${watchVersion} ${this.revision}`;
    if (wanted !== this.drawn) {
      const arriving = this.drawn !== "" && signalsVersion !== this.arrived;
      this.drawn = wanted;
      this.arrived = signalsVersion;
      this.make(arriving);
    }
    if (this.list.draw()) countHiddenChips([...this.list.rows.values()].map(({ row }) => row));
    this.drawWords();
  }

  /** Make the list anew. @param {boolean} arriving  whether rows that are not in it yet are news */
  make(arriving) {
    /** @type {Catalog | null} */
    const catalog = this.catalog ?? null;
    const at = { watch: new Set(this.store.watch), selected: this.selection.symbol, quotes: this.store.quotes, catalog };
    const shows = (/** @type {Signal} */ signal) => passes(signal, this.filter, at);
    const all = this.held ?? this.present();
    const { groups, shown, total } = groupSignals(all, shows, {
      followsEvents: this.store.followsEvents,
      volumeOf: (group) => this.volumeOf(group),
      rankOf: (signal) => catalog?.rank(signal) ?? null,
    });
    let news = 0;
    if (this.held) for (const signal of this.store.signals.values()) if (!this.heldStates.has(versionOf(signal)) && shows(signal)) news += 1;
    const unknown = new Set(groups.filter(({ symbol }) => at.quotes.get(symbol)?.dollars == null).map((group) => group.symbol)).size;
    this.counts = { shown, total, news, unknown: this.filter.dollars ? unknown : 0 };
    const before = this.groups;
    this.groups = new Map(groups.map((group) => [group.key, group]));
    this.list.set(burstsOf(groups).flatMap((burst) => this.itemsOf(burst, arriving ? before : this.groups)));
  }

  /**
   * A symbol's relative volume in a group's minute: the figure of the first bar that is not older, which then stays.
   * @param {Group} group
   */
  volumeOf({ symbol, signals: [signal] }) {
    const close = closeOf(signal);
    const key = `${symbol} ${close}`;
    const known = this.volumes.get(key);
    if (known !== undefined) return known;
    const latest = this.store.indicators.get(symbol);
    const value = latest?.values.RelativeVolume ?? 0;
    if (this.volumes.size > 20_000) this.volumes.clear();
    if (latest && closeOf(latest) >= close) this.volumes.set(key, value);
    return value;
  }

  /** @param {Burst} burst @param {Map<string, Group>} before @returns {Item[]} */
  itemsOf(burst, before) {
    const items = burst.groups.map((group) => ({
      key: group.key,
      mark: `${group.signals.map(versionOf).join()} ${group.volume}`,
      height: waitsFor(group) ? HEIGHTS.waiting : HEIGHTS.row,
      row: true,
      make: () => {
        const row = makeRow(group, this.catalog ?? null);
        setData(row, "news", before.has(group.key) ? "" : "yes");
        return row;
      },
    }));
    if (items.length < SUMMED_UP) return items;
    const mark = items.map((item) => item.mark).join();
    return [{ key: `minute ${burst.minute}`, mark, height: HEIGHTS.burst, row: false, make: () => makeBurst(burst) }, ...items];
  }

  /** Load from the database until something of it passes the filter. */
  async loadOlder() {
    const { older, parts } = this;
    if (older.loading) return;
    const oldest = Math.min(this.store.now(), ...[...this.store.signals.values()].map((signal) => signal.detection_timestamp));
    const { shown } = this.counts;
    for (let page = 0; page < PAGES_AT_MOST && older.state === "more" && this.counts.shown === shown; page += 1) {
      setText(parts.older, "Loading…");
      await older.load(oldest);
      if (this.held) this.held = [...new Map([...older.signals.values(), ...this.held].map((signal) => [signal.id, signal])).values()];
      this.heldStates = new Set(this.held?.map(versionOf));
      this.make(false);
      if (older.problem) break;
    }
    this.revision += 1;
  }

  drawWords() {
    const { empty, note, news, older } = this.parts;
    const { counts } = this;
    setText(note, [this.countNote(counts), this.pauseNote(counts), this.doubtNote(counts)].filter(Boolean).join(" · "));
    const waits = counts.news > 0 && !this.paused;
    if (news.hidden === waits) news.hidden = !waits;
    if (waits) setText(news, `${whole(counts.news)} new ↑`);
    const isEmpty = this.list.items.length === 0;
    if (empty.hidden === isEmpty) empty.hidden = !isEmpty;
    if (isEmpty) setText(empty, this.waitingFor());
    const hides = this.store.link === "connecting";
    if (older.hidden !== hides) older.hidden = hides;
    if (!this.older.loading) this.drawOlder(/** @type {HTMLButtonElement} */ (older));
  }

  /** @param {HTMLButtonElement} button */
  drawOlder(button) {
    const { state, problem } = this.older;
    const words = { more: "Load older", end: "Nothing older is stored", full: "Older ones are on the Patterns page" };
    button.disabled = state !== "more";
    setText(button, problem ? `Load older: ${problem}` : words[state]);
  }

  /** @param {{shown: number, total: number}} counts @returns {string} how many there are, and how many of them stand below */
  countNote({ shown, total }) {
    if (!total) return "";
    const { counters } = this.store;
    const today = counters ? counters.patterns + counters.alerts : 0;
    const all = whole(Math.max(today, total));
    return today > total ? `${all} signals, ${whole(shown)} of the newest ${whole(total)} shown` : `${all} signals, ${whole(shown)} shown`;
  }

  /** @param {{news: number}} counts */
  pauseNote({ news }) {
    return this.paused ? `paused since ${clockAt(this.store.paused)} · ${whole(news)} new` : "";
  }

  /** @param {{unknown: number}} counts @returns {string} what the filter could not be applied to */
  doubtNote({ unknown }) {
    if (this.catalog === null && this.filter.rank !== "0") return "all ranks: they could not be loaded";
    return unknown ? `dollar volume of ${whole(unknown)} not known` : "";
  }

  /** @returns {string} what an empty list waits for, in words */
  waitingFor() {
    const { link, health, feed, session, signals } = this.store;
    if (signals.size) {
      if (this.filter.scope === "selected" && !this.selection.symbol) return "No symbol is selected, and the filter shows only the selected one.";
      return this.filter.rank === "best" ? "No signal that passes the filter is among the best." : "No signal passes the filter.";
    }
    if (link !== "live") return "Connecting to TickStock…";
    if (!health || health.status === "waiting") return "Waiting for TickStockPL, which finds the patterns.";
    if (health.status === "down") return "TickStockPL is not running: no signals until it is back.";
    if (health.session !== undefined && health.session !== "active" && health.issues.length) {
      return `TickStockPL is getting ready: ${health.issues.join("; ")}.`;
    }
    if (session?.name === "closed" && session.opens) return `The market is closed; it opens ${dayOf(session.opens)} at ${minuteAt(session.opens)}.`;
    if (feed && feed.status !== "live") return "Waiting for the feed: no bar can close without ticks.";
    const nextClose = Math.ceil(this.store.marketTime() / 60_000) * 60_000;
    return `No signals yet this trading day. Every symbol is checked when a bar closes; the next 1-minute bar closes at ${clockAt(nextClose)}.`;
  }
}
