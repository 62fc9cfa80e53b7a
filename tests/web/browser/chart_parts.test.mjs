/** The chart's pure parts: computed values, marks, lines of patterns, the axis of time. */

import assert from "node:assert/strict";
import test from "node:test";
import { Catalog } from "../../../static/js/common/catalog.js";
import { figureOf, MOST_MARKS, marksOf, wantedSignals } from "../../../static/js/chart/marks.js";
import { completed } from "../../../static/js/chart/studies.js";
import { waitingFor } from "../../../static/js/chart/waiting.js";
import { barTime, isExtended, marketDay, tickText, weightOf } from "../../../static/js/chart/time_axis.js";

const MINUTE = 60_000;
const CLOSES = [
  100, 101.5, 101, 102.25, 103, 102.5, 101.75, 102, 103.5, 104.25, 103.75, 104.5, 105, 104, 103.25,
  102.5, 103, 104.75, 105.5, 106, 105.25, 104.5, 105, 106.25, 107, 106.5, 105.75, 106, 107.5, 108,
];
const BARS = CLOSES.map((close, at) => ({ time: at * MINUTE, open: close, high: close + 1, low: close - 1, close, volume: 100 + at }));
const day = (time) => (time < 20 * MINUTE ? "first" : "second");

test("values of bars of which none are stored are those of TA-Lib", () => {
  const wanted = { // by TA-Lib 0.6, of the last bars
    SMA_5: [106.3, 106.55, 106.75], EMA_5: [105.987922, 106.491948, 106.994632], RSI_5: [55.998515, 72.052814, 75.7408],
    BB_UPPER_5_2: [108.482051], BB_MIDDLE_5_2: [106.75], BB_LOWER_5_2: [105.017949],
    MACD_3_6_4: [0.54366], MACD_SIGNAL_3_6_4: [0.395745], MACD_HIST_3_6_4: [0.147915],
  };
  const values = completed(Object.keys(wanted), BARS, new Map(), day);
  for (const [name, last] of Object.entries(wanted)) {
    last.forEach((value, at) => {
      const found = values.get((BARS.length - last.length + at) * MINUTE)[name];
      assert.ok(Math.abs(found - value) < (name.startsWith("MACD") ? 5e-3 : 1e-6), `${name}: ${found}, not ${value}`); // MACD begins otherwise
    });
  }
  assert.equal(values.get(4 * MINUTE).RSI_5, undefined);
  assert.ok(Math.abs(values.get(5 * MINUTE).RSI_5 - 77.777778) < 1e-6);
});

test("the volume weighted price begins anew each day, and stored values stay as they are", () => {
  const stored = new Map([[29 * MINUTE, { VWAP: 7 }]]);
  const values = completed(["VWAP", "ATR_14"], BARS, stored, day);
  assert.equal(values.get(0).VWAP, 100);
  assert.equal(values.get(20 * MINUTE).VWAP, 105.25);
  assert.deepEqual(values.get(29 * MINUTE), { VWAP: 7 });
  assert.deepEqual(Object.keys(values.get(28 * MINUTE)), ["VWAP"]); // what cannot be computed here is absent
  assert.equal(completed(["VWAP"], BARS.slice(29), stored, day), stored);
});

const catalog = new Catalog({
  entries: [
    { name: "Hammer", kind: "candlestick", family: "reversal", shown_from: 0.5, quality_quantiles: [0, 1] },
    { name: "DoubleTop", kind: "chart_pattern", family: "reversal", shown_from: 0, quality_quantiles: [0, 1] },
    { name: "RSI_OVERBOUGHT", kind: "alert", family: "level", shown_from: 0, quality_quantiles: null },
  ],
  thinned_timeframes: ["1min"], enabled: {},
});
const signal = (fields) => ({
  id: JSON.stringify(fields), symbol: "A", timeframe: "1min", pattern: "Hammer", direction: "bullish", state: "confirmed", quality: 0.8, bar_timestamp: 0, ...fields,
});
const ALL = { patterns: true, alerts: true, best: false };

test("marks have the shape of their family, bullish ones below the bar, the better ones nearer to it", () => {
  const signals = [
    signal({ quality: 0.2 }), signal({ quality: 0.9 }), signal({ pattern: "DoubleTop", direction: "bearish" }),
    signal({ pattern: undefined, alert: "RSI_OVERBOUGHT", direction: "bearish", quality: undefined }), signal({ pattern: "Unheard", direction: "neutral" }),
    signal({ bar_timestamp: 5 * MINUTE }),
  ];
  const { marks, total } = marksOf(signals, { from: 0, to: MINUTE }, catalog);
  assert.equal(total, 5);
  assert.deepEqual(
    marks.map(({ signal: { quality, direction }, shape, above, level }) => [quality, direction, shape, above, level]),
    [[0.9, "bullish", "reversal", false, 0], [0.8, "bearish", "chart", true, 0], [0.8, "neutral", "indecision", true, 1],
      [undefined, "bearish", "alert", true, 2], [0.2, "bullish", "reversal", false, 1]],
  );
});

test("of too many marks the best are shown, and how many there are is told", () => {
  const signals = Array.from({ length: MOST_MARKS + 200 }, (_, at) => signal({ bar_timestamp: at * MINUTE, quality: at / 1000 }));
  const { marks, total } = marksOf(signals, { from: 0, to: Infinity }, catalog);
  assert.equal(total, MOST_MARKS + 200);
  assert.equal(marks.length, MOST_MARKS);
  assert.ok(marks.every((mark) => mark.signal.quality >= 0.2));
});

