/**
 * One direction of one connection: what was written arrives in order, once, unchanged, or is lost
 * from some point on (TCP). It stops at a link that is blocked.
 *
 * Things that are not messages travel in the same order: that a connection is wanted, stands, takes
 * more, or is over.
 */
import type { QueuedEvent } from './event-queue.js';
import type { SimLink, Waiting } from './sim-link.js';
import type { Simulation } from './simulation.js';

interface Item {
  readonly atMs: number;
  /** Bytes of a message; 0 = not a message. */
  readonly bytes: number;
  /** Runs in the kernel of the receiving machine, in no process. */
  readonly arrive: () => void;
}

export class SimPipe implements Waiting {
  readonly link: SimLink;
  readonly #simulation: Simulation;
  #items: Item[] = [];
  /** Of the first item; undefined = none, or it waits for the link. */
  #event: QueuedEvent | undefined;
  #isShut = false;

  constructor(simulation: Simulation, link: SimLink) {
    this.#simulation = simulation;
    this.link = link;
  }

  /** `bytes`: of a message; 0 for anything else. */
  send(bytes: number, arrive: () => void): void {
    if (this.#isShut) return;
    this.#items.push({ atMs: this.#simulation.nowMs + this.link.delayMs(), bytes, arrive });
    if (this.#items.length === 1) this.#scheduleAt(this.#items[0]!.atMs);
  }

  /** The sender is gone: of the messages under way only a prefix, drawn at random, arrives. */
  truncate(): void {
    const messages = this.#items.filter(({ bytes }) => bytes > 0);
    this.#items = messages.slice(0, this.#simulation.prng.int(messages.length + 1));
    this.#reschedule();
  }

  /** As {@link truncate}, then `last` arrives, and nothing after it. */
  shut(last: () => void): void {
    if (this.#isShut) return;
    this.truncate();
    this.send(0, last);
    this.#isShut = true;
  }

  /** Nothing arrives any more. */
  discard(): void {
    this.#isShut = true;
    this.#items = [];
    this.#reschedule();
  }

  opened(): void {
    if (this.#event !== undefined || this.#items.length === 0) return;
    this.#scheduleAt(this.#simulation.nowMs + this.link.delayMs()); // It is sent again.
  }

  #reschedule(): void {
    if (this.#event === undefined) return; // The first item waits for the link, if there is one.
    this.#simulation.cancel(this.#event);
    this.#event = undefined;
    if (this.#items.length > 0) this.#scheduleAt(this.#items[0]!.atMs);
  }

  #scheduleAt(atMs: number): void {
    this.#event = this.#simulation.at(atMs, this.#arrive);
  }

  readonly #arrive = (): void => {
    this.#event = undefined;
    if (this.link.isBlocked) return this.link.wait(this);
    const item = this.#items.shift()!;
    if (this.#items.length > 0) this.#scheduleAt(this.#items[0]!.atMs);
    this.#simulation.trace.mix(item.bytes);
    item.arrive();
  };
}
