/**
 * One replica of one shard: numbers writes, decides conditions, and decides when each answer may
 * be given.
 *
 * Pure: no clock, no I/O, no promises. The driver feeds inputs one at a time, writes what
 * `takeReady()` returns as one batch, and says `persisted` when it is on stable storage. Same
 * inputs, same outputs.
 *
 * With one replica per shard a write is committed when it is durable here. Upholds:
 * S2, S3: an epoch is promised in the same batch as the first write in it, and no answer leaves
 *   before that batch is durable.
 * S5: a write is answered only when it is committed.
 * S12: a condition is decided on the newest version, committed or not; but an answer that rests on
 *   an uncommitted one waits for it. (The classic bug: "condition failed" is answered at once, the
 *   write it saw is then lost in a crash, and the client has read what never existed.)
 * S22: positions only grow, also over restarts, because the last one is part of every batch.
 */
import { assert, unreachable } from '../model/assert.js';
import type { Epoch, Incarnation, Seq, ShardId, Uuid } from '../model/ids.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type {
  Answer,
  DataOp,
  Ready,
  Refusal,
  ReplicaEvent,
  ReplicaInput,
  WriteInput,
} from './replica-io.js';
import { needsStoredVersion } from './replica-io.js';
import type { ReplicaState } from './replica-state.js';
import { refusalOf } from './refusal.js';
import { judge, type ReplicaPlaceHere, type Standing } from './standing.js';

export interface ReplicaStart {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly self: ReplicaPlaceHere;
  /** Incarnations this process has registered with so far. */
  readonly lives: Iterable<Incarnation>;
  /** What the store holds of this replica; undefined = nothing. */
  readonly stored: ReplicaState | undefined;
  /** The promised epoch that the store held when this process opened it; 0 = it held none. */
  readonly openedEpoch: Epoch;
}

/** An answer, and the position that must be committed before it may leave. */
interface Waiting {
  readonly after: Seq;
  readonly answer: Answer;
}

const NO_EPOCH = 0 as Epoch;
const ABSENT = 0 as Seq;

export class Replica {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly #self: ReplicaPlaceHere;
  readonly #lives: Set<Incarnation>;
  readonly #openedEpoch: Epoch;
  #config: VersionedConfig | undefined;
  #standing: Standing = 'unknown';
  /** Durable, or part of the next batch. 0: this replica does not exist (S2). */
  #promisedEpoch: Epoch;
  /** Invariant: durableEpoch <= promisedEpoch. */
  #durableEpoch: Epoch;
  /** Invariant: commitSeq <= lastSeq (S9). */
  #commitSeq: Seq;
  #lastSeq: Seq;
  /** Whether the state differs from what the last batch held. */
  #stateChanged = false;
  /** Version each key will have once everything is committed; 0 = removed. By latin1 text. */
  readonly #uncommitted = new Map<string, { readonly version: Seq; readonly seq: Seq }>();
  /** In the order of `after`. */
  #waiting: Waiting[] = [];
  #answers: Answer[] = [];
  #data: DataOp[] = [];
  #born: ReplicaState | undefined;
  #events: ReplicaEvent[] = [];

