/** The watchlist's pure parts: orders, states, columns, drafts and suggestions. Run: node --test tests/web/browser/ */

import assert from "node:assert/strict";
import test from "node:test";

import { COLUMNS, columnsFor } from "../../../static/js/watchlist/columns.js";
import { ListDraft, symbolsOf } from "../../../static/js/watchlist/list_draft.js";
import { carriedOver, ranked, sorted } from "../../../static/js/watchlist/ranking.js";
import { meant, suggestions } from "../../../static/js/watchlist/symbol_search.js";
import { ageWords, stateOf } from "../../../static/js/watchlist/symbol_state.js";

/** @param {number} seed @returns {() => number} numbers in [0, 1), the same for the same seed */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Runs a market of random values, re-ranking now and then, and hands every order to `check`. */
function forRankings(check) {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = randomFrom(seed);
    const symbols = Array.from({ length: 1 + Math.floor(random() * 40) }, (_, number) => `S${number}`);
    const margin = random() * 0.3;
    const values = new Map(symbols.map((symbol) => [symbol, random() < 0.1 ? -Infinity : random()]));
    const key = (symbol) => values.get(symbol);
    let order = sorted(symbols, key);
    for (let round = 0; round < 20; round += 1) {
      for (const symbol of symbols) {
        if (random() < 0.3) values.set(symbol, random() < 0.05 ? -Infinity : key(symbol) + (random() - 0.5) * 0.3 || random());
      }
      const before = order;
      order = ranked(before, key, margin);
      check({ symbols, before, order, key, margin, seed });
    }
  }
}

test("a ranking is always a permutation of the list", () => {
  forRankings(({ symbols, order }) => assert.deepEqual([...order].sort(), [...symbols].sort()));
});

test("nothing ever stands below a row that it beats clearly", () => {
  forRankings(({ order, key, margin, seed }) => {
    let least = Infinity;
    for (const symbol of order) {
      assert.ok(key(symbol) <= least + margin, `seed ${seed}: ${key(symbol)} stands below ${least}, margin ${margin}`);
      least = Math.min(least, key(symbol));
    }
  });
});

test("what has not changed does not move, and changes within the margin move nothing", () => {
  forRankings(({ order, key, margin }) => {
    assert.deepEqual(ranked(order, key, margin), order);
    const exact = sorted(order, key);
    assert.deepEqual(ranked(exact, (symbol) => key(symbol) + (symbol.length % 2) * margin * 0.9, margin), exact);
  });
});

test("a row moves only past rows, and two rows swap only when one beats the other clearly or moves with such a swap", () => {
  forRankings(({ before, order, key, margin }) => {
    const place = new Map(order.map((symbol, at) => [symbol, at]));
    before.forEach((upper, at) => {
      for (const lower of before.slice(at + 1)) {
        if (place.get(lower) > place.get(upper)) continue;
        const between = [upper, ...before.slice(at + 1, before.indexOf(lower))]; // it was clearly beaten, or stood below one that was
        assert.ok(between.concat(before.slice(0, at)).some((each) => key(lower) > key(each) + margin));
      }
    });
  });
});

test("without a margin a ranking is exact, and without values last", () => {
  forRankings(({ before, key }) => {
    const values = ranked(before, key, 0).map(key);
    assert.deepEqual(values, [...values].sort((a, b) => b - a || 0));
  });
  const values = { A: -Infinity, B: 1, C: -Infinity, D: 2 };
  assert.deepEqual(sorted(["A", "B", "C", "D"], (symbol) => values[symbol]), ["D", "B", "A", "C"]);
});

test("ten thousand symbols are ranked as fast as a screen draws", () => {
  const random = randomFrom(7);
  const symbols = Array.from({ length: 10_000 }, (_, number) => `S${number}`);
  const values = new Map(symbols.map((symbol) => [symbol, random()]));
  const begun = performance.now();
  const first = sorted(symbols, (symbol) => values.get(symbol));
  const between = performance.now();
  for (const symbol of symbols) values.set(symbol, values.get(symbol) + (random() - 0.5) * 0.02);
  ranked(first, (symbol) => values.get(symbol), 0.005);
  console.log(`10,000 symbols: sorted in ${(between - begun).toFixed(1)} ms, ranked again in ${(performance.now() - between).toFixed(1)} ms`);
});

