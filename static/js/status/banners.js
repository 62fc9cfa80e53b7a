/** What is wrong right now, in words, above the lists. */

import { clockAt, dayOf, minuteAt } from "../common/new_york_time.js";
import { element } from "../common/page.js";

/** @import { FeedStatus } from "../link/messages.js" */
/** @import { Store } from "../link/store.js" */

/** @typedef {{level: string, text: string}} Banner */

/**
 * The banners of this moment. Pure.
 * @param {Store} store
 * @param {number} now the browser's time
 * @returns {Banner[]}
 */
export function bannersOf(store, now) {
  const { feed, health, session, link } = store;
  if (link === "connecting" || link === "snapshot") return [];
  if (link === "lost") {
    return [{ level: "bad", text: `The link to TickStock is lost since ${clockAt(store.linkSince)}; trying again. What is shown is from then.` }];
  }
  if (!store.isHeard(now)) return [{ level: "bad", text: `No word from TickStock since ${clockAt(store.heard)}. What is shown is from then.` }];
  /** @type {Banner[]} */
  const found = [];
  if (feed && feed.status !== "live" && !(feed.status === "silent" && session?.name === "closed")) found.push(feedBanner(feed));
  if (health && (health.status === "down" || health.status === "stopped")) {
    const since = health.since ? ` since ${clockAt(health.since)}` : "";
    const consequence = feed?.status === "live" ? "ticks go on, new patterns and alerts do not" : "no new patterns and alerts";
    found.push({ level: "bad", text: `TickStockPL is ${health.status}${since}: ${consequence}.` });
  }
  if (session?.name === "closed" && session.opens && feed?.status !== "ended") {
    found.push({ level: "info", text: `Market closed. It opens ${dayOf(session.opens)} at ${minuteAt(session.opens)}; prices are of the last session.` });
  }
  return found;
}

/** @param {FeedStatus} feed @returns {Banner} */
function feedBanner(feed) {
  const detail = feed.detail ? ` (${feed.detail})` : "";
  if (feed.status === "ended") return { level: "info", text: `The recorded day has ended${detail}.` };
  if (feed.status === "connecting") return { level: "info", text: `Connecting to the feed${detail}.` };
  if (feed.status === "silent") return { level: "bad", text: `STALE: the feed is silent since ${clockAt(feed.since)}${detail}.` };
  if (feed.status === "reconnecting") return { level: "bad", text: `STALE: the feed is away since ${clockAt(feed.since)}; reconnecting${detail}.` };
  return { level: "bad", text: `The feed is stopped since ${clockAt(feed.since)}${detail}.` };
}

/**
 * Draw them when they change.
 * @param {Store} store
 * @param {HTMLElement} place
 * @returns {(now: number) => void}
 */
export function bannerDrawing(store, place) {
  let drawn = "";
  return (now) => {
    const banners = bannersOf(store, now);
    const mark = JSON.stringify(banners);
    if (mark === drawn) return;
    drawn = mark;
    place.replaceChildren(
      ...banners.map(({ level, text }) => {
        const banner = element("p", "banner", text);
        banner.dataset.level = level;
        return banner;
      }),
    );
  };
}