  constructor({ shard, shardUuid, self, lives, stored, openedEpoch }: ReplicaStart) {
    this.shard = shard;
    this.shardUuid = shardUuid;
    this.#self = self;
    this.#lives = new Set(lives);
    this.#openedEpoch = openedEpoch;
    this.#promisedEpoch = stored?.promisedEpoch ?? NO_EPOCH;
    this.#durableEpoch = this.#promisedEpoch;
    this.#lastSeq = stored?.lastSeq ?? ABSENT;
    this.#commitSeq = this.#lastSeq;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /**
   * Whether what the store holds now may be answered to a caller with this epoch. Ask after the
   * value was read (S13). `later`: the promise of this epoch is not durable yet (S3); ask again
   * after the round under way.
   */
  readAdmission(epoch: Epoch | undefined): 'now' | 'later' | Refusal {
    const refusal = refusalOf(this.shard, this.#standing, this.#config?.config, epoch);
    if (refusal !== undefined) return refusal;
    return this.#promiseIsDurable() ? 'now' : 'later';
  }

  step(input: ReplicaInput): void {
    switch (input.type) {
      case 'config':
        return this.#onConfig(input.update);
      case 'registered':
        this.#lives.add(input.incarnation);
        return this.#reconsider();
      case 'write':
        return this.#onWrite(input);
      case 'persisted':
        return this.#onPersisted(input);
      default:
        return unreachable(input);
    }
  }

  /** Everything decided since the last call. */
  takeReady(): Ready {
    const ready: Ready = {
      answers: this.#answers,
      data: this.#data,
      state: this.#stateChanged ? this.#state() : undefined,
      born: this.#born,
      events: this.#events,
    };
    this.#answers = [];
    this.#data = [];
    this.#stateChanged = false;
    this.#born = undefined;
    this.#events = [];
    return ready;
  }

  #onConfig(update: VersionedConfig): void {
    const { config } = update;
    assert(config.shardUuid === this.shardUuid, 'a replica is of one shard', () => ({ config }));
    const known = this.#config?.config.epoch ?? NO_EPOCH;
    assert(config.epoch >= known, 'S1', () => ({ shard: this.shard, epoch: config.epoch, known }));
    this.#config = update;
    this.#reconsider();
  }

  /** Judges anew, and does what the standing asks for. */
  #reconsider(): void {
    if (this.#config === undefined) return;
    const { config } = this.#config;
    const from = this.#standing;
    const to = judge(config, {
      self: this.#self,
      lives: this.#lives,
      held: this.#state(),
      openedEpoch: this.#openedEpoch,
    });
    if (to !== from) {
      this.#events.push({ type: 'standing-changed', from, to, epoch: config.epoch });
    }
    this.#standing = to;
    if (to === 'creating' || to === 'serving') this.#promise(config.epoch);
  }

  /** From here on nothing is said in a lower epoch (S3). */
  #promise(epoch: Epoch): void {
    const before = this.#promisedEpoch;
    assert(epoch >= before, 'S2', () => ({ epoch, before }));
    if (before === epoch) return;
    if (before === NO_EPOCH) {
      assert(this.#standing === 'creating', 'S19', () => ({ shard: this.shard, epoch }));
      this.#events.push({ type: 'created', epoch });
    } else {
      this.#events.push({ type: 'epoch-adopted', epoch, before });
    }
    this.#promisedEpoch = epoch;
    this.#stateChanged = true;
  }

  #onWrite(input: WriteInput): void {
    const { call, epoch } = input;
    const refusal = refusalOf(this.shard, this.#standing, this.#config?.config, epoch);
    if (refusal !== undefined) {
      this.#answers.push({ type: 'refused', call, refusal });
      return;
    }
    const { write, ifVersion, storedVersion } = input;
    const key = write.key.toString('latin1');
    const uncommitted = this.#uncommitted.get(key);
    const version = uncommitted?.version ?? storedVersion;
    if (!needsStoredVersion(write, ifVersion)) {
      this.#apply(input, key, ABSENT);
      return;
    }
    assert(version !== undefined, 'a condition needs a version', () => ({ call }));
    const holds = ifVersion === undefined || ifVersion === version;
    if (holds && !(write.type === 'delete' && version === ABSENT)) {
      this.#apply(input, key, version);
      return;
    }
    // Nothing changes; but what was seen may still be uncommitted (S12).
    this.#answerAfter(uncommitted?.seq ?? ABSENT, {
      type: 'written',
      call,
      applied: holds,
      version,
    });
  }

  /** Gives the write its position. `before` is the version it replaces, as far as it matters. */
  #apply({ write, call }: WriteInput, key: string, before: Seq): void {
    const seq = (this.#lastSeq + 1) as Seq;
    assert(Number.isSafeInteger(seq) && seq > before, 'S22', () => ({ seq, before }));
    this.#lastSeq = seq;
    this.#stateChanged = true;
    if (write.type === 'put') {
      this.#data.push({ type: 'put', key: write.key, value: write.value, seq });
      this.#uncommitted.set(key, { version: seq, seq });
      this.#answerAfter(seq, { type: 'written', call, applied: true, version: seq });
    } else {
      this.#data.push({ type: 'remove', key: write.key });
      this.#uncommitted.set(key, { version: ABSENT, seq });
      this.#answerAfter(seq, { type: 'written', call, applied: true, version: before });
    }
  }

  #answerAfter(seq: Seq, answer: Answer): void {
    if (seq <= this.#commitSeq && this.#promiseIsDurable()) {
      this.#answers.push(answer);
      return;
    }
    // Behind everything that waits already, so that the list stays in order.
    const after = this.#waiting.at(-1)?.after ?? ABSENT;
    this.#waiting.push({ after: after > seq ? after : seq, answer });
  }

  #onPersisted({ epoch, lastSeq }: { readonly epoch: Epoch; readonly lastSeq: Seq }): void {
    assert(lastSeq <= this.#lastSeq, 'S9', () => ({ lastSeq, assigned: this.#lastSeq }));
    assert(epoch >= this.#durableEpoch && epoch <= this.#promisedEpoch, 'S2', () => ({
      epoch,
      durable: this.#durableEpoch,
      promised: this.#promisedEpoch,
    }));
    if (this.#durableEpoch === NO_EPOCH) this.#born = this.#state();
    this.#durableEpoch = epoch;
    if (lastSeq > this.#commitSeq) this.#commit(lastSeq);
    this.#releaseAnswers();
  }

  #commit(seq: Seq): void {
    this.#commitSeq = seq;
    if (seq === this.#lastSeq) {
      this.#uncommitted.clear();
      return;
    }
    for (const [key, write] of this.#uncommitted) {
      if (write.seq <= seq) this.#uncommitted.delete(key);
    }
  }

  #releaseAnswers(): void {
    if (!this.#promiseIsDurable()) return;
    const stay = this.#waiting.findIndex(({ after }) => after > this.#commitSeq);
    const released = stay < 0 ? this.#waiting : this.#waiting.slice(0, stay);
    this.#waiting = stay < 0 ? [] : this.#waiting.slice(stay);
    for (const { answer, after } of released) {
      assert(after <= this.#commitSeq, 'S5', () => ({ after, commitSeq: this.#commitSeq }));
      this.#answers.push(answer);
    }
  }

  #promiseIsDurable(): boolean {
    return this.#durableEpoch === this.#promisedEpoch;
  }

  /** Undefined while this replica does not exist. */
  #state(): ReplicaState | undefined {
    if (this.#promisedEpoch === NO_EPOCH) return undefined;
    const { shard, shardUuid } = this;
    return { shard, shardUuid, promisedEpoch: this.#promisedEpoch, lastSeq: this.#lastSeq };
  }
}
