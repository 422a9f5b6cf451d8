/**
 * The one writer of a storage node. A round takes everything that arrived for all shards, steps the
 * replicas, sends what they have to say, writes one batch with one fsync, and steps them again; one
 * round is in flight at a time. So writes that arrive during an fsync share the next one (group
 * commit, D7), the disks of primary and secondaries work in parallel, and configurations, messages
 * and writes have one order.
 *
 * Upholds S20: after the first error of the disk nothing is written, sent or answered as done. What
 * was in the failed round has an unknown outcome (S21); what had not been started, a definite one.
 */
import { assert } from '../model/assert.js';
import type { MemberId, Seq, ShardId, Uuid } from '../model/ids.js';
import type { ChangeRequest, ReplicaEntry } from '../model/member-messages.js';
import { RefusedError } from '../model/refusals.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { Clock } from '../ports/clock.js';
import { type Disk, type DiskBatch, StorageFailure } from '../ports/disk.js';
import { CorruptRecordError } from '../replication/data-record.js';
import type { AddressedMessage } from '../replication/messages.js';
import type { Answer, HandOverOutcome, ReplicaEvent } from '../replication/outbox.js';
import { needsStoredVersion } from '../replication/proposals.js';
import type { ReplicaInput, ShardReplica } from '../replication/shard-replica.js';
import { encodeWriteResponse } from '../wire/kv-messages.js';
import { endUnstarted, type QueuedWrite } from './calls.js';
import type { ReplicaPrefix } from './keys.js';
import type { StorageMetrics } from './metrics.js';
import { ParkedWrites } from './parked.js';
import type { Replicas } from './replicas.js';
import type { ReplicaStore } from './replica-store.js';
import type { Wakefulness } from './wakefulness.js';
import { WriteWatch } from './write-watch.js';

/** Calls in one round: more would gain nothing and make the first wait for the last. */
const ROUND_CALLS_MAX = 2_048;
/** Bytes of requests in one round: what an ordinary disk writes in some tens of milliseconds. */
const ROUND_BYTES_MAX = 8 * 1024 * 1024;
/** Stored versions looked up in one round, and their bytes: they hold up the event loop. */
const ROUND_LOOKUPS_MAX = 256;
const ROUND_LOOKUP_BYTES_MAX = 4 * 1024 * 1024;

/** A record of the node itself, or of no replica yet, for the next batch. */
export interface RecordWrite {
  readonly type: 'record';
  readonly write: (batch: DiskBatch) => void;
  /** The record is durable; not called if the disk fails, which ends the node. */
  readonly done: () => void;
}

export type Work =
  | { readonly type: 'write'; readonly write: QueuedWrite }
  | { readonly type: 'config'; readonly update: VersionedConfig }
  /** An input for the replica of this very shard. */
  | {
      readonly type: 'replica';
      readonly shard: ShardId;
      readonly shardUuid: Uuid;
      readonly input: ReplicaInput;
      /** Whether its stream has ended since, or whoever said it has turned away: it is void. */
      readonly isStale?: () => boolean;
    }
  /** An input for all replicas. */
  | { readonly type: 'all'; readonly input: ReplicaInput }
  /** This replica has more for the next round than fitted into the last one. */
  | { readonly type: 'more'; readonly replica: ShardReplica }
  | RecordWrite;

type WorkOf<Type extends Work['type']> = Extract<Work, { readonly type: Type }>;

export interface RoundsHooks {
  /**
   * Replicas that promised an epoch durably, the first one when they are new, or that are not
   * damaged any more. The leader waits for all of it (rules 2, 8 and 10 of `controller.ts`).
   */
  promised(entries: readonly ReplicaEntry[]): void;
  send(shardUuid: Uuid, messages: readonly AddressedMessage[]): void;
  ask(request: ChangeRequest): void;
  handOver(replica: ShardReplica, outcome: HandOverOutcome): void;
  /** A peer needs all data of this replica, as it is on disk at this moment. */
  install(replica: ShardReplica, to: MemberId): void;
  happened(replica: ShardReplica, events: readonly ReplicaEvent[]): void;
  /** A replica follows a configuration that is new to it. */
  configured(replica: ShardReplica): void;
  /** A round ended, and with it the wait of reads for what it changed. */
  ended(): void;
  /** The disk refused, or we have a bug: called once, nothing is written any more. */
  failed(error: unknown): void;
}

