/** Which signals the list shows, in which order, and what it says of them. Run: node --test tests/web/browser/ */

import assert from "node:assert/strict";
import test from "node:test";

import { Catalog } from "../../../static/js/common/catalog.js";
import { contextLines, outcomeCells, qualityLines, sourceLines, timesOf } from "../../../static/js/signals/card_words.js";
import { confirmation } from "../../../static/js/signals/confirmation.js";
import { changesOf, DEFAULTS, filterFrom, passes } from "../../../static/js/signals/filter.js";
import { OlderSignals } from "../../../static/js/signals/older.js";
import { burstsOf, groupSignals } from "../../../static/js/signals/signal_groups.js";

const signal = (fields = {}) => ({
  type: "streaming_pattern", seq: 1, id: "A:1min:Doji:0", symbol: "A", pattern: "Doji", direction: "neutral", state: "confirmed", timeframe: "1min",
  session: "regular", origin: "live", quality: 0.5, price: 10, bar_timestamp: 0, detection_timestamp: 60_040, details: {}, ...fields,
});
const alert = (fields = {}) => signal({
  type: "indicator_alert", id: "A:1min:RSI_OVERBOUGHT:RSI_14:0", pattern: undefined, quality: undefined, price: undefined, state: undefined,
  alert: "RSI_OVERBOUGHT", indicator: "RSI_14", value: 70.4, threshold: 70, direction: "bearish", ...fields,
});
const everything = () => true;
const ids = (groups) => groups.map((group) => group.signals.map((each) => each.id));

test("signals of one symbol, timeframe and bar are one group, bullish beside bearish, forming last", () => {
  const all = [
    signal({ id: "1", direction: "bearish" }), signal({ id: "2", direction: "bullish" }), signal({ id: "3", state: "forming", direction: "bullish" }),
    signal({ id: "4", timeframe: "5min" }), alert({ id: "5" }), signal({ id: "6", bar_timestamp: 60_000 }),
  ];
  const { groups, shown, total } = groupSignals(all, everything);
  assert.deepEqual(ids(groups).map((group) => group.join("")).sort(), ["2153", "4", "6"]);
  assert.deepEqual([shown, total], [6, 6]);
});

test("within one close the order is confirmed before forming, then relative volume, then rank", () => {
  const all = [
    signal({ id: "1", symbol: "A", quality: 0.9 }), signal({ id: "2", symbol: "B", quality: 0.2 }), signal({ id: "3", symbol: "C", quality: 0.3 }),
    signal({ id: "4", symbol: "D", state: "forming", quality: 1 }), signal({ id: "5", symbol: "E", detection_timestamp: 125_000 }),
    signal({ id: "6", symbol: "F", detection_timestamp: 60_900, quality: 0.1 }),
  ];
  const volumes = { A: 0.5, B: 3.4, D: 9, F: 3.4 };
  const { groups } = groupSignals(all, everything, { volumeOf: ({ symbol }) => volumes[symbol] ?? 0, rankOf: ({ quality }) => quality });
  assert.deepEqual(groups.map((group) => group.symbol), ["E", "B", "F", "A", "C", "D"]);
  assert.deepEqual(burstsOf(groups).map((burst) => [burst.groups.length, burst.signals, burst.neutral]), [[1, 1, 1], [5, 5, 5]]);
});

const catalog = new Catalog({
  thinned_timeframes: ["1min"],
  enabled: {},
  entries: [
    { name: "Doji", kind: "candlestick", shown_from: 0.5, quality_quantiles: [0, 0.5, 1] },
    { name: "ShortLine", kind: "candlestick", shown_from: null, quality_quantiles: [0, 1] },
    { name: "RSI_OVERBOUGHT", kind: "alert", shown_from: 0, quality_quantiles: null },
  ],
});
const at = { watch: new Set(["A"]), selected: "B", quotes: new Map([["A", { price: 12, dollars: 2e6 }], ["C", { price: 0.5, dollars: null }]]), catalog };
const open = { ...DEFAULTS, scope: "all", rank: "0", confirmed: false, price: 0, dollars: 0 };
const shown = (one, filter, around = at) => passes(one, { ...open, ...filter }, around);

