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

/** Which write of which key a value is; undefined if it is none of ours. */
export function parseValue(value: Uint8Array): { key: number; write: number } | undefined {
  const match = /^(\d+):(\d+):/.exec(Buffer.from(value.subarray(0, 40)).toString('latin1'));
  return match === null ? undefined : { key: Number(match[1]), write: Number(match[2]) };
}

export class Ledger {
  readonly #acknowledged: Uint32Array;
  readonly #attempted: Uint32Array;

  constructor(keys: number) {
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

  /** Whether a value found for a key breaks the promise: an acknowledged write is not there. */
  isLost(key: number, value: Uint8Array | undefined): boolean {
    const acknowledged = this.#acknowledged[key] ?? 0;
    if (acknowledged === 0) return false;
    const found = value && parseValue(value);
    if (found?.key !== key) return true;
    return found.write < acknowledged || found.write > (this.#attempted[key] ?? 0);
  }
}
