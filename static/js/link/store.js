/** The latest of everything the server said. Sockets write into it, the frame loop reads from it; nothing here touches the page. */

import { stateOf } from "../common/signal.js";
import { LINK_SILENT_MS } from "./freshness.js";
import { Sequence } from "./sequence.js";

/** @import { SymbolRow, Signal, IndicatorValues, FeedStatus, Health, Session, Counters, Snapshot, Events, FormingBar, Watching, Watchlists } from "./messages.js" */

export const KEPT_SIGNALS = 2000;
const SPARE_SIGNALS = 200; // room before the oldest are dropped, a good number at once

/** @typedef {SymbolRow & {direction: number}} Quote  direction: 1 after a rise, -1 after a fall, 0 before any change */

export class Store {
  constructor() {
    this.sequence = new Sequence(KEPT_SIGNALS);
    /** @type {"connecting" | "snapshot" | "live" | "lost"} */
    this.link = "connecting";
    this.linkSince = Date.now();
    this.heard = 0; // browser time of the last message
    this.clockOffset = 0; // server time - browser time
    /** @type {string[]} */
    this.watch = [];
    /** @type {string | null} */
    this.list = null; // id of the watchlist that these symbols are
    this.listReason = ""; // why it is not the one that was asked for
    /** @type {Watchlists} */
    this.watchlists = { lists: [], unknown: [], reference: 0 };
    /** @type {FormingBar | null} */
    this.formingBar = null; // of the charted symbol
    /** @type {Array<(values: IndicatorValues) => void>} */
    this.onBarClosed = []; // called for every closed bar of a watched symbol, in the order of their coming
    /** @type {Array<(signal: Signal) => void>} */
    this.onSignal = []; // called for every signal that is new here, or not what it was; also those of a snapshot
    /** @type {Map<string, Quote>} */
    this.quotes = new Map();
    /** @type {Map<string, IndicatorValues>} */
    this.indicators = new Map(); // of 1min bars, by symbol
    /** @type {Map<string, Signal>} */
    this.signals = new Map(); // by id, in order of arrival
    /** @type {FeedStatus | null} */
    this.feed = null;
    /** @type {Health | null} */
    this.health = null;
    /** @type {Session | null} */
    this.session = null;
    /** @type {Counters | null} */
    this.counters = null;
    /** @type {Set<string>} */
    this.changedSymbols = new Set();
    this.watchVersion = 0; // rises when the list of symbols changes
    this.listsVersion = 0; // rises when the watchlists change
    this.epochVersion = 0; // rises with every snapshot: what was missed meanwhile must be asked for
    this.seenAt = 0; // server time at which the newest tick of the last frame was received
    this.signalsVersion = 0;
    this.paused = 0; // server time since which the visitor holds the page still
  }

  /** @returns {number} the server's clock, Unix milliseconds */
  now() {
    return Date.now() + this.clockOffset;
  }

  /** @returns {number} the market's clock: the server's, or that of a recorded or virtual day */
  marketTime() {
    return this.session?.time ?? this.now();
  }

  /** @param {number} now  the browser's time @returns {boolean} whether the server speaks */
  isHeard(now) {
    return this.link === "live" && now - this.heard <= LINK_SILENT_MS;
  }

  /** @returns {boolean} whether the market's clock is the data's own: a recorded or virtual day */
  get followsEvents() {
    return this.session?.time !== undefined;
  }

  /** @param {number} [serverTime]  the server's clock, where the message tells it */
  heardAt(serverTime) {
    this.heard = Date.now();
    if (serverTime) this.clockOffset = serverTime - this.heard;
  }

  /** @param {"connecting" | "snapshot" | "live" | "lost"} link */
  setLink(link) {
    if (link === this.link) return;
    this.link = link;
    this.linkSince = Date.now();
  }

  /**
   * Begin, or begin again.
   * @param {Snapshot} snapshot
   */
  takeSnapshot(snapshot) {
    this.heardAt(snapshot.time);
    this.sequence.begin(snapshot.epoch, snapshot.seq, snapshot.oldest);
    this.takeWatching({ list: snapshot.list ?? null, name: "", symbols: snapshot.watch, reason: this.listReason });
    if (snapshot.watchlists) this.takeWatchlists(snapshot.watchlists);
    this.epochVersion += 1;
    snapshot.symbols.forEach((row) => this.takeRow(row));
    snapshot.indicators.forEach((values) => this.takeIndicators(values));
    for (const signal of snapshot.events) {
      this.sequence.take(signal.seq);
      this.hold(signal); // also one whose number is not waited for any more
    }
    this.counters = snapshot.counters;
    this.session = snapshot.session;
    this.health = snapshot.health;
    this.feed = snapshot.feed;
    this.setLink("live");
    this.watch.forEach((symbol) => this.changedSymbols.add(symbol));
  }

  /** @param {Watching} watching */
  takeWatching({ list, symbols, reason = "" }) {
    this.list = list;
    this.listReason = reason;
    if (symbols.join() === this.watch.join()) return;
    this.watch = symbols;
    this.watchVersion += 1;
  }

  /** @param {Watchlists} watchlists */
  takeWatchlists(watchlists) {
    this.watchlists = watchlists;
    this.listsVersion += 1;
  }

  /** @param {SymbolRow} row */
  takeRow(row) {
    const before = this.quotes.get(row.symbol);
    const moved = before ? Math.sign(row.price - before.price) : 0;
    this.quotes.set(row.symbol, { ...row, direction: moved || (before ? before.direction : 0) });
    this.changedSymbols.add(row.symbol);
  }

  /** @param {IndicatorValues} values */
  takeIndicators(values) {
    for (const listener of this.onBarClosed) listener(values);
    const before = this.indicators.get(values.symbol);
    if (values.timeframe !== "1min" || (before && before.bar_timestamp > values.bar_timestamp)) return;
    this.indicators.set(values.symbol, values);
    this.changedSymbols.add(values.symbol);
  }

  /** @param {Signal} signal  as it happens, or asked for; one that is here already changes nothing */
  takeSignal(signal) {
    if (this.sequence.take(signal.seq)) this.hold(signal);
  }

  /**
   * Take a part of the answer to `since`.
   * @param {Events} answer
   */
  takeEvents(answer) {
    if (answer.epoch !== this.sequence.epoch) return;
    for (const signal of answer.events) this.takeSignal(signal);
    this.sequence.answered(answer, Date.now());
  }

  /**
   * Hold a signal; a confirmed or void one is never replaced.
   * @param {Signal} signal
   */
  hold(signal) {
    const before = this.signals.get(signal.id);
    if (before && (stateOf(before) !== "forming" || signal.state === "forming")) return;
    this.signals.set(signal.id, signal);
    signal.arrived = this.now();
    if (this.signals.size > KEPT_SIGNALS + SPARE_SIGNALS) this.dropOldest();
    this.signalsVersion += 1;
    for (const listener of this.onSignal) listener(signal);
  }

  /** History may arrive after what is newer, so the oldest are those that were detected first. */
  dropOldest() {
    const byDetection = [...this.signals.values()].sort((a, b) => a.detection_timestamp - b.detection_timestamp);
    for (const { id } of byDetection.slice(0, this.signals.size - KEPT_SIGNALS)) this.signals.delete(id);
  }
}
