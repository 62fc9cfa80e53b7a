/** The status bar, the clock and the badges: words from the messages, never a colour alone. */

import { rate, whole } from "../common/figures.js";
import { clockAt } from "../common/new_york_time.js";
import { byId, setData, setText } from "../common/page.js";
import { SESSIONS, SOURCES } from "../common/words.js";
import { pageState } from "./page_state.js";

/** @import { FeedStatus, Health } from "../link/messages.js" */
/** @import { Store } from "../link/store.js" */
/** @import { PixelLatency } from "./pixel_latency.js" */
/** @typedef {{total: number, fresh: number, quiet: number, stale: number, none: number}} Counts  of the watchlist's symbols */

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
const PARTS = [
  "feed-state", "feed-source", "symbols-summary", "tick-rate", "pixel-latency", "health-state", "issues", "page-state", "paused-badge",
  "source-badge", "delay-badge", "session", "time",
];
const FIGURES_EVERY_MS = 1000;

export class StatusBar {
  /** @param {Store} store @param {{counts: Counts}} watchlist @param {PixelLatency} latency */
  constructor(store, watchlist, latency) {
    this.store = store;
    this.watchlist = watchlist;
    this.latency = latency;
    this.figuresAt = 0;
    this.wasUp = false;
    this.parts = Object.fromEntries(PARTS.map((id) => [id, byId(id)]));
  }

  /** @param {number} now the browser's time */
  draw(now) {
    const { feed, health, link } = this.store;
    const isUp = this.store.isHeard(now);
    if (!isUp && link === "live") this.state("feed-state", ["No word from server", "bad"]);
    else if (link !== "live") this.state("feed-state", link === "lost" ? ["Link lost", "bad"] : ["Connecting", "wait"]);
    else this.state("feed-state", FEED_WORDS[feed?.status ?? "connecting"] ?? [feed?.status ?? "", "wait"]);
    setText(this.parts["feed-source"], feed ? sourceText(feed) : "");
    this.parts["feed-source"].title = feed?.detail ?? "";
    setText(this.parts["symbols-summary"], this.symbolsText());
    setText(this.parts["tick-rate"], !isUp || feed?.ticks_per_second == null ? "" : `${rate(feed.ticks_per_second)} ticks/s`);
    this.state("health-state", isUp || !health ? healthWords(health) : ["Health unknown", "wait"]);
    setText(this.parts.issues, isUp ? issuesBeside(feed, health).join("; ") : "");
    if (now - this.figuresAt >= FIGURES_EVERY_MS || isUp !== this.wasUp) this.drawLatency(now, isUp);
    this.wasUp = isUp;
    this.drawBadges(feed, now);
    this.drawClock();
  }

  /** @param {string} id @param {[string, string]} words */
  state(id, [text, level]) {
    setText(this.parts[id], text);
    setData(this.parts[id], "level", level);
  }

  symbolsText() {
    const { total, fresh, quiet, stale, none } = this.watchlist.counts;
    const waiting = none ? `, ${whole(none)} without a tick` : "";
    return `${whole(total)} symbols, ${whole(fresh)} fresh, ${whole(quiet)} quiet, ${whole(stale)} stale${waiting}`;
  }

  /** @param {number} now @param {boolean} isUp */
  drawLatency(now, isUp) {
    this.figuresAt = now;
    const figures = isUp ? this.latency.figures(now) : null;
    setText(this.parts["pixel-latency"], figures ? `${figures.p99} ms p99` : "");
    this.parts["pixel-latency"].title = figures
      ? `Tick to pixel: from a tick’s arrival at TickStock until this page had drawn it. Last minute: half within ${figures.p50} ms, 99 % within ${figures.p99} ms, in ${whole(figures.frames)} frames.`
      : "";
  }

  /** @param {FeedStatus | null} feed @param {number} now */
  drawBadges(feed, now) {
    const { word, level, why } = pageState(this.store, now);
    this.state("page-state", [word, level]);
    if (this.parts["page-state"].title !== why) this.parts["page-state"].title = why;
    setData(document.body, "state", word.toLowerCase());
    this.parts["paused-badge"].hidden = !this.store.paused;
    this.badge("source-badge", BADGES[feed?.source ?? ""] ?? "");
    this.badge("delay-badge", feed?.delay_ms ? `DELAYED ${Math.round(feed.delay_ms / 60_000)} min` : "");
  }

  /** @param {string} id @param {string} text */
  badge(id, text) {
    this.parts[id].hidden = !text;
    setText(this.parts[id], text);
  }

  drawClock() {
    const { session } = this.store;
    setText(this.parts.session, SESSIONS[session?.name ?? "unknown"] ?? "");
    const day = session?.time ? `${session.trading_day} ` : ""; // a recorded or virtual day says which
    setText(this.parts.time, day + clockAt(this.store.marketTime()));
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
