/**
 * Socket.IO clients, as the page has them, in one process: node --experimental-websocket fan_out_clients.mjs URL CLIENTS SYMBOLS.
 * Every client watches its own list. Each line on stdin is answered by a line of figures since the line before.
 */

import { createInterface } from "node:readline";

import { Sequence } from "../static/js/link/sequence.js";
import { io } from "../static/vendor/socket.io.esm.min.js";

const [url, count, watched] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const names = process.argv[5].split(",");
let figures = newFigures();
const clients = Array.from({ length: count }, (_, index) => open(index));

function newFigures() {
  return { frames: 0, events: 0, indicators: 0, frame_ms: [], event_ms: [], tick_ms: [] };
}

function open(index) {
  const socket = io(url, { transports: ["websocket"], forceNew: true });
  const client = { connected: false, sequence: new Sequence(1e9), seen: new Set(), twice: 0, snapshots: 0 };
  const take = (signal) => {
    if (client.seen.has(signal.id)) client.twice += client.sequence.take(signal.seq) ? 1 : 0;
    else client.sequence.take(signal.seq);
    client.seen.add(signal.id);
  };
  const ask = () => {
    const wanted = client.sequence.request(Date.now());
    if (wanted) socket.emit("since", wanted);
  };
  const on = (event, handle) =>
    socket.on(event, (message, acknowledge) => {
      handle(message, Date.now());
      acknowledge?.();
    });
  on("snapshot", (message) => {
    if (!client.connected) {
      client.connected = true;
      socket.emit("watch", Array.from({ length: watched }, (_, k) => names[(index * 7 + k * 13) % names.length]));
    }
    client.snapshots += 1;
    client.sequence.begin(message.epoch, message.seq, message.oldest);
    message.events.forEach(take);
    ask();
  });
  on("ticks", (frame, now) => {
    figures.frames += 1;
    figures.frame_ms.push(now - frame.time);
    figures.tick_ms.push(now - Math.max(...frame.symbols.map((row) => row.received)));
  });
  for (const event of ["streaming_pattern", "indicator_alert"]) {
    on(event, (signal, now) => {
      figures.events += 1;
      figures.event_ms.push(now - signal.detection_timestamp);
      take(signal);
      ask();
    });
  }
  on("events", (answer) => {
    answer.events.forEach(take);
    client.sequence.answered(answer, Date.now());
    ask();
  });
  on("feed_status", (status) => {
    client.sequence.tell(status.seq);
    ask();
  });
  on("streaming_indicator", () => (figures.indicators += 1));
  return client;
}

function quantile(values, share) {
  values.sort((a, b) => a - b);
  return values.length ? values[Math.min(values.length - 1, Math.floor(share * values.length))] : 0;
}

for await (const _ of createInterface({ input: process.stdin })) {
  const { frames, events, indicators } = figures;
  const p = (values) => [quantile(values, 0.5), quantile(values, 0.99)];
  const told = { frames, events, indicators, frame: p(figures.frame_ms), event: p(figures.event_ms), tick: p(figures.tick_ms) };
  figures = newFigures();
  const sum = (of) => clients.reduce((total, client) => total + of(client), 0);
  console.log(
    JSON.stringify({
      ...told,
      connected: sum((client) => Number(client.connected)),
      snapshots: sum((client) => client.snapshots),
      held: sum((client) => client.seen.size),
      least: Math.min(...clients.map((client) => client.seen.size)),
      twice: sum((client) => client.twice),
    }),
  );
}
process.exit(0);
