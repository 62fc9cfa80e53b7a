/** What /api/catalog says of each pattern and alert: how good a detection is among its like, and which the page shows unasked. */

import { isConfirmed, kindOf } from "./signal.js";

/** @import { Signal } from "../link/messages.js" */

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {string} kind  candlestick | chart_pattern | indicator | alert
 * @property {string} family
 * @property {string} description
 * @property {string} [direction]  where all its detections have one
 * @property {Record<string, number>} parameters
 * @property {number | null} shown_from  the least rank that is shown; null: only when everything is
 * @property {number[] | null} quality_quantiles  of its detections, at equal steps from the worst to the best
 *
 * @typedef {object} Answer
 * @property {Entry[]} entries
 * @property {string[]} thinned_timeframes
 * @property {Record<string, {indicators: Record<string, string[]>}>} enabled  by timeframe: of each indicator the names of its values
 */

const RETRY_MS = 5000;

export class Catalog {
  /** @param {Answer} answer */
  constructor({ entries, thinned_timeframes, enabled }) {
    this.entries = new Map(entries.map((entry) => [entry.name, entry]));
    this.thinned = new Set(thinned_timeframes);
    this.enabled = enabled;
  }

  /**
   * The share of a pattern's detections that are worse, as tickstock/analysis/catalog.py has it.
   * @param {Signal} signal
   * @returns {number | null} null where nobody has measured it, and for an alert
   */
  rank({ pattern, quality }) {
    const quantiles = pattern === undefined ? null : this.entries.get(pattern)?.quality_quantiles;
    if (!quantiles || quality === undefined) return null;
    const above = quantiles.findIndex((each) => each >= quality);
    if (above <= 0) return above ? 1 : 0;
    const below = quantiles[above - 1];
    return (above - 1 + (quality - below) / (quantiles[above] - below)) / (quantiles.length - 1);
  }

  /**
   * Whether a signal is among the best: confirmed, and of the rank from which its like is shown. What is unknown is shown.
   * @param {Signal} signal
   */
  isBest(signal) {
    const entry = this.entries.get(kindOf(signal));
    if (!entry) return true;
    if (!isConfirmed(signal)) return false;
    if (!this.thinned.has(signal.timeframe)) return true;
    return entry.shown_from !== null && (this.rank(signal) ?? 1) >= entry.shown_from;
  }
}

/**
 * Ask for the catalogue until it is there.
 * @param {(catalog: Catalog | null) => void} take  gets it once; before that null when the first attempt has failed
 */
export async function loadCatalog(take) {
  for (let failed = 0; ; failed += 1) {
    try {
      const response = await fetch("/api/catalog");
      if (response.ok) return take(new Catalog(await response.json()));
    } catch {
      // The server is away; the page says so elsewhere.
    }
    if (!failed) take(null);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
