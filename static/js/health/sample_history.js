/** A figure's last minutes, kept in the browser while the page is open. Pure. */

/** @typedef {{time: number, value: number | null}} Sample  null: it was not known */

export const KEPT_MS = 600_000;

export class SampleHistory {
  /** @param {number} [keptMs] */
  constructor(keptMs = KEPT_MS) {
    this.keptMs = keptMs;
    /** @type {Sample[]} */
    this.samples = [];
  }

  /** @param {number} time @param {number | null} value */
  add(time, value) {
    this.samples.push({ time, value: value !== null && Number.isFinite(value) ? value : null });
    const first = this.samples.findIndex((sample) => sample.time >= time - this.keptMs);
    if (first > 0) this.samples.splice(0, first);
  }

  /** @returns {number[]} what is known */
  get values() {
    return this.samples.flatMap(({ value }) => (value === null ? [] : [value]));
  }
}

export class Rates {
  /** @param {number} [windowMs] over which a rate is measured */
  constructor(windowMs = 10_000) {
    this.windowMs = windowMs;
    /** @type {Map<string, Array<{time: number, total: number}>>} */
    this.totals = new Map();
  }

  /**
   * How fast a total rises, from what it was some seconds ago.
   * @param {string} name
   * @param {number} time
   * @param {number | null | undefined} total  a fall means that the counting began again
   * @returns {number | null} a second; null while there is nothing to compare with
   */
  perSecond(name, time, total) {
    if (total == null) {
      this.totals.delete(name);
      return null;
    }
    let known = this.totals.get(name) ?? [];
    if (known.length && total < known[known.length - 1].total) known = [];
    if (!known.length || time > known[known.length - 1].time) known.push({ time, total });
    while (known.length > 2 && time - known[1].time >= this.windowMs) known.shift();
    this.totals.set(name, known);
    const first = known[0];
    return time > first.time ? ((total - first.total) * 1000) / (time - first.time) : null;
  }
}
