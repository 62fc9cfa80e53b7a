/** Parts of the page that nobody sees at first: their code is loaded when the page has come to rest, so that it is there when it is wanted. */

const REST_MS = 3000;

/** @template T */
export class Later {
  /** @param {() => Promise<T>} make  loads the code of a part, and makes it */
  constructor(make) {
    this.make = make;
    /** @type {T | null} */
    this.part = null;
    /** @type {Promise<T> | null} */
    this.coming = null;
    setTimeout(() => this.get().catch(() => {}), REST_MS); // away just now? It is tried again when it is wanted
  }

  /** @returns {Promise<T>} */
  async get() {
    this.coming ??= this.make();
    try {
      return (this.part = await this.coming);
    } catch (problem) {
      this.coming = null;
      throw problem;
    }
  }
}
