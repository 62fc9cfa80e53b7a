/** The connection to the server: every message goes into the store, and nowhere else. */

import { io } from "../vendor/socket.io.esm.min.js";

/** @import { Store } from "./store.js" */

/**
 * Connect, and stay connected.
 * @param {Store} store
 */
export function connect(store) {
  const socket = io({ transports: ["websocket", "polling"], reconnectionDelay: 300, reconnectionDelayMax: 2000 });
  const state = (/** @type {(message: any) => void} */ hold) => (/** @type {any} */ message) => {
    store.heardAt(message.time ?? 0);
    hold(message);
    store.stateVersion += 1;
  };
  socket.on("disconnect", () => store.setLink("lost"));
  socket.on("connect_error", () => {
    if (store.link === "live") store.setLink("lost");
  });
  socket.on("snapshot", (snapshot) => {
    const missingAfter = store.takeSnapshot(snapshot);
    if (missingAfter !== null) socket.emit("since", { epoch: snapshot.epoch, seq: missingAfter });
  });
  socket.on("ticks", (frame) => {
    store.heardAt(frame.time);
    for (const row of frame.symbols) store.takeRow(row);
  });
  socket.on("streaming_pattern", (signal) => receive([signal]));
  socket.on("indicator_alert", (signal) => receive([signal]));
  socket.on("events", (answer) => {
    if (answer.epoch === store.epoch) answer.events.forEach((/** @type {any} */ signal) => store.takeSignal(signal));
  });
  socket.on("streaming_indicator", (values) => store.takeIndicators(values));
  socket.on("streaming_health", state((message) => (store.health = message)));
  socket.on("feed_status", state((message) => (store.feed = message)));
  socket.on("counters", state((message) => (store.counters = message)));
  socket.on("session", state((message) => (store.session = message)));

  /** @param {any[]} signals */
  function receive(signals) {
    const first = signals[0].seq;
    if (first > store.seq + 1) socket.emit("since", { epoch: store.epoch, seq: store.seq });
    signals.forEach((signal) => store.takeSignal(signal));
  }
}
