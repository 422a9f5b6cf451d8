/**
 * Notices a disk that neither writes nor fails: a network volume that lost its server, a drive that
 * retries for ever. Its node would go on to beat and to answer pings, and so keep shards of which
 * nothing can be written. A hang counts as a failure (CockroachDB: `storage.max_sync_duration`).
 */
import type { Cancel, Clock } from '../ports/clock.js';

const LOOK_MS = 1_000;
/**
 * Looks at one and the same write until it hangs: far more than a busy disk takes. Looks are
 * counted instead of time, because a process that did not run itself has no reason to complain.
 */
export const LOOKS_MAX = 20;

export class WriteWatch {
  readonly #clock: Clock;
  readonly #hangs: () => void;
  #isWriting = false;
  #looks = 0;
  #cancel: Cancel | undefined;

  /** @param hangs Called once for a write that does not end. */
  constructor(clock: Clock, hangs: () => void) {
    this.#clock = clock;
    this.#hangs = hangs;
  }

  begun(): void {
    this.#isWriting = true;
    this.#looks = 0;
    this.#cancel ??= this.#clock.after(LOOK_MS, () => this.#look());
  }

  ended(): void {
    this.#isWriting = false;
  }

  /** Of a disk that failed, or a node that stops. */
  stop(): void {
    this.#isWriting = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    this.#cancel = undefined;
    if (!this.#isWriting) return; // The next one begins to look again: none are set while idle.
    if (++this.#looks >= LOOKS_MAX) return this.#hangs();
    this.#cancel = this.#clock.after(LOOK_MS, () => this.#look());
  }
}
