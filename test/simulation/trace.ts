/**
 * What happened in a run, as a number and as text.
 *
 * The number is a rolling hash over everything that was noted: two runs of one seed that differ
 * anywhere differ in it, but for one chance in 2^53. It is not for contents that somebody could
 * choose. The text is a ring of the last lines, kept only when a seed is replayed to be read: lines
 * cost more than the events they tell of. Whether they are kept does not change the hash.
 *
 * Two lanes of 32 bits, multiplied as in cyrb53 (github.com/bryc/code, jshash); each step is a
 * bijection of its lane, so no difference is ever forgotten by itself.
 */
const time = new Float64Array(1);
const timeWords = new Int32Array(time.buffer);

export class Trace {
  readonly #linesMax: number;
  readonly #lines: string[] = [];
  #lineCount = 0;
  #a = 0xdeadbeef | 0;
  #b = 0x41c6ce57 | 0;

  /** `linesMax`: how many of the last lines are kept; 0 = none. */
  constructor(linesMax = 0) {
    this.#linesMax = linesMax;
  }

  /** Whether it is worth making a line. */
  get keepsLines(): boolean {
    return this.#linesMax > 0;
  }

  /** Mixes in an integer; only its lower 32 bits count. */
  mix(word: number): void {
    const a = Math.imul(this.#a ^ word, 0x9e3779b1);
    const b = Math.imul(this.#b ^ word, 0x5f356495);
    this.#a = a ^ (a >>> 15);
    this.#b = b ^ (b >>> 16);
  }

  /** Mixes in every bit of a number: a moment, a duration. */
  mixTime(value: number): void {
    time[0] = value;
    this.mix(timeWords[0]!);
    this.mix(timeWords[1]!);
  }

  mixText(text: string): void {
    for (let index = 0; index < text.length; index++) this.mix(text.charCodeAt(index));
    this.mix(text.length);
  }

  /** 0 to 2^53 - 1. */
  get hash(): number {
    return (this.#a >>> 0) * 2 ** 21 + (this.#b >>> 11);
  }

  /** Keeps a line for whoever reads the trace; ask {@link keepsLines} before making it. */
  line(text: string): void {
    if (this.#linesMax === 0) return;
    this.#lines[this.#lineCount++ % this.#linesMax] = text;
  }

  /** The last lines, oldest first. */
  get lines(): readonly string[] {
    if (this.#lineCount <= this.#linesMax) return [...this.#lines];
    const oldest = this.#lineCount % this.#linesMax;
    return [...this.#lines.slice(oldest), ...this.#lines.slice(0, oldest)];
  }
}
