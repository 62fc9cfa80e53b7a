/** The list of signals: a row per symbol, timeframe and bar, with a chip for each signal of it. */

import { price, whole } from "./figures.js";
import { clockTime, dayOf, minuteTime } from "./new_york_time.js";
import { element, setText } from "./page.js";
import { groupSignals } from "./signal_groups.js";
import { ARROWS, nameOf, TIMEFRAMES } from "./words.js";

/** @import { Signal } from "./messages.js" */
/** @import { Filter, Group } from "./signal_groups.js" */
/** @import { Store } from "./store.js" */

const MOST_ROWS = 200;

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
    /** @type {Signal[] | null} */
    this.held = null; // what the list shows while it is paused
    this.pausedAt = 0;
    this.versionAtPause = 0;
    this.counts = { shown: 0, total: 0, hidden: 0 };
    /** @type {Map<string, {mark: string, row: HTMLElement}>} */
    this.rows = new Map();
    this.drawnVersion = -1;
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

  draw() {
    const version = this.held ? this.versionAtPause : this.store.signalsVersion;
    if (version !== this.drawnVersion) {
      this.drawnVersion = version;
      const { groups, shown, total } = groupSignals(this.held ?? this.store.signals.values(), this.filter);
      const visible = groups.slice(0, MOST_ROWS);
      this.counts = { shown, total, hidden: groups.length - visible.length };
      this.place(visible);
    }
    this.drawNote(this.counts);
    this.drawEmpty();
  }

  /** @param {Group[]} groups */
  place(groups) {
    const wanted = new Set(groups.map((group) => group.key));
    for (const [key, held] of this.rows) {
      if (!wanted.has(key)) {
        held.row.remove();
        this.rows.delete(key);
      }
    }
    const rows = groups.map((group) => this.rowOf(group));
    let next = this.parts.rows.firstElementChild;
    for (const row of rows) {
      if (row === next) next = next.nextElementSibling;
      else this.parts.rows.insertBefore(row, next);
    }
  }

  /** @param {Group} group */
  rowOf(group) {
    const mark = group.signals.map((signal) => `${signal.id} ${signal.state ?? ""}`).join();
    const held = this.rows.get(group.key);
    if (held && held.mark === mark) return held.row;
    const row = makeRow(group, this.choose);
    if (held) held.row.replaceWith(row);
    this.rows.set(group.key, { mark, row });
    return row;
  }

  /** @param {{shown: number, total: number, hidden: number}} counts */
  drawNote({ shown, total, hidden }) {
    const { note } = this.parts;
    if (this.paused) {
      const arrived = this.store.signalsVersion - this.versionAtPause;
      setText(note, `paused since ${clockTime(this.pausedAt)} ET · ${whole(arrived)} new`);
      return;
    }
    const { counters } = this.store;
    const today = counters ? counters.patterns + counters.alerts : 0;
    const all = whole(Math.max(today, total));
    if (!total) setText(note, "");
    else if (hidden) setText(note, `${all} signals, the newest ${whole(MOST_ROWS)} rows shown`);
    else if (today > total) setText(note, `${all} signals, ${whole(shown)} of the newest ${whole(total)} shown`);
    else setText(note, `${all} signals, ${whole(shown)} shown`);
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
    if (signals.size) return "No signal passes the filter.";
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

/**
 * @param {Group} group
 * @param {(symbol: string) => void} choose
 */
function makeRow(group, choose) {
  const row = element("li", "signal");
  row.dataset.key = group.key;
  const when = element("time", "when", clockTime(group.detected));
  when.setAttribute("datetime", new Date(group.detected).toISOString());
  when.title = `Detected ${dayOf(group.detected)} ${clockTime(group.detected)} ET, in the bar of ${minuteTime(group.bar)} ET`;
  const symbol = element("button", "symbol", group.symbol);
  symbol.title = `Show signals of ${group.symbol} only`;
  symbol.addEventListener("click", () => choose(group.symbol));
  const timeframe = element("span", "timeframe", TIMEFRAMES[group.timeframe] ?? group.timeframe);
  timeframe.title = `${group.timeframe} bar of ${dayOf(group.bar)} ${minuteTime(group.bar)} ET`;
  const chips = element("span", "chips");
  chips.append(...group.signals.map(makeChip));
  for (const origin of new Set(group.signals.map((signal) => signal.origin))) {
    if (origin !== "live") chips.append(originTag(origin));
  }
  const at = group.signals.find((signal) => signal.price !== undefined)?.price;
  const paid = element("span", "at number", at === undefined ? "" : price(at));
  if (at !== undefined) paid.title = "Price at detection";
  row.append(when, symbol, timeframe, chips, paid);
  return row;
}

/** @param {string} origin repair | history */
function originTag(origin) {
  const tag = element("span", "tag", origin);
  tag.title = origin === "history" ? "Found in bars from before TickStockPL was started" : "Found when a minute was processed after an outage";
  return tag;
}

/** @param {Signal} signal */
function makeChip(signal) {
  const chip = element("span", "chip");
  chip.dataset.direction = signal.direction;
  chip.dataset.state = signal.state ?? "confirmed";
  chip.dataset.id = signal.id;
  const arrow = element("span", "arrow", ARROWS[signal.direction] ?? "◆");
  arrow.setAttribute("aria-hidden", "true");
  const figure = signal.pattern === undefined ? figureOfAlert(signal) : `${Math.round((signal.quality ?? 0) * 100)} %`;
  const words = [signal.direction];
  if (signal.state === "forming" || signal.state === "void") words.push(signal.state);
  chip.append(arrow, element("b", "", nameOf(signal)), element("span", "word", words.join(" · ")), element("span", "figure", figure));
  chip.title = explanation(signal, figure);
  return chip;
}

/** @param {Signal} signal */
function figureOfAlert(signal) {
  const value = signal.value ?? 0;
  return signal.indicator?.startsWith("RSI") ? value.toFixed(1) : price(value);
}

/** @param {Signal} signal @param {string} figure */
function explanation(signal, figure) {
  const bar = `${signal.timeframe} bar of ${minuteTime(signal.bar_timestamp)} ET, detected ${clockTime(signal.detection_timestamp)} ET`;
  if (signal.pattern === undefined) {
    const value = signal.value ?? 0;
    const threshold = signal.threshold ?? 0;
    const shown = signal.indicator?.startsWith("RSI") ? [value.toFixed(2), threshold.toFixed(0)] : [price(value), price(threshold)];
    return `${signal.indicator} ${shown[0]} crossed ${shown[1]} (${signal.direction}) on the ${bar}`;
  }
  return `${nameOf(signal)}, ${signal.direction}, ${signal.state}: quality ${figure} (how far inside its conditions, not a probability); ${bar}`;
}
