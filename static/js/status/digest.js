/** One polite sentence at most every five seconds, for those who listen to the page. */

import { inPercent } from "../common/figures.js";
import { setText } from "../common/page.js";
import { isConfirmed } from "../common/signal.js";
import { nameOf } from "../common/words.js";

/** @import { Store } from "../link/store.js" */
/** @import { Signal } from "../link/messages.js" */

const EVERY_MS = 5000;
const GATHER_MS = 1000; // signals of one close arrive one after the other
const DIRECTIONS = ["bullish", "bearish", "neutral"];

/**
 * How many came, which way they point, and the best of them. Pure.
 * @param {Signal[]} signals
 * @param {(signal: Signal) => number | null} rank
 * @returns {string}
 */
export function digestOf(signals, rank) {
  const counts = DIRECTIONS.map((name) => [signals.filter(({ direction }) => direction === name).length, name]);
  const balance = counts.filter(([count]) => count).map(([count, name]) => `${count} ${name}`);
  const best = signals.reduce((one, other) => ((rank(other) ?? 0) > (rank(one) ?? 0) ? other : one));
  const share = rank(best);
  const ranked = share === null ? "" : `, rank ${inPercent(share)}`;
  const named = `${best.symbol} ${nameOf(best)}`;
  if (signals.length === 1) return `New signal: ${named}, ${best.direction}${ranked}.`;
  return `${signals.length} new signals: ${balance.join(", ")}. ${share === null ? "One of them" : "Best"}: ${named}, ${best.direction}${ranked}.`;
}

/**
 * @param {Store} store
 * @param {HTMLElement} region
 * @param {{isListed: (signal: Signal) => boolean, rank: (signal: Signal) => number | null}} list
 * @returns {(now: number) => void}
 */
export function digestDrawing(store, region, { isListed, rank }) {
  /** @type {Signal[]} */
  let arrived = [];
  let spokenAt = 0;
  let firstAt = 0;
  store.onSignal.push((signal) => {
    const isNews = store.feed !== null && signal.origin === "live" && isConfirmed(signal);
    if (!isNews || store.paused || arrived.length >= 1000) return;
    if (!arrived.length) firstAt = Date.now();
    arrived.push(signal);
  });
  return (now) => {
    if (!arrived.length || now - spokenAt < EVERY_MS || now - firstAt < GATHER_MS) return;
    const listed = arrived.filter(isListed);
    arrived = [];
    if (!listed.length) return;
    spokenAt = now;
    setText(region, digestOf(listed, rank));
  };
}
