/** What the contract's names are called on the page. */

/** @import { Signal } from "./messages.js" */

export const ARROWS = /** @type {Record<string, string>} */ ({ bullish: "▲", bearish: "▼", neutral: "◆" });

export const SOURCES = /** @type {Record<string, string>} */ ({ massive: "Massive", simulated: "Simulated", replay: "Replay" });

export const TIMEFRAMES = /** @type {Record<string, string>} */ ({
  "1min": "1m", "5min": "5m", "15min": "15m", "60min": "1h", "1day": "1d",
});

export const SESSIONS = /** @type {Record<string, string>} */ ({
  pre: "PRE-MARKET", regular: "REGULAR", post: "POST-MARKET", closed: "CLOSED", unknown: "",
});

const PATTERNS = /** @type {Record<string, string>} */ ({
  HeadShoulders: "Head and shoulders",
  InverseHeadShoulders: "Inverse head and shoulders",
});

const ALERTS = /** @type {Record<string, string>} */ ({
  RSI_OVERBOUGHT: "RSI overbought",
  RSI_OVERSOLD: "RSI oversold",
  SMA_BULLISH_CROSS: "Close above SMA 20",
  SMA_BEARISH_CROSS: "Close below SMA 20",
  SMA_20_50_BULLISH_CROSS: "SMA 20 above SMA 50",
  SMA_20_50_BEARISH_CROSS: "SMA 20 below SMA 50",
  GOLDEN_CROSS: "Golden cross",
  DEATH_CROSS: "Death cross",
});

/** @param {string} name CamelCase @returns {string} in words */
function inWords(name) {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {Signal} signal @returns {string} Hammer, RSI overbought */
export function nameOf(signal) {
  if (signal.pattern !== undefined) return PATTERNS[signal.pattern] ?? inWords(signal.pattern);
  const alert = signal.alert ?? "";
  return ALERTS[alert] ?? inWords(alert.toLowerCase().replaceAll("_", " "));
}
