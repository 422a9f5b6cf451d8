/**
 * The one writer of a storage node. A round takes everything that arrived for all shards, steps the
 * replicas, writes one batch with one fsync, and answers; one round is in flight at a time. So
 * writes that arrive during an fsync share the next one (group commit, D7), and configurations and
 * writes have one order.
 *
 * Upholds S20: after the first error of the disk nothing is written or answered as done. What was
 * in the failed round has an unknown outcome (S21); what had not been started, a definite one.
 */
import { assert } from '../model/assert.js';
import type { Incarnation, Seq } from '../model/ids.js';
import { RefusedError } from '../model/refusals.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { Clock } from '../ports/clock.js';
import type { Disk, DiskBatch } from '../ports/disk.js';
import { CorruptRecordError } from '../replication/data-record.js';
import type { Replica } from '../replication/replica.js';
import { type Answer, needsStoredVersion, type ReplicaEvent } from '../replication/replica-io.js';
import type { ReplicaState } from '../replication/replica-state.js';
import { encodeWriteResponse } from '../wire/kv-messages.js';
import { endUnstarted, type QueuedWrite } from './calls.js';
import type { StorageMetrics } from './metrics.js';
import type { Replicas } from './replicas.js';
import type { Store } from './store.js';

/** Calls in one round: more would gain nothing and make the first wait for the last. */
const ROUND_CALLS_MAX = 2_048;
/** Bytes of requests in one round: what an ordinary disk writes in some tens of milliseconds. */
const ROUND_BYTES_MAX = 8 * 1024 * 1024;
/** Stored versions looked up in one round, and their bytes: they hold up the event loop. */
const ROUND_LOOKUPS_MAX = 256;
const ROUND_LOOKUP_BYTES_MAX = 4 * 1024 * 1024;

/** A record of the node itself, for the next batch. */
export interface NodeRecordWrite {
  readonly type: 'record';
  readonly write: (batch: DiskBatch) => void;
  /** The record is durable; not called if the disk fails, which ends the node. */
  readonly done: () => void;
}

export type Work =
  | { readonly type: 'write'; readonly write: QueuedWrite }
  | { readonly type: 'config'; readonly update: VersionedConfig }
  | { readonly type: 'registered'; readonly incarnation: Incarnation }
  | NodeRecordWrite;

export interface RoundsDeps {
  readonly disk: Disk;
  readonly store: Store;
  readonly replicas: Replicas;
  readonly clock: Clock;
  readonly metrics: StorageMetrics;
  /** Replicas that became durable. */
  readonly born: (states: readonly ReplicaState[]) => void;
  readonly happened: (replica: Replica, events: readonly ReplicaEvent[]) => void;
  /** A round ended, and with it the wait of reads for a promise. */
  readonly ended: () => void;
  /** The disk refused, or we have a bug: called once, nothing is written any more. */
  readonly failed: (error: unknown) => void;
}

/** What one round has gathered so far. */
interface Round {
  readonly touched: Set<Replica>;
  readonly records: NodeRecordWrite[];
  calls: number;
  bytes: number;
  lookups: number;
  lookupBytes: number;
}

export class Rounds {
  readonly #deps: RoundsDeps;
  #mailbox: Work[] = [];
  /** Calls that were stepped and not answered, by the number the replicas know them by. */
  readonly #open = new Map<number, QueuedWrite>();
  #lastCall = 0;
  #isRunning = false;
  #isDead = false;

  constructor(deps: RoundsDeps) {
    this.#deps = deps;
  }

