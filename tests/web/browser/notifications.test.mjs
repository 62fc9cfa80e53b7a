/** The rules of sound and notification under generated markets, against a plain reading of what they promise. */

import assert from "node:assert/strict";
import test from "node:test";

import { kindOf } from "../../../static/js/common/signal.js";
import {
  MOST_IN_WINDOW, NEWS_MS, NotificationRules, SIGNAL_RESTS_MS, SYMBOL_RESTS_MS, WINDOW_MS, hasTold,
} from "../../../static/js/notify/rules.js";
import { digestText, directionOf, noticeText } from "../../../static/js/notify/words.js";

/** @param {number} seed @returns {(most: number) => number} whole numbers below `most`, the same for the same seed */
function randomFrom(seed) {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

const START = 1_800_000_000_000;
const NAMES = ["Hammer", "Doji", "RSI_OVERBOUGHT"];

const signal = (fields = {}) => ({
  type: "streaming_pattern", id: "A:1min:Hammer:1", symbol: "A", pattern: "Hammer", direction: "bullish", state: "confirmed", timeframe: "1min",
  origin: "live", bar_timestamp: START - 60_000, detection_timestamp: START, price: 10, ...fields,
});

const inOrder = () => 0;

/** Everything that the rules tell of a market, one signal at a time. */
function runMarket(seed) {
  const below = randomFrom(seed);
  let rules = new NotificationRules();
  let now = START;
  const told = []; // {at, symbol, kind, id} in the order of telling
  const notifications = []; // times
  const promised = new Set(); // ids that may be told
  const all = [];
  const tell = () => {
    const round = rules.round(now, inOrder);
    if (!round) return;
    for (let count = round.singles.length + Number(round.rest.length > 0); count > 0; count -= 1) notifications.push(now);
    for (const { symbol, signals } of [...round.singles, ...round.rest]) {
      for (const each of signals) told.push({ at: now, symbol, kind: kindOf(each), id: each.id });
    }
  };
  for (let step = 0; step < 300; step += 1) {
    now += below(10) ? below(4_000) : below(200_000);
    for (let count = below(6) ? below(3) : below(40); count > 0; count -= 1) {
      const symbol = `S${below(25)}`;
      const age = below(5) ? below(2000) : below(2 * NEWS_MS);
      const made = signal({
        id: `${symbol}:${step}:${count}`, symbol, pattern: NAMES[below(3)], detection_timestamp: now - age,
        state: below(6) ? "confirmed" : "forming", origin: below(6) ? "live" : ["repair", "history"][below(2)],
      });
      const isWanted = below(8) > 0;
      if (isWanted && made.state === "confirmed" && made.origin === "live" && age <= NEWS_MS) promised.add(made.id);
      all.push(made);
      rules.take(made, now, isWanted);
    }
    if (all.length && below(3) === 0) rules.take(all[below(all.length)], now, true); // again, as by a snapshot
    if (below(40) === 0) { // the page is loaded anew
      const { memory, known } = rules;
      rules = new NotificationRules();
      rules.remember(memory);
      known.forEach((id) => rules.known.add(id)); // its first snapshot
    }
    tell();
  }
  for (const due of [WINDOW_MS, 2 * WINDOW_MS]) {
    now += due;
    tell();
  }
  assert.equal(rules.dueAt, null, `seed ${seed}: something was never told`);
  return { told, notifications, promised };
}

test("no minute has more than six notifications, no symbol more than one, and no signal of a symbol two within five minutes", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const { told, notifications, promised } = runMarket(seed);
    assert.ok(told.length > 20, `seed ${seed} told nothing`);
    for (let index = MOST_IN_WINDOW; index < notifications.length; index += 1) {
      assert.ok(notifications[index] - notifications[index - MOST_IN_WINDOW] >= WINDOW_MS, `seed ${seed}: seven within a minute`);
    }
    const last = new Map();
    const ids = new Set();
    for (const { at, symbol, kind, id } of told) {
      assert.ok(promised.has(id), `seed ${seed}: ${id} is not news`);
      assert.ok(!ids.has(id), `seed ${seed}: ${id} was told twice`);
      ids.add(id);
      const before = last.get(symbol);
      assert.ok(before === undefined || before === at || at - before >= SYMBOL_RESTS_MS, `seed ${seed}: ${symbol} rests`);
      const same = last.get(`${symbol} ${kind}`);
      assert.ok(same === undefined || at - same >= SIGNAL_RESTS_MS, `seed ${seed}: ${symbol} ${kind} rests`);
      last.set(symbol, at).set(`${symbol} ${kind}`, at);
    }
  }
});

