/**
 * One run: the events of a seed, one after the other, in true time that stands still meanwhile.
 *
 * Between two events every promise that settled is followed to its end, so what an event started
 * happens in that event. The cheapest way that needs no private interface of Node: the run is a row
 * of `setImmediate` callbacks, one per event, queued by the hundred. Node empties its queues of
 * ticks and microtasks between any two of them (since Node 11), and goes around the event loop only
 * once per row. Awaiting a `setImmediate` per event costs many times as much.
 *
 * Meanwhile `setImmediate` itself is the simulation's for whatever runs in a simulated process: the
 * callback becomes an event of that process at the same moment, held while the process is paused
 * and gone when it is killed. Timers and clocks of Node are not replaced: code under test has ports
 * for them.
 */
import { assert } from '../../src/model/assert.js';
import { EventQueue, type QueuedEvent, type Receiver } from './event-queue.js';
import { Prng } from './prng.js';
import { Trace } from './trace.js';

/** A process, as far as running its code goes. */
export interface Runner extends Receiver {
  readonly name: string;
  /** Runs the task as an event of its own at this moment. */
  soon(task: () => void): void;
}

export interface RunLimits {
  readonly untilMs: number;
  /** Bounds a run that goes in circles. */
  readonly eventsMax: number;
}

export interface RunEnd {
  /** `idle`: nothing will ever happen; `events`: their bound was reached, so something circles. */
  readonly reason: 'idle' | 'time' | 'events' | 'stopped';
  readonly events: number;
}

/** Events per turn of Node's event loop: so many that the turn costs nothing. */
const ROW_EVENTS = 128;

const nextTurn = globalThis.setImmediate;

export class Simulation {
  readonly prng: Prng;
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #current: Runner | undefined;
  #isStopped = false;

  constructor(seed: number, trace = new Trace()) {
    this.prng = Prng.of(seed);
    this.trace = trace;
  }

  /** True time in milliseconds since the start of the simulation. No process sees it. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Whose code runs. */
  get current(): Runner | undefined {
    return this.#current;
  }

  /** Runs the task at a moment of true time, for its receiver if it has one. */
  at(atMs: number, task: () => void, receiver?: Receiver): QueuedEvent {
    return this.#queue.add(Math.max(atMs, this.#nowMs), task, receiver);
  }

  after(delayMs: number, task: () => void, receiver?: Receiver): QueuedEvent {
    return this.at(this.#nowMs + delayMs, task, receiver);
  }

  cancel(event: QueuedEvent): void {
    this.#queue.cancel(event);
  }

  /** Runs code of a process, which then is {@link current} until the end of this event. */
  enter(runner: Runner, task: () => void): void {
    this.#current = runner;
    task();
  }

  /** Ends the run after this event. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Notes what happened, for the hash and for whoever reads the trace. */
  note(kind: string, detail = ''): void {
    const { trace } = this;
    trace.mixText(kind);
    trace.mixText(detail);
    if (trace.keepsLines) trace.line(`${this.#nowMs.toFixed(3)} ms ${kind} ${detail}`.trimEnd());
  }

  /**
   * Runs events until one of the limits. May be called again to go on.
   *
   * @throws what an event threw; the message of the wrapping error says when and in whom.
   */
  run(limits: RunLimits): Promise<RunEnd> {
    // Two would take each other's immediates.
    assert(globalThis.setImmediate === nextTurn, 'one simulation runs at a time');
    this.#isStopped = false;
    const restore = this.#takeImmediates();
    let events = 0;
    let isOver = false;
    return new Promise((resolve, reject) => {
      const finish = () => {
        isOver = true;
        this.#current = undefined;
        restore();
      };
      const step = () => {
        if (isOver) return;
        try {
          const reason = this.#step(limits, events);
          if (reason === undefined) return void events++;
          finish();
          resolve({ reason, events });
        } catch (error) {
          const explained = this.#explained(error);
          finish();
          reject(explained);
        }
      };
      const row = () => {
        this.#current = undefined; // What others do in Node's event loop is not a process's.
        if (isOver) return;
        for (let count = 0; count < ROW_EVENTS; count++) nextTurn(step);
        nextTurn(row);
      };
      row();
    });
  }

  /** Runs one event; the reason if there is none to run. */
  #step({ untilMs, eventsMax }: RunLimits, events: number): RunEnd['reason'] | undefined {
    if (this.#isStopped) return 'stopped';
    if (events >= eventsMax) return 'events';
    this.#current = undefined;
    const event = this.#queue.take(untilMs);
    if (event === undefined) {
      if (this.#queue.size === 0) return 'idle';
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      return 'time';
    }
    this.#nowMs = event.atMs;
    this.trace.mixTime(event.atMs);
    this.trace.mix(event.order);
    if (event.receiver === undefined) event.task();
    else event.receiver.deliver(event.task);
    return undefined;
  }

  #explained(cause: unknown): Error {
    const who = this.#current === undefined ? '' : ` in ${this.#current.name}`;
    const what = cause instanceof Error ? cause.message : String(cause);
    return new Error(`at ${this.#nowMs.toFixed(3)} ms${who}: ${what}`, { cause });
  }

  /** Makes `setImmediate` the simulation's; the result gives it back. */
  #takeImmediates(): () => void {
    const replaced = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
      const runner = this.#current;
      if (runner === undefined) return nextTurn(callback, ...args);
      runner.soon(() => callback(...args));
      return undefined;
    };
    globalThis.setImmediate = Object.assign(replaced, {
      __promisify__: nextTurn.__promisify__,
    }) as typeof setImmediate;
    return () => {
      globalThis.setImmediate = nextTurn;
    };
  }
}
