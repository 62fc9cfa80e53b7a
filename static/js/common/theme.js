/** How the page looks by the visitor's choice; apply_theme.js does the same before the first paint. */

import { setData } from "./page.js";

/** @import { Preferences } from "./preferences.js" */

/** @param {Preferences} preferences */
export function followTheme(preferences) {
  const root = document.documentElement;
  const apply = () => {
    const theme = preferences.get("theme");
    setData(root, "theme", theme === "system" ? "" : theme);
    setData(root, "palette", preferences.get("palette") === "classic" ? "classic" : "");
    setData(root, "keys", preferences.get("keys") ? "" : "off"); // hints at keys are not shown then
  };
  preferences.onChange(apply);
  apply();
}
