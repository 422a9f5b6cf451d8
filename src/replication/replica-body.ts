/**
 * What a replica is made of, whatever its role: its log, what it promised, what it knows to be
 * committed, and how much of all that is on stable storage.
 *
 * The roles change it in memory; `takePersist` says what the next batch has to hold, and
 * `onPersisted` that it is durable. One batch is in flight at a time. Everything that is promised
 * to others must wait for it, so the roles send such messages only when they see `durableEpoch`
 * and `durableSeq` move (S2, S4).
 */
import { assert } from '../model/assert.js';
import type { Epoch, MemberId, Seq, ShardId, Uuid } from '../model/ids.js';
import type { Entry, Position } from './entry.js';
import { LOG_START } from './entry.js';
import { type LogKeep, ReplicaLog } from './replica-log.js';

/** What a replica keeps on disk about itself, beside its log and its data. */
export interface DurableState {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  /** It accepts nothing of a lower epoch. Never decreases (S2). */
  readonly promisedEpoch: Epoch;
  /** It served as primary in the promised epoch, so it has promised nothing to anybody since. */
  readonly hasServed: boolean;
  /** Its data is being replaced: never electable, and of no use to anybody (S15). */
  readonly isInstalling: boolean;
  /** What the first record of its log follows. */
  readonly base: Position;
  /** The data holds at least everything up to here; what is above may be applied again. */
  readonly appliedSeq: Seq;
}

/** What one batch has to hold, in this order, all or nothing. */
export interface Persist {
  /** First set log and data aside, for this reason: they are kept, and there is nothing instead. */
  readonly setsAside: string | undefined;
  /** First drop the log and the data: those of this position, which came, take their place. */
  readonly switchTo: Position | undefined;
  /** Remove log records of entries that end above this. */
  readonly truncateAfter: Seq | undefined;
  /** Log records to write. */
  readonly append: readonly Entry[];
  /** Committed entries whose writes go into the data. */
  readonly apply: readonly Entry[];
  /** Ends of entries whose log records are not needed any more. */
  readonly trim: readonly Seq[];
  readonly state: DurableState | undefined;
}

/** What a start found on disk; the log records are contiguous and begin behind `state.base`. */
export interface Recovered {
  readonly state: DurableState;
  readonly entries: readonly Entry[];
}

export interface BodySettings extends LogKeep {
  /** What is kept while no replica is behind, instead of `keepEntries` and `keepBytes`. */
  readonly tailEntries: number;
  readonly tailBytes: number;
  /** Entries trimmed at a time, unless their bytes are too many: each trim rewrites the state. */
  readonly trimEntries: number;
  /** At most, likewise; not below `trimEntries`. */
  readonly trimMax: number;
  /** Bytes of log up to which entries are kept beyond that, for a replica that catches up. */
  readonly pinnedBytes: number;
}

interface InFlight {
  readonly promisedEpoch: Epoch;
  /** End of the log in the batch, as far as it was not truncated since. */
  lastSeq: Seq;
  /** What the data holds after it, as far as that data was not replaced since. */
  appliedSeq: Seq;
  /** It puts another log and other data in the place of what is on disk. */
  readonly isReplacing: boolean;
}

/** How far the log may grow beyond its bytes before it is trimmed to them: not at every entry. */
const KEEP_BYTES_SLACK = 1.25;

const NO_EPOCH = 0 as Epoch;

export class ReplicaBody {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly #settings: BodySettings;
  #log: ReplicaLog;
  #exists: boolean;
  #promisedEpoch: Epoch;
  #durableEpoch: Epoch;
  #durableSeq: Seq;
  #commitSeq: Seq;
  #hasServed: boolean;
  #isInstalling: boolean;
  #append: Entry[] = [];
  #truncateAfter: Seq | undefined;
  #switchTo: Position | undefined;
  #setsAside: string | undefined;
  #damage: string | undefined;
  readonly #contradictors = new Set<MemberId>();
  #stateChanged = false;
  #applyDue = false;
  #trimDue = false;
  /** Whether a replica may come back for what the log keeps; until told otherwise it may. */
  #isAnybodyBehind = true;
  /** Nobody comes back for what is up to here. */
  #needless: Seq = LOG_START.seq;
  /** Everything above is needed by somebody who catches up. */
  #pinned: Seq | undefined;
  #inFlight: InFlight | undefined;