test("an edited list keeps the places of those that stay", () => {
  assert.deepEqual(carriedOver(["C", "A", "B"], ["A", "D", "C", "E"]), ["C", "A", "D", "E"]);
});

const NOW = 1_790_000_000_000;
const feed = { status: "live", channel: "A", delay_ms: 0 };
const moment = (fields) => ({ now: NOW, time: null, session: "regular", feed, isUp: true, ...fields });
const quote = (age, fields) => ({ symbol: "A", price: 10, timestamp: NOW - age, received: NOW - age, steady: false, halted: null, ...fields });
const said = (each, at) => ageWords(stateOf(each, at), each, at);

test("fresh, quiet and stale tell a thin stock from a broken feed", () => {
  assert.deepEqual(said(quote(4000), moment()), ["", "4 s"]);
  assert.deepEqual(said(quote(12_000), moment()), ["quiet", "12 s"]);
  assert.deepEqual(said(quote(12_000), moment({ feed: { ...feed, status: "silent" } })), ["stale", "12 s"]);
  assert.deepEqual(said(quote(1000), moment({ isUp: false })), ["stale", "1 s"]);
  assert.deepEqual(said(quote(70_000), moment({ feed: { ...feed, channel: "AM" } })), ["", "70 s"]);
  assert.deepEqual(said(undefined, moment()), ["no tick yet", ""]);
});

test("the age that is shown is the data's, the state is by arrival", () => {
  const delayed = quote(1000, { timestamp: NOW - 901_000 });
  assert.deepEqual(said(delayed, moment({ feed: { ...feed, delay_ms: 900_000 } })), ["", "15 m"]);
});

test("a steady symbol without a print for a minute of the regular session says so, while the feed moves", () => {
  const missed = quote(83_000, { steady: true });
  assert.deepEqual(said(missed, moment()), ["NO\u00a0PRINTS 1:23", ""]);
  assert.equal(stateOf(quote(59_000, { steady: true }), moment()), "quiet");
  assert.equal(stateOf(quote(60_000, { steady: true }), moment()), "no prints");
  assert.equal(stateOf(quote(83_000), moment()), "quiet");
  for (const session of ["pre", "post"]) assert.equal(stateOf(missed, moment({ session })), "quiet");
  assert.equal(stateOf(missed, moment({ feed: { ...feed, status: "reconnecting" } })), "stale");
  assert.equal(stateOf(missed, moment({ isUp: false })), "stale");
});

test("a delay does not count as silence, and minute aggregates have their time", () => {
  const delayed = quote(3000, { timestamp: NOW - 903_000, steady: true });
  assert.equal(stateOf(delayed, moment({ feed: { ...feed, delay_ms: 900_000 } })), "fresh");
  const minutes = moment({ feed: { ...feed, channel: "AM" } });
  assert.equal(stateOf(quote(74_000, { steady: true }), minutes), "fresh");
  assert.equal(stateOf(quote(75_000, { steady: true }), minutes), "no prints");
});

test("a recorded or virtual day counts by its own clock", () => {
  const time = NOW - 400_000_000;
  const virtual = moment({ time });
  const fast = quote(900, { timestamp: time - 130_000, steady: true }); // at 60 times the speed, a second ago
  assert.deepEqual(said(fast, virtual), ["NO\u00a0PRINTS 2:10", ""]);
  assert.deepEqual(said(quote(900, { timestamp: time - 20_000, steady: true }), virtual), ["", "20 s"]);
});

test("halted says since when, and closed beats what nobody can know", () => {
  const halted = quote(83_000, { steady: true, halted: Date.UTC(2026, 10, 20, 15, 32) });
  assert.deepEqual(said(halted, moment()), ["HALTED since\u00a010:32", ""]);
  assert.deepEqual(said(halted, moment({ session: "closed", feed: { ...feed, status: "silent" } })), ["closed", "83 s"]);
});

const full = { price: 110, previous_close: 100, change: 0.1, day_open: 105, volume: 12_345, dollars: 2_500_000, timestamp: 5 };
const shown = (id, each, values = {}) => {
  const column = COLUMNS.find((one) => one.id === id);
  const value = column.value(each, values);
  return value == null ? null : column.text(value);
};

