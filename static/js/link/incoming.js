/** What the server says: every message goes into the store, and nowhere else. */

/** @import { Socket } from "../../vendor/socket.io.esm.min.js" */
/** @import { Signal } from "./messages.js" */
/** @import { Store } from "./store.js" */

/**
 * Take every message of the server, and ask it for what is missing.
 * @param {Pick<Socket, "on" | "emit">} socket
 * @param {Store} store
 * @param {{chart: string | null}} wanted
 */
export function takeMessages(socket, store, wanted) {
  const askForMissing = () => {
    const missing = store.sequence.request(Date.now());
    if (missing) socket.emit("since", missing);
  };
  const takeSignal = (/** @type {Signal} */ signal) => {
    store.takeSignal(signal);
    askForMissing();
  };
  /** @type {Record<string, (message: any) => void>} */
  const takes = {
    snapshot: (snapshot) => {
      store.takeSnapshot(snapshot);
      askForMissing();
    },
    ticks: (frame) => {
      store.heardAt(frame.time);
      store.seenAt = frame.seen ?? 0;
      for (const row of frame.symbols) store.takeRow(row);
    },
    streaming_pattern: takeSignal,
    indicator_alert: takeSignal,
    events: (answer) => {
      store.takeEvents(answer);
      askForMissing();
    },
    watching: (message) => store.takeWatching(message),
    watchlists: (message) => store.takeWatchlists(message),
    forming_bar: (message) => {
      if (message.symbol === wanted.chart) store.formingBar = message;
    },
    streaming_indicator: (values) => store.takeIndicators(values),
  };
  /** @type {Record<string, (message: any) => void>} */
  const states = {
    streaming_health: (message) => (store.health = message),
    counters: (message) => (store.counters = message),
    session: (message) => (store.session = message),
    feed_status: (message) => {
      store.feed = message;
      store.sequence.tell(message.seq);
      askForMissing();
    },
  };
  for (const [event, take] of Object.entries(takes)) socket.on(event, acknowledged(take));
  for (const [event, hold] of Object.entries(states)) {
    socket.on(event, acknowledged((message) => {
      store.heardAt(); // a session's time is the market's own
      hold(message);
    }));
  }
}

/**
 * Messages of one event. The server sends no frame, and in the end nothing, before it knows that the last one was taken.
 * @param {(message: any) => void} take
 * @returns {(message: any, acknowledge?: () => void) => void}
 */
const acknowledged = (take) => (message, acknowledge) => {
  try {
    take(message);
  } finally {
    acknowledge?.();
  }
};
