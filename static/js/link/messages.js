/**
 * The messages of the Socket.IO contract, as types. Times are Unix milliseconds.
 *
 * @typedef {object} SymbolRow
 * @property {string} symbol
 * @property {number} price
 * @property {number} timestamp  when it was printed
 * @property {number} received  when it reached the server
 * @property {number | null} volume  shares of the trading day; null while what was traded before is not known
 * @property {number | null} [session_volume]  shares of the present session: pre, regular or post
 * @property {number | null} [dollars]  what was paid for them
 * @property {number | null} [day_open]  first price of the regular session
 * @property {boolean} [steady]  traded in each of the ten minutes up to its last print
 * @property {number | null} [halted]  since when it is halted
 * @property {number | null} previous_close  of the regular session before this trading day
 * @property {number | null} change  price ÷ previous close − 1
 *
 * @typedef {object} Signal  a pattern or an alert
 * @property {"streaming_pattern" | "indicator_alert"} type
 * @property {number} seq
 * @property {string} id
 * @property {string} symbol
 * @property {string} direction  bullish | bearish | neutral
 * @property {string} timeframe
 * @property {string} session
 * @property {number} bar_timestamp
 * @property {number} detection_timestamp
 * @property {string} origin  live | repair | history
 * @property {string} [pattern]
 * @property {string} [state]  confirmed | forming | void
 * @property {number} [price]
 * @property {number} [quality]
 * @property {string} [alert]
 * @property {string} [indicator]
 * @property {number} [value]
 * @property {number} [threshold]
 * @property {Record<string, any>} [details]
 * @property {number} [arrived]  server time at which it, in this state, first reached this browser
 *
 * @typedef {object} IndicatorValues
 * @property {string} symbol
 * @property {string} timeframe
 * @property {number} bar_timestamp
 * @property {Record<string, number>} values
 * @property {{open: number, high: number, low: number, close: number, volume: number}} bar
 *
 * @typedef {object} FormingBar  the running minute of the charted symbol
 * @property {string} symbol
 * @property {number} timestamp  start of the minute
 * @property {number} open
 * @property {number} high
 * @property {number} low
 * @property {number} close
 * @property {number} volume
 *
 * @typedef {object} Watchlist
 * @property {string} id
 * @property {string} name
 * @property {string[]} symbols
 * @property {boolean} editable
 *
 * @typedef {object} Watchlists
 * @property {Watchlist[]} lists
 * @property {string[]} unknown  watched symbols that the vendor's reference does not know
 * @property {number} reference  symbols in that reference; 0 while it is not loaded
 *
 * @typedef {object} Watching  what this page is sent
 * @property {string | null} list
 * @property {string} name
 * @property {string[]} symbols
 * @property {string} [reason]  why it is not the list that was asked for
 *
 * @typedef {object} FeedStatus
 * @property {string} status  connecting | live | silent | reconnecting | stopped | ended
 * @property {string} source  massive | simulated | replay
 * @property {number} since
 * @property {number} timestamp
 * @property {string} detail
 * @property {string} channel
 * @property {number} delay_ms
 * @property {number | null} ticks_per_second
 * @property {number | null} lag_ms
 * @property {number} seq  of the last signal
 *
 * @typedef {object} Health
 * @property {string} status  healthy | degraded | stopped | waiting | down
 * @property {string[]} issues
 * @property {number} [since]  of waiting and down
 * @property {string} [session]
 *
 * @typedef {object} Session
 * @property {string} name  pre | regular | post | closed | unknown
 * @property {string | null} trading_day
 * @property {number} [starts]
 * @property {number} [ends]
 * @property {number} [opens]
 * @property {number | null} [time]  of a recorded or virtual day
 *
 * @typedef {object} Counters
 * @property {string | null} trading_day
 * @property {number} patterns
 * @property {number} alerts
 * @property {number} indicators
 * @property {number} bars
 * @property {number} ticks
 *
 * @typedef {object} Snapshot
 * @property {string} epoch
 * @property {number} seq
 * @property {number} oldest  the lowest number that the server still holds
 * @property {number} time
 * @property {string[]} watch
 * @property {string | null} [list]
 * @property {Watchlists} [watchlists]
 * @property {SymbolRow[]} symbols
 * @property {IndicatorValues[]} indicators
 * @property {Signal[]} events
 * @property {Counters} counters
 * @property {Session} session
 * @property {Health} health
 * @property {FeedStatus} feed
 *
 * @typedef {object} Events  a part of the answer to `since`
 * @property {string} epoch
 * @property {number} from
 * @property {number} to
 * @property {number} until  where the answer ends
 * @property {Signal[]} events
 */

export {};
