/** The Health tab of a phone: the status bar's words and the counters, one to a line. */

import { byId, element, setText } from "../common/page.js";
import { pageState } from "./page_state.js";

/** @import { Store } from "../link/store.js" */

const LINES = [
  ["Feed", "feed-state", "feed-source"], ["Symbols", "symbols-summary"], ["Rate", "tick-rate"], ["Tick to pixel", "pixel-latency"],
  ["TickStockPL", "health-state", "issues"], ["Patterns", "count-patterns"], ["Alerts", "count-alerts"], ["Bars", "count-bars"],
  ["Ticks", "count-ticks"], ["Day", "counters-day", "session"],
];

/**
 * @param {Store} store
 * @param {() => boolean} isShown
 * @returns {(now: number) => void}
 */
export function healthDrawing(store, isShown) {
  const lines = LINES.map(([label, ...ids]) => {
    const line = element("div");
    const value = element("dd");
    line.append(element("dt", "", label), value);
    return { line, value, parts: ids.map(byId) };
  });
  byId("health-lines").append(...lines.map(({ line }) => line));
  const verdict = byId("health-verdict");
  return (now) => {
    if (!isShown()) return;
    const { word, why } = pageState(store, now);
    setText(verdict, `${word}: ${why}`);
    for (const { value, parts } of lines) setText(value, parts.map((part) => part.textContent).filter(Boolean).join(" · ") || "–");
  };
}
