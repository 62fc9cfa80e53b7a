/** The list of signals: rows of the minute in which they were detected under a line that sums it up. */

import { whole } from "../common/figures.js";
import { clockTime, dayOf, minuteTime } from "../common/new_york_time.js";
import { setData, setText } from "../common/page.js";
import { burstsOf, groupSignals } from "./signal_groups.js";
import { makeBurst, makeRow } from "./signal_row.js";

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Signal } from "../link/messages.js" */
/** @import { Burst, Filter, Group } from "./signal_groups.js" */
/** @import { Store } from "../link/store.js" */

/** @typedef {Map<string, {mark: string, row: HTMLElement}>} Rows */

const MOST_ROWS = 200;
const SUMMED_UP = 3; // a minute with fewer rows needs no line above them

/** @param {Signal[]} signals @returns {string} changes when a row of them would look different */
const markOf = (signals) => signals.map((signal) => `${signal.id} ${signal.state ?? ""}`).join();

export class Signals {
  /**
   * @param {Store} store
   * @param {{rows: HTMLElement, empty: HTMLElement, note: HTMLElement}} parts
   * @param {(symbol: string) => void} choose
   */
  constructor(store, parts, choose) {
    this.store = store;
    this.parts = parts;
    this.choose = choose;
    /** @type {Filter} */
    this.filter = { kind: "", direction: "", symbol: "" };
    /** @type {Catalog | null | undefined} */
    this.catalog = undefined; // null: it could not be loaded; nothing is listed before that is known
    /** @type {Signal[] | null} */
    this.held = null; // what the list shows while it is paused
    this.pausedAt = 0;
    this.versionAtPause = 0;
    this.counts = { shown: 0, total: 0, hidden: 0 };
    /** @type {Rows} */
    this.rows = new Map();
    this.drawnVersion = -1;
    this.arriving = false; // whether rows that are made now are news, and not the list drawn anew
  }

  /** @param {Filter} filter */
  setFilter(filter) {
    this.filter = filter;
    this.drawnVersion = -1;
  }

  /** @returns {boolean} whether new signals wait outside the list */
  get paused() {
    return this.held !== null;
  }

  /** @param {boolean} paused */
  setPaused(paused) {
    this.held = paused ? [...this.store.signals.values()] : null;
    this.pausedAt = this.store.now();
    this.versionAtPause = this.store.signalsVersion;
    this.drawnVersion = -1;
  }

  /** @param {Catalog | null} catalog  by which rows tell ranks */
  setCatalog(catalog) {
    this.catalog = catalog;
    this.rows.forEach((held) => (held.mark = "")); // made anew
    this.drawnVersion = -1;
  }

  draw() {
    if (this.catalog === undefined) return;
    const version = this.held ? this.versionAtPause : this.store.signalsVersion;
    if (version !== this.drawnVersion) {
      this.arriving = this.drawnVersion > 0;
      this.drawnVersion = version;
      const { groups, shown, total } = groupSignals(this.held ?? this.store.signals.values(), this.filter, this.store.followsEvents);
      this.counts = { shown, total, hidden: Math.max(0, groups.length - MOST_ROWS) };
      this.place(burstsOf(groups));
    }
    this.drawNote(this.counts);
    this.drawEmpty();
  }

  /** @param {Burst[]} bursts newest first */
  place(bursts) {
    let room = MOST_ROWS;
    const rows = [];
    const held = this.rows;
    this.rows = new Map();
    for (const burst of bursts) {
      if (room <= 0) break;
      if (burst.groups.length >= SUMMED_UP) {
        rows.push(this.hold(`minute ${burst.minute}`, markOf(burst.groups.flatMap((group) => group.signals)), held, () => makeBurst(burst)));
      }
      for (const group of burst.groups.slice(0, room)) rows.push(this.rowOf(group, held));
      room -= burst.groups.length;
    }
    for (const { row } of held.values()) row.remove();
    let next = this.parts.rows.firstElementChild;
    for (const row of rows) {
      if (row === next) next = next.nextElementSibling;
      else this.parts.rows.insertBefore(row, next);
    }
  }

  /** @param {Group} group @param {Rows} held @returns {HTMLElement} */
  rowOf(group, held) {
    return this.hold(group.key, markOf(group.signals), held, () => {
      const row = makeRow(group, this.choose, this.catalog ?? null);
      setData(row, "news", this.arriving ? "yes" : "");
      return row;
    });
  }

  /**
   * The row that stands already, or a new one when what it shows has changed.
   * @param {string} key
   * @param {string} mark
   * @param {Rows} held  rows of the last drawing; those that stay are taken out of it
   * @param {() => HTMLElement} make
   * @returns {HTMLElement}
   */
  hold(key, mark, held, make) {
    const before = held.get(key);
    const same = before && before.mark === mark ? before : null;
    const entry = same ?? { mark, row: make() };
    if (before && !same) before.row.replaceWith(entry.row);
    held.delete(key);
    this.rows.set(key, entry);
    return entry.row;
  }

  /** @param {{shown: number, total: number, hidden: number}} counts */
  drawNote(counts) {
    const notes = [this.countNote(counts)];
    if (this.paused) {
      const arrived = this.store.signalsVersion - this.versionAtPause;
      notes.push(`paused since ${clockTime(this.pausedAt)} ET · ${whole(arrived)} new`);
    }
    setText(this.parts.note, notes.filter(Boolean).join(" · "));
  }

  /** @param {{shown: number, total: number, hidden: number}} counts @returns {string} how many there are, and how many of them stand below */
  countNote({ shown, total, hidden }) {
    if (!total) return "";
    const { counters } = this.store;
    const today = counters ? counters.patterns + counters.alerts : 0;
    const all = whole(Math.max(today, total));
    if (hidden) return `${all} signals, the newest ${whole(MOST_ROWS)} rows shown`;
    if (today > total) return `${all} signals, ${whole(shown)} of the newest ${whole(total)} shown`;
    return `${all} signals, ${whole(shown)} shown`;
  }

  drawEmpty() {
    const { empty } = this.parts;
    const isEmpty = this.rows.size === 0;
    empty.hidden = !isEmpty;
    if (isEmpty) setText(empty, this.waitingFor());
  }

  /** @returns {string} what an empty list waits for, in words */
  waitingFor() {
    const { link, health, feed, session, signals } = this.store;
    if (signals.size) return this.filter.best ? "No signal that passes the filter is among the best." : "No signal passes the filter.";
    if (link !== "live") return "Connecting to TickStock…";
    if (!health || health.status === "waiting") return "Waiting for TickStockPL, which finds the patterns.";
    if (health.status === "down") return "TickStockPL is not running: no signals until it is back.";
    if (health.session !== undefined && health.session !== "active" && health.issues.length) {
      return `TickStockPL is getting ready: ${health.issues.join("; ")}.`;
    }
    if (session?.name === "closed" && session.opens) return `The market is closed; it opens ${dayOf(session.opens)} at ${minuteTime(session.opens)} ET.`;
    if (feed && feed.status !== "live") return "Waiting for the feed: no bar can close without ticks.";
    const nextClose = Math.ceil((session?.time ?? this.store.now()) / 60_000) * 60_000;
    return `No signals yet this trading day. Every symbol is checked when a bar closes; the next 1-minute bar closes at ${clockTime(nextClose)} ET.`;
  }
}
