/** The one selected symbol and timeframe: what the chart shows. They stand in the page's address, so that a reload or a link restores them. */

import { TIMEFRAMES } from "./words.js";

const DEFAULT_TIMEFRAME = "1min";
const LONGEST_SYMBOL = 32;

export class Selection {
  /** @param {Location} location */
  constructor(location) {
    const asked = new URLSearchParams(location.search);
    const timeframe = asked.get("timeframe") ?? DEFAULT_TIMEFRAME;
    this.symbol = (asked.get("symbol") ?? "").trim().slice(0, LONGEST_SYMBOL);
    this.timeframe = timeframe in TIMEFRAMES ? timeframe : DEFAULT_TIMEFRAME;
    /** @type {Array<(selection: Selection) => void>} */
    this.listeners = [];
  }

  /**
   * Select another symbol, another timeframe, or both.
   * @param {{symbol?: string, timeframe?: string}} wanted
   */
  choose({ symbol = this.symbol, timeframe = this.timeframe }) {
    if (symbol === this.symbol && timeframe === this.timeframe) return;
    this.symbol = symbol;
    this.timeframe = timeframe;
    const address = new URL(location.href);
    if (symbol) address.searchParams.set("symbol", symbol);
    else address.searchParams.delete("symbol");
    address.searchParams.set("timeframe", timeframe);
    history.replaceState(null, "", address);
    for (const listener of this.listeners) listener(this);
  }

  /** @param {(selection: Selection) => void} listener  called after every change */
  onChange(listener) {
    this.listeners.push(listener);
  }
}
