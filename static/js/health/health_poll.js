/** Asks the server again and again, and remembers what it said last and since when it says nothing. */

const PATIENCE_MS = 8_000;

/**
 * One address that is read from time to time.
 */
export class Source {
  /**
   * @param {string} path
   * @param {number} everyMs
   */
  constructor(path, everyMs) {
    this.path = path;
    this.everyMs = everyMs;
    /** @type {any} */
    this.answer = null; // the last one
    this.answeredAt = 0; // browser time; 0 before the first answer
    this.failingSince = 0; // browser time; 0 while it answers
    this.problem = "";
    this.dueAt = 0;
    this.asking = false;
    this.underWay = new AbortController(); // of the question whose answer is awaited
    this.version = 0; // rises with every answer and every failure
  }

  /** Ask now, unless the answer to a question is still awaited. */
  async ask() {
    if (this.asking) return;
    this.asking = true;
    const began = Date.now();
    const { signal } = (this.underWay = new AbortController());
    try {
      const response = await fetch(this.path, { cache: "no-store", signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) });
      const answer = await response.json();
      if (!response.ok && !(response.status === 503 && answer.stages)) throw new Error(answer.error ?? `answered ${response.status}`);
      this.answer = answer;
      this.answeredAt = Date.now();
      this.failingSince = 0;
      this.problem = "";
      this.version += 1;
    } catch (problem) {
      if (signal.aborted) return;
      this.failingSince ||= began;
      this.problem = inWords(problem);
      this.version += 1;
    } finally {
      this.asking = false;
      this.dueAt = signal.aborted ? 0 : began + this.everyMs;
    }
  }

  /** Take no answer to a question that was asked already. */
  forget() {
    this.underWay.abort();
  }

  /** @param {number} now browser time */
  askWhenDue(now) {
    if (now >= this.dueAt) void this.ask();
  }
}

/** @param {unknown} problem @returns {string} */
function inWords(problem) {
  if (problem instanceof DOMException && problem.name === "TimeoutError") return `no answer for ${PATIENCE_MS / 1000} s`;
  if (problem instanceof TypeError) return "no connection";
  if (problem instanceof SyntaxError) return "an answer that is not JSON";
  return problem instanceof Error ? problem.message : String(problem);
}
