/** What this browser keeps for the page. Where storage is switched off or full nothing is kept, and nothing fails. */

/** @typedef {Pick<Storage, "getItem" | "setItem">} Place */

function ofBrowser() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** @type {Place | null} */
export const storage = ofBrowser();

/** @param {string} key @param {Place | null} [place] @returns {string | null} */
export function recall(key, place = storage) {
  try {
    return place?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} text @param {Place | null} [place] */
export function keep(key, text, place = storage) {
  try {
    place?.setItem(key, text);
  } catch {
    // What was to be kept lasts as long as the page.
  }
}
