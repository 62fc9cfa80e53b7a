/** Small steps on the page's elements; text only ever as text. */

/**
 * The element with this id.
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return /** @type {T} */ (found);
}

/**
 * A new element.
 * @param {string} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElement}
 */
export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/**
 * Let a popover open below its button, within the window.
 * @param {HTMLElement} popover
 * @param {HTMLElement} button
 */
export function openBelow(popover, button) {
  popover.addEventListener("toggle", () => {
    const { left, bottom } = button.getBoundingClientRect();
    popover.style.left = `${Math.max(8, Math.min(left, innerWidth - popover.offsetWidth - 8))}px`;
    popover.style.top = `${Math.max(8, Math.min(bottom + 4, innerHeight - popover.offsetHeight - 8))}px`;
  });
}

/**
 * Show whether a button is pressed, by its state and its word; the key that stands behind the word stays.
 * @param {HTMLElement} button
 * @param {boolean} isPressed
 * @param {string} word
 */
export function setPressed(button, isPressed, word) {
  button.setAttribute("aria-pressed", String(isPressed));
  button.firstChild?.replaceWith(`${word} `);
}

/**
 * Set an element's text, but only when it differs: an unchanged page is not laid out again.
 * @param {Element} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Set or remove a data attribute, only when it differs.
 * @param {HTMLElement} target
 * @param {string} name
 * @param {string} value  "" removes it
 */
export function setData(target, name, value) {
  if ((target.dataset[name] ?? "") === value) return;
  if (value) target.dataset[name] = value;
  else delete target.dataset[name];
}