test("a signal of a rested symbol is told within a minute and a second", () => {
  const rules = new NotificationRules();
  for (let number = 0; number < 20; number += 1) rules.take(signal({ id: `${number}`, symbol: `S${number}` }), START, true);
  assert.ok(rules.round(START + 1000, inOrder));
  rules.take(signal({ id: "late", symbol: "LATE" }), START + 2000, true);
  assert.equal(rules.round(START + 4000, inOrder), null);
  assert.ok(rules.dueAt <= START + 61_000);
  assert.equal(rules.round(rules.dueAt, inOrder).singles[0].symbol, "LATE");
});

test("what is too much for a minute is one digest, after the heaviest", () => {
  const rules = new NotificationRules();
  for (let number = 0; number < 20; number += 1) rules.take(signal({ id: `${number}`, symbol: `S${number}`, quality: number / 20 }), START, true);
  const { singles, rest } = rules.round(START + 1000, ({ signals }) => signals[0].quality);
  assert.deepEqual(singles.map(({ symbol }) => symbol), ["S19", "S18", "S17", "S16", "S15"]);
  assert.equal(rest.length, 15);
  const { title, body } = digestText(rest);
  assert.equal(title, "And 15 more");
  assert.match(body, /^S14 Hammer, S13 Hammer, .* …$/);
});

test("what came for one symbol at one close is one notice", () => {
  const rules = new NotificationRules();
  rules.take(signal({ id: "1" }), START, true);
  rules.take(signal({ id: "2", pattern: "Engulfing", direction: "bearish" }), START + 200, true);
  const { singles } = rules.round(START + 1200, inOrder);
  assert.equal(singles.length, 1);
  const { title, body } = noticeText(singles[0]);
  assert.equal(title, "◆ A Hammer · Engulfing");
  assert.match(body, /▲ Hammer, bullish\n▼ Engulfing, bearish\n1m bar of \d\d:\d\d ET, at 10\.00/);
  assert.equal(directionOf(singles[0].signals), "neutral");
});

test("a tab's memory says what it has told since a moment", () => {
  const rules = new NotificationRules();
  rules.take(signal(), START, true);
  const round = rules.round(START + 2000, inOrder);
  assert.equal(hasTold(rules.memory, round, START), true);
  assert.equal(hasTold(rules.memory, round, START + 3000), false);
  assert.equal(hasTold(null, round, START), false);
});

test("a clock that is set back gives no second chance, and rubbish is no memory", () => {
  const rules = new NotificationRules();
  rules.take(signal({ id: "1" }), START, true);
  rules.round(START + 1000, inOrder);
  rules.take(signal({ id: "2", detection_timestamp: START - 500 }), START - 500, true);
  assert.equal(rules.dueAt, null);
  for (const rubbish of [null, "", "{", "[]", "7", '{"told":7}', '{"told":[[1,2],["A","x"]],"sent":["y",null]}', '{"told":[7]}']) {
    const other = new NotificationRules();
    other.remember(rubbish);
    other.take(signal({ id: "3" }), START, true);
    assert.equal(other.round(START + 1000, inOrder).singles.length, 1, String(rubbish));
  }
});
