/** What a symbol is doing, and how old its price is: in words. Pure. */

import { freshness } from "../link/freshness.js";
import { minuteTime, span } from "../common/new_york_time.js";

/** @import { FeedStatus } from "../link/messages.js" */
/** @import { Quote } from "../link/store.js" */

/**
 * @typedef {object} Moment
 * @property {number} now  the server's clock
 * @property {number | null} time  the market's own on a recorded or virtual day
 * @property {string} session
 * @property {FeedStatus | null} feed
 * @property {boolean} isUp  whether the server is heard
 *
 * @typedef {"fresh" | "quiet" | "stale" | "none" | "closed" | "halted" | "no prints"} State
 */

const NO_PRINTS_MS = 60_000;
const NO_PRINTS_AM_MS = 75_000; // a minute's aggregate comes some seconds after its end

/**
 * For how long nothing was printed: by the market's clock where it has its own, else since the last arrival, which no delay disturbs.
 * @param {Quote} quote @param {Moment} moment
 */
const silence = (quote, { now, time }) => (time === null ? now - quote.received : time - quote.timestamp);

/** @param {Quote | undefined} quote @param {Moment} moment @returns {State} */
export function stateOf(quote, moment) {
  if (!quote) return "none";
  const { now, session, feed, isUp } = moment;
  if (isUp && session === "closed") return "closed";
  const state = freshness(Math.max(0, now - quote.received), feed, isUp);
  if (state === "stale") return state;
  if (quote.halted) return "halted";
  const limit = feed?.channel === "AM" ? NO_PRINTS_AM_MS : NO_PRINTS_MS;
  const isMissed = quote.steady && session === "regular" && feed?.status === "live" && silence(quote, moment) >= limit;
  return isMissed ? "no prints" : state;
}

/**
 * @param {State} state @param {Quote | undefined} quote @param {Moment} moment
 * @returns {[string, string]} a word, and how old the price is
 */
export function ageWords(state, quote, moment) {
  if (!quote) return ["no tick yet", ""];
  if (state === "halted") return [`HALTED since\u00a0${minuteTime(quote.halted ?? 0)}`, ""]; // where it is narrow, a word has two lines at most
  if (state === "no prints") {
    const seconds = Math.floor(silence(quote, moment) / 1000);
    return [`NO\u00a0PRINTS ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`, ""];
  }
  const age = span((moment.time ?? moment.now) - quote.timestamp);
  return [state === "fresh" ? "" : state, age];
}
