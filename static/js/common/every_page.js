/** What every page has: the chosen look, the settings, the keys and their list. */

import { attachKeyboard, explainKeys } from "./keyboard.js";
import { byId } from "./page.js";
import { preferences } from "./preferences.js";
import { attachSettings } from "./settings_dialog.js";
import { followTheme } from "./theme.js";

/** @import { Actions } from "./keyboard.js" */

/** @param {Actions} [actions]  what this page's keys do */
export function startPage(actions = {}) {
  const help = /** @type {HTMLDialogElement} */ (byId("help"));
  const showHelp = () => help.showModal();
  const all = /** @type {Actions} */ ({ back: "by the focused list", ...actions, help: showHelp });
  followTheme(preferences);
  attachSettings(preferences);
  explainKeys(byId("keys"), all);
  byId("help-open").addEventListener("click", showHelp);
  attachKeyboard(all, preferences);
}