  constructor(
    id: { readonly shard: ShardId; readonly shardUuid: Uuid },
    settings: BodySettings,
    recovered: Recovered | undefined,
  ) {
    this.shard = id.shard;
    this.shardUuid = id.shardUuid;
    assert(settings.trimMax >= settings.trimEntries, 'what may be trimmed is worth it');
    this.#settings = settings;
    const state = recovered?.state;
    this.#exists = state !== undefined;
    this.#promisedEpoch = state?.promisedEpoch ?? NO_EPOCH;
    this.#durableEpoch = this.#promisedEpoch;
    this.#hasServed = state?.hasServed ?? false;
    this.#isInstalling = state?.isInstalling ?? false;
    const { base, appliedSeq } = state ?? { base: LOG_START, appliedSeq: LOG_START.seq };
    const entries = recovered?.entries ?? [];
    this.#log = new ReplicaLog(base, appliedSeq, entries);
    this.#durableSeq = this.#log.last.seq;
    const known = entries.at(-1)?.commitSeq ?? appliedSeq;
    this.#commitSeq = known > appliedSeq ? known : appliedSeq;
  }

  get log(): ReplicaLog {
    return this.#log;
  }

  /** Whether there is, or is about to be, something on disk. */
  get exists(): boolean {
    return this.#exists;
  }

  get promisedEpoch(): Epoch {
    return this.#promisedEpoch;
  }

  /** The promised epoch that is on disk; 0 if none. Invariant: <= promisedEpoch. */
  get durableEpoch(): Epoch {
    return this.#durableEpoch;
  }

  /** End of the part of the log that is on disk. Invariant: <= log.last.seq. */
  get durableSeq(): Seq {
    return this.#durableSeq;
  }

  /** Invariant: log.appliedSeq <= commitSeq <= log.last.seq (S9). */
  get commitSeq(): Seq {
    return this.#commitSeq;
  }

  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Its data is being replaced: it may take part in nothing (S15). */
  get isInstalling(): boolean {
    return this.#isInstalling;
  }

  /** What is wrong with log or data. It goes on, but follows nobody into a later epoch. */
  get damage(): string | undefined {
    return this.#damage;
  }

  foundDamaged(problem: string): void {
    this.#damage = problem;
  }

  /**
   * In-sync members that know something else to be committed than this replica: one of us is wrong.
   * For as long as this process keeps the data, whatever epoch it is (S6).
   */
  get contradictors(): ReadonlySet<MemberId> {
    return this.#contradictors;
  }

  contradictedBy(node: MemberId, problem: string): void {
    this.#contradictors.add(node);
    this.#damage ??= problem;
  }

  /**
   * What is on disk is of the replica before this one: the batch in flight replaces it, or the next
   * one. Whoever reads there now finds what that held, or nothing.
   */
  get isReplacing(): boolean {
    const isNext = this.#setsAside !== undefined || this.#switchTo !== undefined;
    return isNext || this.#inFlight?.isReplacing === true;
  }

  /** Begins to exist, empty. */
  create(epoch: Epoch): void {
    assert(!this.#exists, 'S19', () => ({ shard: this.shard }));
    this.#exists = true;
    this.#promisedEpoch = epoch;
    this.#stateChanged = true;
  }

  /** From here on nothing of a lower epoch is accepted, answered or granted (S2, S3). */
  promise(epoch: Epoch): void {
    assert(this.#exists && epoch >= this.#promisedEpoch, 'S2', () => ({
      epoch,
      promised: this.#promisedEpoch,
    }));
    if (epoch === this.#promisedEpoch) return;
    this.#promisedEpoch = epoch;
    this.#hasServed = false;
    this.#stateChanged = true;
  }

