/**
 * The primary of one shard in one epoch: numbers writes, replicates them, and decides when each is
 * committed (PacificA, MSR-TR-2008-25; the in-sync set as in Kafka, KIP-101 to KIP-966).
 *
 * It begins by attaching every other replica, makes their logs agree with its own, and commits a
 * barrier in its epoch; with that its whole log is committed, and it serves.
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
import type { Epoch, MemberId, Seq } from '../model/ids.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { CatchUps } from './catch-ups.js';
import type { Position } from './entry.js';
import { HandOver, type HandOverSettings } from './hand-over.js';
import { InSyncSet, type InSyncSettings } from './in-sync-set.js';
import type { Installs } from './installs.js';
import type { LeaseClaims } from './lease.js';
import type { Attached, ToPrimary } from './messages.js';
import type { Outbox } from './outbox.js';
import { Peer, type PeerContext } from './peer.js';
import { Proposals, type CommittedWrite, type Proposal, type Written } from './proposals.js';
import type { ReplicaBody } from './replica-body.js';
import type { Sessions } from './sessions.js';
import { Shipping, type ShippingSettings } from './shipping.js';

export interface PrimarySettings extends InSyncSettings, HandOverSettings, ShippingSettings {
  /** Entries on their way at once. More gain nothing on a local network: the next is larger. */
  readonly windowEntries: number;
  /**
   * Pause before all data is read again that was found damaged on its way to a learner. Longer, if
   * that took longer: then it is read half of the time at most.
   */
  readonly installAgainMs: number;
}

export interface PrimaryStart {
  readonly body: ReplicaBody;
  readonly outbox: Outbox;
  readonly sessions: Sessions;
  readonly installs: Installs;
  readonly catchUps: CatchUps;
  readonly claims: LeaseClaims;
  readonly settings: PrimarySettings;
  readonly self: MemberId;
  readonly update: VersionedConfig;
  /** Until when this replica's own promises to earlier primaries reach. */
  readonly promisedUntil: number;
  readonly now: number;
}

