/** A watchlist while it is edited, before it is saved. Pure. */

/** @import { Watchlist } from "../link/messages.js" */

/** @param {string} text @returns {string[]} symbols, as they were typed or pasted */
export const symbolsOf = (text) => text.split(/[\s,;]+/).filter(Boolean);

export class ListDraft {
  /** @param {Partial<Watchlist>} list  without an id it is to be a new one */
  constructor({ id = "", name = "", symbols = [], editable = true }) {
    this.id = id;
    this.name = name;
    this.symbols = [...symbols];
    this.editable = editable;
    this.base = contents({ name, symbols }); // as it was stored
  }

  get isChanged() {
    return contents(this) !== this.base;
  }

  /**
   * What has become of the stored list since it was read.
   * @param {Watchlist | undefined} stored
   * @returns {"same" | "changed" | "deleted"}
   */
  meanwhile(stored) {
    if (!stored) return this.id ? "deleted" : "same";
    return contents(stored) === this.base ? "same" : "changed";
  }

  /** @param {string[]} symbols @returns {string[]} those that were not in it */
  add(symbols) {
    const held = new Set(this.symbols);
    const added = [...new Set(symbols)].filter((symbol) => !held.has(symbol));
    this.symbols.push(...added);
    return added;
  }

  /** @param {number[]} places */
  remove(places) {
    const gone = new Set(places);
    this.symbols = this.symbols.filter((_, place) => !gone.has(place));
  }

  /**
   * Move symbols up or down by one place, those at the end staying there.
   * @param {number[]} places  rising
   * @param {1 | -1} by
   * @returns {number[]} where they are now
   */
  move(places, by) {
    const { symbols } = this;
    const taken = new Set();
    const inOrder = by < 0 ? places : [...places].reverse();
    for (const from of inOrder) {
      const to = from + by;
      const isFree = to >= 0 && to < symbols.length && !taken.has(to);
      if (isFree) [symbols[from], symbols[to]] = [symbols[to], symbols[from]];
      taken.add(isFree ? to : from);
    }
    return [...taken];
  }

  /** @param {Map<string, string>} others  what is meant by a symbol */
  correct(others) {
    this.symbols = [...new Set(this.symbols.map((symbol) => others.get(symbol) ?? symbol))];
  }
}

/** @param {{name: string, symbols: string[]}} list */
const contents = ({ name, symbols }) => [name, ...symbols].join("\n");
