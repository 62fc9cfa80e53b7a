/** Runs in the measured page before its own scripts: when frames of the server arrive, and when what they changed has been drawn. */
(() => {
  const clock = () => performance.timeOrigin + performance.now();
  const probe = { frames: [], ticks: [], signals: [], bytes: 0, messages: 0, firstPrice: 0, firstSignal: 0 };
  let arrived = [];
  let before = 0;

  class ProbedWebSocket extends WebSocket {
    constructor(...of) {
      super(...of);
      this.addEventListener("message", ({ data }) => take(data));
    }
  }

  function take(data) {
    if (typeof data !== "string") return;
    probe.bytes += data.length;
    probe.messages += 1;
    const head = data.slice(0, 160);
    const number = (name) => Number(head.match(`"${name}":(\\d+)`)?.[1] ?? 0);
    if (head.includes('["ticks"')) arrived.push({ kind: "ticks", at: clock(), made: number("time"), seen: number("seen") });
    else if (head.includes('["streaming_pattern"') || head.includes('["indicator_alert"')) {
      arrived.push({ kind: "signals", at: clock(), made: Number(data.match(/"detection_timestamp":(\d+)/)?.[1] ?? 0), seen: 0 });
    }
  }

  // A message to oneself, posted within the animation frame, comes when that frame has been handed over for drawing.
  const drawn = new MessageChannel();
  drawn.port1.onmessage = ({ data }) => {
    const now = clock();
    for (const { kind, at, made, seen } of data) probe[kind].push([made - seen, at - made, now - at, now - (seen || made)]);
  };

  function frame(time) {
    if (before) probe.frames.push(time - before);
    before = time;
    requestAnimationFrame(frame);
    drawn.port2.postMessage(arrived);
    arrived = [];
    if (!probe.firstPrice && /\d/.test(document.querySelector("#watch-rows .last")?.textContent ?? "")) probe.firstPrice = performance.now();
    if (!probe.firstSignal && document.querySelector(".signal")) probe.firstSignal = performance.now();
  }

  window.WebSocket = ProbedWebSocket;
  window.liveProbe = {
    /** What was measured since the last call. */
    take: () => {
      const { frames, ticks, signals, bytes, messages, firstPrice, firstSignal } = probe;
      Object.assign(probe, { frames: [], ticks: [], signals: [], bytes: 0, messages: 0 });
      const chart = performance.getEntriesByType("measure").filter(({ name }) => name.startsWith("chart")).map(({ name, duration }) => [name, duration]);
      return { frames, ticks, signals, bytes, messages, firstPrice, firstSignal, chart };
    },
  };
  requestAnimationFrame(frame);
})();