export class Primary {
  readonly epoch: Epoch;
  readonly #body: ReplicaBody;
  readonly #outbox: Outbox;
  readonly #sessions: Sessions;
  readonly #shared: PeerContext;
  readonly #claims: LeaseClaims;
  readonly #settings: PrimarySettings;
  readonly #self: MemberId;
  readonly #promisedUntil: number;
  readonly #proposals: Proposals;
  readonly #peers = new Map<MemberId, Peer>();
  readonly #shipping: Shipping;
  readonly #inSync: InSyncSet;
  readonly #handOver: HandOver;
  /** End of what earlier epochs left; the barrier is behind it. */
  readonly #start: Position;
  readonly #barrierSeq: Seq;
  #update: VersionedConfig;
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
    this.#sessions = start.sessions;
    this.#shared = { installs: start.installs, catchUps: start.catchUps };
    this.#claims = start.claims;
    this.#settings = start.settings;
    this.#self = start.self;
    this.#promisedUntil = start.promisedUntil;
    this.#update = update;
    this.#shipping = new Shipping(this.epoch, start);
    this.#inSync = new InSyncSet(start);
    this.#handOver = new HandOver(this.epoch, start.settings, start.outbox);
    this.#now = now;
    this.#start = body.log.last;
    this.#proposals = new Proposals(this.#start.seq);
    this.#proposals.commit(body.log.unappliedTo(body.commitSeq), body.commitSeq);
    this.#proposals.barrier();
    this.#barrierSeq = (this.#start.seq + 1) as Seq;
    this.#adoptPeers();
  }

  /** Everything before this epoch is committed, and nobody else can be serving. */
  get isServing(): boolean {
    return this.#hasBegun && this.#now >= this.#promisedUntil && !this.#handOver.hasSteppedDown;
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

  /** What is committed under a key and not in the data yet. */
  committed(key: Buffer): CommittedWrite | undefined {
    return this.#proposals.committed(key);
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
    this.#inSync.onConfig(update);
    this.#update = update;
    this.#adoptPeers();
    this.#advance();
  }

  /** A configuration of this epoch was heard that is not the one that we know, nor a later one. */
  onOtherConfig(now: number): void {
    this.#passTo(now);
    this.#inSync.ask({ type: 'set-back', nonce: this.#update.config.nonce }, now);
  }

  onSessionUp(node: MemberId, now: number): void {
    this.#passTo(now);
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    this.#attach(peer);
    this.#review(peer);
  }

  /** `gone`: its process has certainly ended. */
  onSessionDown(node: MemberId, gone: boolean, now: number): void {
    this.#passTo(now);
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    peer.detach('down', this.#claims.until(node));
    if (gone) this.#inSync.goOnWithout(node, now);
  }

  onMessage(from: MemberId, message: ToPrimary, now: number): void {
    this.#passTo(now);
    const peer = this.#peers.get(from);
    if (peer === undefined || message.epoch !== this.epoch) return;
    switch (message.type) {
      case 'attached':
        return this.#onAttached(peer, message);
      case 'prepareAck':
        return this.#onAck(peer, message.position);
      case 'installed':
        return this.#onInstalled(peer, message.base);
      case 'refused':
        peer.detach('down', this.#claims.until(from));
        if (message.promised <= this.epoch) return; // It will have heard more when asked again.
        this.#outbox.happened({ type: 'overtaken', by: from, promised: message.promised });
        return this.#inSync.ask({ type: 'epoch-used', promised: message.promised }, now);
      case 'detached':
        return peer.detach('down', this.#claims.until(from));
    }
  }

  /** An entry that this peer needs next cannot be read any more: all of our data does without. */
  onGap(node: MemberId, now: number): void {
    this.#passTo(now);
    const peer = this.#peers.get(node);
    if (peer?.phase !== 'following') return;
    peer.detach('unusable', this.#claims.until(node));
    this.#review(peer);
  }

  /** More of the data that this peer gets is on its disk. */
  onInstallProgress(node: MemberId, now: number): void {
    this.#passTo(now);
    const peer = this.#peers.get(node);
    if (peer?.phase === 'installing') peer.progressAt = now;
  }

  /**
   * All data cannot be read for this peer: some of ours is damaged. That may be written over, or be
   * brought back by an operator, so it is tried again; if we are not the last copy, somebody else
   * takes our place meanwhile.
   */
  onInstallFailed(node: MemberId, attachNumber: number, now: number): void {
    this.#passTo(now);
    const peer = this.#peers.get(node);
    if (peer?.phase !== 'installing' || peer.attachNumber !== attachNumber) return;
    peer.detach('unusable', this.#claims.until(node));
    const tookMs = now - peer.installBeganAt;
    peer.installNotBefore = now + Math.max(this.#settings.installAgainMs, tookMs);
    this.#review(peer);
  }

  /** A batch is durable. */
  onPersisted(now: number): void {
    this.#passTo(now);
    this.#proposals.applied(this.#body.log.appliedSeq);
    for (const peer of this.#peers.values()) this.#attach(peer);
    this.#advance();
  }

  /** Some time has passed. */
  onTick(now: number): void {
    this.#passTo(now);
    for (const peer of this.#peers.values()) {
      this.#attach(peer);
      this.#ship(peer); // It may have waited for others.
      this.#review(peer);
      this.#shipping.tellCommit(peer);
    }
    if (this.isServing) this.#body.served();
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
    let pinned: Seq | undefined;
    for (const peer of this.#peers.values()) {
      const { needsAbove } = peer;
      if (needsAbove === undefined || this.#inSync.hasGivenUp(peer, this.#now)) continue;
      if (pinned === undefined || needsAbove < pinned) pinned = needsAbove;
    }
    this.#body.pin(pinned);
    this.#body.setBehind(this.#update.config.learners.length > 0);
    this.#seal();
  }

  #seal(): void {
    if (!this.maySeal) return;
    const { log, commitSeq } = this.#body;
    this.#body.append(this.#proposals.seal(log.last, { epoch: this.epoch, commitSeq }));
    for (const peer of this.#peers.values()) this.#ship(peer);
  }

  /** This epoch is over for us. Every open call gets what can be said of it. */
  end(): void {
    this.#body.pin(undefined);
    this.#body.setBehind(true);
    for (const peer of this.#peers.values()) peer.end();
    const { unknown, never } = this.#proposals.abandon(this.#body.log.last.seq);
    for (const call of unknown) this.#outbox.answer({ type: 'unknown', call });
    const message = `shard ${this.#body.shard}: epoch ${this.epoch} of this primary has ended`;
    for (const call of never) {
      this.#outbox.answer({ type: 'refused', call, refusal: { code: 'NODE_BEHIND', message } });
    }
  }

  #passTo(now: number): void {
    this.#now = now;
    this.#inSync.passTo(now);
  }

  /** The other replicas of the configuration: new ones are attached, lost ones forgotten. */
  #adoptPeers(): void {
    const { replicas } = this.#update.config;
    for (const [node, peer] of this.#peers) {
      if (replicas.some((place) => place.node === node)) continue;
      this.#peers.delete(node);
      peer.end();
    }
    for (const place of replicas) {
      if (place.node === this.#self) continue;
      let peer = this.#peers.get(place.node);
      if (peer === undefined) {
        peer = new Peer(place, this.#shared, this.#now);
        this.#peers.set(place.node, peer);
      }
      const isSame = peer.place.store === place.store && peer.place.process === place.process;
      if (isSame) peer.place = place;
      else peer.replace(place);
      this.#attach(peer);
    }
  }

  /**
   * Asks a peer what it holds, once its stream stands and our promise is durable (S2). The barrier
   * has waited for that promise, and goes along.
   */
  #attach(peer: Peer): void {
    if (peer.phase !== 'down' || this.#body.durableEpoch !== this.epoch) return;
    if (!this.#sessions.reaches(peer.place)) return;
    this.#shipping.attach(peer, this.#hasBegun ? this.#body.log.last : this.#start, this.#now);
  }

  #onAttached(peer: Peer, { number, tail, follows }: Attached): void {
    if (peer.phase !== 'attaching' || number !== peer.attachNumber) return;
    const match = tail.findLast(({ seq, chain }) => {
      return this.#body.log.positionAt(seq)?.chain === chain;
    });
    if (match !== undefined) {
      assert(!follows || match === tail.at(-1), 'S8', () => ({ peer: peer.node, match }));
      return this.#follow(peer, match, follows);
    }
    const committed = tail[0];
    const { base, last } = this.#body.log;
    if (committed !== undefined && committed.seq > last.seq) return this.#onMore(peer, committed);
    const isBehind = committed === undefined || committed.seq < base.seq;
    if (!isBehind) return this.#onDiverged(peer, committed);
    peer.detach('unusable', this.#claims.until(peer.node));
    this.#review(peer);
  }

  /**
   * It knows more to be committed than we hold: one of us has lost or changed data. A member of the
   * isr could be right, and the only one who is. A learner cannot, as far as this epoch goes: an
   * operator has given up what it knows, and its data is set aside.
   */
  #onMore(peer: Peer, { seq }: Position): void {
    const { last } = this.#body.log;
    assert(!this.#inSync.counts(peer.node), 'S6', () => ({ peer: peer.node, seq, last: last.seq }));
    this.#outbox.happened({ type: 'peer-knows-more', peer: peer.node, seq, last: last.seq });
    this.#setAside(peer);
  }

  /** `follows`: it does already; otherwise it is told where to go on. */
  #follow(peer: Peer, match: Position, follows: boolean): void {
    peer.attach(match, follows);
    peer.progressAt = this.#now;
    if (!follows) this.#shipping.resume(peer, match);
    this.#outbox.happened({ type: 'peer-follows', peer: peer.node, after: match.seq });
    this.#ship(peer);
    this.#advance();
  }

  /** Gives it all data when it is its turn; until then it is asked for nothing. */
  #install(peer: Peer): void {
    peer.endTurn(); // It may have begun before.
    if (!this.#shared.installs.mayBegin && !this.#inSync.counts(peer.node)) {
      if (peer.phase !== 'unusable') peer.detach('unusable', this.#claims.until(peer.node));
      peer.progressAt = this.#now;
      return;
    }
    // Not sooner: a member of the isr keeps what it has, whichever of us is wrong (S15, S19).
    if (peer.hasDiverged) {
      this.#outbox.send(peer.node, { type: 'diverged', epoch: this.epoch });
      peer.hasDiverged = false;
    }
    peer.install(this.#body.log.appliedSeq, this.#now);
    this.#outbox.happened({ type: 'peer-needs-install', peer: peer.node });
    this.#outbox.install(peer.node);
  }

  #onInstalled(peer: Peer, base: Position): void {
    if (peer.phase !== 'installing') return;
    if (this.#body.log.positionAt(base.seq)?.chain === base.chain) this.#follow(peer, base, false);
    else this.#install(peer); // Trimmed meanwhile: once more, from where we are now.
  }

  #onAck(peer: Peer, position: Position): void {
    if (peer.phase !== 'following') return;
    const known = peer.durable?.seq ?? 0;
    if (position.seq <= known) return;
    const own = this.#body.log.positionAt(position.seq);
    // In our own epoch nobody can hold what we never sent.
    assert(position.seq <= peer.sentSeq, 'S8', () => ({ position, sent: peer.sentSeq }));
    // What was trimmed cannot be compared; the acknowledgement of what follows it will be.
    const isTrimmed = position.seq < this.#body.log.base.seq;
    if (!isTrimmed && own?.chain !== position.chain) return this.#onDiverged(peer, position);
    peer.acknowledge(position);
    peer.progressAt = this.#now;
    this.#ship(peer);
    this.#review(peer);
    this.#advance();
  }

  #onDiverged(peer: Peer, { seq }: Position): void {
    this.#outbox.happened({ type: 'peer-diverged', peer: peer.node, seq });
    this.#setAside(peer);
  }

  /** Its data is, as soon as nobody counts on it. */
  #setAside(peer: Peer): void {
    peer.hasDiverged = true;
    peer.detach('unusable', this.#claims.until(peer.node));
    this.#review(peer);
  }

  /** One that the log does not reach gets all data. */
  #ship(peer: Peer): void {
    const isAwaited = this.#inSync.counts(peer.node);
    if (!this.#shipping.ship(peer, isAwaited, this.#now)) this.#install(peer);
  }

  /** Commits what every member of the commit set holds. Never moves backwards. */
  #advance(): void {
    const body = this.#body;
    if (body.durableEpoch !== this.epoch) return;
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
    for (const peer of this.#peers.values()) this.#review(peer);
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
    if (this.#inSync.isInTheWay(peer, this.#now)) peer.endTurn();
    // Whatever made it unusable, all of our data makes it good again.
    if (peer.phase !== 'unusable' || this.#inSync.counts(peer.node)) return;
    if (this.#now >= peer.installNotBefore) this.#install(peer);
    else peer.progressAt = this.#now; // It waits for us.
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
