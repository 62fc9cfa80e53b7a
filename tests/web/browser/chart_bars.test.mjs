/** The chart's bars: whatever comes in whatever order, the chart is what the server stores, and no point before the last is updated. */

import assert from "node:assert/strict";
import test from "node:test";
import { BarSeries, difference, GRACE_MS, LENGTHS } from "../../../static/js/chart/bar_series.js";

const MINUTE = 60_000;
const START = 1_795_357_800_000; // 09:30 in New York
const SESSION = { name: "regular", trading_day: "2026-11-22", starts: START, ends: START + 390 * MINUTE };

const figures = (price, volume = 100) => ({ open: price, high: price + 1, low: price - 1, close: price + 0.5, volume });
const row = (minute, price, revision = 0) => ({ timestamp: START + minute * MINUTE, revision, ...figures(price) });
const shown = (series) => series.bars().map(({ time, close, forming }) => [(time - START) / MINUTE, close, forming]);

/** A series of the library, by its one rule. */
class Drawn {
  constructor() {
    this.points = [];
  }

  show(before, after) {
    const change = difference(before, after);
    if (change === "all") this.points = [...after];
    if (change !== "last") return;
    const last = after.at(-1);
    const newest = this.points.at(-1)?.time ?? -Infinity;
    assert.ok(last.time >= newest, "cannot update oldest data");
    if (last.time === newest) this.points.pop();
    this.points.push(last);
  }
}

