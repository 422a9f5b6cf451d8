/**
 * What will happen, in the order of true time: a binary heap. Events of one moment keep the order
 * in which they were added, so equal seeds run equally.
 */

/** Whoever an event is for. Undefined instead: the simulator itself, which is always there. */
export interface Receiver {
  /** Runs the task now, or later, or never: as the receiver is. */
  deliver(task: () => void): void;
}

export interface QueuedEvent {
  /** True time in milliseconds since the start, with fractions. */
  readonly atMs: number;
  readonly order: number;
  readonly receiver: Receiver | undefined;
  task: () => void;
  /** It was taken or cancelled. */
  isOver: boolean;
}

const nothing = () => undefined;

/** Below this many events nothing is gained by throwing cancelled ones out. */
const COMPACT_MIN = 256;

export class EventQueue {
  readonly #heap: QueuedEvent[] = [];
  #order = 0;
  #cancelled = 0;

  /** Events that will happen. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  add(atMs: number, task: () => void, receiver?: Receiver): QueuedEvent {
    if (!Number.isFinite(atMs)) throw new Error(`not a time: ${atMs}`);
    const event = { atMs, order: this.#order++, receiver, task, isOver: false };
    this.#heap.push(event);
    this.#up(this.#heap.length - 1, event);
    return event;
  }

  /** May come at any time, also for an event that has happened. */
  cancel(event: QueuedEvent): void {
    if (event.isOver) return;
    event.isOver = true;
    event.task = nothing; // What the task refers to is free, long before its moment comes.
    this.#cancelled++;
    // Deadlines of calls are set for long and cancelled soon: they would fill the heap.
    if (this.#heap.length >= COMPACT_MIN && this.#cancelled * 2 > this.#heap.length) {
      this.#compact();
    }
  }

  /** Takes the next event that is due by `untilMs`; the caller runs its task. */
  take(untilMs: number): QueuedEvent | undefined {
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined) return undefined;
      if (!event.isOver && event.atMs > untilMs) return undefined;
      this.#removeFirst();
      if (!event.isOver) {
        event.isOver = true;
        return event;
      }
      this.#cancelled--;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#down(0, last);
  }

  #compact(): void {
    let kept = 0;
    for (const event of this.#heap) {
      if (!event.isOver) this.#heap[kept++] = event;
    }
    this.#heap.length = kept;
    for (let index = (kept >> 1) - 1; index >= 0; index--) this.#down(index, this.#heap[index]!);
    this.#cancelled = 0;
  }

  #up(start: number, event: QueuedEvent): void {
    const heap = this.#heap;
    let index = start;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above]!;
      if (!isBefore(event, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  #down(start: number, event: QueuedEvent): void {
    const heap = this.#heap;
    const end = heap.length;
    let index = start;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= end) break;
      if (below + 1 < end && isBefore(heap[below + 1]!, heap[below]!)) below++;
      const child = heap[below]!;
      if (!isBefore(child, event)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = event;
  }
}

function isBefore(left: QueuedEvent, right: QueuedEvent): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
