/** How old a symbol's price is, and whose fault that is. Pure. */

/** @import { FeedStatus } from "./messages.js" */

export const LINK_SILENT_MS = 3500;

/**
 * fresh: a tick arrived just now; quiet: none, but the feed moves; stale: the feed itself is silent; none: no tick yet.
 * @param {number | null} age  milliseconds since the last tick arrived
 * @param {FeedStatus | null} feed
 * @param {boolean} linkIsUp
 * @returns {"fresh" | "quiet" | "stale" | "none"}
 */
export function freshness(age, feed, linkIsUp) {
  if (age === null) return "none";
  const limit = feed?.channel === "AM" ? 75_000 : 5_000;
  if (!linkIsUp) return "stale";
  if (feed && feed.status !== "live" && feed.status !== "ended") return "stale";
  return age < limit ? "fresh" : "quiet";
}
