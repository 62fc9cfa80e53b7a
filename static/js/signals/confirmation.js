/** What would confirm a chart pattern that is still forming, in words by pattern. Pure. */

import { price } from "../common/figures.js";

/** @import { Signal } from "../link/messages.js" */

const BREAKS = /** @type {Record<string, [string, string]>} */ ({
  HeadShoulders: ["below", "the neckline"],
  InverseHeadShoulders: ["above", "the neckline"],
  DoubleTop: ["below", "the trough between the peaks"],
  DoubleBottom: ["above", "the peak between the troughs"],
  TripleTop: ["below", "the lower of its troughs"],
  TripleBottom: ["above", "the higher of its peaks"],
  BullFlag: ["above", "the flag"],
  BearFlag: ["below", "the flag"],
  RisingWedge: ["below", "its lower line"],
  FallingWedge: ["above", "its upper line"],
});

/** @param {any} value @returns {string} "" where it is no number */
export const amount = (value) => (Number.isFinite(value) ? price(value) : "");

/**
 * @param {Signal} signal
 * @returns {string} a close below 101.23, the neckline; "" when it is not forming
 */
export function confirmation({ pattern, state, details }) {
  if (state !== "forming") return "";
  const ends = /** @type {Record<string, string>} */ ({});
  for (const line of Array.isArray(details?.lines) ? details.lines : []) ends[line?.name] = amount(line?.points?.at?.(-1)?.price);
  const known = BREAKS[pattern ?? ""];
  if (known) {
    const level = amount(details?.neckline ?? details?.level);
    return `a close ${known[0]} ${level && `${level}, `}${known[1]}`;
  }
  if (ends.upper && ends.lower) return `a close above ${ends.upper} or below ${ends.lower}`;
  return "a close beyond its line";
}
