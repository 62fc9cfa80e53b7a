/** The card of the signals of one bar: what was seen, by which rule, how good it is, and when who knew it. */

import { address, ask } from "../common/ask.js";
import { compact, price } from "../common/figures.js";
import { clockTime, dayOf, minuteAt, minuteTime, zoneAt } from "../common/new_york_time.js";
import { byId, element, setText } from "../common/page.js";
import { kindOf, stateOf } from "../common/signal.js";
import { ARROWS, nameOf } from "../common/words.js";
import { candleFigure } from "./candle_figure.js";
import { contextLines, outcomeCells, qualityLines, sourceLines, timesOf } from "./card_words.js";

/** @import { Catalog } from "../common/catalog.js" */
/** @import { Selection } from "../common/selection.js" */
/** @import { Signal } from "../link/messages.js" */
/** @import { Store } from "../link/store.js" */

const MOST_BARS = 150;
const LISTED_BARS = 6;

/** @param {string[]} head @param {string[][]} rows @param {string} caption */
function table(head, rows, caption) {
  const made = element("table");
  const line = (/** @type {string[]} */ cells, /** @type {string} */ tag) => {
    const row = element("tr");
    row.append(...cells.map((text, index) => element(tag, index ? "number" : "", text)));
    return row;
  };
  const [top, body] = [element("thead"), element("tbody")];
  top.append(line(head, "th"));
  body.append(...rows.map((cells) => line(cells, "td")));
  made.append(element("caption", "", caption), top, body);
  return made;
}

/** @param {Array<[string, string]>} lines */
function definitions(lines) {
  const list = element("dl");
  for (const [what, words] of lines) {
    const line = element("div");
    line.append(element("dt", "", what), element("dd", "", words));
    list.append(line);
  }
  return list;
}

