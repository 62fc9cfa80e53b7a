/** The connection to the server: every message goes into the store, and nowhere else. */

import { io } from "../../vendor/socket.io.esm.min.js";

/** @import { Store } from "./store.js" */

/**
 * @typedef {object} Link  what the page says to the server
 * @property {(list: string) => void} watch  another watchlist
 * @property {(symbol: string | null) => void} chart  the symbol whose running minute is wanted
 */

/**
 * Connect, and stay connected; a new connection begins with the choices of the moment.
 * @param {Store} store
 * @param {{list: string | null, chart: string | null}} wanted
 * @returns {Link}
 */
export function connect(store, wanted) {
  const socket = io({
    transports: ["websocket", "polling"],
    reconnectionDelay: 300,
    reconnectionDelayMax: 2000,
    auth: (/** @type {(choices: object) => void} */ say) => say(wanted),
  });

  /**
   * Take the messages of one event. The server sends no frame, and in the end nothing, before it knows that the last one was taken.
   * @param {string} event
   * @param {(message: any) => void} take
   */
  const on = (event, take) =>
    socket.on(event, (/** @type {any} */ message, /** @type {(() => void) | undefined} */ acknowledge) => {
      try {
        take(message);
      } finally {
        acknowledge?.();
      }
    });
  const state = (/** @type {(message: any) => void} */ hold) => (/** @type {any} */ message) => {
    store.heardAt(message.time ?? 0);
    hold(message);
  };
  const askForMissing = () => {
    const wanted = store.sequence.request(Date.now());
    if (wanted) socket.emit("since", wanted);
  };

  socket.on("connect", () => {
    store.setLink("snapshot");
    if (document.hidden) socket.emit("visible", false);
  });
  socket.on("disconnect", () => store.setLink("lost"));
  socket.on("connect_error", () => {
    if (store.link === "live") store.setLink("lost");
  });
  document.addEventListener("visibilitychange", () => {
    store.heardAt(0); // nothing but events came while hidden, as was asked for
    if (socket.connected) socket.emit("visible", !document.hidden);
  });
  on("snapshot", (snapshot) => {
    store.takeSnapshot(snapshot);
    askForMissing();
  });
  on("ticks", (frame) => {
    store.heardAt(frame.time);
    store.seenAt = frame.seen ?? 0;
    for (const row of frame.symbols) store.takeRow(row);
  });
  for (const event of ["streaming_pattern", "indicator_alert"]) {
    on(event, (signal) => {
      store.takeSignal(signal);
      askForMissing();
    });
  }
  on("events", (answer) => {
    store.takeEvents(answer);
    askForMissing();
  });
  on("watching", (message) => store.takeWatching(message));
  on("watchlists", (message) => store.takeWatchlists(message));
  on("forming_bar", (message) => {
    if (message.symbol === wanted.chart) store.formingBar = message;
  });
  on("streaming_indicator", (values) => store.takeIndicators(values));
  on("streaming_health", state((message) => (store.health = message)));
  on("counters", state((message) => (store.counters = message)));
  on("session", state((message) => (store.session = message)));
  on(
    "feed_status",
    state((message) => {
      store.feed = message;
      store.sequence.tell(message.seq);
      askForMissing();
    }),
  );

  return {
    watch: (list) => {
      wanted.list = list;
      if (socket.connected) socket.emit("watch", { list });
    },
    chart: (symbol) => {
      if (symbol === wanted.chart) return;
      wanted.chart = symbol;
      store.formingBar = null;
      if (socket.connected) socket.emit("chart", symbol);
    },
  };
}
