/** Light and dark: the system's, until the user chooses. */

const KEY = "tickstock.theme";
const CHOICES = ["system", "light", "dark"];

/** @returns {string} system | light | dark */
function chosen() {
  return document.documentElement.dataset.theme ?? "system";
}

/**
 * Make a button that steps through system, light and dark, and remembers the choice.
 * @param {HTMLElement} button
 */
export function attachTheme(button) {
  const show = () => {
    button.textContent = `Theme: ${chosen()}`;
  };
  button.addEventListener("click", () => {
    const next = CHOICES[(CHOICES.indexOf(chosen()) + 1) % CHOICES.length];
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    show();
  });
  show();
}
