// What the Patterns page says and asks, without a page: its address, its questions, its words.

import assert from "node:assert/strict";
import { test } from "node:test";

const modules = new URL("../../../static/js/patterns/", import.meta.url);
const { changed, filtersOf, fromAddress, newYorkDay, outcomeQuestion, questionsOf, toAddress } = await import(new URL("address.js", modules));
const { barEnd, surroundings } = await import(new URL("surroundings.js", modules));
const { differenceWords, headerWords, rated, returned, sorted, verdict } = await import(new URL("outcome_words.js", modules));
const { countWords, emptyWords, problemWords } = await import(new URL("state_words.js", modules));
const { familiesOf, familyLabel, matching } = await import(new URL("families.js", modules));

const NIGHT = Date.parse("2026-11-23T03:30:00Z"); // Sunday evening in New York
const outcome = (fields) => ({
  pattern: "Doji", direction: "bullish", timeframe: "1min", horizon: 5, quality: "all", rate: 0.52, base_rate: 0.5, interval: null,
  too_few: false, survives: false, pays: false, repeats: false, edge: false, ...fields,
});
const signal = (fields) => ({ timeframe: "1min", bar_timestamp: 0, detection_timestamp: 60_300, origin: "live", details: {}, ...fields });

test("what is shown survives its way through the address", () => {
  const addresses = [
    "", "?symbol=BRK.B&direction=bullish", "?kind=alerts&alert=RSI_OVERSOLD&sort=alert&order=asc", "?when=today&quality_from=0.8&limit=50",
    "?from=2026-11-20T09%3A30&to=2026-11-20T16%3A00&next=abc", "?view=outcomes&timeframe=any&horizon=15&sort=difference&order=desc",
  ];
  for (const address of addresses) {
    const shown = fromAddress(address);
    assert.deepEqual(fromAddress(toAddress(shown)), shown, address);
    assert.deepEqual([...new URLSearchParams(toAddress(shown))].sort(), [...new URLSearchParams(address)].sort(), address);
  }
});

test("an address that nobody wrote is not followed into nonsense", () => {
  const shown = fromAddress("?view=x&kind=y&limit=7000&colour=red&symbol=" + "A".repeat(5000));
  assert.deepEqual([shown.view, shown.kind, shown.limit, shown.colour, shown.symbol.length], ["list", "patterns", "100", undefined, 400]);
});

test("a filter begins on the first page, and another kind drops what it has not", () => {
  const shown = fromAddress("?next=abc&sort=quality&family=chart_pattern_breakout&state=void");
  assert.equal(changed(shown, { symbol: "T" }).next, "");
  const alerts = changed(shown, { kind: "alerts" });
  assert.deepEqual([alerts.sort, alerts.family], ["detection", ""]);
  assert.equal(questionsOf(alerts, NIGHT).list, "/api/alerts?sort=detection&order=desc&limit=100");
  assert.equal(changed(fromAddress("?sort=pattern&order=asc"), { kind: "alerts" }).sort, "alert");
});

test("days begin at midnight in New York", () => {
  assert.equal(newYorkDay(NIGHT, 0), "2026-11-22");
  assert.equal(newYorkDay(NIGHT, 4), "2026-11-18");
  assert.equal(newYorkDay(Date.parse("2026-03-01T12:00Z"), 1), "2026-02-28");
  const today = questionsOf(fromAddress("?when=5days&to=2020-01-01T00:00"), NIGHT);
  assert.equal(today.list, "/api/patterns?from=2026-11-18T00%3A00&sort=detection&order=desc&limit=100");
});

test("the file has the filters and the sort of the list, and no page", () => {
  const { list, file } = questionsOf(fromAddress("?symbol=T&sort=symbol&order=asc&previous=abc&limit=50"), NIGHT);
  assert.equal(list, "/api/patterns?symbol=T&sort=symbol&order=asc&limit=50&previous=abc");
  assert.equal(file, "/api/patterns.csv?symbol=T&sort=symbol&order=asc");
});

test("outcomes are asked for what is chosen", () => {
  assert.equal(outcomeQuestion(fromAddress("?view=outcomes")), "/api/outcomes?timeframe=1min&horizon=5&quality=all");
  assert.equal(outcomeQuestion(fromAddress("?view=outcomes&timeframe=any&horizon=any&pattern=Doji")), "/api/outcomes?pattern=Doji&quality=all");
  assert.deepEqual(filtersOf(fromAddress("?view=outcomes&timeframe=any")), ["timeframe"]);
});

test("a bar ends with its length, or with its session", () => {
  assert.equal(barEnd(signal({})), 60_000);
  assert.equal(barEnd(signal({ timeframe: "60min", detection_timestamp: 1_800_900 })), 1_800_000);
  assert.equal(barEnd(signal({ timeframe: "60min", detection_timestamp: 9e11 })), 3_600_000); // a replay, years later
  assert.equal(barEnd(signal({ timeframe: "1day" })), null);
});

