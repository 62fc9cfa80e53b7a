/** What a chart without bars waits for, in words. Pure. */

import { clockAt, dayOf, minuteAt } from "../common/new_york_time.js";
import { TIMEFRAMES } from "../common/words.js";
import { LENGTHS } from "./bar_series.js";

/** @import { Session } from "../link/messages.js" */
/** @import { Store } from "../link/store.js" */

/**
 * @typedef {object} Wanted
 * @property {string} symbol
 * @property {string} timeframe
 * @property {string} problem  why the last attempt failed
 * @property {boolean} isLoading
 * @property {number | null} start  of the running bar, where there is one
 */

/** @param {Wanted} wanted @param {Store} store @returns {string} */
export function waitingFor({ symbol, timeframe, problem, isLoading, start }, { link, linkSince, session, watch, watchlists }) {
  const bars = `${TIMEFRAMES[timeframe]} bars of ${symbol}`;
  if (!symbol) return link === "live" ? "No symbol is watched. Add one to a watchlist, or look one up." : "Connecting to TickStock…";
  if (link === "lost") return `The server is away since ${clockAt(linkSince)}; the chart comes when it is back.`;
  if (problem) return `The bars of ${symbol} could not be loaded: ${problem}`;
  if (isLoading) return `Loading ${bars}…`;
  if (watchlists.unknown.includes(symbol)) return `${symbol} is unknown to the vendor: there will be no bars.`;
  if (!watch.includes(symbol)) return `No ${bars} are stored, and it is not in the watchlist that is shown: add it to one.`;
  return `No ${bars} yet: waiting for its history from the vendor, or its first trades.${nextClose(start, timeframe, session)}`;
}

/** @param {number | null} start @param {string} timeframe @param {Session | null} session */
function nextClose(start, timeframe, session) {
  if (session?.opens) return ` The market opens ${dayOf(session.opens)} ${minuteAt(session.opens)}.`;
  if (start === null) return "";
  const end = timeframe === "1day" ? (session?.ends ?? start) : start - (start % LENGTHS["1min"]) + LENGTHS[timeframe];
  return ` The first bar closes at ${minuteAt(Math.min(end, session?.ends ?? end))}.`;
}