test("each choice of the filter hides what it says and nothing else", () => {
  for (const [filter, passing, hidden] of [
    [{}, signal({ state: "void" }), null],
    [{ scope: "watch" }, signal(), signal({ symbol: "B" })],
    [{ scope: "selected" }, signal({ symbol: "B" }), signal()],
    [{ kind: "alert" }, alert(), signal()],
    [{ kind: "pattern" }, signal(), alert()],
    [{ patterns: ["RSI_OVERBOUGHT"] }, alert(), signal()],
    [{ direction: "bearish" }, alert(), signal()],
    [{ session: "pre" }, signal({ session: "pre" }), signal()],
    [{ timeframe: "5min" }, signal({ timeframe: "5min" }), signal()],
    [{ confirmed: true }, alert(), signal({ state: "forming" })],
    [{ confirmed: true }, signal(), signal({ state: "void" })],
    [{ price: 5 }, signal({ price: 5 }), signal({ price: 4.99 })],
    [{ rank: "0.75" }, signal({ quality: 0.75 }), signal({ quality: 0.74 })],
    [{ rank: "0.75" }, alert(), null],
    [{ rank: "best" }, signal({ quality: 0.5 }), signal({ quality: 0.4 })],
    [{ rank: "best" }, signal({ quality: 0.5, state: "forming" }), signal({ quality: 0.4, state: "forming" })],
    [{ rank: "best" }, signal({ pattern: "NotKnown" }), signal({ pattern: "ShortLine", quality: 1 })],
    [{ rank: "best", patterns: ["ShortLine"] }, signal({ pattern: "ShortLine", quality: 0 }), signal({ quality: 1 })],
  ]) {
    assert.equal(shown(passing, filter), true, JSON.stringify(filter));
    if (hidden) assert.equal(shown(hidden, filter), false, JSON.stringify(filter));
  }
});

test("price and dollar volume are the symbol's where the signal has none, and hide nothing where they are not known", () => {
  assert.equal(shown(alert({ symbol: "C" }), { price: 1 }), false);
  assert.equal(shown(alert({ symbol: "C", indicator: "close", value: 2 }), { price: 1 }), true);
  assert.equal(shown(alert({ symbol: "NEW" }), { price: 1, dollars: 1e6 }), true);
  assert.equal(shown(signal(), { dollars: 2e6 }), true);
  assert.equal(shown(signal(), { dollars: 2e6 + 1 }), false);
  assert.equal(shown(signal({ symbol: "C" }), { dollars: 1e9 }), true);
});

test("without a catalogue no rank hides anything", () => {
  assert.equal(shown(signal({ quality: 0 }), { rank: "best" }, { ...at, catalog: null }), true);
});

test("a kept filter is read as far as it makes sense", () => {
  const kept = { ...DEFAULTS, scope: "all", patterns: ["Doji"], price: 2.5, confirmed: false };
  assert.deepEqual(filterFrom(JSON.stringify(kept)), kept);
  assert.deepEqual(changesOf(kept), ["scope", "patterns", "price", "confirmed"]);
  for (const rubbish of [null, "", "{", "7", "null", "[]", '"x"', '{"scope": 5, "patterns": "Doji", "price": -1, "dollars": "1", "confirmed": 1, "rank": "toString"}',
    '{"patterns": [1], "price": null, "direction": {"a": 1}, "__proto__": {"scope": "all"}, "more": 1}', JSON.stringify({ price: NaN, timeframe: "constructor" })]) {
    assert.deepEqual(filterFrom(rubbish), DEFAULTS, String(rubbish));
    assert.deepEqual(changesOf(filterFrom(rubbish)), []);
  }
  assert.deepEqual(changesOf(filterFrom('{"scope": "all", "direction": "sideways"}')), ["scope"]);
});

/** Two lists in the database, and pages of them as the server answers. */
function servedBy(patterns, alerts, page) {
  const lists = { patterns, alerts };
  return async (path) => {
    const name = path.slice(5, path.indexOf("?"));
    const asked = new URL(path, "http://x").searchParams;
    const rows = lists[name].filter((row) => row.detection_timestamp < Number(asked.get("to")));
    const from = Number(asked.get("next") ?? 0);
    const next = from + page < rows.length ? String(from + page) : null;
    return { ok: true, json: async () => ({ [name]: rows.slice(from, from + page), next }) };
  };
}

test("pages of two lists become one list in order, each signal once, whatever the lists hold", async () => {
  let state = 7;
  const below = (most) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % most;
  for (let round = 0; round < 200; round += 1) {
    const made = (kind) => Array.from({ length: below(40) }, (_, number) => signal({ id: `${kind}${number}`, detection_timestamp: below(60) }))
      .sort((a, b) => b.detection_timestamp - a.detection_timestamp);
    const [patterns, alerts] = [made("p"), made("a")];
    const before = below(60);
    globalThis.fetch = servedBy(patterns, alerts, 1 + below(12));
    const older = new OlderSignals();
    const told = [];
    for (let load = 0; older.state === "more" && load < 200; load += 1) {
      await older.load(before);
      const all = [...older.signals.values()];
      assert.ok(all.length >= told.length);
      const fresh = all.slice(told.length);
      const newest = Math.max(...fresh.map((each) => each.detection_timestamp));
      assert.ok(told.every((each) => each.detection_timestamp >= newest), `round ${round}: nothing older than what comes later`);
      told.push(...fresh);
    }
    assert.equal(older.state, "end");
    const wanted = [...patterns, ...alerts].filter((each) => each.detection_timestamp <= before).map((each) => each.id);
    assert.deepEqual(told.map((each) => each.id).sort(), wanted.sort());
  }
});

