/**
 * The primary of one shard in one epoch: numbers writes, replicates them, and decides when each is
 * committed (PacificA, MSR-TR-2008-25; the in-sync set as in Kafka, KIP-101 to KIP-966).
 *
 * It begins by attaching every other replica (`peers.ts` makes their logs agree with its own), and
 * commits a barrier in its epoch; with that its whole log is committed, and it serves.
 *
 * Upholds
 * S4, S5: committed = durable on every member of the commit set, which acknowledged it in this
 *   epoch with the same chain; answered = committed. While the isr is smaller than `minIsr` nothing
 *   is accepted. (The barrier is exempt: what it commits was accepted before, and reads go on.)
 *   Who is in the commit set is decided in `in-sync-set.ts` (S7).
 * S11: it serves nothing before the barrier is committed and its own promise to the primary before
 *   has run out.
 * S13, S14: reads need a claim on every member of the commit set that reaches beyond now.
 */
import { assert } from '../model/assert.js';
import type { Epoch, MemberId, Seq, Uuid } from '../model/ids.js';
import type { Lead } from '../model/member-messages.js';
import type { VersionedConfig } from '../model/shard-config.js';
import { decodeDataRecord, type StoredRecord } from './data-record.js';
import { HandOver, type HandOverSettings } from './hand-over.js';
import { InSyncSet, type InSyncSettings } from './in-sync-set.js';
import type { LeaseClaims } from './lease.js';
import type { ToPrimary } from './messages.js';
import type { Outbox } from './outbox.js';
import type { Peer } from './peer.js';
import { Peers, type PeersSettings, type PeersStart } from './peers.js';
import { Proposals, type Proposal, type Written } from './proposals.js';
import type { ReadCache, ReadMemory } from './read-cache.js';
import type { ReplicaBody } from './replica-body.js';

export interface PrimarySettings extends InSyncSettings, HandOverSettings, PeersSettings {
  /** Entries on their way at once. More gain nothing on a local network: the next is larger. */
  readonly windowEntries: number;
}

export interface PrimaryStart extends PeersStart {
  readonly settings: PrimarySettings;
  readonly readMemory: ReadMemory;
  readonly update: VersionedConfig;
  /** Until when this replica's own promises to earlier primaries reach. */
  readonly promisedUntil: number;
  /** What this process went by in the epoch just before this one, if it led in it. */
  readonly before: Lead | undefined;
  readonly now: number;
}

export type ReadData = (shardUuid: Uuid, key: Buffer) => StoredRecord | undefined;

export class Primary {
  readonly epoch: Epoch;
  readonly #body: ReplicaBody;
  readonly #outbox: Outbox;
  readonly #claims: LeaseClaims;
  readonly #settings: PrimarySettings;
  readonly #self: MemberId;
  readonly #promisedUntil: number;
  readonly #proposals: Proposals;
  readonly #reads: ReadCache;
  readonly #inSync: InSyncSet;
  readonly #peers: Peers;
  readonly #handOver: HandOver;
  /** The first entry of this epoch. */
  readonly #barrierSeq: Seq;
  #update: VersionedConfig;
  /** The nonce of our configuration, when a later one came that cannot have come from it. */
  #left: string | undefined;
  /** The leader knows another configuration than we do, and no later one. */
  #isContradictedByLeader = false;
  #now: number;

  constructor(start: PrimaryStart) {
    const { body, update, now } = start;
    assert(update.config.epoch === body.promisedEpoch, 'S2', () => ({
      epoch: update.config.epoch,
    }));
    assert(body.log.last.epoch < update.config.epoch, 'S1', () => ({ last: body.log.last.epoch }));
    this.epoch = update.config.epoch;
    this.#body = body;
    this.#outbox = start.outbox;
    this.#claims = start.claims;
    this.#settings = start.settings;
    this.#self = start.self;
    this.#promisedUntil = start.promisedUntil;
    this.#update = update;
    this.#inSync = new InSyncSet(start);
    this.#peers = new Peers(this.epoch, this.#inSync, start);
    this.#left = this.#inSync.isComplete ? undefined : start.before?.nonce;
    this.#handOver = new HandOver(this.epoch, start.settings, start.outbox);
    this.#now = now;
    const { seq } = body.log.last;
    this.#reads = start.readMemory.open();
    this.#proposals = new Proposals(seq, this.#reads);
    this.#proposals.commit(body.log.unappliedTo(body.commitSeq), body.commitSeq);
    this.#proposals.barrier();
    this.#barrierSeq = (seq + 1) as Seq;
    this.#peers.adopt(update.config.replicas, now);
  }

