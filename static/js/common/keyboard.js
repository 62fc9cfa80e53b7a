/** Keys for the whole page; never while typing, and never in the way of a control that has the focus. */

/**
 * @param {Record<string, () => void>} actions by key
 */
export function attachKeyboard(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input, select, textarea")) return;
    if (event.key === " " && target.closest("button, a")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
