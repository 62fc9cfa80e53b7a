/** The dialog in which watchlists are made, renamed, filled, put in order and deleted. */

import { ask, askSymbols } from "../common/ask.js";
import { byId, element, setText } from "../common/page.js";
import { ListDraft, symbolsOf } from "./list_draft.js";
import { SymbolSearch } from "./symbol_search.js";

/** @import { Watchlist } from "../link/messages.js" */
/** @import { Store } from "../link/store.js" */

const MOST_LOOKED_UP = 30; // of the symbols that are added at once
const NEW = "";

export class ListEditor {
  /** @param {Store} store @param {(id: string) => void} show  a new list is shown at once */
  constructor(store, show) {
    this.store = store;
    this.show = show;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("lists"));
    this.which = /** @type {HTMLSelectElement} */ (byId("lists-which"));
    this.name = /** @type {HTMLInputElement} */ (byId("lists-name"));
    this.symbols = /** @type {HTMLSelectElement} */ (byId("lists-symbols"));
    this.draft = new ListDraft({});
    this.version = -1;
    this.isSaving = this.wasChanged = false;
    /** @type {(() => void) | null} */
    this.onYes = null;
    /** @type {Set<string>} */
    this.unknown = new Set(); // to the vendor
    /** @type {Map<string, string>} */
    this.meant = new Map(); // what is meant by symbols in lower case
    const known = () => store.watchlists.lists.flatMap(({ symbols }) => symbols);
    this.search = new SymbolSearch("lists-add", known, (text) => this.add(text));
    this.listen();
  }

  listen() {
    const on = (/** @type {string} */ id, /** @type {() => void} */ act) => byId(id).addEventListener("click", act);
    this.which.addEventListener("change", () => this.unlessChanged(() => this.edit(this.stored(this.which.value) ?? {})));
    this.name.addEventListener("input", () => (this.draft.name = this.name.value));
    this.search.input.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text") ?? ""; // the field itself would lose the line ends
      if (symbolsOf(text).length < 2) return;
      event.preventDefault();
      this.add(text);
    });
    this.symbols.addEventListener("keydown", (event) => {
      const by = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
      if (event.key === "Delete") this.remove();
      else if (event.altKey && by) this.move(by);
      else return;
      event.preventDefault();
    });
    on("lists-new", () => this.unlessChanged(() => this.edit({})));
    on("lists-copy", () => this.unlessChanged(() => this.edit({ symbols: this.draft.symbols })));
    on("lists-add-button", () => this.add(this.search.input.value));
    on("lists-up", () => this.move(-1));
    on("lists-down", () => this.move(1));
    on("lists-remove", () => this.remove());
    on("lists-case", () => this.correct());
    on("lists-delete", () => this.askFirst(`Delete the list ${this.draft.name}?`, () => this.delete()));
    on("lists-save", () => this.save());
    on("lists-close", () => this.unlessChanged(() => this.dialog.close()));
    on("lists-yes", () => {
      const act = this.onYes;
      this.askFirst("", null);
      act?.();
    });
    on("lists-no", () => {
      this.askFirst("", null);
      this.which.value = this.draft.id;
      this.name.focus();
    });
    this.dialog.addEventListener("cancel", (event) => {
      if (event.target !== this.dialog || !this.draft.isChanged) return;
      event.preventDefault();
      this.unlessChanged(() => this.dialog.close());
    });
  }

  /** @param {string} id */
  stored(id) {
    return this.store.watchlists.lists.find((list) => list.id === id);
  }

  // --- what is edited --------------------------------------------------------------------------------------------

  /** @param {Partial<Watchlist> | undefined} list  without an id: a new one */
  open(list) {
    this.edit(list ?? {});
    this.version = -1; // it may have changed between the click and the loading of this code
    this.dialog.showModal();
    (this.draft.editable ? (this.draft.id ? this.search.input : this.name) : this.which).focus();
  }

  /** @param {Partial<Watchlist>} list */
  edit(list) {
    this.draft = new ListDraft(list);
    this.version = this.store.listsVersion;
    this.unknown = new Set(this.store.watchlists.unknown);
    this.meant.clear();
    this.wasChanged = false;
    this.name.value = this.draft.name;
    this.say("", "");
    this.askFirst("", null);
    this.drawWhich();
    this.drawSymbols([]);
    const { editable, id } = this.draft;
    for (const part of this.dialog.querySelectorAll(".own")) /** @type {HTMLFieldSetElement} */ (part).disabled = !editable;
    byId("lists-default").hidden = editable;
    byId("lists-copy").hidden = !id;
    byId("lists-delete").hidden = !id || !editable;
    if (!id && this.dialog.open) this.name.focus();
  }

  /** Something may have come from another window. */
  draw() {
    if (!this.dialog.open || this.isSaving || this.version === this.store.listsVersion) return;
    this.version = this.store.listsVersion;
    this.store.watchlists.unknown.forEach((symbol) => this.unknown.add(symbol));
    const stored = this.stored(this.draft.id);
    const what = this.draft.meanwhile(stored);
    if (what === "changed" && stored && !this.draft.isChanged) {
      this.edit(stored);
      this.say("said", "The list was changed in another window; this is what it is now.");
    } else if (what === "changed" && stored) {
      this.draft.base = new ListDraft(stored).base;
      this.wasChanged = true;
      this.say("said", `The list was changed in another window meanwhile (${stored.name}, ${stored.symbols.length} symbols). Save puts yours in its place.`);
    } else if (what === "deleted") {
      this.draft.id = NEW;
      this.draft.base = "";
      this.say("said", "The list was deleted in another window. Save makes it anew.");
    }
    this.drawWhich();
    this.drawSymbols(this.chosen);
  }

  /** @param {string} text */
  async add(text) {
    const wanted = symbolsOf(text);
    const added = this.draft.add(wanted);
    this.search.input.value = "";
    this.search.close();
    this.drawSymbols(added.map((_, place) => this.draft.symbols.length - added.length + place));
    const twice = wanted.length - added.length;
    this.say("said", wanted.length ? `${added.length} added${twice ? `, ${twice} in the list already` : ""}.` : "Nothing to add: type a symbol, or paste many.");
    for (const symbol of added.slice(0, MOST_LOOKED_UP)) {
      const { symbols, known } = await askSymbols(symbol, 20);
      const upper = symbol.toUpperCase();
      if (!known && symbol === symbol.toLowerCase() && symbol !== upper) this.meant.set(symbol, upper); // there is nothing to ask
      const isKnown = (/** @type {string} */ ticker) => symbols.some((/** @type {{symbol: string}} */ found) => found.symbol === ticker);
      if (known && !isKnown(symbol)) {
        this.unknown.add(symbol);
        if (isKnown(upper)) this.meant.set(symbol, upper);
      }
      this.drawSymbols(this.chosen);
    }
  }

  /** Put in upper case what the vendor knows only so. */
  correct() {
    this.draft.correct(this.meant);
    this.meant.clear();
    this.drawSymbols([]);
    this.symbols.focus();
  }

  get chosen() {
    return [...this.symbols.selectedOptions].map(({ index }) => index);
  }

  /** @param {1 | -1} by */
  move(by) {
    this.drawSymbols(this.draft.move(this.chosen, by));
  }

  remove() {
    const { chosen } = this;
    if (!chosen.length) return this.say("symbols", "Choose symbols in the list first.");
    this.draft.remove(chosen);
    this.drawSymbols([Math.min(chosen[0], this.draft.symbols.length - 1)]);
    this.say("said", `${chosen.length} removed.`);
  }

  // --- what is stored --------------------------------------------------------------------------------------------

  async save() {
    const { draft, wasChanged } = this;
    const isNew = !draft.id;
    const answer = await this.request(isNew ? "POST" : "PUT", { name: draft.name, symbols: draft.symbols });
    if (!answer) return;
    if (isNew) this.show(answer.id);
    this.edit(answer);
    this.say("said", wasChanged ? "Saved. It had been changed in another window meanwhile: now it is as you see it." : "Saved.");
  }

  async delete() {
    const { id, name } = this.draft;
    if (!(await this.request("DELETE"))) return;
    const shown = this.stored(this.store.list ?? "");
    this.edit(shown && shown.id !== id ? shown : {}); // that it is gone may not have been told yet
    this.say("said", `${name} is deleted.`);
  }

  /** @param {string} method @param {object} [body] @returns {Promise<any>} null when it was refused; why is said at the field */
  async request(method, body) {
    this.isSaving = true;
    const { id } = this.draft;
    const answer = await ask(`/api/watchlists${id && `/${encodeURIComponent(id)}`}`, method, body);
    this.isSaving = false;
    if (!answer.error) return answer;
    const field = answer.parameter ?? (answer.status === 409 ? "name" : "");
    this.say(field === "name" || field === "symbols" ? field : "said", answer.error);
    if (field === "name") this.name.focus();
    return null;
  }

  // --- what is shown ---------------------------------------------------------------------------------------------

  /** @param {string} where  name | symbols: an error at that field; said: a word about the whole @param {string} text */
  say(where, text) {
    for (const place of ["name", "symbols", "said"]) setText(byId(`lists-${place}-note`), place === where ? text : "");
    this.name.ariaInvalid = String(where === "name" && text !== "");
    this.symbols.ariaInvalid = String(where === "symbols" && text !== "");
  }

  /** @param {string} question @param {(() => void) | null} act */
  askFirst(question, act) {
    this.onYes = act;
    setText(byId("lists-question-text"), question);
    byId("lists-question").hidden = !act;
    if (act) byId("lists-no").focus();
  }

  /** @param {() => void} act */
  unlessChanged(act) {
    if (this.draft.isChanged) this.askFirst("Throw away what you have changed and not saved?", act);
    else act();
  }

  drawWhich() {
    const { lists } = this.store.watchlists;
    const rows = this.draft.id ? lists : [...lists, { id: NEW, name: "(a new list)" }];
    this.which.replaceChildren(
      ...rows.map(({ id, name }) => {
        const option = /** @type {HTMLOptionElement} */ (element("option", "", name));
        option.value = id;
        return option;
      }),
    );
    this.which.value = this.draft.id;
  }

  /** @param {number[]} chosen  places */
  drawSymbols(chosen) {
    const marked = new Set(chosen);
    const options = this.draft.symbols.map((symbol, place) => {
      const option = /** @type {HTMLOptionElement} */ (element("option", "", this.unknown.has(symbol) ? `${symbol} · unknown to the vendor` : symbol));
      option.selected = marked.has(place);
      return option;
    });
    this.symbols.replaceChildren(...options);
    options[chosen[0]]?.scrollIntoView({ block: "nearest" });
    setText(byId("lists-count"), String(options.length));
    const meant = this.draft.symbols.flatMap((symbol) => this.meant.get(symbol) ?? []); // an answer may be about what is gone meanwhile
    byId("lists-case-note").hidden = !meant.length;
    setText(byId("lists-case-text"), `Tickers are case sensitive. Did you mean ${meant.join(", ")}?`);
  }
}