  /** What it goes by. */
  get lead(): Lead {
    const { config, version } = this.#update;
    return { version, nonce: config.nonce, inSync: this.#inSync.complete };
  }

  /** Everything before this epoch is committed, and nobody else can be serving. */
  get isServing(): boolean {
    const isAlone = this.#now >= this.#promisedUntil && !this.#handOver.hasSteppedDown;
    return this.#hasBegun && isAlone && !this.#isContradicted;
  }

  /** A member of the isr had something else committed: we may lack what clients were told (S6). */
  get #isContradicted(): boolean {
    return this.#body.contradictors.size > 0;
  }

  /** The barrier is committed. */
  get #hasBegun(): boolean {
    return this.#body.commitSeq >= this.#barrierSeq;
  }

  /** Until when reads may be answered: the least of the claims on the commit set. */
  get leaseUntil(): number {
    let until = Infinity;
    for (const node of this.#inSync.commitSet()) {
      if (node === this.#self) continue;
      const claim = this.#peers.get(node)?.leaseUntil(this.#claims.until(node)) ?? -Infinity;
      if (!this.#claims.counts(claim)) return -Infinity;
      if (claim < until) until = claim;
    }
    return until;
  }

  /** Whether a read of committed data may be answered at `now`, after it was read (S13). */
  mayRead(now: number): boolean {
    this.#passTo(now);
    return this.isServing && now < this.leaseUntil;
  }

  /** Whether a write may be proposed at `now`; if not, it may later. */
  mayWrite(now: number): boolean {
    this.#passTo(now);
    return this.isServing && this.#handOver.to === undefined && this.#inSync.isEnough;
  }

  /** Another replica as this primary sees it; undefined if the configuration has none there. */
  peer(node: MemberId): Pick<Readonly<Peer>, 'phase' | 'durable' | 'attachNumber'> | undefined {
    return this.#peers.get(node);
  }

  /** How many replicas are in sync, if that is less than writes need. */
  get lack(): { readonly inSync: number; readonly needed: number } | undefined {
    if (this.#inSync.isEnough) return undefined;
    return { inSync: this.#update.config.isr.length, needed: this.#settings.minIsr };
  }

  /**
   * The newest record of a key that is known to be committed (S12), whether it may be answered or
   * not.
   *
   * @param fromData Reads the data as it is now, undefined = absent. Called only if needed.
   * @throws CorruptRecordError, and what `fromData` throws
   */
  read(key: Buffer, fromData: ReadData): StoredRecord | undefined {
    const newest = this.#proposals.committed(key);
    if (newest !== undefined) return newest.record && decodeDataRecord(key, newest.record);
    const text = key.toString('latin1');
    const known = this.#reads.find(text);
    if (known !== undefined) return known ?? undefined;
    const record = fromData(this.#body.shardUuid, key);
    this.#reads.keep(text, record ?? null);
    return record;
  }

  propose(proposal: Proposal, now: number): void {
    assert(this.mayWrite(now), 'S11', () => ({ call: proposal.call }));
    const written = this.#proposals.propose(proposal, this.#body.commitSeq);
    if (written !== undefined) this.#answer(written);
  }

  /** A configuration of this same epoch. */
  onConfig(update: VersionedConfig, now: number): void {
    assert(update.config.epoch === this.epoch, 'S1', () => ({ epoch: update.config.epoch }));
    this.#passTo(now);
    // Followed all the same: whoever is in it may be elected, so nothing is done without him (S7).
    if (!this.#inSync.leadsTo(update)) this.#left ??= this.#update.config.nonce;
    this.#inSync.onConfig(update);
    this.#update = update;
    this.#isContradictedByLeader = false;
    if (this.#inSync.isComplete) this.#left = undefined;
    this.#peers.adopt(update.config.replicas, now);
    this.#askAnew();
    this.#advance();
  }

  /**
   * A configuration of this epoch was heard, no later one. If it is not the one that we know, this
   * is asked about until we hear ours, or a later one: what is asked may get lost.
   */
  onConfigAgain({ config, version }: VersionedConfig, now: number): void {
    this.#passTo(now);
    const { config: ours, version: ourVersion } = this.#update;
    // The same one at an earlier version is a znode that was made again.
    this.#isContradictedByLeader = config.nonce !== ours.nonce || version < ourVersion;
    // By another leader maybe, who has not been asked.
    if (this.#isContradictedByLeader) this.#inSync.mayAskAtOnce();
    this.#askAnew();
  }

  onSessionUp(node: MemberId, now: number): void {
    this.#withPeer(node, now, (peer) => {
      this.#peers.attach(peer, now);
    });
  }

  /** `gone`: its process has certainly ended. */
  onSessionDown(node: MemberId, gone: boolean, now: number): void {
    this.#withPeer(node, now, (peer) => {
      this.#peers.detach(peer);
      if (gone) this.#inSync.goOnWithout(node, now);
    });
  }

  onMessage(from: MemberId, message: ToPrimary, now: number): void {
    this.#passTo(now);
    const peer = this.#peers.get(from);
    if (peer === undefined || message.epoch !== this.epoch) return;
    this.#peers.onMessage(peer, message, now);
    // One that has just begun to follow is not taken in at once: commits would wait for what is
    // only on its way to it.
    if (message.type === 'prepareAck' || peer.phase !== 'following') this.#review(peer);
    this.#advance();
  }

  /** An entry that this peer needs next cannot be read any more. */
  onGap(node: MemberId, now: number): void {
    this.#withPeer(node, now, (peer) => {
      this.#peers.onGap(peer);
    });
  }

  /** More of the data that this peer gets is on its disk. */
  onInstallProgress(node: MemberId, now: number): void {
    this.#withPeer(node, now, (peer) => {
      this.#peers.onInstallProgress(peer, now);
    });
  }

  /** All data cannot be read for this peer: some of ours is damaged. */
  onInstallFailed(node: MemberId, attachNumber: number, now: number): void {
    this.#withPeer(node, now, (peer) => {
      this.#peers.onInstallFailed(peer, attachNumber, now);
    });
  }

  /** A batch is durable. */
  onPersisted(now: number): void {
    this.#passTo(now);
    this.#proposals.applied(this.#body.log.appliedSeq);
    for (const peer of this.#peers.all()) this.#peers.attach(peer, now);
    this.#advance();
  }

  /** Some time has passed. */
  onTick(now: number): void {
    this.#passTo(now);
    for (const peer of this.#peers.all()) this.#peers.attach(peer, now);
    this.#peers.ship(now);
    for (const peer of this.#peers.all()) this.#review(peer);
    this.#peers.tellCommit();
    if (this.isServing) this.#body.served();
    this.#askAnew();
    this.#continueHandOver();
  }

  /** Prepares to step down in favour of an in-sync member. What becomes of it is always said. */
  handOver(to: MemberId, now: number): void {
    this.#passTo(now);
    this.#handOver.begin(to, this.#inSync.hasMember(to), now);
    this.#continueHandOver();
  }

  /** Whether something was proposed, and there is room for it in the window. */
  get maySeal(): boolean {
    if (!this.#proposals.hasDrafts) return false;
    const { log, commitSeq } = this.#body;
    // The barrier waits for nothing: a tail that fills the window is committed only with it.
    const isFull = log.countAfter(commitSeq) >= this.#settings.windowEntries;
    return !isFull || log.last.epoch !== this.epoch;
  }

  /** Called before each batch: seals what was proposed, if it may, and says what log is needed. */
  beforeBatch(): void {
    this.#body.pin(this.#peers.neededAbove(this.#now));
    this.#body.setBehind(this.#update.config.learners.length > 0);
    this.#seal();
  }

  #seal(): void {
    if (!this.maySeal) return;
    const { log, commitSeq } = this.#body;
    this.#body.append(this.#proposals.seal(log.last, { epoch: this.epoch, commitSeq }));
    this.#peers.ship(this.#now);
  }

  /** This epoch is over for us. Every open call gets what can be said of it. */
  end(): void {
    this.#reads.close();
    this.#body.pin(undefined);
    this.#body.setBehind(true);
    this.#peers.end();
    const { unknown, never } = this.#proposals.abandon(this.#body.log.last.seq);
    for (const call of unknown) this.#outbox.answer({ type: 'unknown', call });
    const message = `shard ${this.#body.shard}: epoch ${this.epoch} of this primary has ended`;
    for (const call of never) {
      this.#outbox.answer({ type: 'refused', call, refusal: { code: 'NODE_BEHIND', message } });
    }
  }

  /** For a new epoch, in which members that lack what was committed get it first. */
  #askAnew(): void {
    const nonce = this.#isContradictedByLeader ? this.#update.config.nonce : this.#left;
    if (nonce !== undefined) this.#inSync.askAbout(nonce, this.#now);
  }

  #passTo(now: number): void {
    this.#now = now;
    this.#inSync.passTo(now);
  }

  /** Something is heard of a replica, if the configuration has it: it is reviewed after that. */
  #withPeer(node: MemberId, now: number, hear: (peer: Peer) => void): void {
    this.#passTo(now);
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    hear(peer);
    this.#review(peer);
  }

  /** Commits what every member of the commit set holds. Never moves backwards. */
  #advance(): void {
    const body = this.#body;
    if (body.durableEpoch !== this.epoch || this.#isContradicted) return;
    let everyoneHolds = body.durableSeq;
    for (const node of this.#inSync.commitSet()) {
      if (node === this.#self) continue;
      const durable = this.#peers.get(node)?.durable?.seq;
      if (durable === undefined) return;
      if (durable < everyoneHolds) everyoneHolds = durable;
    }
    const hadBegun = this.#hasBegun;
    if (everyoneHolds <= body.commitSeq) return; // A slow new member un-commits nothing.
    if (everyoneHolds < this.#barrierSeq) return; // All of the earlier epochs at once (S11).
    if (everyoneHolds > this.#barrierSeq && !this.#inSync.isEnough) return;
    const before = body.commitSeq;
    body.commitTo(everyoneHolds);
    const entries = body.log.unappliedTo(everyoneHolds).filter(({ seq }) => seq > before);
    for (const written of this.#proposals.commit(entries, everyoneHolds)) this.#answer(written);
    if (!hadBegun) {
      this.#outbox.happened({ type: 'serving', epoch: this.epoch, seq: this.#barrierSeq });
    }
    for (const peer of this.#peers.all()) this.#review(peer);
    this.#continueHandOver();
  }

  #answer({ call, applied, version, changes }: Written): void {
    // An answer that changes nothing is a read, and needs what reads need (S12, S13).
    if (changes || this.mayRead(this.#now)) {
      this.#outbox.answer({ type: 'written', call, applied, version });
      return;
    }
    const message = `shard ${this.#body.shard}: the lease of epoch ${this.epoch} has run out`;
    this.#outbox.answer({ type: 'refused', call, refusal: { code: 'NODE_BEHIND', message } });
  }

  /** Whether this peer should leave or join the isr, or needs all data first. */
  #review(peer: Peer): void {
    // Nobody joins before everybody has stopped whom we promised to leave alone: the learner
    // promised them nothing, and could be elected next (S14).
    const isOpen = this.isServing && this.#handOver.to === undefined;
    this.#inSync.review(peer, isOpen, this.#now);
    this.#peers.mend(peer, this.#now);
  }

  #continueHandOver(): void {
    const { to } = this.#handOver;
    if (to === undefined) return;
    const { log, commitSeq } = this.#body;
    const isIdle = !this.#proposals.hasDrafts && commitSeq === log.last.seq;
    const isQuiet = isIdle && this.isServing;
    const holdsAll = this.#peers.get(to)?.durable?.seq === commitSeq;
    this.#handOver.goOn({ isQuiet, holdsAll }, this.#now);
  }
}
