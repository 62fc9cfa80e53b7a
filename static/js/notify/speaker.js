/** Which of several tabs speaks: the one that was used last, and another one when that is closed. */

const LOCK = "tickstock.speaker";
const forever = () => new Promise(() => {});

export class Speaker {
  /**
   * @param {LockManager | undefined} locks  missing where the page is not from a secure origin: then every tab speaks for itself
   * @param {() => void} onTurn  called when this tab begins to speak
   */
  constructor(locks, onTurn) {
    this.locks = locks;
    this.onTurn = onTurn;
    this.speaks = !locks;
    this.wait();
  }

  /** Wait until no other tab speaks. */
  wait() {
    this.waits = new AbortController();
    const { signal } = this.waits;
    this.locks?.request(LOCK, { signal }, () => this.speak()).catch(() => signal.aborted || this.lose());
  }

  /** The visitor uses this tab: speak instead of the others. */
  takeOver() {
    if (this.speaks) return;
    this.waits?.abort();
    this.speaks = true; // asked for, and granted at once
    this.locks?.request(LOCK, { steal: true }, () => this.speak()).catch(() => this.lose());
  }

  speak() {
    this.speaks = true;
    this.onTurn();
    return forever();
  }

  lose() {
    this.speaks = false;
    this.wait();
  }
}
