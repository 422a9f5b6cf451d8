/**
 * What was promised: for every key the highest write that was acknowledged and the highest that was
 * attempted. Each key has one writer at a time, so its writes are a simple sequence and the value a
 * read must find lies between the two.
 */

/** The value of a key's n-th write: key and n in front, padding behind. */
export function valueOf(key: number, write: number, bytes: number): Buffer {
  const value = Buffer.alloc(bytes, 0x2e);
  value.write(`${key}:${write}:`);
  return value;
}

const COLON = 0x3a;
const ZERO = 0x30;

/** Which write of which key a value is. */
export interface FoundWrite {
  readonly key: number;
  readonly write: number;
}

/** Undefined if it is none of ours. */
export function parseValue(value: Uint8Array): FoundWrite | undefined {
  const keyEnd = value.indexOf(COLON);
  const writeEnd = value.indexOf(COLON, keyEnd + 1);
  const key = numberIn(value, 0, keyEnd);
  const write = numberIn(value, keyEnd + 1, writeEnd);
  return key === undefined || write === undefined ? undefined : { key, write };
}

/** By hand: this is done for every read of a benchmark, and a regular expression costs more. */
function numberIn(bytes: Uint8Array, from: number, to: number): number | undefined {
  if (to <= from) return undefined;
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return number;
}

export class Ledger {
  readonly #acknowledged: Uint32Array;
  readonly #attempted: Uint32Array;

  /** Their names, made once. */
  readonly names: readonly Buffer[];

  constructor(keys: number) {
    this.names = Array.from({ length: keys }, (_, key) => {
      return Buffer.from(`bench-${String(key).padStart(10, '0')}`);
    });
    this.#acknowledged = new Uint32Array(keys);
    this.#attempted = new Uint32Array(keys);
  }

  get keys(): number {
    return this.#acknowledged.length;
  }

  /** Number of the next write of a key, from 1. */
  begin(key: number): number {
    const write = (this.#attempted[key] ?? 0) + 1;
    this.#attempted[key] = write;
    return write;
  }

  acknowledge(key: number, write: number): void {
    this.#acknowledged[key] = Math.max(this.#acknowledged[key] ?? 0, write);
  }

  /** Keys with a write that was acknowledged. */
  *written(): Iterable<number> {
    for (const [key, write] of this.#acknowledged.entries()) if (write > 0) yield key;
  }

  /** Whether what was found under a key breaks the promise: an acknowledged write is not there. */
  isLost(key: number, found: FoundWrite | undefined): boolean {
    const acknowledged = this.#acknowledged[key] ?? 0;
    if (acknowledged === 0) return false;
    if (found?.key !== key) return true;
    return found.write < acknowledged || found.write > (this.#attempted[key] ?? 0);
  }
}
