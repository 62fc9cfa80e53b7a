/** Which columns the watchlist shows: the visitor's choice, or as many as there is room for. */

import { byId, openBelow } from "../common/page.js";
import { preferences } from "../common/preferences.js";
import { COLUMNS, columnsFor } from "./columns.js";

export class ColumnChoice {
  /** @param {HTMLElement} panel @param {() => void} onChange */
  constructor(panel, onChange) {
    this.menu = byId("watch-columns");
    this.room = panel.clientWidth;
    /** @type {import("./columns.js").Column[]} */
    this.columns = [];
    this.width = 0;
    this.isChosen = false;
    /** @type {(() => void) | null} */
    this.onChange = null;
    this.makeMenu();
    this.take();
    this.onChange = onChange;
    new ResizeObserver(() => {
      this.room = panel.clientWidth;
      this.take();
    }).observe(panel);
  }

  makeMenu() {
    const boxes = [...this.menu.querySelectorAll("input")];
    for (const { value, dataset, parentElement } of boxes) {
      const words = { head: parentElement?.textContent?.trim(), title: parentElement?.title, missing: dataset.missing };
      Object.assign(COLUMNS.find(({ id }) => id === value) ?? {}, words);
    }
    this.menu.addEventListener("change", () => this.choose(boxes.filter((box) => box.checked).map((box) => box.value)));
    byId("watch-columns-reset").addEventListener("click", () => this.choose([]));
    openBelow(this.menu, byId("watch-columns-open"));
  }

  /** @param {string[]} ids  none: by the room */
  choose(ids) {
    preferences.set("columns", ids);
    this.take();
  }

  take() {
    const chosen = preferences.get("columns");
    const { columns, width } = columnsFor(chosen, this.room);
    const isSame = columns.map(({ id }) => id).join() === this.columns.map(({ id }) => id).join() && this.isChosen === chosen.length > 0;
    Object.assign(this, { columns, width, isChosen: chosen.length > 0 });
    for (const box of this.menu.querySelectorAll("input")) box.checked = columns.some(({ id }) => id === box.value);
    if (!isSame) this.onChange?.();
  }
}
