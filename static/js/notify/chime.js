/** Three short sounds, made here: two notes up, two notes down, or one note twice. */

const NOTES = /** @type {Record<string, number[]>} */ ({ bullish: [587, 880], bearish: [587, 392], neutral: [587, 587] });
const NOTE_SECONDS = 0.16;

export class Chime {
  constructor() {
    /** @type {AudioContext | null} */
    this.context = null;
    this.onChange = () => {}; // called when it may sound, or may no longer: the browser decides some time after it was asked
  }

  /** @returns {boolean} whether the browser lets it sound: not before the page was clicked or typed into */
  get isAwake() {
    return this.context?.state === "running";
  }

  /** To be called in an event of the visitor's. */
  wake() {
    if (!this.context) {
      this.context = new AudioContext();
      this.context.addEventListener("statechange", () => this.onChange());
    }
    return this.context.resume();
  }

  /**
   * @param {string} direction  bullish | bearish | neutral
   * @param {number} volume  0 to 1
   */
  play(direction, volume) {
    const { context } = this;
    if (!context || context.state !== "running" || volume <= 0) return;
    (NOTES[direction] ?? NOTES.neutral).forEach((frequency, index) => {
      const start = context.currentTime + index * (NOTE_SECONDS + 0.02);
      const note = new OscillatorNode(context, { frequency, type: "triangle" });
      const loudness = new GainNode(context, { gain: 0 });
      loudness.gain.setValueAtTime(0, start);
      loudness.gain.linearRampToValueAtTime(volume * volume * 0.5, start + 0.015); // squared: loudness as ears tell it
      loudness.gain.exponentialRampToValueAtTime(0.0001, start + NOTE_SECONDS);
      note.connect(loudness).connect(context.destination);
      note.start(start);
      note.stop(start + NOTE_SECONDS);
    });
  }
}
