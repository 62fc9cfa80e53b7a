/** The day's counters, as the server counts them. */

import { compact, whole } from "../common/figures.js";
import { byId, setText } from "../common/page.js";

/** @import { Store } from "../link/store.js" */

const NAMES = /** @type {const} */ (["patterns", "alerts", "indicators", "bars", "ticks"]);

/**
 * @param {Store} store
 * @returns {() => void}
 */
export function counterDrawing(store) {
  const cells = NAMES.map((name) => byId(`count-${name}`));
  const day = byId("counters-day");
  return () => {
    const { counters } = store;
    if (!counters) return;
    NAMES.forEach((name, index) => {
      const value = counters[name];
      setText(cells[index], value >= 10_000_000 ? compact(value) : whole(value));
    });
    setText(day, counters.trading_day ? `Trading day ${counters.trading_day}` : "");
  };
}