test("a page that fails is asked for again, and what is in memory already is not doubled", async () => {
  const older = new OlderSignals();
  const confirmed = signal({ id: "same", state: "confirmed", detection_timestamp: 5 });
  older.keep([confirmed]);
  globalThis.fetch = async () => {
    throw new TypeError("Failed to fetch");
  };
  await older.load(5);
  assert.equal(older.problem, "TickStock does not answer; try again in a moment");
  globalThis.fetch = async () => ({ ok: false, status: 503, json: async () => ({}) });
  await older.load(5);
  assert.match(older.problem, /503/);
  assert.equal(older.state, "more");
  globalThis.fetch = servedBy([signal({ id: "same", state: "forming", detection_timestamp: 5 }), signal({ id: "old", detection_timestamp: 4 })], [], 10);
  await older.load(5);
  assert.equal(older.problem, "");
  assert.deepEqual([...older.signals.values()].map((each) => [each.id, each.state]), [["same", "confirmed"], ["old", "confirmed"]]);
});

test("a forming pattern says by which close it would be confirmed", () => {
  const line = (name, end) => ({ name, points: [{ timestamp: 0, price: 1 }, { timestamp: 1, price: end }] });
  const forming = (pattern, details) => confirmation(signal({ pattern, details, state: "forming" }));
  assert.equal(forming("HeadShoulders", { neckline: 101.23 }), "a close below 101.23, the neckline");
  assert.equal(forming("DoubleBottom", { level: 0.5 }), "a close above 0.5000, the peak between the troughs");
  assert.equal(forming("BullFlag", { level: 97.13 }), "a close above 97.13, the flag");
  assert.equal(forming("RisingWedge", { level: 12 }), "a close below 12.00, its lower line");
  const lines = [line("upper", 102), line("lower", 99.5)];
  assert.equal(forming("SymmetricalTriangle", { lines }), "a close above 102.00 or below 99.50");
  assert.equal(forming("AscendingTriangle", { lines, level: 102 }), "a close above 102.00 or below 99.50");
  for (const details of [undefined, {}, { lines: 5 }, { lines: [null, { name: "upper" }] }, { level: "x" }]) {
    assert.equal(forming("TripleTop", details), "a close below the lower of its troughs");
    assert.equal(forming("Unheard", details), "a close beyond its line");
  }
  assert.equal(confirmation(signal()), "");
});

test("the card tells quality without promising, and the surroundings in words", () => {
  const [quality, rank] = qualityLines(signal({ quality: 0.82 }), 0.976);
  assert.match(quality[1], /82 %.*not a probability/);
  assert.match(rank[1], /^97 %/);
  assert.match(qualityLines(signal(), 0.29)[1][1], /^29 % /); // 0.29 * 100 is a little less
  assert.deepEqual(qualityLines(alert(), null), [["Values", "RSI_14 70.40 against 70"]]);
  const told = Object.fromEntries(contextLines(signal({
    session: "pre", origin: "repair", details: { after_gap: true, bar_revised: true, trend_before: "against", volume_ratio: 2.34, day_position: 0.75 },
  })));
  assert.match(told["After a gap"], /five minutes/);
  assert.match(told["Corrected later"], /stays/);
  assert.match(told.Trend, /against/);
  assert.match(told.Volume, /^2\.3 times/);
  assert.match(told["Day's range"], /75 %/);
  assert.deepEqual(sourceLines(signal({ session: "pre", origin: "repair" })).map(([, words]) => words), [
    "pre-market", "repair: found when a minute was processed after an outage.",
  ]);
  assert.equal(told.Void, undefined);
});

test("the card's three times tell how long each step took", () => {
  const steps = timesOf(signal({ bar_timestamp: 0, detection_timestamp: 60_040, arrived: 60_072 }), false);
  assert.deepEqual(steps.map(({ what, time, after }) => [what, time, after]), [
    ["Bar closed", 60_000, ""], ["Detected", 60_040, "+0.04 s"], ["Shown", 60_072, "+0.03 s"],
  ]);
  assert.match(timesOf(signal({ arrived: 600_000 }), false)[2].why, /opened/);
  assert.equal(timesOf(signal({ arrived: 60_072 }), true)[1].after, "");
  assert.equal(timesOf(signal(), false)[2].time, 0);
});

test("what followed is told with its doubts", () => {
  const row = { horizon: 5, events: 12, rate: 0.583, base_rate: 0.5, too_few: true, interval: null, edge: false };
  assert.deepEqual(outcomeCells(row), ["5 bars", "12", "58.3 %", "50.0 %", "too few to say"]);
  assert.equal(outcomeCells({ ...row, too_few: false, interval: [-0.02, 0.05] })[4], "difference -2.0 % to 5.0 %");
  assert.equal(outcomeCells({ ...row, horizon: 1, too_few: false, rate: null, mean_size: 0.001, base_size: 0.002 })[2], "moved 0.1 %");
});
