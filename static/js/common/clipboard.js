/** Copying text, also where the clipboard is not permitted: then it is shown, selected, for the visitor to copy. */

import { byId, setText } from "./page.js";

/**
 * @param {HTMLElement} button
 * @param {{panel: HTMLElement, text: HTMLTextAreaElement, said: HTMLElement, close: HTMLElement}} places
 * @param {() => string} makeText
 */
export function attachCopy(button, places, makeText) {
  button.addEventListener("click", async () => {
    const text = makeText();
    try {
      if (!navigator.clipboard) throw new Error("no clipboard on this page");
      await navigator.clipboard.writeText(text);
      places.panel.hidden = true;
      setText(places.said, `Copied: ${text.split("\n").length} lines, without secrets.`);
    } catch {
      showForCopying(places, text);
    }
  });
  places.close.addEventListener("click", () => {
    places.panel.hidden = true;
    setText(places.said, "");
    button.focus();
  });
}

/** @param {{panel: HTMLElement, text: HTMLTextAreaElement, said: HTMLElement}} places @param {string} text */
function showForCopying({ panel, text: area, said }, text) {
  panel.hidden = false;
  area.value = text;
  area.focus();
  area.select();
  setText(said, "The browser does not permit copying here. The text is selected below: press Ctrl+C, or ⌘C.");
}

/** The places of the page that has them. */
export const copyPlaces = () => ({
  panel: byId("copy-panel"),
  text: /** @type {HTMLTextAreaElement} */ (byId("copy-text")),
  said: byId("copy-said"),
  close: byId("copy-close"),
});
