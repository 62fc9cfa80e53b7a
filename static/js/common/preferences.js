/** What the visitor has chosen. Kept in this browser, followed by its other tabs; without storage it lasts as long as the page. */

import { keep, recall, storage } from "./storage.js";

/** @import { Place } from "./storage.js" */

const PREFIX = "tickstock.";
const MOST_NAMES = 500;

/** @param {string[]} names  the first is the default */
const oneOf = (...names) => ({ initial: names[0], read: (/** @type {string} */ text) => (names.includes(text) ? text : undefined) });

/** @param {boolean} initial */
const flag = (initial) => ({ initial, read: (/** @type {string} */ text) => (text === "true" ? true : text === "false" ? false : undefined) });

const KNOWN = {
  theme: oneOf("system", "light", "dark"),
  palette: oneOf("safe", "classic"), // colours of up and down
  zone: oneOf("market", "browser"), // of all times: New York's, or the browser's
  keys: flag(true), // shortcuts of one key
  sound: flag(false),
  notifications: flag(false), // of the desktop
  muted: flag(false),
  unlisted: flag(false), // whether what the filter of signals hides may sound too
  list: { initial: "", read: (/** @type {string} */ text) => text.slice(0, 64) }, // id of the watchlist that is shown
  columns: { initial: /** @type {string[]} */ ([]), read: (/** @type {string} */ text) => text.split(",").filter(Boolean) }, // of it; none: by the room
  volume: {
    initial: 0.5,
    read: (/** @type {string} */ text) => (text.trim() && Number(text) >= 0 && Number(text) <= 1 ? Number(text) : undefined),
  },
  chosen: {
    initial: /** @type {string[]} */ ([]), // names of patterns and alerts that may sound
    read: (/** @type {string} */ text) => text.split(",").filter((name) => /^\w{1,64}$/.test(name)).slice(0, MOST_NAMES),
  },
};

/** @typedef {typeof KNOWN} Known */

export class Preferences {
  /** @param {Place | null} storage */
  constructor(storage) {
    this.storage = storage;
    /** @type {Map<string, any>} */
    this.held = new Map();
    /** @type {Array<() => void>} */
    this.listeners = [];
  }

  /**
   * @template {keyof Known} N
   * @param {N} name
   * @returns {Known[N]["initial"]}
   */
  get(name) {
    if (!this.held.has(name)) this.held.set(name, this.stored(name));
    return this.held.get(name);
  }

  /** @param {keyof Known} name @returns {any} the stored choice where it is one, else the default */
  stored(name) {
    const text = recall(PREFIX + name, this.storage);
    return (text === null ? undefined : KNOWN[name].read(text)) ?? KNOWN[name].initial;
  }

  /**
   * @template {keyof Known} N
   * @param {N} name
   * @param {Known[N]["initial"]} value
   */
  set(name, value) {
    this.held.set(name, value);
    keep(PREFIX + name, String(value), this.storage);
    this.tell();
  }

  /** @param {() => void} listener  called after every change, here or in another tab */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /** @param {string | null} key  that another tab has changed; null: all of them */
  heard(key) {
    if (key !== null && !(key.startsWith(PREFIX) && key.slice(PREFIX.length) in KNOWN)) return;
    this.held.clear();
    this.tell();
  }

  tell() {
    for (const listener of this.listeners) listener();
  }
}

/** Those of this page. */
export const preferences = new Preferences(storage);

globalThis.window?.addEventListener("storage", ({ key }) => preferences.heard(key));
