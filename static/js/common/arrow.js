/** The arrow of a direction; words beside it say the same, so it is not read out. */

import { element } from "./page.js";
import { ARROWS } from "./words.js";

/** @param {string} direction  bullish | bearish; of anything else the mark of none */
export function arrowOf(direction) {
  const arrow = element("span", "arrow", ARROWS[direction] ?? ARROWS.neutral);
  arrow.ariaHidden = "true";
  return arrow;
}
