/**
 * How much is on its way to each node for replicas there that catch up. All shards share the stream
 * to a node, and the time of whoever reads and writes what is sent: a node that comes back behind
 * in a thousand shards gets them by and by, not all at once.
 *
 * Entries that members of the isr wait for are not counted, and not held up.
 */
import type { MemberId } from '../model/ids.js';

export interface CatchUpSettings {
  /** Entries and bytes on their way to all replicas of one node that catch up. */
  readonly catchUpNodeEntries: number;
  readonly catchUpNodeBytes: number;
}

/** What was sent to a replica and not acknowledged. */
export interface OnItsWay {
  readonly entries: number;
  readonly bytes: number;
}

/** The replica it is sent to. */
interface Receiver {
  readonly node: MemberId;
}

interface NodeLoad {
  entries: number;
  bytes: number;
  /** When it last acknowledged something, or had nothing to. */
  progressAt: number;
}

const NOTHING: OnItsWay = { entries: 0, bytes: 0 };

export class CatchUps {
  readonly #settings: CatchUpSettings;
  readonly #receivers = new Map<Receiver, OnItsWay>();
  readonly #nodes = new Map<MemberId, NodeLoad>();

  constructor(settings: CatchUpSettings) {
    this.#settings = settings;
  }

  /** Whether nothing more should be sent to the replicas of a node that catch up. */
  isFull(node: MemberId): boolean {
    const load = this.#nodes.get(node);
    if (load === undefined) return false;
    const { catchUpNodeEntries, catchUpNodeBytes } = this.#settings;
    return load.entries >= catchUpNodeEntries || load.bytes >= catchUpNodeBytes;
  }

  /** When a node to which something is on its way last came forward with any of it. */
  progressAt(node: MemberId): number {
    return this.#nodes.get(node)?.progressAt ?? -Infinity;
  }

  /** From now on this much is on its way to this replica. */
  set(receiver: Receiver, onItsWay: OnItsWay, now: number): void {
    const { node } = receiver;
    const before = this.#receivers.get(receiver) ?? NOTHING;
    const load = this.#nodes.get(node) ?? { ...NOTHING, progressAt: now };
    load.entries += onItsWay.entries - before.entries;
    load.bytes += onItsWay.bytes - before.bytes;
    if (onItsWay.entries < before.entries) load.progressAt = now;
    if (onItsWay.entries === 0) this.#receivers.delete(receiver);
    else this.#receivers.set(receiver, onItsWay);
    if (load.entries === 0) this.#nodes.delete(node);
    else this.#nodes.set(node, load);
  }

  /** Nothing is on its way any more, whatever was. */
  end(receiver: Receiver): void {
    const before = this.#receivers.get(receiver);
    if (before === undefined) return;
    this.#receivers.delete(receiver);
    const load = this.#nodes.get(receiver.node);
    if (load === undefined) return;
    load.entries -= before.entries;
    load.bytes -= before.bytes;
    if (load.entries === 0) this.#nodes.delete(receiver.node);
  }
}
