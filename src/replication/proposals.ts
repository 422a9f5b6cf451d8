/**
 * The writes of a primary between their arrival and their commit: their positions, the conditions
 * they are judged by, what they will answer, and what is committed but not yet in the data.
 *
 * Upholds S12: a condition is judged on the newest version, committed or not, but an answer that
 * rests on an uncommitted one waits until that is committed (bug B3: "condition failed" is answered
 * at once, the write it saw is then lost, and the client has read what never was). S22: positions
 * only grow. S21: a write that was sealed may be applied by somebody, so its outcome is unknown if
 * this primary ends; one that was not sealed certainly will not be.
 */
import { assert } from '../model/assert.js';
import type { Epoch, Seq } from '../model/ids.js';
import type { ReadCache } from './read-cache.js';
import { type Draft, type Entry, type Position, opsOf, sealEntry } from './entry.js';

/** A write, its key and value as the bytes that will be stored. */
export type Write = Exclude<Draft, { readonly type: 'barrier' }>;

export interface Proposal {
  /** Names the call in its answer; chosen by the driver, unique while the call is open. */
  readonly call: number;
  readonly write: Write;
  /** The version the key must have, 0 = absent; undefined = any. */
  readonly ifVersion: number | undefined;
  /**
   * The newest committed version, 0 = absent. Needed if {@link needsStoredVersion} says so and
   * {@link Proposals.committed} holds nothing; otherwise undefined will do.
   */
  readonly storedVersion: Seq | undefined;
}

/** As PutResponse and DeleteResponse have it. */
export interface Written {
  readonly call: number;
  readonly applied: boolean;
  readonly version: Seq;
  /** False: nothing was written, and the answer is what was read. */
  readonly changes: boolean;
}

/** What the newest committed write left under a key; undefined record = it was deleted. */
export interface CommittedWrite {
  readonly seq: Seq;
  readonly record: Buffer | undefined;
}

interface Waiting {
  /** Position that must be committed before the answer may leave. */
  readonly after: Seq;
  readonly written: Written;
}

const ABSENT = 0 as Seq;
/** An entry is closed when it has this size; with the largest value behind it, it fits a frame. */
const ENTRY_BYTES_SOFT_MAX = 1024 * 1024;

/** Whether a write's outcome depends on the key's present version. */
export function needsStoredVersion(write: Write, ifVersion: number | undefined): boolean {
  return write.type === 'delete' || ifVersion !== undefined;
}

export class Proposals {
  /** Highest position given away. Invariant: the end of the log + the drafts. */
  #lastSeq: Seq;
  /** Numbered, not sealed: nobody else has seen them. */
  #drafts: Draft[] = [];
  /** Version each key will have once everything is committed; 0 = deleted. By latin1 text. */
  readonly #uncommitted = new Map<string, { readonly version: Seq; readonly seq: Seq }>();
  /** Committed, and not in the data yet. By latin1 text of the key. */
  readonly #committed = new Map<string, CommittedWrite>();
  readonly #reads: Pick<ReadCache, 'forget'>;
  /** In the order of `after`. */
  #waiting: Waiting[] = [];

  /** `reads`: what was read of the data, to be forgotten when something newer is committed. */
  constructor(lastSeq: Seq, reads: Pick<ReadCache, 'forget'>) {
    this.#lastSeq = lastSeq;
    this.#reads = reads;
  }

  /** Whether something waits to be sealed. */
  get hasDrafts(): boolean {
    return this.#drafts.length > 0;
  }

  /** What is committed under a key and not in the data yet; undefined: look into the data. */
  committed(key: Buffer): CommittedWrite | undefined {
    // Nearly always there is nothing, and a name for each read costs more than the look.
    return this.#committed.size === 0 ? undefined : this.#committed.get(key.toString('latin1'));
  }

  /** The write that begins an epoch: when it is committed, so is everything before it. */
  barrier(): void {
    this.#lastSeq = (this.#lastSeq + 1) as Seq;
    this.#drafts.push({ type: 'barrier' });
  }

