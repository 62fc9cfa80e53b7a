/** Reads an address of the server until it is read: keeps what was read before, says what is wrong, and tries again. */

const RETRY_MS = 5_000;
const PATIENCE_MS = 30_000;

export class Reader {
  /** @param {() => void} changed  called whenever something here is another */
  constructor(changed) {
    this.changed = changed;
    this.path = "";
    /** @type {any} */
    this.answer = null; // the last one, perhaps of another question
    this.answeredPath = "";
    this.answeredAt = 0;
    this.failingSince = 0; // 0 while it answers
    this.problem = "";
    this.refused = ""; // why the question itself is wrong
    this.asking = false;
    /** @type {AbortController | null} */
    this.under_way = null;
    this.retry = 0;
  }

  /** Whether what was read is not the answer to the present question. */
  get isOld() {
    return this.answer !== null && (this.answeredPath !== this.path || this.failingSince > 0 || this.refused !== "");
  }

  /** @param {string} path  asks anew, also when it is the same; an earlier question is dropped */
  ask(path) {
    clearTimeout(this.retry);
    this.under_way?.abort();
    this.path = path;
    void this.read(new AbortController());
  }

  /** Ask for nothing any more. */
  stop() {
    clearTimeout(this.retry);
    this.under_way?.abort();
    this.asking = false;
  }

  /** @param {AbortController} question */
  async read(question) {
    this.under_way = question;
    this.asking = true;
    this.changed();
    const { path } = this;
    try {
      const response = await fetch(path, { cache: "no-store", signal: AbortSignal.any([question.signal, AbortSignal.timeout(PATIENCE_MS)]) });
      const answer = await response.json();
      if (question.signal.aborted) return;
      this.take(response.status, answer, path);
    } catch (problem) {
      if (question.signal.aborted) return;
      this.fail(inWords(problem));
    }
    this.asking = false;
    this.changed();
  }

  /** @param {number} status @param {any} answer @param {string} path */
  take(status, answer, path) {
    const said = String(answer?.error ?? `answered ${status}`);
    if (status >= 500) return this.fail(said);
    this.failingSince = 0;
    this.refused = status >= 400 ? said : "";
    if (this.refused) return undefined;
    this.answer = answer;
    this.answeredPath = path;
    this.answeredAt = Date.now();
    return undefined;
  }

  /** @param {string} problem */
  fail(problem) {
    this.failingSince ||= Date.now();
    this.problem = problem;
    this.retry = window.setTimeout(() => this.ask(this.path), RETRY_MS);
  }
}

/** @param {unknown} problem */
function inWords(problem) {
  if (problem instanceof DOMException && problem.name === "TimeoutError") return `no answer for ${PATIENCE_MS / 1000} s`;
  if (problem instanceof SyntaxError) return "an answer that is not JSON";
  return problem instanceof TypeError ? "TickStock cannot be reached" : String(problem);
}
