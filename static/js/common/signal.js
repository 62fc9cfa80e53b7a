/** What every part of the page asks of a signal. Pure. */

/** @import { Signal } from "../link/messages.js" */

/** @param {Pick<Signal, "pattern" | "alert">} signal @returns {string} its pattern or alert, as the catalogue names it */
export const kindOf = ({ pattern, alert = "" }) => pattern ?? alert;

/** @param {Pick<Signal, "state">} signal @returns {string} confirmed | forming | void; an alert has no state, because it is never anything but confirmed */
export const stateOf = ({ state = "confirmed" }) => state;

/** @param {Pick<Signal, "state">} signal @returns {boolean} */
export const isConfirmed = (signal) => stateOf(signal) === "confirmed";

/** @param {Signal} signal @returns {number | undefined} the bar's close, where the signal tells it */
export const priceOf = ({ price, indicator, value }) => price ?? (indicator === "close" ? value : undefined);
