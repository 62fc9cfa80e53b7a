/** The rows of a long list: only those in view are on the page, and they are used again and again. */

import { element } from "../common/page.js";

const BEYOND = 6; // rows above and below the view, so that scrolling shows no hole
const USUAL_HEIGHT = 29;

/** @typedef {{row: HTMLElement, symbol: string}} Line */

/** @template {Line} L */
export class RowPool {
  /**
   * @param {HTMLElement} view  what scrolls
   * @param {HTMLElement} body  where the rows stand
   * @param {() => L} make
   * @param {(line: L, symbol: string, place: number) => void} bind  it is this symbol's line from now on, at this place of the order
   */
  constructor(view, body, make, bind) {
    this.view = view;
    this.body = body;
    this.make = make;
    this.bind = bind;
    /** @type {Map<string, L>} */
    this.lines = new Map(); // on the page, by symbol
    /** @type {string[]} */
    this.order = [];
    this.height = USUAL_HEIGHT;
    this.isDue = true; // the window or the order is another
    const space = () => {
      const cell = element("td");
      const part = element("tbody", "space");
      part.ariaHidden = "true";
      part.append(element("tr"));
      part.firstElementChild?.append(cell);
      return { part, cell };
    };
    this.above = space();
    this.below = space();
    body.before(this.above.part);
    body.after(this.below.part);
    view.addEventListener("scroll", () => (this.isDue = true), { passive: true });
    new ResizeObserver(() => (this.isDue = true)).observe(view);
  }

  /** Forget the rows, because they are to look otherwise. */
  clear() {
    this.lines.clear();
    this.body.replaceChildren();
    this.isDue = true;
  }

  /** Put the rows of the window onto the page, once per frame at most. @returns {boolean} whether they were not there yet */
  draw() {
    if (!this.isDue) return false;
    this.isDue = false;
    const first = Math.max(0, Math.floor(this.view.scrollTop / this.height) - BEYOND);
    const shown = this.order.slice(first, first + Math.ceil(this.view.clientHeight / this.height) + 2 * BEYOND);
    const kept = new Set(shown);
    const free = [...this.lines.values()].filter(({ symbol }) => !kept.has(symbol));
    for (const { symbol, row } of free) {
      this.lines.delete(symbol);
      row.remove();
    }
    let place = this.body.firstElementChild;
    shown.forEach((symbol, index) => {
      const line = this.lines.get(symbol) ?? free.pop() ?? this.make();
      this.lines.set(symbol, line);
      this.bind(line, symbol, first + index);
      if (line.row === place) place = place.nextElementSibling;
      else this.body.insertBefore(line.row, place);
    });
    this.above.cell.style.height = `${first * this.height}px`;
    this.below.cell.style.height = `${(this.order.length - first - shown.length) * this.height}px`;
    this.measure();
    return true;
  }

  /** Text may be larger than usual, and a phone's rows are higher. */
  measure() {
    const height = this.body.firstElementChild?.getBoundingClientRect().height;
    if (!height || Math.abs(height - this.height) < 0.1) return;
    this.height = height;
    this.isDue = true;
  }

  /**
   * Scroll so far that a place of the order can be seen.
   * @param {number} place
   * @param {number} head  pixels that the table's head covers
   */
  reveal(place, head) {
    const top = place * this.height;
    const room = this.view.clientHeight - head - this.height;
    this.view.scrollTop = Math.min(top, Math.max(this.view.scrollTop, top - room));
    this.isDue = true;
  }
}
