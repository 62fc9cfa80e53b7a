/** What the page takes of the server's messages, from a socket that is none. */

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import test from "node:test";

import { takeMessages } from "../../../static/js/link/incoming.js";
import { Store } from "../../../static/js/link/store.js";

const NOW = Date.UTC(2026, 10, 20, 15, 30);

/** A page that has its snapshot: its store, and what the server says to it. */
function page() {
  const socket = new EventEmitter();
  const store = new Store();
  takeMessages(socket, store, { chart: null });
  socket.emit("snapshot", {
    epoch: "e", seq: 0, oldest: 1, time: NOW, watch: [], symbols: [], indicators: [], events: [], counters: null,
    session: null, health: null, feed: { status: "live" },
  });
  return { say: (...message) => socket.emit(...message) };
}

test("a message is acknowledged also when it cannot be taken", () => {
  const { say } = page();
  let acknowledged = 0;
  const acknowledge = () => (acknowledged += 1);
  say("ticks", { time: NOW, symbols: [] }, acknowledge);
  assert.throws(() => say("ticks", { time: NOW }, acknowledge));
  say("counters", { patterns: 1 });
  assert.equal(acknowledged, 2);
});
