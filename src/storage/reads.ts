/**
 * Answers gets, beside the rounds: a read waits for no fsync.
 *
 * Reads are synchronous and cheap, but they hold up everything else while they run. So they go in
 * slices of a bounded number and size, one slice per turn of the event loop.
 *
 * Upholds S12 (the primary answers from what it committed and from what it read, or asks the store,
 * which holds committed writes only: a write is in it when its batch is durable)
 * and S13 (whether this replica may answer is asked after the value was read; and whether the
 * system slept, which no lease shows, after all of a slice were: then the slice is done again).
 */
import { CorruptRecordError, type StoredRecord } from '../replication/data-record.js';
import type { ReadData } from '../replication/primary.js';
import type { ShardReplica } from '../replication/shard-replica.js';
import { RefusedError } from '../model/refusals.js';
import type { Clock } from '../ports/clock.js';
import { StorageFailure } from '../ports/disk.js';
import { encodeGetResponse } from '../wire/kv-messages.js';
import { type CallResult, endUnstarted, type QueuedRead } from './calls.js';
import type { Replicas } from './replicas.js';
import type { ReplicaStore } from './replica-store.js';
import type { Wakefulness } from './wakefulness.js';

/** Gets in one slice: about a millisecond. */
const SLICE_CALLS_MAX = 128;
/** Bytes of values after which a slice ends. */
const SLICE_BYTES_MAX = 1024 * 1024;

export interface ReadsDeps {
  readonly store: ReplicaStore;
  readonly replicas: Replicas;
  readonly clock: Clock;
  readonly wakefulness: Pick<Wakefulness, 'look'>;
  /** A record of this replica is not what was written. */
  readonly damaged: (replica: ShardReplica, error: CorruptRecordError) => void;
  /** The disk refused: nothing may be served from it any more (S20). */
  readonly failed: (error: unknown) => void;
}

export class Reads {
  readonly #deps: ReadsDeps;
  /** Those before the next were answered; they leave when they are half of all. */
  #queue: QueuedRead[] = [];
  #next = 0;
  #isScheduled = false;
  /** The disk failed: nothing that was read is answered any more. */
  #refusal: RefusedError | undefined;
  /** Reads that wait for the round under way. */
  #later: QueuedRead[] = [];

  constructor(deps: ReadsDeps) {
    this.#deps = deps;
  }

  submit(read: QueuedRead): void {
    this.#queue.push(read);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#slice());
  }

  /** A round ended: what waited for it may be asked again. */
  retryLater(): void {
    for (const read of this.#later.splice(0)) this.submit(read);
  }

  /** Refuses what waits: the disk is not to be trusted any more (S20). */
  refuseAll(error: RefusedError): void {
    this.#refusal = error;
    const waiting = [...this.#queue.slice(this.#next), ...this.#later.splice(0)];
    this.#queue = [];
    this.#next = 0;
    for (const read of waiting) read.respond(error);
  }

  #slice(): void {
    this.#isScheduled = false;
    const { clock, wakefulness } = this.#deps;
    const now = clock.now();
    const answers: (readonly [QueuedRead, CallResult])[] = [];
    const later: QueuedRead[] = [];
    let bytes = 0;
    for (let calls = 0; calls < SLICE_CALLS_MAX && bytes < SLICE_BYTES_MAX; calls++) {
      const read = this.#queue[this.#next];
      if (read === undefined) break;
      this.#next++;
      if (endUnstarted(read, now)) continue;
      const result = this.#resultOf(read);
      if (result === 'later') later.push(read);
      else answers.push([read, result]);
      if (result !== 'later' && isValue(result)) bytes += result.length;
    }
    const refusal = this.#refusal;
    if (refusal !== undefined) {
      for (const [read, result] of answers) read.respond(isValue(result) ? refusal : result);
      for (const read of later) read.respond(refusal);
    } else if (wakefulness.look()) {
      this.#queue = [...answers.map(([read]) => read), ...later, ...this.#queue.slice(this.#next)];
      this.#next = 0;
    } else {
      for (const [read, result] of answers) read.respond(result);
      this.#later.push(...later);
    }
    if (this.#next * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
    if (this.#queue.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => this.#slice());
  }

  #resultOf(read: QueuedRead): CallResult | 'later' {
    if (read.isCongested()) {
      return new RefusedError('OVERLOADED', 'the caller does not take its answers fast enough');
    }
    const { shard, epoch, call } = read;
    const { replicas, clock } = this.#deps;
    const replica = replicas.get(shard);
    let record: StoredRecord | undefined;
    try {
      // Who does not lead is not asked: what may not be answered need not be read.
      record = replica?.primary?.read(call.key, this.#fromData);
    } catch (error) {
      if (error instanceof CorruptRecordError && replica !== undefined) {
        this.#deps.damaged(replica, error);
        return new RefusedError('CORRUPT_RECORD', error.message, { cause: error });
      }
      this.#deps.failed(error);
      if (!(error instanceof StorageFailure)) return 'later'; // Our bug: the process ends.
      return new RefusedError('STORAGE_FAILED', 'the disk failed', { cause: error });
    }
    const admission = replicas.admission(shard, 'read', epoch, clock.now());
    if (admission === 'later') return 'later';
    return admission === 'now'
      ? encodeGetResponse(record && { value: record.value, version: record.seq })
      : replicas.refused(shard, admission);
  }

  readonly #fromData: ReadData = (shardUuid, key) => this.#deps.store.read(shardUuid, key);
}

function isValue(result: CallResult): result is Exclude<CallResult, RefusedError> {
  return !(result instanceof RefusedError);
}
