/** What state the page is in, in one word and a sentence: the link's state first, then the data's. Pure. */

import { clockAt, dayOf, minuteAt } from "../common/new_york_time.js";

/** @import { Store } from "../link/store.js" */

/** @typedef {{word: string, level: string, why: string}} PageState */

const AWAY = ["silent", "reconnecting", "stopped"];

/**
 * @param {Store} store
 * @param {number} now  the browser's time
 * @returns {PageState}
 */
export function pageState(store, now) {
  const { feed, health, session, link } = store;
  if (link === "connecting") return { word: "CONNECTING", level: "wait", why: "No answer from TickStock yet." };
  if (link === "lost") return { word: "RECONNECTING", level: "bad", why: `The link to TickStock is lost since ${clockAt(store.linkSince)}; trying again.` };
  if (link === "snapshot") return { word: "SNAPSHOT", level: "wait", why: "Connected: the state of the market is on its way." };
  if (!store.isHeard(now)) return { word: "STALE", level: "bad", why: `No word from TickStock since ${clockAt(store.heard)}.` };
  const isClosed = session?.name === "closed";
  if (feed?.status === "ended") return { word: "ENDED", level: "wait", why: "The recorded day has ended." };
  if (isClosed && feed?.status !== "reconnecting") {
    const opens = session?.opens ? ` It opens ${dayOf(session.opens)} at ${minuteAt(session.opens)}.` : "";
    return { word: "CLOSED", level: "wait", why: `The market is closed; prices are of the last session.${opens}` };
  }
  if (!feed || feed.status === "connecting") return { word: "CONNECTING", level: "wait", why: "TickStock is connecting to the feed." };
  if (AWAY.includes(feed.status)) return { word: "STALE", level: "bad", why: `The feed is ${feed.status} since ${clockAt(feed.since)}.` };
  if (health?.status !== "healthy") {
    const issues = health?.issues.join("; ");
    return { word: "DEGRADED", level: "warn", why: `Prices are live, but TickStockPL is ${health?.status ?? "not heard"}${issues ? `: ${issues}` : ""}.` };
  }
  return { word: "LIVE", level: "good", why: "Ticks flow, and TickStockPL finds patterns." };
}
