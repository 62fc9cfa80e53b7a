/** A field to choose a pattern or an alert in: by typing, or from the list of families. An ARIA combobox. */

import { element, setText } from "../common/page.js";
import { familyLabel, labelOf, matching } from "./families.js";

/** @import { Choice, Family } from "./families.js" */

export class NamePicker {
  /**
   * @param {{input: HTMLInputElement, list: HTMLElement}} parts
   * @param {(choice: Choice) => void} choose
   */
  constructor({ input, list }, choose) {
    this.input = input;
    this.list = list;
    this.choose = choose;
    /** @type {Family[]} */
    this.families = [];
    this.label = ""; // of what is chosen
    /** @type {Array<{option: HTMLElement, choice: Choice}>} */
    this.options = [];
    this.active = -1;
    input.addEventListener("input", () => this.open());
    input.addEventListener("click", () => this.open(""));
    input.addEventListener("keydown", (event) => this.press(event));
    input.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => {
      const option = /** @type {Element} */ (event.target).closest("[role=option]");
      this.take(this.options.findIndex((each) => each.option === option));
    });
  }

  /** @param {Family[]} families */
  offer(families) {
    this.families = families;
    this.input.disabled = families.length === 0;
  }

  /** @param {string} kind @param {string} name @param {string} family */
  show(kind, name, family) {
    this.label = name ? labelOf(kind, name) : family ? familyLabel(family) : "";
    this.input.placeholder = kind === "alerts" ? "any alert" : "any pattern";
    if (!this.isOpen) this.input.value = this.label;
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** @param {string} [typed] */
  open(typed = this.input.value) {
    this.options = [];
    const any = typed ? [] : [this.option({ value: "", what: "any", label: "Any" })];
    const groups = matching(this.families, typed).map((family) => {
      const group = element("div", "group");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", family.label);
      if (!family.whole) group.append(headingOf(family.label));
      group.append(...[...(family.whole ? [family.whole] : []), ...family.names].map((choice) => this.option(choice)));
      return group;
    });
    const nothing = element("p", "note", "Nothing is called so.");
    this.list.replaceChildren(...any, ...(groups.length || !typed ? groups : [nothing]));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.move(typed ? this.options.findIndex(({ choice }) => choice.what === "name") : -1);
  }

  /** @param {Choice} choice */
  option(choice) {
    const option = element("div", choice.what === "family" ? "option whole" : "option", choice.label);
    option.id = `${this.list.id}-${this.options.length}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", String(choice.label === this.label || (!this.label && choice.what === "any")));
    this.options.push({ option, choice });
    return option;
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.input.value = this.label;
  }

  /** @param {number} to */
  move(to) {
    this.options[this.active]?.option.classList.remove("active");
    this.active = to;
    const option = this.options[to]?.option;
    if (!option) return this.input.removeAttribute("aria-activedescendant");
    option.classList.add("active");
    this.input.setAttribute("aria-activedescendant", option.id);
    return option.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} number */
  take(number) {
    const found = this.options[number];
    if (!found) return;
    this.label = found.choice.what === "any" ? "" : found.choice.label;
    this.close();
    this.choose(found.choice);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const last = this.options.length - 1;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (!this.isOpen) this.open("");
      else this.move(this.active < 0 && step < 0 ? last : Math.max(0, Math.min(last, this.active + step)));
    } else if (event.key === "Enter" && this.isOpen) {
      event.preventDefault();
      if (this.input.value === "" && this.active < 0) this.take(0);
      else this.take(this.active);
    } else if (event.key === "Escape" && this.isOpen) {
      event.stopPropagation();
      this.close();
    }
  }

  /** @param {boolean} isLoaded */
  explain(isLoaded) {
    this.input.title = isLoaded ? "" : "The names are not loaded yet; this is tried again by itself.";
  }
}

/** @param {string} label */
function headingOf(label) {
  const heading = element("div", "heading", label);
  heading.setAttribute("role", "presentation");
  return heading;
}

/** @param {HTMLElement} label @param {string} kind */
export const labelPicker = (label, kind) => setText(label, kind === "alerts" ? "Alert" : "Pattern");
