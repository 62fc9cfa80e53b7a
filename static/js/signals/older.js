/** Signals from before those in memory: pages of two lists, newest first, merged into one order. Only `load` asks the server. */

import { address, ask } from "../common/ask.js";

/** @import { Signal } from "../link/messages.js" */

const PAGE = 400;
const LISTS = ["patterns", "alerts"];
export const MOST_OLDER = 10_000;

/** @typedef {{name: string, rows: Signal[], next: string | null}} List  rows that wait for those of the other list; next: "" at first, null at the end */

export class OlderSignals {
  constructor() {
    /** @type {Map<string, Signal>} */
    this.signals = new Map(); // by id; with those of the store, so that none is lost where both meet
    /** @type {List[]} */
    this.lists = LISTS.map((name) => ({ name, rows: [], next: "" }));
    this.before = 0;
    this.problem = "";
    this.loading = false;
  }

  get used() {
    return this.before > 0;
  }

  /** @returns {"more" | "end" | "full"} */
  get state() {
    if (this.signals.size >= MOST_OLDER) return "full";
    return this.lists.every((list) => list.next === null && !list.rows.length) ? "end" : "more";
  }

  /** @param {Iterable<Signal>} signals  of the store, which win */
  keep(signals) {
    for (const signal of signals) this.signals.set(signal.id, signal);
  }

  /**
   * A page has come.
   * @param {string} name
   * @param {Signal[]} rows
   * @param {string | null} next
   */
  take(name, rows, next) {
    const list = /** @type {List} */ (this.lists.find((each) => each.name === name));
    list.rows.push(...rows);
    list.next = next;
  }

  /** Release the rows whose place is certain: those not older than where a list goes on. */
  settle() {
    const open = this.lists.filter((list) => list.next !== null).map((list) => list.rows.at(-1)?.detection_timestamp ?? Infinity);
    const certain = Math.max(-Infinity, ...open);
    for (const list of this.lists) {
      const count = list.rows.filter((row) => row.detection_timestamp >= certain).length;
      for (const row of list.rows.splice(0, count)) if (!this.signals.has(row.id)) this.signals.set(row.id, row);
    }
  }

  /**
   * Load the next pages.
   * @param {number} before  the oldest detection in memory; used the first time
   */
  async load(before) {
    this.before ||= before + 1; // what was detected in the same millisecond comes again, and is known by its id
    this.loading = true;
    try {
      const wanted = this.lists.filter((list) => list.next !== null && !list.rows.length);
      const pages = await Promise.all(wanted.map((list) => this.ask(list)));
      wanted.forEach((list, index) => this.take(list.name, pages[index][list.name], pages[index].next));
      this.settle();
      this.problem = "";
    } catch (problem) {
      this.problem = /** @type {Error} */ (problem).message;
    }
    this.loading = false;
  }

  /** @param {List} list */
  async ask({ name, next }) {
    const answer = await ask(address(`/api/${name}`, { limit: PAGE, to: this.before, ...(next && { next }) }));
    if (answer.error) throw new Error(answer.error);
    return answer;
  }
}
