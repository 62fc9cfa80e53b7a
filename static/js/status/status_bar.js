/** The status bar, the clock and the badge: words from the messages, never a colour alone. */

import { LINK_SILENT_MS } from "../link/freshness.js";
import { rate, whole } from "../common/figures.js";
import { clockAt } from "../common/new_york_time.js";
import { byId, setData, setText } from "../common/page.js";
import { SESSIONS, SOURCES } from "../common/words.js";

/** @import { FeedStatus, Health } from "../link/messages.js" */
/** @import { Store } from "../link/store.js" */
/** @import { Watchlist } from "../watchlist/watchlist.js" */

const FEED_WORDS = /** @type {Record<string, [string, string]>} */ ({
  connecting: ["Connecting", "wait"],
  live: ["Active", "good"],
  silent: ["Silent", "bad"],
  reconnecting: ["Reconnecting", "bad"],
  stopped: ["Stopped", "bad"],
  ended: ["Ended", "wait"],
});
const HEALTH_WORDS = /** @type {Record<string, [string, string]>} */ ({
  healthy: ["Healthy", "good"],
  degraded: ["Degraded", "warn"],
  stopped: ["PL stopped", "bad"],
  waiting: ["Waiting for PL", "wait"],
  down: ["PL down", "bad"],
});
const BADGES = /** @type {Record<string, string>} */ ({ simulated: "SIMULATED", replay: "REPLAY" });

export class StatusBar {
  /** @param {Store} store @param {Watchlist} watchlist */
  constructor(store, watchlist) {
    this.store = store;
    this.watchlist = watchlist;
    this.parts = Object.fromEntries(
      ["feed-state", "feed-source", "symbols-summary", "tick-rate", "health-state", "issues", "source-badge", "session", "time"].map((id) => [id, byId(id)]),
    );
  }

  /** @param {number} now the browser's time */
  draw(now) {
    const { feed, health, link } = this.store;
    const isUp = link === "live" && now - this.store.heard < LINK_SILENT_MS;
    if (!isUp && link === "live") this.state("feed-state", ["No word from server", "bad"]);
    else if (link !== "live") this.state("feed-state", link === "lost" ? ["Link lost", "bad"] : ["Connecting", "wait"]);
    else this.state("feed-state", FEED_WORDS[feed?.status ?? "connecting"] ?? [feed?.status ?? "", "wait"]);
    setText(this.parts["feed-source"], feed ? sourceText(feed) : "");
    this.parts["feed-source"].title = feed?.detail ?? "";
    const { total, fresh, quiet, stale, none } = this.watchlist.counts;
    const waiting = none ? `, ${whole(none)} without a tick` : "";
    setText(this.parts["symbols-summary"], `${whole(total)} symbols, ${whole(fresh)} fresh, ${whole(quiet)} quiet, ${whole(stale)} stale${waiting}`);
    setText(this.parts["tick-rate"], !isUp || feed?.ticks_per_second == null ? "" : `${rate(feed.ticks_per_second)} ticks/s`);
    this.state("health-state", isUp || !health ? healthWords(health) : ["Health unknown", "wait"]);
    setText(this.parts.issues, isUp ? issuesBeside(feed, health).join("; ") : "");
    this.drawBadge(feed);
    this.drawClock();
  }

  /** @param {string} id @param {[string, string]} words */
  state(id, [text, level]) {
    setText(this.parts[id], text);
    setData(this.parts[id], "level", level);
  }

  /** @param {FeedStatus | null} feed */
  drawBadge(feed) {
    const badge = feed ? (BADGES[feed.source] ?? (feed.delay_ms ? `DELAYED ${Math.round(feed.delay_ms / 60_000)} min` : "")) : "";
    this.parts["source-badge"].hidden = !badge;
    setText(this.parts["source-badge"], badge);
  }

  drawClock() {
    const { session } = this.store;
    const time = session?.time ?? this.store.now();
    setText(this.parts.session, SESSIONS[session?.name ?? "unknown"] ?? "");
    const day = session?.time ? `${session.trading_day} ` : ""; // a recorded or virtual day says which
    setText(this.parts.time, day + clockAt(time));
  }
}

/**
 * What the banners do not say: TickStockPL being down and a feed that is away have banners of their own.
 * @param {FeedStatus | null} feed
 * @param {Health | null} health
 * @returns {string[]}
 */
function issuesBeside(feed, health) {
  if (!health || health.status === "down") return [];
  return feed && feed.status !== "live" ? health.issues.filter((issue) => !issue.startsWith("the feed")) : health.issues;
}

/** @param {Health | null} health @returns {[string, string]} the word and its level */
function healthWords(health) {
  if (health?.status === "degraded" && health.issues.some((issue) => issue.startsWith("warming up"))) return ["Warming up", "wait"];
  return HEALTH_WORDS[health?.status ?? "waiting"] ?? [health?.status ?? "", "wait"];
}

/** @param {FeedStatus} feed @returns {string} Simulated (A, +2.1 s) */
function sourceText(feed) {
  const lag = feed.lag_ms == null ? "" : `, +${(feed.lag_ms / 1000).toFixed(1)} s`;
  return `${SOURCES[feed.source] ?? feed.source} (${feed.channel}${lag})`;
}