test("surroundings stand in words", () => {
  const details = { volume_ratio: 2.44, day_position: 0.95, trend_before: "with", after_gap: true, bar_revised: true };
  assert.deepEqual(surroundings(signal({ details })), [
    "2.4 × the usual volume of its minutes", "at the day’s high", "after the trend it asks for", "just after a hole in the data", "its bar was corrected later",
  ]);
  assert.deepEqual(surroundings(signal({ details: { part_of: "TripleTop:1-2", reason: "new session", against: true } })), [
    "void: new session", "broke against the textbook", "part of triple top",
  ]);
  assert.deepEqual(surroundings(signal({ origin: "repair", detection_timestamp: 660_000 })), ["found 10 m late"]);
  assert.deepEqual(surroundings(signal({ details: { volume_ratio: "<b>", trend_before: "up" } })), []);
});

test("an edge is only said of a row that passed every test", () => {
  const said = (fields) => verdict(outcome(fields)).said;
  assert.equal(said({ survives: true, pays: true, repeats: true, edge: true }), "edge");
  for (const fields of [{}, { survives: true }, { survives: true, pays: true }, { pays: true, repeats: true }, { too_few: true }, { direction: "neutral" }]) {
    assert.doesNotMatch(said(fields) + verdict(outcome(fields)).why, /edge/);
  }
  assert.equal(said({}), "no difference found");
  assert.equal(said({ too_few: true }), "too few");
});

test("figures of outcomes have signs, and nothing has none", () => {
  assert.deepEqual(differenceWords(outcome({ interval: [-0.004, 0.044] })), ["+2.0", "95 %: −0.4 to +4.4"]);
  assert.deepEqual(differenceWords(outcome({ rate: null })), ["–", ""]);
  assert.deepEqual([returned(-0.00012), returned(0), returned(-1e-9), returned(null), rated(0.5)], ["−0.012 %", "0.000 %", "0.000 %", "–", "50.0 %"]);
});

test("the report says what it is about, and what is missing", () => {
  const header = { chosen: "those watched", missing: "Delisted ones are missing.", days: 25, first_day: "2026-10-19", last_day: "2026-11-20", cost_basis_points: 5, rows: 900, rows_tested: 120, edges: 0 };
  const words = headerWords({ computed: NIGHT, header }, NIGHT + 90_000).join(" ");
  for (const each of [/90 s ago/, /live signals of 25 days, 2026-10-19 to 2026-11-20/, /neither history/, /those watched/, /Delisted ones are missing/, /900 rows.* 120 of them.* none are called an edge/, /5 basis points/]) {
    assert.match(words, each);
  }
});

test("rows are sorted by a figure, and those without it stand last", () => {
  const rows = [0.1, null, -0.2].map((rate) => outcome({ rate, base_rate: 0 }));
  assert.deepEqual(sorted(rows, "rate", "asc").map(({ rate }) => rate), [-0.2, 0.1, null]);
  assert.deepEqual(sorted(rows, "difference", "desc").map(({ rate }) => rate), [0.1, -0.2, null]);
  assert.equal(sorted(rows, "nonsense", "asc").length, 3);
  const judged = [{ too_few: true }, {}, { edge: true }].map(outcome);
  assert.deepEqual(sorted(judged, "verdict", "asc").map((row) => verdict(row).said), ["edge", "no difference found", "too few"]);
});

test("counts are never more than what is known", () => {
  const list = fromAddress("");
  assert.equal(countWords(list, { next: "a", previous: null }, 100), "100 patterns shown, more follow");
  assert.equal(countWords(list, { next: "a", previous: "b" }, 100), "100 patterns shown, more before and after them");
  assert.equal(countWords(list, { next: null, previous: "b" }, 1), "1 pattern shown, the last ones");
  assert.equal(countWords(fromAddress("?kind=alerts"), { next: null, previous: null }, 7), "7 alerts, all that match");
  assert.match(emptyWords(list, {}, 2), /matches these filters/);
  assert.match(emptyWords(list, {}, 0), /first start/);
  assert.equal(emptyWords(fromAddress("?view=outcomes"), { header: { empty: "None yet." } }, 0), "None yet.");
  assert.equal(problemWords({ refused: "", failingSince: 0, problem: "", answer: null, answeredAt: 0 }), "");
});

test("names are found by their words, as they are called, and by their family", () => {
  const entry = (name, kind, family) => [name, { name, kind, family }];
  const catalog = { entries: new Map([entry("InNeck", "candlestick", "continuation"), entry("Doji", "candlestick", "indecision"), entry("GAP_UP", "alert", "level")]) };
  const families = familiesOf(catalog, "patterns");
  assert.deepEqual(families.map(({ label }) => label), ["Candlesticks, continuation", "Candlesticks, indecision"]);
  assert.deepEqual(matching(families, "neck line").map(({ names }) => names[0].value), ["InNeck"]);
  assert.deepEqual(matching(families, "INDEC")[0].names.map(({ value }) => value), ["Doji"]);
  assert.deepEqual(matching(families, "nothing"), []);
  assert.equal(familiesOf(catalog, "alerts")[0].whole.value, "alert_level");
  assert.equal(familyLabel("chart_pattern_breakout"), "Chart patterns, breakout");
});
