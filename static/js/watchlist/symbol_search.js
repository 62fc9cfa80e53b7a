/** A field that finds symbols: those that are watched at once, then what the vendor's reference knows. A combobox. */

import { askSymbols } from "../common/ask.js";
import { byId, element } from "../common/page.js";

const PAUSE_MS = 150; // in typing, before the server is asked
const MOST = 8;

/** @typedef {{symbol: string, name: string, active?: boolean}} Found */

/**
 * Suggestions: what is typed exactly, then what is watched, then the rest as the server ranks it. Pure.
 * @param {string} text
 * @param {Iterable<string>} watched
 * @param {Found[]} found
 * @returns {Found[]}
 */
export function suggestions(text, watched, found) {
  const begin = text.toUpperCase();
  const known = new Map(found.map((each) => [each.symbol, each]));
  const symbols = new Set(/** @type {string[]} */ ([]));
  const near = [...watched].filter((symbol) => symbol.toUpperCase().startsWith(begin)).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  for (const symbol of [...near, ...known.keys()]) symbols.add(symbol);
  const isExact = (/** @type {string} */ symbol) => Number(symbol === text) * 2 + Number(symbol.toUpperCase() === begin);
  return [...symbols].sort((a, b) => isExact(b) - isExact(a)).slice(0, MOST).map((symbol) => known.get(symbol) ?? { symbol, name: "" });
}

/**
 * The symbol that is meant: tickers are case sensitive, but nobody types them so. Pure.
 * @param {string} text
 * @param {Found[]} shown
 * @returns {string}
 */
export function meant(text, shown) {
  const same = shown.find(({ symbol }) => symbol.toUpperCase() === text.toUpperCase());
  return same?.symbol ?? (text === text.toLowerCase() ? text.toUpperCase() : text);
}

export class SymbolSearch {
  /**
   * @param {string} id  of the field; the list of options has the same and "-options"
   * @param {() => Iterable<string>} watched
   * @param {(text: string, shown: Found[], isOption: boolean) => void} take
   * @param {() => string} [rest]  what the field shows while nobody types in it
   */
  constructor(id, watched, take, rest) {
    this.input = /** @type {HTMLInputElement} */ (byId(id));
    this.list = byId(`${id}-options`);
    this.watched = watched;
    this.take = take;
    this.rest = rest;
    this.at = -1;
    this.timer = 0;
    this.turn = 0; // of suggestions: an answer to an earlier one comes too late
    /** @type {Found[]} */
    this.shown = [];
    /** @type {HTMLElement | null} */
    this.cameFrom = null;
    this.input.addEventListener("input", () => this.suggest());
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.input.addEventListener("focus", ({ relatedTarget }) => {
      this.cameFrom = /** @type {HTMLElement | null} */ (relatedTarget);
      this.input.select();
    });
    this.input.addEventListener("blur", () => {
      this.close();
      this.showRest();
    });
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", ({ target }) => {
      const place = [...this.list.children].indexOf(/** @type {Element} */ (/** @type {Element} */ (target).closest("li")));
      if (place >= 0) this.accept(this.shown[place].symbol, true);
    });
  }

  showRest() {
    if (this.rest && document.activeElement !== this.input) this.input.value = this.rest();
  }

  suggest() {
    const text = this.input.value.trim();
    this.close();
    if (!text || /[\s,;]/.test(text)) return;
    const { turn } = this;
    this.show(suggestions(text, this.watched(), []));
    this.timer = setTimeout(async () => {
      const { symbols } = await askSymbols(text, MOST);
      if (symbols && turn === this.turn) this.show(suggestions(text, this.watched(), symbols));
    }, PAUSE_MS);
  }

  close() {
    clearTimeout(this.timer);
    this.turn += 1;
    this.show([]);
  }

  /** @param {Found[]} found */
  show(found) {
    const chosen = this.shown[this.at]?.symbol;
    this.shown = found;
    this.list.replaceChildren(
      ...found.map(({ symbol, name, active }, place) => {
        const option = element("li");
        option.role = "option";
        option.id = `${this.list.id}-${place}`;
        option.append(element("b", "", symbol), element("span", "", active === false ? `${name} (no longer listed)` : name));
        return option;
      }),
    );
    this.list.hidden = !found.length;
    this.input.ariaExpanded = String(found.length > 0);
    this.mark(found.findIndex(({ symbol }) => symbol === chosen));
  }

  /** @param {number} place  -1: what is typed */
  mark(place) {
    this.at = place;
    [...this.list.children].forEach((option, index) => (option.ariaSelected = String(index === place)));
    this.list.children[place]?.scrollIntoView({ block: "nearest" });
    if (place < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.list.id}-${place}`);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const { key } = event;
    const step = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
    const text = this.input.value.trim();
    if (event.isComposing) return;
    if (step && !this.shown.length) this.suggest();
    else if (step) this.mark(((this.at + 1 + step + this.shown.length + 1) % (this.shown.length + 1)) - 1);
    else if (key === "Enter" && text) this.accept(this.shown[this.at]?.symbol ?? text, this.at >= 0);
    else if (key === "Escape" && this.shown.length) this.close();
    else if (key === "Escape" && this.rest) this.back();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} text @param {boolean} isOption */
  accept(text, isOption) {
    const { shown } = this;
    this.close();
    this.take(text, shown, isOption);
    if (this.rest) this.back();
  }

  /** Leave the field for where the focus was before. */
  back() {
    const { cameFrom } = this;
    this.input.blur(); // also where that is gone
    cameFrom?.focus();
  }
}
