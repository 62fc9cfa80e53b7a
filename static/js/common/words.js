/** What the contract's names are called on the page. */

/** @import { Signal } from "../link/messages.js" */

export const ARROWS = /** @type {Record<string, string>} */ ({ bullish: "▲", bearish: "▼", neutral: "◆" });

export const SOURCES = /** @type {Record<string, string>} */ ({ massive: "Massive", simulated: "Simulated", replay: "Replay" });

export const ORIGINS = /** @type {Record<string, string>} */ ({
  live: "found as its bar closed",
  repair: "found when a minute was processed after an outage",
  history: "found in bars from before TickStockPL was started",
});

/** Of the catalogue's entries, those that are signals. */
export const KINDS = /** @type {Record<string, string>} */ ({ candlestick: "Candlesticks", chart_pattern: "Chart patterns", alert: "Alerts" });

export const TIMEFRAMES = /** @type {Record<string, string>} */ ({
  "1min": "1m", "5min": "5m", "15min": "15m", "60min": "1h", "1day": "1d",
});

export const SESSIONS = /** @type {Record<string, string>} */ ({
  pre: "PRE-MARKET", regular: "REGULAR", post: "POST-MARKET", closed: "CLOSED", unknown: "",
});

/** Within a sentence. */
export const SESSION_WORDS = /** @type {Record<string, string>} */ ({ pre: "pre-market", regular: "regular", post: "post-market" });

// Names whose words are not simply those of their CamelCase.
const PATTERNS = /** @type {Record<string, string>} */ ({
  HeadShoulders: "Head and shoulders",
  InverseHeadShoulders: "Inverse head and shoulders",
  TriStar: "Tri-star",
  CounterAttack: "Counterattack",
  InNeck: "In-neck line",
  OnNeck: "On-neck line",
  ThreeStarsInSouth: "Three stars in the south",
  UniqueThreeRiver: "Unique three-river bottom",
  GapSideSideWhite: "Gap with side-by-side white lines",
  XSideGapThreeMethods: "Side gap three methods",
  RiseFallThreeMethods: "Rising or falling three methods",
  HikkakeModified: "Modified hikkake",
});

const ALERTS = /** @type {Record<string, string>} */ ({
  SMA_BULLISH_CROSS: "Close above SMA 20",
  SMA_BEARISH_CROSS: "Close below SMA 20",
  SMA_20_50_BULLISH_CROSS: "SMA 20 above SMA 50",
  SMA_20_50_BEARISH_CROSS: "SMA 20 below SMA 50",
  MACD_BULLISH_CROSS: "MACD above signal",
  MACD_BEARISH_CROSS: "MACD below signal",
  BB_UPPER_BREAK: "Above upper Bollinger band",
  BB_LOWER_BREAK: "Below lower Bollinger band",
  VWAP_BULLISH_CROSS: "Close above VWAP",
  VWAP_BEARISH_CROSS: "Close below VWAP",
  PREV_DAY_HIGH_BREAK: "Above previous day's high",
  PREV_DAY_LOW_BREAK: "Below previous day's low",
  PREMARKET_HIGH_BREAK: "Above pre-market high",
  PREMARKET_LOW_BREAK: "Below pre-market low",
  OPENING_RANGE_BREAK_UP: "Above opening range",
  OPENING_RANGE_BREAK_DOWN: "Below opening range",
});

const ABBREVIATIONS = /\b(?:adx|atr|bb|cci|ema|macd|mfi|obv|roc|rsi|sma|vwap|wma)\b/g;

/** @param {string} name CamelCase or UPPER_CASE @returns {string} in words, abbreviations kept */
function inWords(name) {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase()
    .replace(ABBREVIATIONS, (abbreviation) => abbreviation.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {Pick<Signal, "pattern" | "alert">} signal @returns {string} Hammer, RSI overbought */
export function nameOf({ pattern, alert = "" }) {
  return pattern === undefined ? (ALERTS[alert] ?? inWords(alert)) : (PATTERNS[pattern] ?? inWords(pattern));
}
