/** Small pure parts of the pages: preferences, the page's state, the latency of its frames, the sentence that is spoken. */

import assert from "node:assert/strict";
import test from "node:test";

import { KEYS } from "../../../static/js/common/keyboard.js";
import { Preferences } from "../../../static/js/common/preferences.js";
import { zoneAt } from "../../../static/js/common/new_york_time.js";
import { digestOf } from "../../../static/js/status/digest.js";
import { pageState } from "../../../static/js/status/page_state.js";
import { Store } from "../../../static/js/link/store.js";
import { PixelLatency } from "../../../static/js/status/pixel_latency.js";

class Memory {
  constructor(held = {}) {
    this.held = new Map(Object.entries(held));
  }
  getItem(key) {
    return this.held.get(key) ?? null;
  }
  setItem(key, text) {
    this.held.set(key, text);
  }
}

class Refusing {
  getItem() {
    throw new Error("refused");
  }
  setItem() {
    throw new Error("refused");
  }
}

test("choices are kept, read again, and told to who listens", () => {
  const storage = new Memory();
  const one = new Preferences(storage);
  let told = 0;
  one.onChange(() => (told += 1));
  one.set("theme", "dark");
  one.set("volume", 0.25);
  one.set("chosen", ["Hammer", "RSI_OVERBOUGHT"]);
  one.set("keys", false);
  assert.equal(told, 4);
  const other = new Preferences(storage);
  assert.deepEqual(["theme", "volume", "chosen", "keys"].map((name) => other.get(name)), ["dark", 0.25, ["Hammer", "RSI_OVERBOUGHT"], false]);
  one.set("theme", "light");
  assert.equal(other.get("theme"), "dark");
  other.heard("tickstock.theme");
  assert.equal(other.get("theme"), "light");
});

test("without storage choices last as long as the page, and rubbish in it is the default", () => {
  for (const storage of [null, new Refusing()]) {
    const preferences = new Preferences(storage);
    assert.equal(preferences.get("palette"), "safe");
    preferences.set("palette", "classic");
    assert.equal(preferences.get("palette"), "classic");
  }
  const rubbish = { theme: "pink", palette: "", zone: "{}", keys: "yes", sound: "1", volume: "NaN", chosen: "<img>,,a b", muted: "null" };
  const preferences = new Preferences(new Memory(Object.fromEntries(Object.entries(rubbish).map(([name, text]) => [`tickstock.${name}`, text]))));
  assert.deepEqual(Object.keys(rubbish).map((name) => preferences.get(name)), ["system", "safe", "market", true, false, 0.5, [], false]);
});

test("every key has one meaning and words", () => {
  const keys = KEYS.flatMap((entry) => entry.keys);
  assert.equal(new Set(keys).size, keys.length);
  for (const { shown, words } of KEYS) assert.ok(shown.length && words);
});

test("a zone is labelled by its short name of that day", () => {
  const [winter, summer] = [Date.UTC(2026, 0, 15), Date.UTC(2026, 6, 15)];
  const named = (zone) => [zoneAt(winter, zone), zoneAt(summer, zone)];
  assert.deepEqual(named("America/New_York"), ["ET", "ET"]);
  assert.deepEqual(named("America/Los_Angeles"), ["PST", "PDT"]);
  assert.deepEqual(named("Europe/Berlin"), ["CET", "CEST"]);
  assert.deepEqual(named("Asia/Tokyo"), ["GMT+9", "GMT+9"]);
});

const NOW = 1_800_000_000_000;
const store = (fields = {}) => Object.assign(new Store(), {
  link: "live", linkSince: NOW - 9000, heard: NOW - 100, paused: 0, session: { name: "regular" },
  feed: { status: "live", source: "massive", since: NOW - 60_000, channel: "A" }, health: { status: "healthy", issues: [] }, ...fields,
});

test("the page's state tells the link's before the data's", () => {
  const feed = (status) => ({ status, since: NOW - 5000 });
  const closed = { name: "closed", opens: NOW + 3_600_000 };
  const cases = [
    [{}, "LIVE"],
    [{ link: "connecting", feed: null, health: null, session: null }, "CONNECTING"],
    [{ link: "snapshot" }, "SNAPSHOT"],
    [{ link: "lost" }, "RECONNECTING"],
    [{ heard: NOW - 3600 }, "STALE"],
    [{ link: "lost", feed: feed("silent") }, "RECONNECTING"],
    [{ feed: feed("silent") }, "STALE"],
    [{ feed: feed("reconnecting") }, "STALE"],
    [{ feed: feed("stopped") }, "STALE"],
    [{ feed: feed("connecting") }, "CONNECTING"],
    [{ feed: feed("ended"), session: closed }, "ENDED"],
    [{ session: closed }, "CLOSED"],
    [{ session: closed, feed: feed("silent") }, "CLOSED"],
    [{ session: closed, feed: feed("reconnecting") }, "STALE"],
    [{ health: null }, "DEGRADED"],
    [{ health: { status: "down", issues: ["TickStockPL has stopped reporting"] } }, "DEGRADED"],
  ];
  for (const [fields, word] of cases) {
    const found = pageState(store(fields), NOW);
    assert.equal(found.word, word, JSON.stringify(fields));
    assert.ok(found.why.endsWith("."), found.why);
  }
  assert.match(pageState(store({ session: closed }), NOW).why, /It opens \w+, \w+ \d+ at \d\d:\d\d ET\./);
});

test("a tick's way to the screen is told of the last minute, whatever the clocks say", () => {
  for (const difference of [0, -7_200_000, 90_000]) {
    const latency = new PixelLatency();
    for (let frame = 0; frame < 1000; frame += 1) {
      const at = NOW + frame * 100;
      const way = frame % 100 === 0 ? 80 : 20;
      const transit = 1 + (frame % 5);
      latency.add(at, at + difference - way, difference - transit);
    }
    const { p50, p99, frames } = latency.figures(NOW + 99_900);
    assert.equal(frames, 600);
    assert.ok(p50 >= 18 && p50 <= 20, `${p50}`);
    assert.ok(p99 >= 18 && p99 <= 80, `${p99}`);
    assert.equal(latency.figures(NOW + 200_000), null);
  }
});

test("a frame that waited in a hidden tab, or tells no tick, is not measured", () => {
  const latency = new PixelLatency();
  latency.add(NOW, 0, 0);
  latency.add(NOW, NOW - 60_000, 0);
  assert.equal(latency.figures(NOW), null);
});

test("the digest says how many, which way, and the best", () => {
  const signal = (symbol, direction, pattern, rank) => ({ symbol, direction, pattern, rank });
  const rank = (each) => each.rank;
  const three = [signal("A", "bullish", "Hammer", 0.4), signal("B", "bearish", "HeadShoulders", 0.96), signal("C", "bullish", "Engulfing", 0.9)];
  assert.equal(digestOf(three, rank), "3 new signals: 2 bullish, 1 bearish. Best: B Head and shoulders, bearish, rank 96 %.");
  assert.equal(digestOf(three.slice(0, 1), rank), "New signal: A Hammer, bullish, rank 40 %.");
  assert.equal(digestOf([signal("A", "bullish", "Hammer", 0.29)], rank), "New signal: A Hammer, bullish, rank 29 %.");
  const alerts = [{ symbol: "A", direction: "bullish", alert: "GAP_UP" }, { symbol: "B", direction: "neutral", alert: "GAP_UP" }];
  assert.equal(digestOf(alerts, () => null), "2 new signals: 1 bullish, 1 neutral. One of them: A Gap up, bullish.");
});
