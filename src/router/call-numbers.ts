/**
 * What the open calls of a stream are about, by their numbers: the smallest that are free.
 *
 * A call that is forgotten keeps its number until its answer comes: that must not be taken for the
 * answer to another call.
 *
 * It is no Map. One whose entries come and go is copied into a new one now and then, and each
 * copy that has grown old before it was dropped keeps its successor alive, with everything in it,
 * until the next full collection (V8's ordered hash tables are linked so). With some 10,000 calls a
 * second that was a fifth of all memory that a client allocated, copied by each minor collection.
 */
import { assert } from '../model/assert.js';

const FREE = Symbol('free');
const FORGOTTEN = Symbol('forgotten');

export class CallNumbers<T extends object> {
  /** By number. */
  readonly #calls: (T | typeof FREE | typeof FORGOTTEN)[] = [];
  readonly #free: number[] = [];
  #size = 0;

  /** Calls that are open and not forgotten. */
  get size(): number {
    return this.#size;
  }

  /** Opens a call; its number. */
  add(call: T): number {
    const number = this.#free.pop() ?? this.#calls.length;
    this.#calls[number] = call;
    this.#size++;
    return number;
  }

  /** Nobody waits for its answer any more. */
  forget(number: number): void {
    assert(isOpen(this.#calls[number]), 'only an open call is forgotten', () => ({ number }));
    this.#calls[number] = FORGOTTEN;
    this.#size--;
  }

  /** Its answer came: ends the call. Undefined if it was forgotten, or if no call is open there. */
  end(number: number): T | undefined {
    const call = this.#calls[number];
    if (call === undefined || call === FREE) return undefined;
    this.#calls[number] = FREE;
    this.#free.push(number);
    if (call === FORGOTTEN) return undefined;
    this.#size--;
    return call;
  }

  /** The stream is over, and no answer comes any more: the calls that were open. */
  endAll(): T[] {
    const open = this.#calls.filter(isOpen);
    this.#calls.length = 0;
    this.#free.length = 0;
    this.#size = 0;
    return open;
  }
}

function isOpen<T extends object>(call: T | typeof FREE | typeof FORGOTTEN | undefined): call is T {
  return typeof call === 'object';
}
