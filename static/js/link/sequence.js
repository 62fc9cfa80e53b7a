/**
 * Which of the server's numbered signals are here, and which must be asked for. Pure: the time comes in.
 *
 * Signals are numbered 1, 2, 3 … within an epoch, which is one run of the web process. Whatever is lost on the way, comes twice or
 * in another order: what is missing is asked for until every number up to the highest that the server told of is here, as far as
 * the server still holds it and the page would keep it.
 */

export const ANSWER_WAIT_MS = 5000; // without a part of the answer for so long, it is asked for again

export class Sequence {
  /** @param {number} kept  how many of the newest signals the page wants at most */
  constructor(kept) {
    this.kept = kept;
    this.epoch = "";
    this.complete = 0; // every number up to it is here, or can no longer be had
    this.known = 0; // the highest that the server told of
    /** @type {Set<number>} */
    this.ahead = new Set(); // numbers above `complete` that are here already
    this.waitsUntil = 0; // for an answer; 0: nothing is asked for
  }

  /**
   * A snapshot has come: begin, or go on when it is of the same epoch.
   * @param {string} epoch
   * @param {number} seq  the server's last number
   * @param {number} oldest  the lowest that it still holds
   */
  begin(epoch, seq, oldest) {
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.complete = this.known = 0;
      this.ahead.clear();
    }
    this.waitsUntil = 0;
    this.tell(seq);
    this.giveUpTo(Math.max(oldest - 1, seq - this.kept));
  }

  /**
   * A signal has come.
   * @param {number} seq
   * @returns {boolean} whether it was missing
   */
  take(seq) {
    this.tell(seq);
    if (seq <= this.complete || this.ahead.has(seq)) return false;
    this.ahead.add(seq);
    this.advance();
    return true;
  }

  /** @param {number} seq  a number that the server has reached */
  tell(seq) {
    this.known = Math.max(this.known, seq);
  }

  /**
   * A part of the answer to `since` has been taken.
   * @param {{to: number, until: number}} answer
   * @param {number} now
   */
  answered({ to, until }, now) {
    this.waitsUntil = to < until ? now + ANSWER_WAIT_MS : 0;
  }

  /**
   * What to ask the server for now.
   * @param {number} now
   * @returns {{epoch: string, seq: number} | null}
   */
  request(now) {
    if (this.complete >= this.known || !this.epoch || now < this.waitsUntil) return null;
    this.waitsUntil = now + ANSWER_WAIT_MS;
    return { epoch: this.epoch, seq: this.complete };
  }

  /** @param {number} seq */
  giveUpTo(seq) {
    if (seq <= this.complete) return;
    for (const each of this.ahead) if (each <= seq) this.ahead.delete(each);
    this.complete = seq;
    this.advance();
  }

  advance() {
    while (this.ahead.delete(this.complete + 1)) this.complete += 1;
  }
}