  /** The answer, if it depends on nothing that is uncommitted; otherwise it comes with `commit`. */
  propose(
    { call, write, ifVersion, storedVersion }: Proposal,
    commitSeq: Seq,
  ): Written | undefined {
    const key = write.key.toString('latin1');
    if (!needsStoredVersion(write, ifVersion)) {
      this.#accept(write, key, { call, before: ABSENT });
      return undefined;
    }
    const newest = this.#uncommitted.get(key) ?? this.#committedVersion(key);
    const version = newest?.version ?? storedVersion;
    assert(version !== undefined, 'a condition needs a version', () => ({ call }));
    const holds = ifVersion === undefined || ifVersion === version;
    if (holds && !(write.type === 'delete' && version === ABSENT)) {
      this.#accept(write, key, { call, before: version });
      return undefined;
    }
    // Nothing changes; but what was seen may still be uncommitted (S12).
    const written = { call, applied: holds, version, changes: false };
    const seen = newest?.seq ?? ABSENT;
    if (seen <= commitSeq) return written;
    this.#answerAfter(seen, written);
    return undefined;
  }

  /** One entry of what was numbered first, as much as fits. */
  seal(previous: Position, head: { readonly epoch: Epoch; readonly commitSeq: Seq }): Entry {
    let count = 0;
    for (let bytes = 0; count < this.#drafts.length && bytes < ENTRY_BYTES_SOFT_MAX; count++) {
      bytes += bytesOf(this.#drafts[count]);
    }
    const entry = sealEntry(previous, head, this.#drafts.slice(0, count));
    this.#drafts = this.#drafts.slice(count);
    const numbered = entry.seq + this.#drafts.length;
    assert(numbered === this.#lastSeq, 'S22', () => ({ numbered, last: this.#lastSeq }));
    return entry;
  }

  /** These entries, in order, are committed. Returns the answers that may leave now. */
  commit(entries: readonly Entry[], commitSeq: Seq): readonly Written[] {
    for (const entry of entries) this.#keepCommitted(entry);
    for (const [key, { seq }] of this.#uncommitted) {
      if (seq <= commitSeq) this.#uncommitted.delete(key);
    }
    const stay = this.#waiting.findIndex(({ after }) => after > commitSeq);
    const released = stay < 0 ? this.#waiting : this.#waiting.slice(0, stay);
    this.#waiting = stay < 0 ? [] : this.#waiting.slice(stay);
    return released.map(({ written }) => written);
  }

  /** The data holds everything up to `seq`. */
  applied(seq: Seq): void {
    for (const [key, write] of this.#committed) {
      if (write.seq <= seq) this.#committed.delete(key);
    }
  }

  /** This primary ends. What becomes of each open call: it may happen, or it never will. */
  abandon(sealedTo: Seq): {
    readonly unknown: readonly number[];
    readonly never: readonly number[];
  } {
    const unknown: number[] = [];
    const never: number[] = [];
    for (const { after, written } of this.#waiting) {
      // A call whose condition failed changes nothing, whatever becomes of what it saw.
      const isHarmless = !written.changes || after > sealedTo;
      (isHarmless ? never : unknown).push(written.call);
    }
    this.#waiting = [];
    this.#drafts = [];
    return { unknown, never };
  }

  /** Gives the write its position. `before` is the version it replaces, as far as it matters. */
  #accept(write: Write, key: string, { call, before }: { call: number; before: Seq }): void {
    const seq = (this.#lastSeq + 1) as Seq;
    assert(Number.isSafeInteger(seq) && seq > before, 'S22', () => ({ seq, before }));
    this.#lastSeq = seq;
    this.#drafts.push(write);
    const isPut = write.type === 'put';
    this.#uncommitted.set(key, { version: isPut ? seq : ABSENT, seq });
    this.#answerAfter(seq, { call, applied: true, version: isPut ? seq : before, changes: true });
  }

  #answerAfter(seq: Seq, written: Written): void {
    // Behind everything that waits already, so that the list stays in order.
    const after = this.#waiting.at(-1)?.after ?? ABSENT;
    this.#waiting.push({ after: after > seq ? after : seq, written });
  }

  #committedVersion(key: string): { readonly version: Seq; readonly seq: Seq } | undefined {
    const write = this.#committed.get(key);
    return write && { version: write.record === undefined ? ABSENT : write.seq, seq: write.seq };
  }

  #keepCommitted(entry: Entry): void {
    for (const op of opsOf(entry)) {
      if (op.type === 'barrier') continue;
      const key = op.key.toString('latin1');
      this.#committed.set(key, { seq: op.seq, record: op.type === 'put' ? op.record : undefined });
      this.#reads.forget(key);
    }
  }
}

function bytesOf(draft: Draft | undefined): number {
  if (draft === undefined || draft.type === 'barrier') return 0;
  return draft.key.length + (draft.type === 'put' ? draft.value.length : 0);
}
