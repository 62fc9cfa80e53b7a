/** The dialog in which the visitor chooses theme, colours, time zone and keys. What is chosen is in force at once. */

import { BROWSER_ZONE, MARKET_ZONE, timeZone, zoneAt } from "./new_york_time.js";
import { byId, setText } from "./page.js";

/** @import { Preferences } from "./preferences.js" */

const CHOICES = /** @type {const} */ (["theme", "palette", "zone"]);

/** @param {Preferences} preferences */
export function attachSettings(preferences) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("settings"));
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form.choices"));
  const keys = /** @type {HTMLInputElement} */ (byId("choose-keys"));

  const show = () => {
    for (const name of CHOICES) /** @type {RadioNodeList} */ (form.elements.namedItem(name)).value = preferences.get(name);
    keys.checked = preferences.get("keys");
    byId("zone-note").hidden = !isOtherZone(preferences);
    if (!document.querySelector("dialog:modal")) loadInZone(preferences);
  };
  form.addEventListener("change", () => {
    const chosen = new FormData(form);
    for (const name of CHOICES) {
      const value = String(chosen.get(name));
      if (value !== preferences.get(name)) preferences.set(name, value);
    }
    if (keys.checked !== preferences.get("keys")) preferences.set("keys", keys.checked);
  });
  setText(byId("browser-zone"), `${BROWSER_ZONE.replaceAll("_", " ")} (${zoneAt(Date.now(), BROWSER_ZONE)})`);
  byId("settings-open").addEventListener("click", () => dialog.showModal());
  document.addEventListener("close", () => loadInZone(preferences), true); // of this dialog or of another that was in the way
  preferences.onChange(show);
  show();
}

/** @param {Preferences} preferences */
const isOtherZone = (preferences) => (preferences.get("zone") === "browser" ? BROWSER_ZONE : MARKET_ZONE) !== timeZone;

/** Every time on the page is in one zone, so another zone loads it anew. @param {Preferences} preferences */
function loadInZone(preferences) {
  if (isOtherZone(preferences) && preferences.storage) location.reload();
}
