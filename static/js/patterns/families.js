/** The names of the catalogue by family, for choosing among them. Pure. */

import { KINDS, nameOf } from "../common/words.js";

/** @import { Catalog } from "../common/catalog.js" */

/**
 * @typedef {object} Choice
 * @property {string} value  a name, or a family, as the server calls it; "" is any
 * @property {"name" | "family" | "any"} what
 * @property {string} label
 *
 * @typedef {object} Family
 * @property {string} label
 * @property {Choice | null} whole  null where a family cannot be chosen
 * @property {Choice[]} names
 */

const KINDS_OF = /** @type {Record<string, string[]>} */ ({ patterns: ["candlestick", "chart_pattern"], alerts: ["alert"] });

/** @param {string} kind @param {string} name */
export const labelOf = (kind, name) => nameOf(kind === "alerts" ? { alert: name } : { pattern: name });

/** @param {string} family  KIND_FAMILY @returns {string} Candlesticks, reversal */
export function familyLabel(family) {
  const kind = Object.keys(KINDS).find((each) => family.startsWith(`${each}_`));
  return kind ? `${KINDS[kind]}, ${family.slice(kind.length + 1)}` : family;
}

/**
 * @param {Catalog} catalog
 * @param {string} kind  patterns | alerts
 * @returns {Family[]}
 */
export function familiesOf({ entries }, kind) {
  /** @type {Map<string, Choice[]>} */
  const found = new Map();
  for (const entry of entries.values()) {
    if (!KINDS_OF[kind].includes(entry.kind)) continue;
    const family = `${entry.kind}_${entry.family}`;
    found.set(family, [...(found.get(family) ?? []), { value: entry.name, what: "name", label: labelOf(kind, entry.name) }]);
  }
  return [...found].map(([value, names]) => ({
    label: familyLabel(value),
    whole: { value, what: "family", label: `All ${names.length}: ${familyLabel(value)}` },
    names: names.sort((a, b) => a.label.localeCompare(b.label)),
  }));
}

/**
 * What is left when somebody types: by the words, by the name itself, or a whole family.
 * @param {Family[]} families
 * @param {string} typed
 * @returns {Family[]}
 */
export function matching(families, typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return families;
  return families
    .map((family) => {
      if (family.label.toLowerCase().includes(wanted)) return family;
      return { ...family, names: family.names.filter(({ label, value }) => label.toLowerCase().includes(wanted) || value.toLowerCase().includes(wanted)) };
    })
    .filter(({ names }) => names.length > 0);
}
