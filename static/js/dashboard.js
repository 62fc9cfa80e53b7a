/** The Live Streaming page: makes its parts, and connects them. */

import { Selection } from "./common/selection.js";
import { Chart } from "./chart/chart.js";
import { bannerDrawing } from "./status/banners.js";
import { BestOnly } from "./signals/best_only.js";
import { loadCatalog } from "./common/catalog.js";
import { counterDrawing } from "./status/counters.js";
import { digestDrawing } from "./status/digest.js";
import { startPage } from "./common/every_page.js";
import { startFrameLoop } from "./link/frame_loop.js";
import { byId } from "./common/page.js";
import { preferences } from "./common/preferences.js";
import { Signals } from "./signals/signals.js";
import { connect } from "./link/socket.js";
import { StatusBar } from "./status/status_bar.js";
import { Store } from "./link/store.js";
import { ListEditor } from "./watchlist/list_editor.js";
import { ListSwitch } from "./watchlist/list_switch.js";
import { meant, SymbolSearch } from "./watchlist/symbol_search.js";
import { Watchlist } from "./watchlist/watchlist.js";

const store = new Store();
const selection = new Selection(location);
const kind = /** @type {HTMLSelectElement} */ (byId("filter-kind"));
const direction = /** @type {HTMLSelectElement} */ (byId("filter-direction"));
const symbol = /** @type {HTMLInputElement} */ (byId("filter-symbol"));
const pause = byId("pause");

const signals = new Signals(
  store,
  { rows: byId("signal-rows"), empty: byId("signals-empty"), note: byId("signals-note") },
  showOnly,
);
const watchlist = new Watchlist(store, selection);
const search = new SymbolSearch(
  "symbol-search",
  () => new Set([...store.watch, ...store.watchlists.lists.flatMap(({ symbols }) => symbols)]),
  (text, shown, isOption) => selection.choose({ symbol: isOption ? text : meant(text, shown) }),
  () => selection.symbol,
);
const bestOnly = new BestOnly({ state: byId("best-state"), button: byId("best-switch") }, applyFilter);
const statusBar = new StatusBar(store, watchlist);

/** @param {string} chosen */
function showOnly(chosen) {
  symbol.value = symbol.value.trim().toUpperCase() === chosen ? "" : chosen;
  applyFilter();
}

function applyFilter() {
  signals.setFilter({ kind: kind.value, direction: direction.value, symbol: symbol.value.trim().toUpperCase(), best: bestOnly.inForce });
}

function togglePause() {
  signals.setPaused(!signals.paused);
  store.paused = signals.paused ? store.now() : 0;
  pause.setAttribute("aria-pressed", String(signals.paused));
  pause.firstChild?.replaceWith(signals.paused ? "Continue " : "Pause ");
}

byId("filters").addEventListener("input", applyFilter);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
pause.addEventListener("click", togglePause);
startPage({ pause: togglePause, search: () => search.input.focus() });
symbol.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    symbol.value = "";
    applyFilter();
    symbol.blur();
  }
});

applyFilter();
const chart = new Chart(store, selection);
loadCatalog((catalog) => {
  signals.setCatalog(catalog);
  chart.setCatalog(catalog);
  bestOnly.take(catalog);
});
const link = connect(store, { list: preferences.get("list") || null, chart: selection.symbol || null });
const editor = new ListEditor(store, (id) => lists.show(id));
const lists = new ListSwitch(store, selection, link, editor);
selection.onChange(({ symbol }) => link.chart(symbol || null));
selection.onChange(() => search.showRest());
search.showRest();
startFrameLoop([
  (now) => watchlist.draw(now),
  () => lists.draw(),
  () => editor.draw(),
  () => signals.draw(),
  (now) => chart.draw(now),
  (now) => statusBar.draw(now),
  bannerDrawing(store, byId("banners")),
  counterDrawing(store),
  digestDrawing(store, byId("digest")),
]);
