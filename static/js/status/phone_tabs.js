/** On a phone one panel at a time, chosen by tabs at the bottom. On a wider screen all panels stand side by side, and there are no tabs. */

import { compact } from "../common/figures.js";
import { byId, setData, setText } from "../common/page.js";
import { keep, recall } from "../common/storage.js";

const PHONE = "(max-width: 767px)";
const KEY = "tickstock.tab";

export class PhoneTabs {
  constructor() {
    this.bar = byId("tabs");
    this.tabs = /** @type {HTMLElement[]} */ ([...this.bar.querySelectorAll("[role=tab]")]);
    this.panels = this.tabs.map((tab) => /** @type {HTMLElement} */ (document.querySelector(`.panel.${tab.dataset.panel}`)));
    this.phone = matchMedia(PHONE);
    this.shown = Math.max(0, this.indexOf(recall(KEY)));
    this.news = 0;
    this.tabs.forEach((tab, index) => {
      this.panels[index].id ||= `panel-${tab.dataset.panel}`;
      tab.setAttribute("aria-controls", this.panels[index].id);
      tab.addEventListener("click", () => this.show(index));
    });
    this.bar.addEventListener("keydown", (event) => this.step(event));
    this.phone.addEventListener("change", () => this.apply());
    this.apply();
  }

  /** @returns {boolean} whether the page has tabs now */
  get isPhone() {
    return this.phone.matches;
  }

  /** @param {string} panel @returns {boolean} whether a visitor can see it */
  shows(panel) {
    return this.isPhone ? this.tabs[this.shown].dataset.panel === panel : panel !== "health-tab";
  }

  /** @param {string | null} panel */
  indexOf(panel) {
    return this.tabs.findIndex((tab) => tab.dataset.panel === panel);
  }

  /** @param {string} panel  to show on a phone */
  open(panel) {
    if (this.isPhone) this.show(this.indexOf(panel));
  }

  /** @param {number} index */
  show(index) {
    this.shown = index;
    keep(KEY, this.tabs[index].dataset.panel ?? "");
    this.apply();
  }

  /** @param {KeyboardEvent} event */
  step(event) {
    const last = this.tabs.length - 1;
    const to = { ArrowRight: this.shown + 1, ArrowLeft: this.shown - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.show(to < 0 ? last : to > last ? 0 : to);
    this.tabs[this.shown].focus();
  }

  apply() {
    const { isPhone } = this;
    this.bar.hidden = !isPhone;
    setData(document.body, "tab", isPhone ? (this.tabs[this.shown].dataset.panel ?? "") : "");
    this.tabs.forEach((tab, index) => {
      const isShown = index === this.shown;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      const panel = this.panels[index];
      if (isPhone) panel.setAttribute("role", "tabpanel");
      else panel.removeAttribute("role");
    });
    if (this.shows("signals")) this.tell(-this.news);
  }

  /** @param {number} more  new signals, while another tab is open */
  tell(more) {
    this.news = this.shows("signals") ? 0 : this.news + more;
    const count = byId("tab-news");
    count.hidden = !this.news;
    setText(count, this.news ? `${compact(this.news)} new` : "");
  }
}
