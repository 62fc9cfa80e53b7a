/** What the page takes of the server's messages, from a socket that is none. */

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import test from "node:test";

import { takeMessages } from "../../../static/js/link/incoming.js";
import { Store } from "../../../static/js/link/store.js";

const NOW = Date.UTC(2026, 10, 20, 15, 30);
const DIFFERENCE = 1500; // the server's clock less the browser's
const session = (time) => ({ name: "regular", trading_day: "2026-11-18", time });

/** A page that has its snapshot: its store, and what the server says to it. */
function page() {
  const socket = new EventEmitter();
  const store = new Store();
  takeMessages(socket, store, { chart: null });
  socket.emit("snapshot", {
    epoch: "e", seq: 0, oldest: 1, time: NOW + DIFFERENCE, watch: [], symbols: [], indicators: [], events: [], counters: null,
    session: session(NOW - 172_800_000), health: null, feed: { status: "live" },
  });
  return { store, say: (...message) => socket.emit(...message) };
}

test("the clock of a recorded day is not taken for the server's", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: NOW });
  const { store, say } = page();
  assert.equal(store.now(), NOW + DIFFERENCE);
  t.mock.timers.tick(1000);
  say("session", session(NOW - 172_799_000));
  assert.equal(store.session.time, NOW - 172_799_000);
  assert.equal(store.heard, NOW + 1000);
  assert.equal(store.now(), NOW + 1000 + DIFFERENCE);
});

test("a message is acknowledged also when it cannot be taken", () => {
  const { say } = page();
  let acknowledged = 0;
  const acknowledge = () => (acknowledged += 1);
  say("ticks", { time: NOW, symbols: [] }, acknowledge);
  assert.throws(() => say("ticks", { time: NOW }, acknowledge));
  say("counters", { patterns: 1 });
  assert.equal(acknowledged, 2);
});
