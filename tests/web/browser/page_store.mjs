/** The page's store as a program: one JSON message of the server per line in, what the page then asks, and holds, per line out. */

import { createInterface } from "node:readline";

import { Store } from "../../../static/js/link/store.js";

let store = new Store();
const said = {
  snapshot: (message) => store.takeSnapshot(message),
  streaming_pattern: (message) => store.takeSignal(message),
  indicator_alert: (message) => store.takeSignal(message),
  events: (message) => store.takeEvents(message),
  feed_status: (message) => store.sequence.tell(message.seq),
  reload: () => (store = new Store()),
  look: () => {},
};

for await (const line of createInterface({ input: process.stdin })) {
  const { event, message, now } = JSON.parse(line);
  Date.now = () => now;
  said[event](message);
  const asks = event === "look" || event === "reload" ? null : store.sequence.request(now);
  const holds = event === "look" ? [...store.signals.values()].map(({ id, state }) => [id, state ?? ""]) : null;
  console.log(JSON.stringify({ asks, holds, shown: store.signalsVersion, complete: store.sequence.complete }));
}
