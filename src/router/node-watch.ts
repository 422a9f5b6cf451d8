/**
 * Watches the process of one storage node for its leader: `liveness.ts` judges, this asks the port.
 * The port is asked as soon as the stream broke, and again whenever it could not be opened anew.
 */
import type { Clock } from '../ports/clock.js';
import type { Dialer } from '../ports/network.js';
import { Liveness, type Suspicion } from './liveness.js';

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
  /** The question to its port that is under way, unless it has said something since. */
  #question: object | undefined;
  #closed = false;

  constructor(deps: NodeWatchDeps, address: string, events: NodeWatchEvents) {
    this.#deps = deps;
    this.#address = address;
    this.#events = events;
    this.#liveness = new Liveness(deps.clock.now());
  }

  /** The process said something. */
  heard(): void {
    this.#question = undefined;
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
    if (this.#question !== undefined || this.#liveness.isSuspected) return;
    const question = {};
    this.#question = question;
    void this.#deps.dialer.probe(this.#address).then((result) => {
      if (this.#closed || this.#question !== question) return;
      this.#question = undefined;
      this.#report(this.#liveness.probed(result));
    });
  }

  /** A beat has come, so late. */
  passed(lateMs: number): void {
    this.#report(this.#liveness.passed(this.#deps.clock.now(), lateMs));
  }

  /** Nothing is reported any more after this. */
  close(): void {
    this.#closed = true;
  }

  #report(suspicion: Suspicion | undefined): void {
    if (suspicion !== undefined) this.#events.suspected(suspicion);
  }
}