export class SignalCard {
  /** @param {Store} store @param {Selection} selection */
  constructor(store, selection) {
    this.store = store;
    this.selection = selection;
    /** @type {Catalog | null} */
    this.catalog = null;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("card"));
    this.body = byId("card-body");
    /** @type {Signal[]} */
    this.signals = [];
    this.opened = 0; // times; an answer for an earlier one is dropped
    byId("card-close").addEventListener("click", () => this.dialog.close());
    byId("card-chart").addEventListener("click", (event) => this.showInChart(event));
    this.dialog.addEventListener("click", ({ target }) => target === this.dialog && this.dialog.close()); // beside the card
  }

  /** @param {Signal[]} signals  of one symbol, timeframe and bar @param {Catalog | null} catalog */
  open(signals, catalog) {
    const [signal] = signals;
    if (!signal) return;
    this.signals = signals;
    this.catalog = catalog;
    this.opened += 1;
    const { symbol, timeframe, bar_timestamp: bar } = signal;
    setText(byId("card-title"), symbol);
    setText(byId("card-bar"), `${timeframe} bar of ${dayOf(bar)} ${minuteAt(bar)}`);
    /** @type {HTMLAnchorElement} */ (byId("card-chart")).href = address("/dashboard", { symbol, timeframe, at: bar });
    const [figure, bars] = [element("section", "figure-place"), element("section", "seen")];
    const all = signals.map((each) => this.makeSignal(each));
    this.body.replaceChildren(figure, ...all.map(({ place }) => place), bars, this.times(signal));
    this.body.scrollTop = 0;
    if (!this.dialog.open) this.dialog.showModal();
    this.showBars(figure, bars, this.opened);
    for (const { outcomes, signal: each } of all) if (outcomes) this.showOutcomes(each, outcomes, this.opened);
  }

  /** @param {Signal} signal */
  makeSignal(signal) {
    const place = element("section", "told");
    const name = element("h3", "", `${ARROWS[signal.direction] ?? "◆"} ${nameOf(signal)}`);
    name.dataset.direction = signal.direction;
    name.append(element("span", "word", [signal.direction, stateOf(signal)].join(", ")));
    const entry = this.catalog?.entries.get(kindOf(signal));
    const limits = Object.entries(entry?.parameters ?? {}).filter(([key]) => key !== "version");
    const rule = element("p", "rule", entry?.description ?? "The catalogue could not be loaded: its rule is not known here.");
    place.append(name, rule);
    if (limits.length) place.append(element("p", "limits", `Parameters: ${limits.map(([key, value]) => `${key.replaceAll("_", " ")} ${value}`).join(", ")}.`));
    place.append(definitions([...qualityLines(signal, this.catalog?.rank(signal) ?? null), ...contextLines(signal)]));
    const { symbol, pattern, timeframe } = signal;
    if (pattern === undefined) return { place, signal, outcomes: null };
    const outcomes = element("div", "outcomes");
    const more = /** @type {HTMLAnchorElement} */ (element("a", "", `${nameOf(signal)} of ${symbol} in the history`));
    more.href = address("/patterns", { symbol, pattern, timeframe });
    place.append(outcomes, more);
    return { place, signal, outcomes };
  }

  /** @param {Signal} signal */
  times(signal) {
    const place = element("section", "times");
    const exact = (/** @type {number} */ time) => (time ? `${clockTime(time)}.${String(Math.floor(time) % 1000).padStart(3, "0")}` : "–");
    const rows = timesOf(signal, this.store.followsEvents).map(({ what, time, after, why }) => [what, exact(time), after, why]);
    place.append(table(["", `Time (${zoneAt(signal.bar_timestamp)})`, "After", ""], rows, "When"), definitions(sourceLines(signal)));
    return place;
  }

  /** @param {HTMLElement} figure @param {HTMLElement} place @param {number} opened */
  async showBars(figure, place, opened) {
    const { signals } = this;
    const [{ symbol, timeframe, bar_timestamp: bar }] = signals;
    const shaped = signals.find((signal) => Array.isArray(signal.details?.points));
    const first = Number(shaped?.details?.points?.[0]?.timestamp) || 0;
    const query = { timeframe, to: bar + 1 };
    const own = encodeURIComponent(symbol);
    const [bars, values] = await Promise.all([
      ask(address(`/api/bars/${own}`, { ...query, limit: MOST_BARS })),
      ask(address(`/api/indicators/${own}`, { ...query, limit: 1 })),
    ]);
    if (opened !== this.opened) return;
    const found = /** @type {any[]} */ (bars.bars ?? []).reverse();
    if (!found.length) {
      place.append(element("p", "", bars.error ? "Its bars could not be loaded." : "Its bars are not stored any more."));
      return;
    }
    const drawn = first ? found.filter((each) => each.timestamp >= first) : found.slice(-20);
    const words = `${drawn.length} bars of ${symbol} up to ${minuteAt(bar)}`;
    figure.append(candleFigure(drawn, shaped?.details?.lines ?? [], first || bar - 3 * (bar - (found.at(-2)?.timestamp ?? bar)), words));
    const cells = found.slice(-LISTED_BARS).reverse().map((each) => [
      timeframe === "1day" ? dayOf(each.timestamp) : minuteTime(each.timestamp), price(each.open), price(each.high), price(each.low), price(each.close), compact(each.volume),
    ]);
    place.append(table(["Bar", "Open", "High", "Low", "Close", "Volume"], cells, `The last ${cells.length} bars, as they are stored now`));
    const row = values.indicators?.[0];
    if (row?.bar_timestamp !== bar) return;
    place.append(element("h4", "", "Indicators of this bar"), definitions(Object.entries(row.values).map(([name, value]) => [name.replaceAll("_", " "), Number(value).toFixed(2)])));
  }

  /** @param {Signal} signal @param {HTMLElement} place @param {number} opened */
  async showOutcomes({ pattern = "", timeframe, direction }, place, opened) {
    const answer = await ask(address("/api/outcomes", { pattern, timeframe, quality: "all" }));
    if (opened !== this.opened || answer.error) return;
    const rows = answer.outcomes.filter((/** @type {any} */ row) => row.direction === direction);
    if (rows.length) {
      const caption = `What followed ${direction} ones so far: the share that went their way, against all other bars of the same half-hours`;
      place.append(table(["After", "Detections", "Their way", "Others", ""], rows.map(outcomeCells), caption));
    } else place.append(element("p", "", "What followed such detections so far: none has a known outcome yet."));
  }

  /** @param {Event} event */
  showInChart(event) {
    event.preventDefault();
    const { signals } = this;
    const [{ symbol, timeframe }] = signals;
    this.selection.choose({ symbol, timeframe });
    const signal = signals.find((each) => each.details?.lines) ?? signals[0];
    document.dispatchEvent(new CustomEvent("tickstock:show-pattern", { detail: { signal } }));
    this.dialog.close();
  }
}
