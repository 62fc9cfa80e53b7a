/** The connection to the server: every message goes into the store, and nowhere else. */

import { io } from "../../vendor/socket.io.esm.min.js";

/** @import { Store } from "./store.js" */

/**
 * Connect, and stay connected.
 * @param {Store} store
 */
export function connect(store) {
  const socket = io({ transports: ["websocket", "polling"], reconnectionDelay: 300, reconnectionDelayMax: 2000 });

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
    store.stateVersion += 1;
  };
  const askForMissing = () => {
    const wanted = store.sequence.request(Date.now());
    if (wanted) socket.emit("since", wanted);
  };

  socket.on("connect", () => {
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
}
