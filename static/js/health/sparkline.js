/** A small line of a figure's last minutes, as SVG. */

/** @import { Sample } from "./sample_history.js" */

const SVG = "http://www.w3.org/2000/svg";
export const WIDTH = 200;
export const HEIGHT = 28;

/**
 * Where the line goes: one list of points for each stretch without a hole. Pure.
 * @param {Sample[]} samples
 * @param {number} now  the right edge
 * @param {number} spanMs  from edge to edge
 * @returns {string[]} the `points` of polylines
 */
export function stretches(samples, now, spanMs) {
  const known = samples.flatMap(({ value }) => (value === null ? [] : [value]));
  const top = Math.max(...known, 0) || 1;
  /** @type {string[][]} */
  const found = [[]];
  for (const { time, value } of samples) {
    if (time < now - spanMs) continue;
    if (value === null) {
      if (found[found.length - 1].length) found.push([]);
      continue;
    }
    const x = WIDTH - ((now - time) / spanMs) * WIDTH;
    const y = HEIGHT - 2 - (Math.max(0, value) / top) * (HEIGHT - 4);
    found[found.length - 1].push(`${x.toFixed(1)},${y.toFixed(1)}`);
  }
  return found.filter((points) => points.length).map((points) => (points.length === 1 ? [points[0], points[0]] : points).join(" "));
}

/**
 * What the line shows, in words. Pure.
 * @param {number[]} values
 * @param {string} name
 * @param {(value: number) => string} format
 * @returns {string}
 */
export function described(values, name, format) {
  if (!values.length) return `${name}: nothing measured since the page was opened`;
  return `${name} since the page was opened, at most 10 minutes: lowest ${format(Math.min(...values))}, highest ${format(Math.max(...values))}`;
}

export class Sparkline {
  constructor() {
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("class", "sparkline");
    this.element.setAttribute("role", "img");
  }

  /**
   * @param {Sample[]} samples
   * @param {number} now
   * @param {number} spanMs
   * @param {string} words  what it shows
   */
  draw(samples, now, spanMs, words) {
    this.element.setAttribute("aria-label", words);
    this.element.replaceChildren(
      ...stretches(samples, now, spanMs).map((points) => {
        const line = document.createElementNS(SVG, "polyline");
        line.setAttribute("points", points);
        return line;
      }),
    );
  }
}
