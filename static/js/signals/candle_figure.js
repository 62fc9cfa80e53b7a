/** A small drawing of the bars of a signal: candles, and the lines of a chart pattern. */

/** @typedef {{timestamp: number, open: number, high: number, low: number, close: number}} Bar */
/** @typedef {{points: Array<{timestamp: number, price: number}>}} DrawnLine */

const WIDTH = 460;
const HEIGHT = 150;
const EDGE = 8;

/** @param {string} name @param {Record<string, string | number>} attributes */
function shape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** A line may begin before the first bar that is drawn. @param {DrawnLine["points"]} points @param {number} first @returns {DrawnLine["points"]} */
function sinceFirst(points, first) {
  const [start, next] = points;
  if (!next || start.timestamp >= first) return points;
  const share = (first - start.timestamp) / (next.timestamp - start.timestamp);
  return [{ timestamp: first, price: start.price + share * (next.price - start.price) }, ...points.slice(1)];
}

/**
 * @param {Bar[]} bars  the oldest first
 * @param {DrawnLine[]} lines
 * @param {number} from  the first bar that belongs to the signal
 * @param {string} words  what the drawing shows
 */
export function candleFigure(bars, lines, from, words) {
  lines = lines.map(({ points }) => ({ points: sinceFirst(points, bars[0].timestamp) }));
  const prices = [...bars.flatMap(({ high, low }) => [high, low]), ...lines.flatMap(({ points }) => points.map((point) => point.price))];
  const top = Math.max(...prices);
  const scale = (HEIGHT - 2 * EDGE) / (top - Math.min(...prices) || 1);
  const step = Math.min(26, (WIDTH - 2 * EDGE) / bars.length);
  const x = (/** @type {number} */ index) => Math.round((EDGE + (index + 0.5) * step) * 10) / 10;
  const y = (/** @type {number} */ price) => Math.round((EDGE + (top - price) * scale) * 10) / 10;
  const place = (/** @type {number} */ time) => Math.max(0, bars.findLastIndex((bar) => bar.timestamp <= time));
  const figure = shape("svg", { viewBox: `0 0 ${Math.ceil(2 * EDGE + bars.length * step)} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": words, class: "candles" });
  bars.forEach((bar, index) => {
    const rising = bar.close >= bar.open;
    const body = Math.max(1, Math.abs(bar.open - bar.close) * scale);
    const candle = shape("g", { class: `${rising ? "rising" : "falling"}${bar.timestamp < from ? " before" : ""}` });
    candle.append(
      shape("line", { x1: x(index), x2: x(index), y1: y(bar.high), y2: y(bar.low) }),
      shape("rect", { x: x(index) - step * 0.32, width: step * 0.64, y: y(Math.max(bar.open, bar.close)), height: body }),
    );
    figure.append(candle);
  });
  for (const { points } of lines) {
    figure.append(shape("polyline", { points: points.map((point) => `${x(place(point.timestamp))},${y(point.price)}`).join(" ") }));
  }
  return figure;
}