test("the best are what the catalogue calls so, and what is forming; patterns and alerts can be left out", () => {
  const [good, poor] = [signal({ quality: 0.8 }), signal({ quality: 0.3 })];
  const [forming, gone] = ["forming", "void"].map((state) => signal({ pattern: "DoubleTop", state, quality: 0.1 }));
  const alert = signal({ pattern: undefined, alert: "RSI_OVERBOUGHT", state: undefined });
  const signals = [good, poor, forming, gone, alert];
  assert.deepEqual(wantedSignals(signals, { ...ALL, best: true }, catalog), [good, forming, alert]);
  assert.deepEqual(wantedSignals(signals, { ...ALL, patterns: false }, catalog), [alert]);
  assert.deepEqual(wantedSignals(signals, { ...ALL, alerts: false }, catalog), [good, poor, forming, gone]);
});

test("lines of a chart pattern are read from its details, and what is none is left out", () => {
  const ends = [{ timestamp: 0, price: 10 }, { timestamp: MINUTE, price: 11 }];
  const details = { lines: [{ name: "level", points: ends }, { points: [ends[0]] }, { points: [{ timestamp: "x" }, ends[1]] }, null], points: [...ends, {}], target: 8 };
  assert.deepEqual(figureOf(signal({ details })), { lines: [ends], points: ends, target: 8, direction: "bullish" });
  assert.equal(figureOf(signal({ details: { target: 8 } })), null);
  assert.equal(figureOf(signal({})), null);
  assert.equal(figureOf(null), null);
});

const at = (text) => Date.parse(text);

test("the axis marks New York's days and hours, also where a bar lacks", () => {
  assert.equal(weightOf(at("2026-11-24T01:00Z"), at("2026-11-24T00:59Z"), false), 30); // 20:00 there: no new day
  assert.equal(weightOf(at("2026-11-24T14:30Z"), at("2026-11-23T20:59Z"), false), 50);
  assert.equal(weightOf(at("2026-11-24T17:03Z"), at("2026-11-24T16:58Z"), false), 33); // noon, though nothing traded at it
  assert.equal(weightOf(at("2026-11-24T15:31Z"), at("2026-11-24T15:30Z"), false), 20);
  assert.equal(tickText(at("2026-11-24T14:30Z"), 2), "Nov 24");
  assert.equal(tickText(at("2026-11-24T14:30Z"), 3), "09:30");
  assert.equal(barTime(at("2026-11-24T14:30Z"), false), "Nov 24 09:30 ET");
});

test("day bars are dates, with months and years", () => {
  assert.equal(weightOf(at("2026-11-24T14:30Z"), at("2026-11-23T14:30Z"), true), 50);
  assert.equal(weightOf(at("2026-12-01T14:30Z"), at("2026-11-30T14:30Z"), true), 60);
  assert.equal(weightOf(at("2027-01-04T14:30Z"), at("2026-12-31T14:30Z"), true), 70);
  assert.equal(tickText(at("2027-01-04T14:30Z"), 0), "2027");
  assert.equal(tickText(at("2026-12-01T14:30Z"), 1), "Dec");
  assert.equal(barTime(at("2026-11-24T14:30Z"), true), "Nov 24, 2026");
});

test("extended hours are the market's", () => {
  assert.deepEqual(["2026-11-24T14:29Z", "2026-11-24T14:30Z", "2026-11-24T20:59Z", "2026-11-24T21:00Z"].map((text) => isExtended(at(text))), [true, false, false, true]);
  assert.equal(marketDay(at("2026-11-24T00:59Z")), marketDay(at("2026-11-23T14:30Z")));
});

test("a chart without bars says what it waits for", () => {
  const store = {
    link: "live", linkSince: at("2026-11-24T15:00:07Z"), watch: ["AAPL"], watchlists: { unknown: ["XYZ"] },
    session: { name: "regular", starts: at("2026-11-24T14:30Z"), ends: at("2026-11-24T21:00Z") },
  };
  const wanted = { symbol: "AAPL", timeframe: "60min", problem: "", isLoading: false, start: at("2026-11-24T20:30Z") };
  const closed = { name: "closed", opens: at("2026-11-25T09:00Z") };
  assert.match(waitingFor(wanted, store), /^No 1h bars of AAPL yet.* The first bar closes at 16:00 ET\.$/);
  assert.match(waitingFor({ ...wanted, timeframe: "1min", start: at("2026-11-24T15:03:40Z") }, store), /closes at 10:04 ET/);
  assert.match(waitingFor({ ...wanted, timeframe: "1day", start: at("2026-11-24T14:30Z") }, store), /closes at 16:00 ET/);
  assert.match(waitingFor({ ...wanted, start: null }, { ...store, session: closed }), /The market opens Wed, Nov 25 04:00 ET\.$/);
  assert.match(waitingFor({ ...wanted, symbol: "XYZ" }, store), /unknown to the vendor/);
  assert.match(waitingFor({ ...wanted, symbol: "TSLA" }, store), /not in the watchlist/);
  assert.match(waitingFor({ ...wanted, isLoading: true }, store), /^Loading 1h bars of AAPL…$/);
  assert.match(waitingFor({ ...wanted, problem: "no disk" }, store), /could not be loaded: no disk$/);
  assert.match(waitingFor(wanted, { ...store, link: "lost" }), /away since 10:00:07 ET/);
  assert.match(waitingFor({ ...wanted, symbol: "" }, store), /^No symbol is watched/);
  assert.match(waitingFor({ ...wanted, symbol: "" }, { ...store, link: "connecting" }), /^Connecting/);
});
