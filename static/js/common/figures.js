/** Numbers as text. */

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const CENTS = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const PENNIES = new Intl.NumberFormat("en-US", { minimumFractionDigits: 4, maximumFractionDigits: 4 });
const MINUS = "\u2212";

/** @param {number} value @returns {string} 57,810 */
export const whole = (value) => WHOLE.format(value);

/** @param {number} value @returns {string} a rate: 2,140, or 4.5 when it is low */
export const rate = (value) => (value < 9.95 ? value.toFixed(1) : WHOLE.format(value));

/** @param {number} value @returns {string} 1.2M */
export const compact = (value) => (value < 10_000 ? WHOLE.format(value) : COMPACT.format(value));

/** @param {number} value @returns {string} dollars: two decimals, four below one dollar */
export const price = (value) => (value < 1 ? PENNIES : CENTS).format(value);

/** @param {number} share @returns {string} +2.14 or −0.35 */
export function percentChange(share) {
  const text = CENTS.format(Math.abs(share * 100));
  if (text === "0.00") return text;
  return (share < 0 ? MINUS : "+") + text;
}

/** @param {number} size @returns {string} 400 B, 1.2 MB */
export function bytes(size) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const step = size < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(size) / 10));
  return step === 0 ? `${WHOLE.format(size)} B` : `${(size / 1024 ** step).toFixed(1)} ${units[step]}`;
}

/** @param {number} share @returns {string} 82 %: rounded down, because 100 % is what nothing can be better than */
export const inPercent = (share) => `${Math.floor(share * 100 + 1e-9)} %`;

/** @param {number} share @returns {string} 98.76 % */
export const percent = (share) => `${CENTS.format(share * 100)} %`;
