/**
 * One replica on disk: turns what its core wants persisted into changes of one batch, and knows
 * where its log ends and which log records there are.
 *
 * It knows keys and records and no rules, but checks what the rules promise before anything is
 * written: S2 the promise does not go back, S8 the log stays contiguous, S9 nothing is applied that
 * is not in the log, S10 nothing that was applied is truncated.
 */
import { assert } from '../model/assert.js';
import type { Seq } from '../model/ids.js';
import type { DiskBatch } from '../ports/disk.js';
import { type Entry, opsOf, type Position } from '../replication/entry.js';
import type { DurableState, Persist, Recovered } from '../replication/replica-body.js';
import { dataKey, markKey, type ReplicaPrefix } from './keys.js';
import { encodeState, logEndOf, logKey } from './replica-layout.js';
import type { BatchSign, SnapshotPoint } from './shard-snapshot.js';

export class StoredReplica {
  #prefix: ReplicaPrefix;
  #state: DurableState;
  /** The log records, oldest first, and what each is verified with. */
  readonly #checks = new Map<Seq, number>();
  #lastSeq: Seq;
  #appliedSeq: Seq;
  /** The data may hold writes up to here: a batch that said so had no need to write the state. */
  #aheadTo: Seq;
  /** What the newest batch did, which may be under way. */
  #newest: { readonly sign: BatchSign; readonly appliedBefore: Seq } | undefined;

  constructor(prefix: ReplicaPrefix, { state, entries }: Recovered) {
    this.#prefix = prefix;
    this.#state = state;
    for (const entry of entries) this.#checks.set(entry.seq, logEndOf(entry).check);
    this.#lastSeq = entries.at(-1)?.seq ?? state.base.seq;
    this.#appliedSeq = state.appliedSeq;
    this.#aheadTo = this.#lastSeq;
  }

  get prefix(): ReplicaPrefix {
    return this.#prefix;
  }

  /** As of the newest batch that wrote it. */
  get state(): DurableState {
    return this.#state;
  }

  /** End of the log, with the batch under way. */
  get lastSeq(): Seq {
    return this.#lastSeq;
  }

  /** What a snapshot that is taken now holds of this replica. */
  get snapshotPoint(): SnapshotPoint {
    return {
      prefix: this.#prefix,
      appliedSeq: this.#appliedSeq,
      aheadTo: this.#aheadTo,
      newest: this.#newest,
    };
  }

  /** The data under another prefix is that of `base`, and takes the place of log and data. */
  switchTo(batch: DiskBatch, prefix: ReplicaPrefix, base: Position): void {
    batch.remove(markKey('replica', this.#prefix));
    this.#prefix = prefix;
    this.#checks.clear();
    this.#lastSeq = base.seq;
    this.#appliedSeq = base.seq;
    this.#aheadTo = base.seq;
  }

  /** All of it but `switchTo`, which has been done. */
  write(batch: DiskBatch, { truncateAfter, append, apply, trim, state }: Persist): void {
    const appliedBefore = this.#appliedSeq;
    if (truncateAfter !== undefined) this.#truncate(batch, truncateAfter);
    for (const entry of append) this.#append(batch, entry);
    for (const entry of apply) this.#apply(batch, entry);
    for (const seq of trim) {
      assert(seq <= appliedBefore, 'S9', () => ({ trim: seq, appliedBefore }));
      this.#removeLogRecord(batch, seq);
    }
    const written = state && this.#writeState(batch, state);
    const last = append.at(-1);
    // One of the two is there, or there was no need for a batch.
    assert(written !== undefined || last !== undefined, 'a batch holds something');
    const sign = written ?? {
      key: logKey(this.#prefix, {
        seq: this.#lastSeq,
        check: this.#checks.get(this.#lastSeq) ?? 0,
      }),
    };
    this.#newest = { sign, appliedBefore };
  }

  #truncate(batch: DiskBatch, after: Seq): void {
    assert(after >= this.#appliedSeq, 'S10', () => ({ after, appliedSeq: this.#appliedSeq }));
    for (const seq of [...this.#checks.keys()]) {
      if (seq > after) this.#removeLogRecord(batch, seq);
    }
    if (after < this.#lastSeq) this.#lastSeq = after;
    if (after < this.#aheadTo) this.#aheadTo = after;
  }

  #append(batch: DiskBatch, entry: Entry): void {
    assert(entry.first === this.#lastSeq + 1, 'S8', () => ({
      first: entry.first,
      lastSeq: this.#lastSeq,
    }));
    const end = logEndOf(entry);
    batch.put(logKey(this.#prefix, end), entry.bytes);
    this.#checks.set(end.seq, end.check);
    this.#lastSeq = end.seq;
  }

  #apply(batch: DiskBatch, entry: Entry): void {
    const isNext = entry.first === this.#appliedSeq + 1 && entry.seq <= this.#lastSeq;
    assert(isNext, 'S9', () => ({ first: entry.first, appliedSeq: this.#appliedSeq }));
    for (const op of opsOf(entry)) {
      if (op.type === 'put') batch.put(dataKey(this.#prefix, op.key), op.record);
      else if (op.type === 'delete') batch.remove(dataKey(this.#prefix, op.key));
    }
    this.#appliedSeq = entry.seq;
  }

  #removeLogRecord(batch: DiskBatch, seq: Seq): void {
    const check = this.#checks.get(seq);
    assert(check !== undefined, 'S8', () => ({ seq, lastSeq: this.#lastSeq }));
    batch.remove(logKey(this.#prefix, { seq, check }));
    this.#checks.delete(seq);
  }

  #writeState(batch: DiskBatch, state: DurableState): BatchSign {
    assert(state.promisedEpoch >= this.#state.promisedEpoch, 'S2', () => ({
      promised: state.promisedEpoch,
      before: this.#state.promisedEpoch,
    }));
    assert(state.appliedSeq === this.#appliedSeq, 'S9', () => ({
      claimed: state.appliedSeq,
      appliedSeq: this.#appliedSeq,
    }));
    this.#state = state;
    const sign = {
      key: markKey('replica', this.#prefix),
      record: encodeState(this.#prefix, state),
    };
    batch.put(sign.key, sign.record);
    return sign;
  }
}
