/**
 * Watches the process of one storage node for its leader: `liveness.ts` judges, this asks the port.
 * The port is asked as soon as the stream broke, and again whenever it could not be opened anew.
 */
import type { Cancel, Clock } from '../ports/clock.js';
import type { Dialer } from '../ports/network.js';
import { Liveness, type Suspicion } from './liveness.js';

/** Between a refusal and the look whether it was one of a moment. */
const REFUSED_AGAIN_MS = 10;

export interface NodeWatchDeps {
  readonly clock: Clock;
  readonly dialer: Dialer;
}

export interface NodeWatchEvents {
  /** The process is taken for dead. Once, until `heardAgain`. */
  suspected(why: Suspicion): void;
  /** A later process of its node answers in its place. Once, until `heardAgain`. */
  replaced(): void;
  /** It is there after all. */
  heardAgain(): void;
}

export class NodeWatch {
  readonly #deps: NodeWatchDeps;
  readonly #address: string;
  readonly #events: NodeWatchEvents;
  readonly #liveness: Liveness;
  #isReplaced = false;
  #isAsking = false;
  #cancelAsking: Cancel = () => undefined;
  #closed = false;

  constructor(deps: NodeWatchDeps, address: string, events: NodeWatchEvents) {
    this.#deps = deps;
    this.#address = address;
    this.#events = events;
    this.#liveness = new Liveness(deps.clock.now());
  }

  /** The process said something. */
  heard(): void {
    const wasDoubted = this.#liveness.heard(this.#deps.clock.now()) || this.#isReplaced;
    this.#isReplaced = false;
    if (wasDoubted) this.#events.heardAgain();
  }

  /** Another process of its node said something. */
  heardOther(): void {
    if (this.#isReplaced) return;
    this.#isReplaced = true;
    this.#events.replaced();
  }

  /** The stream to it broke, or could not be opened. */
  streamBroke(): void {
    if (this.#isAsking || this.#liveness.isSuspected) return;
    this.#isAsking = true;
    this.#ask();
  }

  /** A beat has come, so late. */
  passed(lateMs: number): void {
    this.#report(this.#liveness.passed(this.#deps.clock.now(), lateMs));
  }

  /** Nothing is reported any more after this. */
  close(): void {
    this.#closed = true;
    this.#cancelAsking();
  }

  #ask(): void {
    const { clock, dialer } = this.#deps;
    void dialer.probe(this.#address).then((result) => {
      if (this.#closed) return;
      const suspicion = this.#liveness.probed(result);
      this.#isAsking = result === 'refused' && !this.#liveness.isSuspected;
      if (this.#isAsking) this.#cancelAsking = clock.after(REFUSED_AGAIN_MS, () => this.#ask());
      this.#report(suspicion);
    });
  }

  #report(suspicion: Suspicion | undefined): void {
    if (suspicion !== undefined) this.#events.suspected(suspicion);
  }
}