/** Random numbers that are the same in every run. */
function randomFrom(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The server's side: one-minute bars with revisions, and the longer ones made of them. */
function makeMarket(random, minutes, length) {
  const stored = new Map();
  for (let minute = 0; minute < minutes; minute += 1) {
    if (random(8)) stored.set(minute, row(minute, 100 + random(20)));
  }
  const merged = () => {
    const bars = new Map();
    for (const bar of [...stored.values()].sort((a, b) => a.timestamp - b.timestamp)) {
      const timestamp = bar.timestamp - ((bar.timestamp - START) % length);
      const begun = bars.get(timestamp);
      bars.set(timestamp, begun
        ? { ...begun, high: Math.max(begun.high, bar.high), low: Math.min(begun.low, bar.low), close: bar.close, volume: begun.volume + bar.volume, revision: begun.revision + bar.revision }
        : { ...bar, timestamp });
    }
    return [...bars.values()];
  };
  return { stored, merged };
}

function runSchedule(seed, timeframe) {
  const random = randomFrom(seed);
  const minutes = 30;
  const market = makeMarket(random, minutes, LENGTHS[timeframe]);
  const series = new BarSeries(timeframe);
  const drawn = new Drawn();
  series.learn(SESSION);
  let before = [];
  const draw = () => {
    const after = series.bars();
    drawn.show(before, after);
    assert.deepEqual(drawn.points, after);
    assert.ok(after.every((bar, at) => !at || bar.time > after[at - 1].time), "in order, and none twice");
    before = after;
  };
  for (let step = 0; step < 200; step += 1) {
    const minute = random(minutes);
    const bar = market.stored.get(minute);
    switch (random(6)) {
      case 0: // running, perhaps long past, perhaps of a minute that never gets a bar
        series.takeMinute({ timestamp: START + minute * MINUTE, ...figures(90 + random(40)) });
        break;
      case 1: // closed, late or again
        if (bar) series.takeClosedMinute(bar);
        break;
      case 2: {
        const closed = market.merged()[random(minutes) % market.merged().length];
        series.takeClosed(closed.timestamp, closed);
        break;
      }
      case 3: // corrected
        if (bar) market.stored.set(minute, { ...bar, ...figures(80 + random(60)), revision: bar.revision + 1 });
        break;
      case 4: { // some of what is stored, asked for in the middle
        const from = START + random(minutes) * MINUTE;
        series.takeStored(market.merged().filter(({ timestamp }) => timestamp >= from).reverse(), from, from + random(40) * MINUTE);
        break;
      }
      default:
        series.takeStoredMinutes([...market.stored.values()].reverse(), START, START + random(40) * MINUTE);
    }
    if (random(3)) draw();
  }
  const late = START + minutes * MINUTE + LENGTHS[timeframe] + GRACE_MS;
  series.takeStored(market.merged().reverse(), -Infinity, late);
  draw();
  assert.deepEqual(
    drawn.points.map(({ time, open, high, low, close, volume, forming }) => ({ time, open, high, low, close, volume, forming })),
    market.merged().map(({ timestamp: time, open, high, low, close, volume }) => ({ time, open, high, low, close, volume, forming: false })),
  );
}

test("after any schedule the chart is what the server stores, and the library was never asked to update the past", () => {
  for (const timeframe of ["1min", "5min", "15min"]) {
    for (let seed = 1; seed <= 150; seed += 1) runSchedule(seed, timeframe);
  }
});

test("the running minute grows, stays until its bar has closed, and the next one begins beside it", () => {
  const series = new BarSeries("1min");
  series.takeStored([row(1, 11), row(0, 10)], -Infinity, START + 2 * MINUTE);
  series.takeMinute(row(2, 12));
  series.takeMinute(row(2, 13));
  assert.deepEqual(shown(series), [[0, 10.5, false], [1, 11.5, false], [2, 13.5, true]]);
  series.takeMinute(row(3, 14));
  assert.deepEqual(shown(series).slice(2), [[2, 13.5, true], [3, 14.5, true]]);
  series.takeClosed(START + 2 * MINUTE, figures(20));
  assert.deepEqual(shown(series).slice(2), [[2, 20.5, false], [3, 14.5, true]]);
});

test("a bar that closed does not run again, and a stored one outranks what a message brought before or after it", () => {
  const series = new BarSeries("1min");
  series.takeClosed(START, figures(10));
  series.takeMinute(row(0, 99));
  series.takeStored([row(0, 11, 1)], START, START + MINUTE);
  series.takeStored([row(0, 10, 0)], START, START + MINUTE); // an older answer that came later
  series.takeClosed(START, figures(10));
  assert.deepEqual(shown(series), [[0, 11.5, false]]);
});

test("a running minute of which the server made no bar goes when that is known", () => {
  const series = new BarSeries("1min");
  series.takeStored([row(0, 10)], -Infinity, START + MINUTE);
  series.takeMinute(row(1, 11));
  series.takeStored([row(0, 10)], START, START + 2 * MINUTE + GRACE_MS - 1);
  assert.equal(series.bars().length, 2);
  series.takeStored([row(0, 10)], START, START + 2 * MINUTE + GRACE_MS);
  assert.equal(series.bars().length, 1);
});

test("the running bar of a longer timeframe is shown once all of its minutes are known, and follows each of them", () => {
  const series = new BarSeries("5min");
  series.learn(SESSION);
  series.takeMinute(row(7, 17));
  assert.deepEqual(shown(series), []);
  series.takeStoredMinutes([row(6, 30), row(5, 15)], START + 5 * MINUTE, START + 7 * MINUTE);
  assert.deepEqual(series.bars().map(({ time, open, high, low, close, volume, forming }) => [time, open, high, low, close, volume, forming]), [
    [START + 5 * MINUTE, 15, 31, 14, 17.5, 300, true],
  ]);
  series.takeMinute(row(7, 40));
  assert.equal(series.bars()[0].high, 41);
  series.takeClosed(START + 5 * MINUTE, figures(33));
  assert.deepEqual(shown(series), [[5, 33.5, false]]);
  series.takeMinute(row(10, 50));
  assert.deepEqual(shown(series), [[5, 33.5, false], [10, 50.5, true]]);
});

test("bars align to their session: an hour from 09:30, the last one short, a day only within the regular session", () => {
  const hour = new BarSeries("60min");
  hour.learn(SESSION);
  hour.learn({ ...SESSION, name: "post", starts: SESSION.ends, ends: SESSION.ends + 240 * MINUTE });
  assert.equal(hour.startOf(START + 61 * MINUTE), START + 60 * MINUTE);
  assert.equal(hour.startOf(START + 389 * MINUTE), START + 360 * MINUTE);
  assert.equal(hour.startOf(START + 390 * MINUTE), SESSION.ends);
  assert.equal(hour.startOf(START - MINUTE), null);
  const day = new BarSeries("1day");
  day.learn(SESSION);
  assert.equal(day.startOf(START + 389 * MINUTE), START);
  day.learn({ ...SESSION, name: "post", starts: SESSION.ends, ends: SESSION.ends + 240 * MINUTE });
  assert.equal(day.startOf(SESSION.ends + MINUTE), null);
});

test("one changed or one more bar at the end is an update, everything else is all data", () => {
  const [a, b, c, d] = [0, 1, 2, 3].map((time) => ({ time }));
  assert.equal(difference([a, b], [a, { time: 1 }]), "last");
  assert.equal(difference([a, b], [a, b, c]), "last");
  assert.equal(difference([a, b], [a, b]), "nothing");
  assert.equal(difference([a, b], [{ time: 0 }, b]), "all");
  assert.equal(difference([a, b], [a, { time: 1 }, c]), "all");
  assert.equal(difference([a, c], [a, b]), "all");
  assert.equal(difference([b, c], [a, b, c]), "all");
  assert.equal(difference([a], [a, b, c, d]), "all");
  assert.equal(difference([a, b], [a]), "all");
  assert.equal(difference([], [a]), "all");
});