export interface RoundsDeps {
  readonly disk: Disk;
  readonly replicaStore: ReplicaStore;
  readonly replicas: Replicas;
  readonly clock: Clock;
  readonly wakefulness: Pick<Wakefulness, 'look'>;
  readonly metrics: StorageMetrics;
  readonly hooks: RoundsHooks;
}

/** What one round has gathered so far. */
interface Round {
  readonly touched: Set<ShardReplica>;
  readonly records: RecordWrite[];
  calls: number;
  bytes: number;
  lookups: number;
  lookupBytes: number;
}

export class Rounds {
  readonly #deps: RoundsDeps;
  #mailbox: Work[] = [];
  readonly #parked: ParkedWrites;
  /** Calls that were stepped and not answered, by the number the replicas know them by. */
  readonly #open = new Map<number, QueuedWrite>();
  readonly #watch: WriteWatch;
  #lastCall = 0;
  #isRunning = false;
  #isDead = false;

  constructor(deps: RoundsDeps) {
    this.#deps = deps;
    const { clock, replicas } = deps;
    this.#parked = new ParkedWrites(clock, ({ shard }) => replicas.refusedUnstarted(shard));
    this.#watch = new WriteWatch(clock, () => {
      this.fail(new StorageFailure('the disk does not answer: a write neither ends nor fails'));
    });
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

  /**
   * Steps all replicas now, in the middle of a round if need be: that a stream broke must be known
   * before anything counts that came on the next one (S14). What follows from it waits its turn.
   */
  stepNow(input: ReplicaInput & { readonly type: 'session-down' | 'caller-down' }): void {
    if (this.#isDead) return;
    const now = this.#deps.clock.now();
    for (const replica of this.#deps.replicas.all()) replica.step(input, now);
    this.submit({ type: 'all', input: { type: 'tick' } });
  }

  /**
   * The same of one replica: a follower that turned away must be known before beats count that its
   * node answered after it said so, and those are heard at once (S14). What it said before and is
   * still in the mailbox must be void by then (`TurnedAway`).
   */
  turnedAwayNow(shard: ShardId, shardUuid: Uuid, input: ReplicaInput): void {
    this.#stepOneNow(shard, shardUuid, input);
  }

  /**
   * A record of this replica is not what was written: the disk works, the replica has to go.
   *
   * @param from Where it was read, if that is a while ago: what has taken its place since is not
   *   to blame.
   */
  damaged({ body }: ShardReplica, error: CorruptRecordError, from?: ReplicaPrefix): void {
    const { shard, shardUuid } = body;
    const { replicaStore } = this.#deps;
    const prefix = from ?? replicaStore.prefixOf(shardUuid);
    const isStale = () => replicaStore.prefixOf(shardUuid) !== prefix;
    const input = { type: 'damaged', problem: error.message } as const;
    this.submit({ type: 'replica', shard, shardUuid, input, isStale });
  }

  /** The same of an entry that was to be sent: before anything is sent that follows it (S8). */
  damagedLogNow(
    { shard, shardUuid }: { readonly shard: ShardId; readonly shardUuid: Uuid },
    error: CorruptRecordError,
    owedTo: MemberId,
  ): void {
    this.#stepOneNow(shard, shardUuid, { type: 'damaged', problem: error.message, owedTo });
  }

  /** A read found the disk broken: the same as if a write had. */
  fail(error: unknown): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#watch.stop();
    for (const queued of this.#open.values()) {
      queued.respond(
        new RefusedError('STORAGE_FAILED', 'the disk failed during this write; outcome unknown', {
          cause: error,
        }),
      );
    }
    this.#open.clear();
    for (const work of this.#mailbox.splice(0)) refuseUnstarted(work);
    for (const write of this.#parked.take()) refuseUnstarted({ type: 'write', write });
    this.#deps.hooks.failed(error);
  }

  #stepOneNow(shard: ShardId, shardUuid: Uuid, input: ReplicaInput): void {
    const replica = this.#deps.replicas.get(shard);
    if (this.#isDead || replica?.body.shardUuid !== shardUuid) return;
    replica.step(input, this.#deps.clock.now());
    this.submit({ type: 'more', replica });
  }

  async #run(): Promise<void> {
    try {
      while (this.#mailbox.length > 0 && !this.#isDead) await this.#round();
    } catch (error) {
      this.fail(error);
    }
    this.#isRunning = false;
  }

  async #round(): Promise<void> {
    const round = this.#gather();
    const { disk, clock, metrics, hooks } = this.#deps;
    const batch = disk.batch();
    const written = this.#persist(batch, round);
    for (const record of round.records) record.write(batch);
    if (written.length > 0 || round.records.length > 0) {
      const startedAt = clock.now();
      this.#watch.begun();
      await batch.writeDurably();
      this.#watch.ended();
      metrics.countRound(round.calls, (clock.now() - startedAt) / 1000);
    }
    if (this.#isDead) return; // A read failed meanwhile, and everything is answered.
    this.#finish(written);
    for (const record of round.records) record.done();
    if (round.touched.size > 0) this.#unpark();
    hooks.ended();
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
    this.#deps.wakefulness.look();
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
      case 'config':
        return this.#stepConfig(work, round, now);
      case 'replica':
        return this.#stepReplica(work, round, now);
      case 'all':
        for (const replica of replicas.all()) {
          replica.step(work.input, now);
          round.touched.add(replica);
        }
        return;
      case 'more':
        round.touched.add(work.replica);
        return;
      case 'record':
        round.records.push(work);
        return;
    }
  }

  /** Of a shard that was made anew, the replica before ends. Only a higher epoch says so (S1). */
  #stepConfig(work: WorkOf<'config'>, round: Round, now: number): void {
    const { shard, shardUuid, epoch } = work.update.config;
    const { replicas, hooks } = this.#deps;
    const before = replicas.get(shard);
    if (before !== undefined && before.body.shardUuid !== shardUuid) {
      if (before.config !== undefined && epoch <= before.config.epoch) return;
      before.step({ type: 'retired' }, now);
      this.#take(before);
    }
    const replica = replicas.of(shard, shardUuid);
    const known = replica.config;
    replica.step(work, now);
    round.touched.add(replica);
    if (replica.config !== known) hooks.configured(replica);
  }

  /** Peers may have heard of a shard that was made anew before us, or not yet. */
  #stepReplica(work: WorkOf<'replica'>, round: Round, now: number): void {
    const { shard, shardUuid, input } = work;
    if (work.isStale?.() === true) return;
    const { replicas, hooks } = this.#deps;
    const known = replicas.get(shard);
    if (known !== undefined && known.body.shardUuid !== shardUuid) {
      if (input.type !== 'message' || input.message.type !== 'attach') return;
      const { epoch } = input.message;
      const message = { type: 'refused', epoch, promised: epoch } as const;
      return hooks.send(shardUuid, [{ to: input.from, shard, message }]); // It will ask again.
    }
    const replica = replicas.of(shard, shardUuid);
    replica.step(input, now);
    round.touched.add(replica);
  }

  #stepWrite(queued: QueuedWrite, round: Round, now: number): void {
    if (endUnstarted(queued, now)) return;
    const { shard, epoch, call } = queued;
    const { replicas } = this.#deps;
    const admission = replicas.admission(shard, 'write', epoch, now);
    if (admission === 'later') return this.#parked.add(queued, now);
    const replica = replicas.get(shard);
    if (admission !== 'now' || replica?.primary === undefined) {
      const refusal =
        admission === 'now' ? { code: 'NODE_BEHIND' as const, message: 'no primary' } : admission;
      queued.respond(replicas.refused(shard, refusal));
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
    const proposal = { call: number, write, ifVersion, storedVersion };
    replica.step({ type: 'write', proposal }, now);
  }

  /** The version that is committed, 0 = absent; undefined: unreadable, and answered. */
  #lookUp(replica: ShardReplica, queued: QueuedWrite, round: Round): Seq | undefined {
    try {
      const found = replica.primary?.read(queued.call.key, (shardUuid, key) => {
        const record = this.#deps.replicaStore.read(shardUuid, key);
        round.lookups++;
        round.lookupBytes += record?.value.length ?? 0;
        return record;
      });
      return found?.seq ?? (0 as Seq);
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error;
      this.damaged(replica, error);
      queued.respond(new RefusedError('CORRUPT_RECORD', error.message, { cause: error }));
      return undefined;
    }
  }

  /** Puts what replicas want durable into the batch, and sends at once what they have to say. */
  #persist(batch: DiskBatch, { touched }: Round): readonly ShardReplica[] {
    const { replicaStore } = this.#deps;
    const written: ShardReplica[] = [];
    for (const replica of touched) {
      const persist = replica.takePersist();
      if (persist !== undefined) {
        replicaStore.persist(batch, replica.body, persist);
        written.push(replica);
      }
      this.#take(replica);
    }
    return written;
  }

  #finish(written: readonly ShardReplica[]): void {
    const { replicas, clock, wakefulness, hooks } = this.#deps;
    wakefulness.look();
    const now = clock.now();
    const news: ReplicaEntry[] = [];
    for (const replica of written) {
      const before = replica.body.durableEpoch;
      replica.step({ type: 'persisted' }, now);
      const hasPromised = replica.body.durableEpoch !== before;
      if (hasPromised || replicas.isSoundAgain(replica)) news.push(replicas.report(replica));
      this.#take(replica);
      if (replica.hasMore) this.#mailbox.push({ type: 'more', replica });
    }
    if (news.length > 0) hooks.promised(news);
  }

  /** What could not be started may be possible now that something has changed. */
  #unpark(): void {
    for (const write of this.#parked.take()) this.#mailbox.push({ type: 'write', write });
  }

  /** Takes what a replica decided: its answers, messages and events go out here. */
  #take(replica: ShardReplica): void {
    const { hooks } = this.#deps;
    const ready = replica.takeReady();
    for (const answer of ready.answers) this.#answer(replica, answer);
    if (ready.send.length > 0) hooks.send(replica.body.shardUuid, ready.send);
    for (const request of ready.requests) hooks.ask(request);
    for (const node of ready.installs) hooks.install(replica, node);
    for (const outcome of ready.handOvers) hooks.handOver(replica, outcome);
    if (ready.events.length > 0) hooks.happened(replica, ready.events);
  }

  #answer(replica: ShardReplica, answer: Answer): void {
    const queued = this.#open.get(answer.call);
    assert(queued !== undefined, 'S21', () => ({ call: answer.call })); // Each is answered once.
    this.#open.delete(answer.call);
    queued.respond(this.#resultOf(replica, answer));
  }

  #resultOf({ body }: ShardReplica, answer: Answer): Buffer | RefusedError {
    switch (answer.type) {
      case 'written':
        return encodeWriteResponse(answer.applied, answer.version);
      case 'refused':
        return this.#deps.replicas.refused(body.shard, answer.refusal);
      case 'unknown':
        return new RefusedError('PRIMARY_LOST', 'another primary took over during this write');
    }
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
  work.write.respond(new RefusedError('STOPPING', 'the disk of this node has failed'));
}
