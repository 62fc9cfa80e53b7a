/**
 * Keys for the whole page: one table, by which they act and by which they are explained. Never while typing, never in the way
 * of a control that has the focus or of an open dialog, and not at all when the visitor has switched them off.
 */

import { element } from "./page.js";
import { TIMEFRAMES } from "./words.js";

/** @import { Preferences } from "./preferences.js" */

/** @typedef {"search" | "timeframe" | "pause" | "mute" | "rows" | "open" | "back" | "help"} Action */
/** @typedef {Partial<Record<Action, ((key: string) => void) | "by the focused list">>} Actions */

/** @type {Array<{action: Action, keys: string[], shown: string[], words: string}>} */
export const KEYS = [
  { action: "search", keys: ["/"], shown: ["/"], words: "Find a symbol" },
  { action: "rows", keys: ["ArrowDown", "ArrowUp", "j", "k"], shown: ["↓", "↑", "j", "k"], words: "Next and previous row of a list" },
  { action: "open", keys: [], shown: ["Enter"], words: "Open the row" },
  { action: "back", keys: [], shown: ["Esc"], words: "Back: close what is open, leave a field" },
  {
    action: "timeframe",
    keys: ["1", "2", "3", "4", "5"],
    shown: ["1", "…", "5"],
    words: `Timeframe of the chart: ${Object.values(TIMEFRAMES).join(", ")}`,
  },
  { action: "pause", keys: [" "], shown: ["Space"], words: "Pause what moves, and go on" },
  { action: "mute", keys: ["m"], shown: ["m"], words: "Mute sound and notifications, and unmute" },
  { action: "help", keys: ["?"], shown: ["?"], words: "This list of keys" },
];

const TYPING = 'input:not([type="checkbox"], [type="radio"], [type="range"], [type="button"]), select, textarea, [contenteditable]';
const PRESSED_BY_SPACE = "button, a, summary, input, [role=button], [role=tab], [role=option]";
const MOVED_IN_BY_ARROWS = "input, [role=tablist], [role=listbox], [role=grid], [role=radiogroup], .scroll";

/**
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the focused control, or the browser, wants the key for itself
 */
function isTaken({ key, target, ctrlKey, metaKey, altKey, repeat, isComposing, defaultPrevented }) {
  if (ctrlKey || metaKey || altKey || repeat || isComposing || defaultPrevented) return true;
  if (document.querySelector("dialog:modal")) return true;
  const focused = /** @type {Element} */ (target);
  if (focused.closest(TYPING)) return true;
  if (key === " ") return focused.closest(PRESSED_BY_SPACE) !== null;
  return key.startsWith("Arrow") && focused.closest(MOVED_IN_BY_ARROWS) !== null;
}

/**
 * @param {Actions} actions  what this page does
 * @param {Preferences} preferences
 */
export function attachKeyboard(actions, preferences) {
  document.addEventListener("keydown", (event) => {
    if (isTaken(event) || !preferences.get("keys")) return;
    const entry = KEYS.find(({ keys }) => keys.includes(event.key));
    const act = entry && actions[entry.action];
    if (typeof act !== "function") return;
    event.preventDefault();
    act(event.key);
  });
}

/**
 * Write the keys of this page into a list of definitions.
 * @param {HTMLElement} list  a <dl>
 * @param {Actions} actions
 */
export function explainKeys(list, actions) {
  for (const { action, shown, words } of KEYS) {
    if (!actions[action]) continue;
    const keys = element("dt");
    for (const key of shown) keys.append(key === "…" ? " … " : element("kbd", "", key));
    const line = element("div");
    line.append(keys, element("dd", "", words));
    list.append(line);
  }
}
