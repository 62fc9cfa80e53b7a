/** One polite sentence at most every five seconds, for those who listen to the page. */

import { setText } from "../common/page.js";
import { nameOf } from "../common/words.js";

/** @import { Store } from "../link/store.js" */

const EVERY_MS = 5000;

/**
 * @param {Store} store
 * @param {HTMLElement} region
 * @returns {(now: number) => void}
 */
export function digestDrawing(store, region) {
  let spoken = -1;
  let spokenAt = 0;
  return (now) => {
    if (now - spokenAt < EVERY_MS || store.signalsVersion === spoken) return;
    const arrived = store.signalsVersion - spoken;
    const isFirst = spoken < 0;
    spoken = store.signalsVersion;
    spokenAt = now;
    const latest = [...store.signals.values()].at(-1);
    if (isFirst || !latest) return;
    setText(region, `${arrived} new ${arrived === 1 ? "signal" : "signals"}, the latest ${latest.symbol} ${nameOf(latest)}, ${latest.direction}.`);
  };
}