test("the columns show what the market's rules say", () => {
  assert.equal(shown("change", full), "+10.00");
  assert.equal(shown("gap", full), "+5.00");
  assert.equal(shown("fromopen", full), "+4.76");
  assert.equal(shown("dollars", full), "2.5M");
  assert.equal(shown("rvol", full, { RelativeVolume: 3.44 }), "3.4");
  for (const id of ["change", "gap", "fromopen", "volume", "dollars"]) {
    const bare = { ...full, previous_close: null, change: null, day_open: null, volume: null, dollars: null };
    assert.equal(shown(id, bare), null, id);
    assert.equal(shown(id, undefined), null, id);
  }
});

test("a panel shows the columns that it has room for, the important ones first, and always the first three", () => {
  const ids = (room, chosen = []) => columnsFor(chosen, room).columns.map(({ id }) => id).join(" ");
  assert.equal(ids(200), "last change age");
  assert.equal(ids(387), "last change rvol age");
  assert.equal(ids(470), "last change rvol rsi age");
  for (let room = 340; room < 1500; room += 7) assert.ok(columnsFor([], room).width <= room);
  assert.equal(ids(200, ["vwap", "last", "nonsense"]), "last vwap");
});

test("pasted text is symbols, however they are separated", () => {
  assert.deepEqual(symbolsOf(" AAPL, msft;BRK.B\r\nKIMpL\t\tAAPL\n"), ["AAPL", "msft", "BRK.B", "KIMpL", "AAPL"]);
  assert.deepEqual(symbolsOf(" ,;\n"), []);
});

test("a draft holds each symbol once, and knows what is not saved", () => {
  const draft = new ListDraft({ id: "x", name: "Tech", symbols: ["A", "B"] });
  assert.deepEqual(draft.add(["B", "C", "C"]), ["C"]);
  assert.ok(draft.isChanged);
  draft.remove([2]);
  assert.ok(!draft.isChanged);
  draft.add(["aapl", "AAPL", "msft"]);
  draft.correct(new Map([["aapl", "AAPL"], ["msft", "MSFT"]]));
  assert.deepEqual(draft.symbols, ["A", "B", "AAPL", "MSFT"]);
});

test("symbols move by one place, together, and stay at the ends", () => {
  const draft = new ListDraft({ symbols: ["A", "B", "C", "D"] });
  assert.deepEqual(draft.move([1, 2], -1), [0, 1]);
  assert.equal(draft.symbols.join(""), "BCAD");
  assert.deepEqual(draft.move([0, 2], -1), [0, 1]);
  assert.equal(draft.symbols.join(""), "BACD");
  assert.deepEqual(draft.move([2, 3], 1).sort(), [2, 3]);
  assert.equal(draft.symbols.join(""), "BACD");
});

test("a draft notices that the stored list changed meanwhile, or is gone", () => {
  const stored = { id: "x", name: "Tech", symbols: ["A"], editable: true };
  const draft = new ListDraft(stored);
  draft.add(["B"]);
  assert.equal(draft.meanwhile(stored), "same");
  assert.equal(draft.meanwhile({ ...stored, symbols: ["C"] }), "changed");
  assert.equal(draft.meanwhile({ ...stored, name: "Technology" }), "changed");
  assert.equal(draft.meanwhile(undefined), "deleted");
  assert.equal(new ListDraft({}).meanwhile(undefined), "same");
});

test("what is typed exactly comes first, then what is watched, then what the vendor knows", () => {
  const found = [{ symbol: "AA", name: "Alcoa" }, { symbol: "AAL", name: "American Airlines" }, { symbol: "AAPL", name: "Apple" }];
  const symbols = (text, watched) => suggestions(text, watched, found).map(({ symbol }) => symbol);
  assert.deepEqual(symbols("a", ["MSFT", "AAPL"]), ["AAPL", "AA", "AAL"]);
  assert.deepEqual(symbols("aa", ["AAPL"]), ["AA", "AAPL", "AAL"]);
  assert.equal(suggestions("aapl", ["AAPL"], found)[0].name, "Apple");
  assert.deepEqual(suggestions("kimpl", [], [{ symbol: "KIMPL", name: "" }, { symbol: "KIMpL", name: "" }])[0].symbol, "KIMPL");
});

test("the symbol that is meant is the known one, whatever its case; an unknown one is taken as typed, or in upper case", () => {
  assert.equal(meant("aapl", [{ symbol: "AAPL", name: "" }]), "AAPL");
  assert.equal(meant("kimpl", [{ symbol: "KIMpL", name: "" }]), "KIMpL");
  assert.equal(meant("zzz", []), "ZZZ");
  assert.equal(meant("ZzZ", []), "ZzZ");
});
