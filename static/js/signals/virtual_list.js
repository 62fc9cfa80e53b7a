/** A long list of which only the rows in sight stand on the page. Each item knows its height, so no row is measured. */

import { setData } from "../common/page.js";

/**
 * @typedef {object} Item
 * @property {string} key
 * @property {string} mark  changes when its row would look different
 * @property {number} height
 * @property {boolean} row  whether it can have the focus; else it is a line between rows
 * @property {() => HTMLElement} make
 */

const BEYOND = 400; // pixels above and below what is in sight

export class VirtualList {
  /** @param {HTMLElement} scroll  what scrolls @param {HTMLElement} place  in it, where the rows stand */
  constructor(scroll, place) {
    this.scroll = scroll;
    this.place = place;
    /** @type {Item[]} */
    this.items = [];
    /** @type {number[]} */
    this.tops = [0]; // of each item, and the end of the last
    this.active = ""; // key of the row that has the focus, or gets it
    /** @type {Map<string, {mark: string, row: HTMLElement}>} */
    this.rows = new Map();
    /** @type {Map<string, number>} */
    this.numbers = new Map(); // of the rows, from 1
    this.moved = true;
    this.top = 0;
    this.height = 0;
    scroll.addEventListener("scroll", () => (this.moved = true), { passive: true });
    new ResizeObserver(() => (this.moved = true)).observe(scroll);
    place.addEventListener("focusin", ({ target }) => {
      const key = /** @type {HTMLElement} */ (target).closest("article")?.dataset.key;
      if (key && key !== this.active) this.activate(key);
    });
  }

  /** @param {Item[]} items */
  set(items) {
    this.items = items;
    this.tops = [0];
    for (const { height } of items) this.tops.push(/** @type {number} */ (this.tops.at(-1)) + height);
    if (this.index(this.active) < 0) this.active = items.find((item) => item.row)?.key ?? "";
    this.numbers = new Map(items.filter((item) => item.row).map((item, at) => [item.key, at + 1]));
    this.place.ariaBusy = items.length ? null : "true"; // a feed without rows waits for them
    this.place.style.height = `${this.tops.at(-1)}px`;
    this.moved = true;
  }

  /** @param {string} key */
  index(key) {
    return this.items.findIndex((item) => item.key === key);
  }

  /** @param {number} height @returns {number} the first item that ends below it */
  at(height) {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.tops[middle + 1] <= height) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Put the rows that are in sight onto the page; what has the focus stays on it. @returns {boolean} whether anything changed */
  draw() {
    if (!this.moved) return false;
    this.moved = false;
    this.top = this.scroll.scrollTop;
    this.height = this.scroll.clientHeight;
    const wanted = new Set();
    for (let index = this.at(this.top - BEYOND); index < this.items.length && this.tops[index] < this.top + this.height + BEYOND; index += 1) wanted.add(index);
    const active = this.index(this.active);
    if (active >= 0 && this.place.contains(document.activeElement)) wanted.add(active);
    else if (!wanted.has(active)) this.active = this.items.slice(this.at(this.top)).find((item) => item.row)?.key ?? ""; // so that the tabulator finds a row
    const held = this.rows;
    this.rows = new Map();
    const rows = [...wanted].sort((a, b) => a - b).map((index) => this.rowOf(index, held));
    for (const { row } of held.values()) row.remove();
    let next = this.place.firstElementChild;
    for (const row of rows) {
      if (row === next) next = next.nextElementSibling;
      else this.place.insertBefore(row, next);
    }
    return true;
  }

  /** @param {number} index @param {Map<string, {mark: string, row: HTMLElement}>} held @returns {HTMLElement} */
  rowOf(index, held) {
    const { key, mark, make, row: isRow } = this.items[index];
    const before = held.get(key);
    const same = before?.mark === mark ? before : null;
    const entry = same ?? { mark, row: make() };
    const { row } = entry;
    if (before && !same) {
      const focused = before.row.contains(document.activeElement);
      before.row.replaceWith(row);
      if (focused) queueMicrotask(() => row.focus());
    }
    held.delete(key);
    this.rows.set(key, entry);
    row.style.transform = `translateY(${this.tops[index]}px)`;
    if (isRow) {
      row.dataset.key = key;
      row.ariaPosInSet = String(this.numbers.get(key));
      row.ariaSetSize = String(this.numbers.size);
      this.mark(row, key === this.active);
    }
    return row;
  }

  /** @param {HTMLElement} row @param {boolean} isActive  the one row that the tabulator reaches */
  mark(row, isActive) {
    row.tabIndex = isActive ? 0 : -1;
    for (const button of row.querySelectorAll("button")) button.tabIndex = row.tabIndex;
    setData(row, "active", isActive ? "yes" : "");
  }

  /** @param {string} key */
  activate(key) {
    const before = this.rows.get(this.active)?.row;
    if (before?.dataset.key) this.mark(before, false);
    this.active = key;
    const row = this.rows.get(key)?.row;
    if (row) this.mark(row, true);
  }

  /** @param {number} step  so many rows down, or up; as far as there are any */
  move(step) {
    let index = this.index(this.active);
    const direction = Math.sign(step);
    for (let left = Math.abs(step); left; left -= 1) {
      let next = index + direction;
      while (this.items[next] && !this.items[next].row) next += direction;
      if (!this.items[next]) break;
      index = next;
    }
    if (!this.items[index]) return;
    this.activate(this.items[index].key);
    if (this.tops[index] < this.scroll.scrollTop) this.scroll.scrollTop = this.tops[index];
    else if (this.tops[index + 1] > this.scroll.scrollTop + this.scroll.clientHeight) this.scroll.scrollTop = this.tops[index + 1] - this.scroll.clientHeight;
    this.moved = true;
    this.draw();
    this.rows.get(this.active)?.row.focus({ preventScroll: true });
  }
}
