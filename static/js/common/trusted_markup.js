/**
 * Trusted Types: the pages never make markup from text. The one exception is the mark of the chart library, which sets it as markup:
 * a drawing without anything that could run. Import it before the library.
 */

const DRAWING = /^<svg [^<>]*>(?:<\/?(?:g|path|defs|clipPath)(?: [\w-]+="[^"<>]*")*\/?>)*<\/svg>$/;
const RUNS = /\son\w+=|href|script/i;

const { trustedTypes } = /** @type {any} */ (window);

trustedTypes?.createPolicy("default", {
  createHTML: (/** @type {string} */ markup) => {
    if (DRAWING.test(markup) && !RUNS.test(markup)) return markup;
    throw new TypeError("markup from text is not made on this page");
  },
});
