/** The form of filters: shows what is chosen, and says what the visitor changes. */

import { OUTCOME_DEFAULTS, SORTS } from "./address.js";

/** @import { Shown } from "./address.js" */

/** @typedef {HTMLInputElement | HTMLSelectElement} Control */

const TYPING_MS = 350;
const TYPED = ["symbol", "quality_from"];

export class FilterBar {
  /**
   * @param {HTMLFormElement} form
   * @param {(changes: Shown, isTyping: boolean) => void} change
   */
  constructor(form, change) {
    this.form = form;
    this.change = change;
    this.waiting = 0;
    this.wantsSpan = false; // the fields of from and to, though both are empty
    /** @type {Shown} */
    this.shown = {};
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", (event) => this.take(/** @type {Control} */ (event.target), false));
    form.addEventListener("input", (event) => {
      const control = /** @type {Control} */ (event.target);
      clearTimeout(this.waiting);
      if (TYPED.includes(control.name)) this.waiting = window.setTimeout(() => this.take(control, true), TYPING_MS);
    });
  }

  /** @param {Control} control @param {boolean} isTyping */
  take(control, isTyping) {
    clearTimeout(this.waiting);
    const { name } = control;
    if (!name || !control.validity.valid) return;
    const value = fromControl(name, control.value);
    if (name === "when") this.wantsSpan = value === "span";
    const changes = name === "when" ? { when: value === "span" ? "" : value, from: "", to: "" } : { [name]: this.orAny(name, value) };
    if (name === "from" || name === "to") changes.when = "";
    if (Object.entries(changes).some(([key, each]) => (this.shown[key] ?? "") !== each)) this.change(changes, isTyping);
    else if (name === "when") this.showSpan();
  }

  /** @param {string} name @param {string} value @returns {string} an empty choice is said where something else is the default */
  orAny(name, value) {
    return !value && this.shown.view === "outcomes" && name in OUTCOME_DEFAULTS ? "any" : value;
  }

  /** @param {Shown} shown */
  show(shown) {
    this.shown = shown;
    if (shown.when) this.wantsSpan = false;
    for (const control of /** @type {Iterable<Control>} */ (this.form.querySelectorAll("[name]"))) {
      const value = toControl(control.name, shown[control.name] ?? "");
      if (control instanceof HTMLInputElement && control.type === "radio") control.checked = control.value === value;
      else if (control !== document.activeElement || fromControl(control.name, control.value) !== fromControl(control.name, value)) control.value = value;
    }
    for (const part of /** @type {Iterable<HTMLElement>} */ (this.form.querySelectorAll("[data-kinds]"))) part.hidden = part.dataset.kinds !== shown.kind;
    for (const option of /** @type {Iterable<HTMLOptionElement>} */ (this.form.querySelectorAll("[name=sort] option"))) {
      option.hidden = option.disabled = !SORTS[shown.kind].includes(option.value);
    }
    this.showSpan();
  }

  showSpan() {
    const isSpan = this.wantsSpan || Boolean(this.shown.from || this.shown.to);
    for (const part of /** @type {Iterable<HTMLElement>} */ (this.form.querySelectorAll(".span-of-time"))) part.hidden = !isSpan;
    if (isSpan) /** @type {HTMLSelectElement} */ (this.form.elements.namedItem("when")).value = "span";
  }
}

/** @param {string} name @param {string} value  of a control @returns {string} as the address has it */
function fromControl(name, value) {
  const text = value.trim();
  if (name === "quality_from") return text && String(Number((Math.min(100, Number(text)) / 100).toFixed(4)));
  // Tickers are capitals, but for those that say preferred or warrant by a small letter within.
  return name === "symbol" && text === text.toLowerCase() ? text.toUpperCase() : text;
}

/** @param {string} name @param {string} value */
function toControl(name, value) {
  if (value === "any") return "";
  return name === "quality_from" && value ? String(Number((Number(value) * 100).toFixed(2))) : value;
}
