/**
 * Orders that do not flicker. Pure.
 *
 * A row is moved up only past rows that it beats clearly, by more than a margin, and then above all of them. So nothing ever stands
 * below a row that it beats by more than the margin, what has not changed does not move, and two rows of about the same
 * value keep their places however often they overtake each other.
 */

/**
 * @param {string[]} order  as it stands
 * @param {(symbol: string) => number} key  the greater, the higher; -Infinity, of what has no value, stands last
 * @param {number} margin
 * @returns {string[]}
 */
export function ranked(order, key, margin) {
  /** @type {string[]} */
  const result = [];
  /** @type {number[]} */
  const least = []; // of the keys up to each place, never rising: the first row that is clearly beaten is found by halving
  for (const symbol of order) {
    const value = key(symbol);
    const beaten = value - margin;
    let low = result.length;
    for (let from = 0; from < low; ) {
      const middle = (from + low) >> 1;
      if (least[middle] < beaten) low = middle;
      else from = middle + 1;
    }
    result.splice(low, 0, symbol);
    least.splice(low, 0, low ? Math.min(least[low - 1], value) : value);
  }
  return result;
}

/**
 * Exactly by value, as a ranking begins.
 * @param {string[]} symbols
 * @param {(symbol: string) => number} key
 * @returns {string[]}
 */
export const sorted = (symbols, key) => [...symbols].sort((a, b) => key(b) - key(a) || 0); // two without a value: NaN

/**
 * What is left of an order when the list is another: who stays keeps the place, who is new comes last.
 * @param {string[]} order
 * @param {string[]} symbols
 * @returns {string[]}
 */
export function carriedOver(order, symbols) {
  const wanted = new Set(symbols);
  return [...order.filter((symbol) => wanted.delete(symbol)), ...wanted];
}
