/** How long a tick takes from the server to the screen. Pure: the times come in. */

const WINDOW_MS = 60_000;
const MOST_FRAMES = 1500; // of the last minute, at 20 to 25 frames a second
const HIDDEN_FOR_MS = 3000; // a frame that was drawn so late waited in a tab that was not shown

export class PixelLatency {
  constructor() {
    /** @type {Array<{at: number, seen: number, offset: number}>} */
    this.frames = [];
  }

  /**
   * A frame of prices has been drawn.
   * @param {number} now  the browser's time, after it was drawn
   * @param {number} seen  the server's time at which its newest tick was received
   * @param {number} offset  the server's clock less the browser's, as of that frame
   */
  add(now, seen, offset) {
    if (!seen || now + offset - seen > HIDDEN_FOR_MS) return;
    this.frames.push({ at: now, seen, offset });
    if (this.frames.length > MOST_FRAMES) this.frames.shift();
  }

  /**
   * The median and the 99th percentile of the last minute.
   * A frame's own offset is the clocks' difference less the frame's way through the network, so the largest is nearest to the truth.
   * @param {number} now
   * @returns {{p50: number, p99: number, frames: number} | null}
   */
  figures(now) {
    const first = this.frames.findIndex(({ at }) => now - at < WINDOW_MS);
    this.frames.splice(0, first < 0 ? this.frames.length : first);
    if (!this.frames.length) return null;
    const offset = Math.max(...this.frames.map((frame) => frame.offset));
    const spans = this.frames.map(({ at, seen }) => Math.max(0, at + offset - seen)).sort((a, b) => a - b);
    const quantile = (/** @type {number} */ share) => Math.round(spans[Math.min(spans.length - 1, Math.floor(share * spans.length))]);
    return { p50: quantile(0.5), p99: quantile(0.99), frames: spans.length };
  }
}

/**
 * Measure every frame of prices that the page draws; to be called last in each turn of the frame loop.
 * @param {import("../link/store.js").Store} store
 * @param {PixelLatency} latency
 * @returns {() => void}
 */
export function latencyMeasuring(store, latency) {
  let measured = 0;
  const drawn = new MessageChannel(); // its message comes after the browser has drawn the frame
  let offset = 0;
  drawn.port1.onmessage = () => latency.add(Date.now(), measured, offset);
  return () => {
    if (store.seenAt === measured) return;
    measured = store.seenAt;
    offset = store.clockOffset;
    drawn.port2.postMessage(0);
  };
}