  submit(work: Work): void {
    if (this.#isDead) {
      refuseUnstarted(work);
      return;
    }
    this.#mailbox.push(work);
    if (this.#isRunning) return;
    this.#isRunning = true;
    setImmediate(() => void this.#run());
  }

  /** A read found the disk broken: the same as if a write had. */
  fail(error: unknown): void {
    if (this.#isDead) return;
    this.#isDead = true;
    for (const { caller } of this.#open.values()) {
      caller.respond(
        new RefusedError('STORAGE_FAILED', 'the disk failed during this write; outcome unknown', {
          cause: error,
        }),
      );
    }
    this.#open.clear();
    for (const work of this.#mailbox.splice(0)) refuseUnstarted(work);
    this.#deps.failed(error);
  }

  async #run(): Promise<void> {
    try {
      while (this.#mailbox.length > 0) await this.#round();
    } catch (error) {
      this.fail(error);
    }
    this.#isRunning = false;
  }

  async #round(): Promise<void> {
    const round = this.#gather();
    const { disk, store, clock, metrics } = this.#deps;
    const batch = disk.batch();
    const persisted: { readonly replica: Replica; readonly state: ReplicaState }[] = [];
    for (const replica of round.touched) {
      const { state, data } = this.#take(replica);
      assert(state !== undefined || data.length === 0, 'S22', () => ({ shard: replica.shard }));
      if (state === undefined) continue;
      store.write(batch, state, data);
      persisted.push({ replica, state });
    }
    for (const record of round.records) record.write(batch);
    if (persisted.length > 0 || round.records.length > 0) {
      const startedAt = clock.now();
      await batch.writeDurably();
      metrics.countRound(round.calls, (clock.now() - startedAt) / 1000);
    }
    if (this.#isDead) return; // A read failed meanwhile, and everything is answered.
    this.#finish(persisted);
    for (const record of round.records) record.done();
    this.#deps.ended();
  }

  /** Steps what has arrived, up to what one round may hold. */
  #gather(): Round {
    const round: Round = {
      touched: new Set(),
      records: [],
      calls: 0,
      bytes: 0,
      lookups: 0,
      lookupBytes: 0,
    };
    let taken = 0;
    const now = this.#deps.clock.now();
    try {
      for (const work of this.#mailbox) {
        if (isFull(round)) break;
        taken++;
        this.#step(work, round, now);
      }
    } finally {
      this.#mailbox = this.#mailbox.slice(taken); // What was taken is answered from #open.
    }
    return round;
  }

  #step(work: Work, round: Round, now: number): void {
    const { replicas } = this.#deps;
    switch (work.type) {
      case 'write':
        return this.#stepWrite(work.write, round, now);
      case 'config': {
        const replica = replicas.of(work.update);
        replica.step(work);
        round.touched.add(replica);
        return;
      }
      case 'registered':
        replicas.addLife(work.incarnation);
        for (const replica of replicas.all()) {
          replica.step(work);
          round.touched.add(replica);
        }
        return;
      case 'record':
        round.records.push(work);
        return;
    }
  }

  #stepWrite(queued: QueuedWrite, round: Round, now: number): void {
    if (endUnstarted(queued, now)) return;
    const { shard, epoch, call, caller } = queued;
    const { replicas } = this.#deps;
    const replica = replicas.get(shard);
    if (replica === undefined) {
      caller.respond(replicas.refused(shard, replicas.unheardOf(shard, epoch)));
      return;
    }
    const write =
      call.kind === 'put'
        ? ({ type: 'put', key: call.key, value: call.value } as const)
        : ({ type: 'delete', key: call.key } as const);
    const ifVersion = call.condition.type === 'version' ? call.condition.is : undefined;
    const number = ++this.#lastCall;
    this.#open.set(number, queued);
    let storedVersion: Seq | undefined;
    if (needsStoredVersion(write, ifVersion)) {
      storedVersion = this.#lookUp(replica, queued, round);
      if (storedVersion === undefined) {
        this.#open.delete(number);
        return;
      }
    }
    round.touched.add(replica);
    round.calls++;
    round.bytes += queued.requestBytes;
    replica.step({ type: 'write', call: number, epoch, write, ifVersion, storedVersion });
  }

  /** The version the store holds, 0 = absent; undefined: unreadable, and answered. */
  #lookUp(replica: Replica, { call, caller }: QueuedWrite, round: Round): Seq | undefined {
    try {
      const record = this.#deps.store.read(replica.shardUuid, call.key);
      round.lookups++;
      round.lookupBytes += record?.value.length ?? 0;
      return record?.seq ?? (0 as Seq);
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error;
      caller.respond(new RefusedError('CORRUPT_RECORD', error.message, { cause: error }));
      return undefined;
    }
  }

  #finish(persisted: readonly { readonly replica: Replica; readonly state: ReplicaState }[]): void {
    const born: ReplicaState[] = [];
    for (const { replica, state } of persisted) {
      replica.step({ type: 'persisted', epoch: state.promisedEpoch, lastSeq: state.lastSeq });
      const ready = this.#take(replica);
      assert(ready.state === undefined, 'one round in flight', () => ({ shard: replica.shard }));
      if (ready.born !== undefined) born.push(ready.born);
    }
    if (born.length > 0) this.#deps.born(born);
  }

  /** Takes what a replica decided; its answers and events go out here. */
  #take(replica: Replica) {
    const ready = replica.takeReady();
    for (const answer of ready.answers) this.#answer(replica, answer);
    if (ready.events.length > 0) this.#deps.happened(replica, ready.events);
    return ready;
  }

  #answer(replica: Replica, answer: Answer): void {
    const queued = this.#open.get(answer.call);
    assert(queued !== undefined, 'S21', () => ({ call: answer.call })); // Each is answered once.
    this.#open.delete(answer.call);
    queued.caller.respond(
      answer.type === 'written'
        ? encodeWriteResponse(answer.applied, answer.version)
        : this.#deps.replicas.refused(replica.shard, answer.refusal),
    );
  }
}

function isFull(round: Round): boolean {
  return (
    round.calls >= ROUND_CALLS_MAX ||
    round.bytes >= ROUND_BYTES_MAX ||
    round.lookups >= ROUND_LOOKUPS_MAX ||
    round.lookupBytes >= ROUND_LOOKUP_BYTES_MAX
  );
}

function refuseUnstarted(work: Work): void {
  if (work.type !== 'write') return;
  work.write.caller.respond(new RefusedError('STOPPING', 'the disk of this node has failed'));
}