  /** Serves as primary in the promised epoch. */
  served(): void {
    if (this.#hasServed) return;
    this.#hasServed = true;
    this.#stateChanged = true;
  }

  append(entry: Entry): void {
    assert(entry.epoch <= this.#promisedEpoch, 'S3', () => ({ epoch: entry.epoch }));
    this.#log.append(entry);
    this.#append.push(entry);
  }

  /** Drops what is above `seq`: never anything that is known to be committed (S10). */
  truncateAfter(seq: Seq): void {
    assert(seq >= this.#commitSeq, 'S10', () => ({ seq, commitSeq: this.#commitSeq }));
    if (seq === this.#log.last.seq) return;
    this.#log.truncateAfter(seq);
    this.#append = this.#append.filter((entry) => entry.seq <= seq);
    const onDisk = Math.max(this.#durableSeq, this.#inFlight?.lastSeq ?? 0);
    if (onDisk > seq) {
      this.#truncateAfter =
        this.#truncateAfter === undefined || seq < this.#truncateAfter ? seq : this.#truncateAfter;
      if (this.#durableSeq > seq) this.#durableSeq = seq;
      if (this.#inFlight !== undefined && this.#inFlight.lastSeq > seq)
        this.#inFlight.lastSeq = seq;
    }
    this.#stateChanged = true;
  }

  /** Everything up to `seq`, where an entry ends, is committed. */
  commitTo(seq: Seq): void {
    if (seq <= this.#commitSeq) return;
    assert(this.#log.positionAt(seq) !== undefined, 'S9', () => ({
      seq,
      last: this.#log.last.seq,
    }));
    this.#commitSeq = seq;
  }

  /**
   * The data is about to be replaced, and counts as none from now on (S15). It stays whole until
   * then, and a restart in the middle finds it so, but does not go back to it: the log of the
   * primary does not reach back to where it ends, or contradicts it.
   */
  beginInstall(): void {
    this.#isInstalling = true;
    this.#stateChanged = true;
  }

  /** The data is that of this position, and so is the log: empty behind it. */
  installed(base: Position): void {
    assert(this.#isInstalling, 'S15', () => ({ shard: this.shard }));
    this.#isInstalling = false;
    this.#beginAt(base);
    this.#switchTo = base;
  }

  /**
   * Log and data cannot be trusted: they are kept for the operator, and the replica is another one
   * from now on, which holds nothing. What it promised stays promised (S2).
   */
  setAside(problem: string): void {
    assert(this.#exists, 'S19', () => ({ shard: this.shard }));
    this.#isInstalling = false;
    this.#beginAt(LOG_START);
    this.#switchTo = undefined;
    this.#setsAside = problem;
  }

  /** What is on disk, or on its way there, is no part of this log: nothing is durable yet. */
  #beginAt(base: Position): void {
    this.#log = new ReplicaLog(base, base.seq);
    this.#damage = undefined;
    this.#contradictors.clear();
    this.#commitSeq = base.seq;
    this.#durableSeq = LOG_START.seq;
    this.#append = [];
    this.#truncateAfter = undefined;
    this.#needless = LOG_START.seq;
    this.#stateChanged = true;
    if (this.#inFlight === undefined) return;
    this.#inFlight.lastSeq = LOG_START.seq;
    this.#inFlight.appliedSeq = base.seq;
  }

  /** Applies what is committed with the next batch, even if that holds nothing else. */
  applySoon(): void {
    this.#applyDue = this.#commitSeq > this.#log.appliedSeq;
  }

  /**
   * Whether some replica of the shard is behind. While none is, nobody needs more of the log than
   * its tail: who falls behind holds all that was committed until the primary goes on without it.
   * For a primary, as it alone knows for sure; a follower keeps what its primary keeps.
   */
  setBehind(isAnybodyBehind: boolean): void {
    this.#isAnybodyBehind = isAnybodyBehind;
  }

  /** The primary keeps nothing up to `seq` any more, for whoever it may be. */
  mayForget(seq: Seq): void {
    if (seq > this.#needless) this.#needless = seq;
  }

  /** Trims with the next batch, if there is enough to trim, even if that holds nothing else. */
  trimSoon(): void {
    this.#trimDue = this.#trimTarget() !== undefined;
  }

  /** Keeps the log above `seq` as long as `pinnedBytes` allow; undefined: nobody needs it. */
  pin(seq: Seq | undefined): void {
    this.#pinned = seq;
  }

  /** What the next batch has to hold; undefined if there is no need for one. */
  takePersist(): Persist | undefined {
    assert(this.#inFlight === undefined, 'one batch in flight', () => ({ shard: this.shard }));
    const isDue = this.#applyDue || this.#trimDue;
    const isNeeded = this.#append.length > 0 || this.#stateChanged || isDue;
    if (!isNeeded || !this.#exists) return undefined;
    const apply = this.#isInstalling ? [] : this.#log.unappliedTo(this.#commitSeq);
    const appliedSeq = apply.at(-1)?.seq ?? this.#log.appliedSeq;
    const trim = this.#trim();
    // With log records a restart knows from the newest one what is committed; without, from here.
    const writesState = this.#stateChanged || trim.length > 0 || this.#append.length === 0;
    const persist: Persist = {
      setsAside: this.#setsAside,
      switchTo: this.#switchTo,
      truncateAfter: this.#truncateAfter,
      append: this.#append,
      apply,
      trim,
      state: writesState ? this.#state(appliedSeq) : undefined,
    };
    this.#inFlight = {
      promisedEpoch: this.#promisedEpoch,
      lastSeq: this.#log.last.seq,
      appliedSeq,
      isReplacing: this.isReplacing,
    };
    this.#append = [];
    this.#truncateAfter = undefined;
    this.#switchTo = undefined;
    this.#setsAside = undefined;
    this.#stateChanged = false;
    this.#applyDue = false;
    this.#trimDue = false;
    return persist;
  }

  /** The batch of the last `takePersist` is on stable storage. */
  onPersisted(): void {
    const inFlight = this.#inFlight;
    assert(inFlight !== undefined, 'one batch in flight', () => ({ shard: this.shard }));
    this.#inFlight = undefined;
    this.#durableEpoch = inFlight.promisedEpoch;
    if (inFlight.lastSeq > this.#durableSeq) this.#durableSeq = inFlight.lastSeq;
    this.#log.applied(inFlight.appliedSeq);
  }

  /** Undefined while it does not exist. */
  state(): DurableState | undefined {
    return this.#exists ? this.#state(this.#log.appliedSeq) : undefined;
  }

  #state(appliedSeq: Seq): DurableState {
    return {
      shard: this.shard,
      shardUuid: this.shardUuid,
      promisedEpoch: this.#promisedEpoch,
      hasServed: this.#hasServed,
      isInstalling: this.#isInstalling,
      base: this.#log.base,
      appliedSeq,
    };
  }

  /** Ends of the entries to forget. They were applied by an earlier batch. */
  #trim(): readonly Seq[] {
    const to = this.#trimTarget();
    if (to === undefined) return [];
    const trimmed = this.#log.positionsBetween(this.#log.base.seq, to).map(({ seq }) => seq);
    this.#log.trimTo(to);
    return trimmed;
  }

  /** Where the log should begin, if enough lies before that. */
  #trimTarget(): Seq | undefined {
    const { trimEntries, trimMax, pinnedBytes } = this.#settings;
    const keep = this.#keep();
    const { length, byteCount, base } = this.#log;
    const isTooLarge = byteCount > keep.keepBytes * KEEP_BYTES_SLACK;
    const isTooLong =
      length >= keep.keepEntries + trimEntries ||
      length - this.#log.countAfter(this.#needless) >= trimEntries;
    if (!isTooLarge && !isTooLong) return undefined;
    // What was trimmed already can be kept for nobody.
    const mayPin = byteCount <= pinnedBytes && (this.#pinned ?? -1) >= base.seq;
    const pinned = mayPin ? this.#pinned : undefined;
    const limits = { ...keep, needless: this.#needless, trimMax };
    const to = this.#log.trimmable(limits, pinned);
    const movesOn = pinned !== undefined || !isTooLarge; // What is pinned, bit by bit.
    if (to === undefined || !movesOn) return to;
    return length - this.#log.countAfter(to) >= trimEntries ? to : undefined;
  }

  #keep(): LogKeep {
    const { keepEntries, keepBytes, tailEntries, tailBytes } = this.#settings;
    if (this.#isAnybodyBehind) return { keepEntries, keepBytes };
    return {
      keepEntries: Math.min(tailEntries, keepEntries),
      keepBytes: Math.min(tailBytes, keepBytes),
    };
  }
}
