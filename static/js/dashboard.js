/** The Live Streaming page: makes its parts, and connects them. */

import { Selection } from "./common/selection.js";
import { Chart } from "./chart/chart.js";
import { bannerDrawing } from "./status/banners.js";
import { FilterBar } from "./signals/filter_bar.js";
import { loadCatalog } from "./common/catalog.js";
import { counterDrawing } from "./status/counters.js";
import { digestDrawing } from "./status/digest.js";
import { healthDrawing } from "./status/health_tab.js";
import { PhoneTabs } from "./status/phone_tabs.js";
import { latencyMeasuring, PixelLatency } from "./status/pixel_latency.js";
import { startPage } from "./common/every_page.js";
import { Later } from "./common/later.js";
import { startFrameLoop } from "./link/frame_loop.js";
import { byId, setPressed } from "./common/page.js";
import { preferences } from "./common/preferences.js";
import { TIMEFRAMES } from "./common/words.js";
import { Announcer } from "./notify/announcer.js";
import { NotifyDialog } from "./notify/notify_dialog.js";
import { passes } from "./signals/filter.js";
import { Signals } from "./signals/signals.js";
import { connect } from "./link/socket.js";
import { StatusBar } from "./status/status_bar.js";
import { Store } from "./link/store.js";
import { ListSwitch } from "./watchlist/list_switch.js";
import { meant, SymbolSearch } from "./watchlist/symbol_search.js";
import { Watchlist } from "./watchlist/watchlist.js";

/** @import { Signal } from "./link/messages.js" */

const store = new Store();
const selection = new Selection(location);
const pause = byId("pause");
const filters = new FilterBar((filter) => signals.setFilter(filter));
const signals = new Signals(
  store,
  {
    scroll: byId("signals-scroll"), rows: byId("signal-rows"), empty: byId("signals-empty"), note: byId("signals-note"), news: byId("signals-news"),
    older: byId("signals-older"),
  },
  selection,
  filters.filter,
);
const card = new Later(async () => new (await import("./signals/signal_card.js")).SignalCard(store, selection));
const chart = new Chart(store, selection);
const watchlist = new Watchlist(store, selection);
const search = new SymbolSearch(
  "symbol-search",
  () => new Set([...store.watch, ...store.watchlists.lists.flatMap(({ symbols }) => symbols)]),
  (text, shown, isOption) => selection.choose({ symbol: isOption ? text : meant(text, shown) }),
  () => selection.symbol,
);
const latency = new PixelLatency();
const statusBar = new StatusBar(store, watchlist, latency);
const tabs = new PhoneTabs();
const list = { isListed, rank: (/** @type {Signal} */ signal) => signals.catalog?.rank(signal) ?? null, open: showSignal };
const announcer = new Announcer(store, preferences, list);
const notifyDialog = new NotifyDialog(preferences, announcer);
let watched = { version: -1, symbols: new Set(store.watch) };

/** @param {Signal} signal @returns {boolean} whether the filter of the list lets it through */
function isListed(signal) {
  if (watched.version !== store.watchVersion) watched = { version: store.watchVersion, symbols: new Set(store.watch) };
  const at = { watch: watched.symbols, selected: selection.symbol, quotes: store.quotes, catalog: signals.catalog ?? null };
  return passes(signal, signals.filter, at);
}

/** @param {Signal} signal  whose notification was clicked */
function showSignal({ symbol, timeframe }) {
  selection.choose({ symbol, timeframe });
  tabs.open("chart");
}

function togglePause() {
  signals.setPaused(!signals.paused);
  chart.setPaused(signals.paused);
  setPressed(pause, signals.paused, signals.paused ? "Continue" : "Pause");
}

/** The keys of lists, from wherever they are pressed: into the list of signals, or on a phone into what is open. */
function enterList() {
  const lists = ["#signal-rows [tabindex='0']", "#watch-view"].map((list) => /** @type {HTMLElement | null} */ (document.querySelector(list)));
  lists.find((list) => list?.offsetParent)?.focus();
}

pause.addEventListener("click", togglePause);
store.onSignal.push((signal) => {
  if (store.feed && signal.origin === "live" && !tabs.shows("signals") && isListed(signal)) tabs.tell(1);
});
document.addEventListener("tickstock:card", async (event) => {
  const { signals: shown } = /** @type {CustomEvent} */ (event).detail; // of one bar
  (await card.get()).open(shown, signals.catalog ?? null);
});
startPage({
  search: () => search.input.focus(),
  pause: togglePause,
  timeframe: (key) => selection.choose({ timeframe: Object.keys(TIMEFRAMES)[Number(key) - 1] }),
  mute: () => notifyDialog.mute(),
  rows: enterList,
  open: "by the focused list",
});
loadCatalog((catalog) => {
  signals.setCatalog(catalog);
  chart.setCatalog(catalog);
  filters.setCatalog(catalog);
  if (catalog) notifyDialog.setCatalog(catalog);
});
const link = connect(store, { list: preferences.get("list") || null, chart: selection.symbol || null });
const editor = new Later(async () => new (await import("./watchlist/list_editor.js")).ListEditor(store, (id) => lists.show(id)));
const lists = new ListSwitch(store, selection, link, async (list) => (await editor.get()).open(list));
selection.onChange(({ symbol }) => link.chart(symbol || null));
selection.onChange(() => search.showRest());
search.showRest();
startFrameLoop([
  (now) => watchlist.draw(now),
  () => lists.draw(),
  () => editor.part?.draw(),
  () => signals.draw(),
  (now) => chart.draw(now),
  (now) => statusBar.draw(now),
  bannerDrawing(store, byId("banners")),
  counterDrawing(store),
  digestDrawing(store, byId("digest"), list),
  healthDrawing(store, () => tabs.shows("health-tab")),
  latencyMeasuring(store, latency),
]);
