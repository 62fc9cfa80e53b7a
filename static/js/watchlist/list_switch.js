/** Which watchlist is shown, and the one step that adds the selected symbol to a list. */

import { ask } from "../common/ask.js";
import { byId, element, setText } from "../common/page.js";
import { preferences } from "../common/preferences.js";

/** @import { Selection } from "../common/selection.js" */
/** @import { Watchlist } from "../link/messages.js" */
/** @import { Link } from "../link/socket.js" */
/** @import { Store } from "../link/store.js" */

export class ListSwitch {
  /** @param {Store} store @param {Selection} selection @param {Link} link @param {(list?: Partial<Watchlist>) => void} edit */
  constructor(store, selection, link, edit) {
    this.store = store;
    this.selection = selection;
    this.link = link;
    this.edit = edit;
    this.select = /** @type {HTMLSelectElement} */ (byId("watch-list"));
    this.said = byId("watch-said");
    this.add = byId("watch-add");
    this.drawn = "";
    this.known = ""; // ids of the lists that there were
    this.word = ""; // what became of the last step
    this.select.addEventListener("change", () => this.show(this.select.value));
    this.add.addEventListener("click", () => this.addSelected());
    byId("watch-edit").addEventListener("click", () => edit(this.present));
    selection.onChange(() => (this.word = ""));
  }

  get present() {
    return this.store.watchlists.lists.find(({ id }) => id === this.store.list);
  }

  /** @param {string} id  this list from now on, also after a reload */
  show(id) {
    preferences.set("list", id);
    this.link.watch(id);
  }

  /** The list to which the selected symbol can be added: the one that is shown, else the first that lacks it. */
  get target() {
    const { symbol } = this.selection;
    const own = this.store.watchlists.lists.filter(({ editable }) => editable);
    if (!symbol || !this.store.listsVersion) return null;
    if (!own.length) return { id: "", name: "a new list", symbols: [] };
    const open = own.filter(({ symbols }) => !symbols.includes(symbol));
    return open.find(({ id }) => id === this.store.list) ?? open[0] ?? null;
  }

  async addSelected() {
    const { target, selection } = this;
    const { symbol } = selection;
    if (!target) return;
    if (!target.id) return this.edit({ symbols: [symbol] });
    const answer = await ask(`/api/watchlists/${encodeURIComponent(target.id)}`, "PUT", { symbols: [...target.symbols, symbol] });
    this.word = answer.error ?? `${symbol} is in ${target.name} now`;
    this.drawn = "";
  }

  draw() {
    const { store, selection } = this;
    const key = `${store.listsVersion} ${store.list} ${selection.symbol} ${store.watchVersion}`;
    if (key === this.drawn) return;
    if (!this.drawn.startsWith(`${store.listsVersion} ${store.list} `)) this.drawLists();
    this.drawn = key;
    const { target } = this;
    const isWatched = store.watch.includes(selection.symbol) || store.watchlists.lists.some(({ symbols }) => symbols.includes(selection.symbol));
    const isForeign = Boolean(selection.symbol) && store.listsVersion > 0 && !isWatched;
    setText(this.said, this.word || (isForeign ? `${selection.symbol} is not watched: history only` : ""));
    this.add.hidden = !target;
    if (target) setText(this.add, `+ ${selection.symbol} to ${target.name}`);
  }

  drawLists() {
    const { lists } = this.store.watchlists;
    const ids = lists.map(({ id }) => id).join(" ");
    const wanted = preferences.get("list");
    const isGone = wanted && !lists.some(({ id }) => id === wanted) && (lists.length > 1 || this.known.includes(wanted));
    if (isGone) preferences.set("list", ""); // where there are none but the default, they may not have been read yet
    this.known = ids;
    const options = lists.map(({ id, name, symbols }) => {
      const option = /** @type {HTMLOptionElement} */ (element("option", "", `${name} (${symbols.length})`));
      option.value = id;
      return option;
    });
    this.select.replaceChildren(...options);
    this.select.value = this.store.list ?? "";
  }
}
