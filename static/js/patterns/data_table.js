/** A table with sortable columns, which a phone shows as cards: each cell carries its column's name. */

import { element, setText } from "../common/page.js";

/**
 * @template R
 * @typedef {object} Column
 * @property {string} label
 * @property {(row: R) => string | Node} cell
 * @property {string} [sort]  what the server, or the page, calls this order
 * @property {"asc" | "desc"} [first]  the order of a first click
 * @property {string} [name]  for the style sheet
 * @property {boolean} [heads]  whether it says what the row is about
 */

/** @template R */
export class DataTable {
  /**
   * @param {HTMLElement} table
   * @param {(sort: string, order: string) => void} onSort
   */
  constructor(table, onSort) {
    this.head = element("thead");
    this.body = element("tbody");
    this.caption = element("caption", "unseen");
    this.onSort = onSort;
    /** @type {Column<R>[]} */
    this.columns = [];
    this.sort = "";
    this.order = "";
    table.replaceChildren(this.caption, this.head, this.body);
    for (const [part, role] of /** @type {const} */ ([[table, "table"], [this.head, "rowgroup"], [this.body, "rowgroup"]])) part.setAttribute("role", role);
  }

  /** @param {Column<R>[]} columns @param {string} caption */
  setColumns(columns, caption) {
    setText(this.caption, caption);
    if (columns === this.columns) return;
    this.columns = columns;
    const row = element("tr");
    row.setAttribute("role", "row");
    row.append(...columns.map((column) => this.heading(column)));
    this.head.replaceChildren(row);
    this.body.replaceChildren();
  }

  /** @param {Column<R>} column */
  heading({ label, sort, name = "", first = "asc" }) {
    const cell = element("th", name);
    cell.setAttribute("scope", "col");
    cell.setAttribute("role", "columnheader");
    if (!sort) {
      cell.textContent = label;
      return cell;
    }
    const button = /** @type {HTMLButtonElement} */ (element("button", "sort", label));
    button.type = "button";
    button.dataset.sort = sort;
    button.addEventListener("click", () => this.onSort(sort, this.sort !== sort ? first : this.order === "asc" ? "desc" : "asc"));
    cell.append(button);
    return cell;
  }

  /** @param {string} sort @param {string} order */
  showSort(sort, order) {
    this.sort = sort;
    this.order = order;
    for (const button of this.head.querySelectorAll("button")) {
      const by = button.dataset.sort === sort;
      const cell = /** @type {HTMLElement} */ (button.parentElement);
      if (by) cell.setAttribute("aria-sort", order === "asc" ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
  }

  /** @param {R[]} rows */
  draw(rows) {
    this.body.replaceChildren(...rows.map((row) => this.row(row)));
  }

  /** @param {R} row */
  row(row) {
    const made = element("tr");
    made.setAttribute("role", "row");
    for (const { label, name = "", heads, cell } of this.columns) {
      const place = element(heads ? "th" : "td", name);
      if (heads) place.setAttribute("scope", "row");
      place.setAttribute("role", heads ? "rowheader" : "cell");
      place.dataset.label = label;
      place.append(cell(row));
      made.append(place);
    }
    return made;
  }
}
