/** The page's sequence of signals under generated schedules, against a server of a few lines. Run: node --test tests/web/browser/ */

import assert from "node:assert/strict";
import test from "node:test";

import { ANSWER_WAIT_MS, Sequence } from "../../../static/js/link/sequence.js";
import { KEPT_SIGNALS, Store } from "../../../static/js/link/store.js";

/** @param {number} seed @returns {() => number} numbers in [0, 1), the same for the same seed */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

class Server {
  constructor(kept) {
    this.kept = kept;
    this.restart();
  }

  restart() {
    this.epoch = `e${(Server.epochs = (Server.epochs ?? 0) + 1)}`;
    this.last = 0;
  }

  get oldest() {
    return Math.max(1, this.last - this.kept + 1);
  }

  since({ epoch, seq }, part) {
    if (epoch !== this.epoch || seq < this.oldest - 1 || seq > this.last) return null;
    const to = Math.min(this.last, seq + part);
    return { epoch, from: seq + 1, to, until: to };
  }
}

function runSchedule(seed) {
  const random = randomFrom(seed);
  const below = (most) => Math.floor(random() * most);
  const server = new Server(5 + below(60));
  const sequence = new Sequence(1000);
  let now = 1;
  let taken = new Map(); // of this epoch: number to how often it was news
  let given = 0; // up to which number the server could not answer any more
  const take = (seq) => {
    if (sequence.take(seq)) taken.set(seq, (taken.get(seq) ?? 0) + 1);
  };
  const begin = () => {
    if (sequence.epoch !== server.epoch) {
      taken = new Map();
      given = 0;
    }
    given = Math.max(given, server.oldest - 1);
    sequence.begin(server.epoch, server.last, server.oldest);
  };
  const ask = (isLost) => {
    const wanted = sequence.request(now);
    if (!wanted || isLost) return;
    const answer = server.since(wanted, 1 + below(10));
    if (!answer) begin();
    else {
      for (let seq = answer.from; seq <= answer.to; seq += 1) take(seq);
      sequence.answered(answer, now);
    }
  };
  begin();
  for (let step = 0; step < 120; step += 1) {
    now += below(2 * ANSWER_WAIT_MS);
    const what = below(20);
    if (what === 0) server.restart();
    if (what <= 1) begin();
    else {
      for (let count = below(6); count > 0; count -= 1) {
        server.last += 1;
        if (sequence.epoch === server.epoch && random() < 0.7) take(server.last);
        if (random() < 0.2 && sequence.epoch === server.epoch) take(1 + below(server.last));
      }
      if (sequence.epoch !== server.epoch) begin();
      ask(random() < 0.3);
    }
  }
  begin();
  for (let round = 0; round < 1000 && sequence.complete < server.last; round += 1) {
    now += ANSWER_WAIT_MS;
    ask(false);
  }
  assert.equal(sequence.complete, server.last, `seed ${seed}`);
  assert.equal(sequence.ahead.size, 0, `seed ${seed}`);
  assert.equal(sequence.request(now + ANSWER_WAIT_MS), null);
  for (let seq = given + 1; seq <= server.last; seq += 1) assert.equal(taken.get(seq), 1, `seed ${seed}, number ${seq}`);
}

test("after any schedule every number that the server still holds was news exactly once", () => {
  for (let seed = 1; seed <= 1000; seed += 1) runSchedule(seed);
});

const signal = (seq, fields = {}) => ({ seq, id: `A:${seq}`, symbol: "A", detection_timestamp: seq, ...fields });
const snapshot = (fields) => ({
  epoch: "e", seq: 0, oldest: 1, time: 0, watch: [], symbols: [], indicators: [], events: [], counters: null, session: null, health: null, feed: null, ...fields,
});

test("a snapshot that lacks a signal is noticed", () => {
  for (const [brought, after] of [[[6, 7, 8], null], [[2, 3, 6, 7, 8], null], [[7, 8], 5], [[], 5]]) {
    const store = new Store();
    store.takeSnapshot(snapshot({ seq: 5, events: [1, 2, 3, 4, 5].map((seq) => signal(seq)) }));
    assert.equal(store.sequence.request(0), null);
    store.takeSnapshot(snapshot({ seq: 8, events: brought.map((seq) => signal(seq)) }));
    assert.deepEqual(store.sequence.request(0), after === null ? null : { epoch: "e", seq: after });
  }
});

test("a page that joins late asks for as many as it keeps", () => {
  const store = new Store();
  store.takeSnapshot(snapshot({ seq: 9000, oldest: 10, events: [signal(9000)] }));
  assert.deepEqual(store.sequence.request(0), { epoch: "e", seq: 9000 - KEPT_SIGNALS });
  store.takeSnapshot(snapshot({ epoch: "f", seq: 900, oldest: 10, events: [signal(900)] }));
  assert.deepEqual(store.sequence.request(0), { epoch: "f", seq: 9 });
});

test("an answer that does not come is asked for again, one that comes in parts is not", () => {
  const sequence = new Sequence(100);
  sequence.begin("e", 50, 1);
  assert.deepEqual(sequence.request(1000), { epoch: "e", seq: 0 });
  assert.equal(sequence.request(1001), null);
  for (let seq = 1; seq <= 20; seq += 1) sequence.take(seq);
  sequence.answered({ to: 20, until: 50 }, 4000);
  assert.equal(sequence.request(4000 + ANSWER_WAIT_MS - 1), null);
  assert.deepEqual(sequence.request(4000 + ANSWER_WAIT_MS), { epoch: "e", seq: 20 });
});

test("the same signal after a restart of the server is not news", () => {
  const store = new Store();
  store.takeSnapshot(snapshot({ seq: 1, events: [signal(1, { state: "confirmed" })] }));
  const version = store.signalsVersion;
  store.takeSnapshot(snapshot({ epoch: "f", seq: 1, events: [signal(1, { state: "confirmed" })] }));
  store.takeSignal(signal(1, { state: "void" }));
  assert.equal(store.signalsVersion, version);
  assert.equal(store.signals.get("A:1").state, "confirmed");
});
