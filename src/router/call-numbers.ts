/**
 * What the open calls of a stream are about, by number: a slot, and how often it was given away.
 *
 * A call that is forgotten keeps its slot until its answer comes, which must not be taken for the
 * answer to another call. Nor is a second answer, should a node ever give one: the slot has the
 * same number again only after 8,192 calls.
 *
 * It is no Map. One whose entries come and go is copied into a new one now and then, and each
 * copy that has grown old before it was dropped keeps its successor alive, with everything in it,
 * until the next full collection (V8's ordered hash tables are linked so). With some 10,000 calls a
 * second that was a fifth of all memory that a client allocated, copied by each minor collection.
 */
import { assert } from '../model/assert.js';

const FREE = Symbol('free');
const FORGOTTEN = Symbol('forgotten');

/** Far more than a stream takes before it is full. */
const SLOTS = 2 ** 18;
/** The stream has room for 32 bits; what is beyond 31 is no small integer for V8. */
const NUMBERS = 2 ** 31;

export class CallNumbers<T extends object> {
  /** By slot. */
  readonly #calls: (T | typeof FREE | typeof FORGOTTEN)[] = [];
  readonly #numbers: number[] = [];
  readonly #free: number[] = [];
  #size = 0;

  /** Calls that are open and not forgotten. */
  get size(): number {
    return this.#size;
  }

  /** Opens a call; its number. */
  add(call: T): number {
    const slot = this.#free.pop() ?? this.#calls.length;
    assert(slot < SLOTS, 'open calls are bounded', () => ({ slot }));
    const number = ((this.#numbers[slot] ?? slot) + SLOTS) % NUMBERS;
    this.#calls[slot] = call;
    this.#numbers[slot] = number;
    this.#size++;
    return number;
  }

  /** Nobody waits for its answer any more. */
  forget(number: number): void {
    const slot = number % SLOTS;
    assert(isOpen(this.#at(number)), 'only an open call is forgotten', () => ({ number }));
    this.#calls[slot] = FORGOTTEN;
    this.#size--;
  }

  /** Its answer came: ends the call. Undefined if it was forgotten, or if no such call is open. */
  end(number: number): T | undefined {
    const call = this.#at(number);
    if (call === undefined || call === FREE) return undefined;
    const slot = number % SLOTS;
    this.#calls[slot] = FREE;
    this.#free.push(slot);
    if (call === FORGOTTEN) return undefined;
    this.#size--;
    return call;
  }

  /** The stream is over, and no answer comes any more: the calls that were open. */
  endAll(): T[] {
    const open = this.#calls.filter(isOpen);
    this.#calls.length = 0;
    this.#numbers.length = 0;
    this.#free.length = 0;
    this.#size = 0;
    return open;
  }

  #at(number: number): T | typeof FREE | typeof FORGOTTEN | undefined {
    const slot = number % SLOTS;
    return this.#numbers[slot] === number ? this.#calls[slot] : undefined;
  }
}

function isOpen<T extends object>(call: T | typeof FREE | typeof FORGOTTEN | undefined): call is T {
  return typeof call === 'object';
}
