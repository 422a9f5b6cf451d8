/**
 * The other replicas of a shard, as the primary of one epoch leads them: each is asked what it
 * holds, follows from where its log agrees with ours, or gets all data first.
 *
 *   down -> attaching -> following
 *                     -> unusable -> installing -> following
 *
 * One that gets all data, and has no more of it for long, is asked again what it holds.
 *
 * One that follows may turn out to need all data, too: it diverges, or the log does not reach it
 * any more, or cannot be read. Whatever a peer is, it is down when its stream breaks.
 *
 * Upholds
 * S2: nobody is spoken to before the promise of this epoch is durable here.
 * S6: no member of the isr knows anything to be committed that the primary does not hold. If one
 *   does, ZooKeeper or a disk was set back, or data was changed. The primary takes itself for
 *   damaged and asks no more to go on without that member. While it has its data it commits,
 *   answers and hands out nothing, even if the member left the isr by what was asked before. The
 *   leader lets another one lead, and what this one has is set aside, but for the last copy. (A
 *   restart forgets it, as all damage, and finds it again if the member is in sync and answers.)
 * S8: a log agrees with ours only where its chain is the same; what differs is replaced.
 * S19: what contradicts ours is set aside only where nobody counts on it: whichever of us is wrong,
 *   it may be the last copy that is right.
 */
import { assert } from '../model/assert.js';
import type { Epoch, MemberId, Seq } from '../model/ids.js';
import type { ReplicaPlace } from '../model/shard-config.js';
import type { Position } from './entry.js';
import type { InSyncSet } from './in-sync-set.js';
import type { LeaseClaims } from './lease.js';
import type { Attached, ToPrimary } from './messages.js';
import type { Outbox } from './outbox.js';
import { Peer, type PeerContext } from './peer.js';
import type { ReplicaBody } from './replica-body.js';
import type { Sessions } from './sessions.js';
import { Shipping, type ShippingSettings } from './shipping.js';

export interface PeersSettings extends ShippingSettings {
  /**
   * Pause before all data is sent again that was found damaged on its way to a learner, or that
   * does not arrive there any more. Longer, if what was sent before took longer: then it is sent in
   * vain half of the time at most.
   */
  readonly installAgainMs: number;
}

export interface PeersStart extends PeerContext {
  readonly body: ReplicaBody;
  readonly outbox: Outbox;
  readonly sessions: Sessions;
  readonly claims: LeaseClaims;
  readonly settings: PeersSettings;
  readonly self: MemberId;
}

export class Peers {
  readonly #epoch: Epoch;
  readonly #body: ReplicaBody;
  readonly #outbox: Outbox;
  readonly #sessions: Sessions;
  readonly #claims: LeaseClaims;
  readonly #settings: PeersSettings;
  readonly #self: MemberId;
  readonly #context: PeerContext;
  readonly #inSync: InSyncSet;
  readonly #shipping: Shipping;
  readonly #peers = new Map<MemberId, Peer>();
  /** End of what earlier epochs left. */
  readonly #start: Position;

  constructor(epoch: Epoch, inSync: InSyncSet, start: PeersStart) {
    this.#epoch = epoch;
    this.#inSync = inSync;
    this.#body = start.body;
    this.#outbox = start.outbox;
    this.#sessions = start.sessions;
    this.#claims = start.claims;
    this.#settings = start.settings;
    this.#self = start.self;
    this.#context = { installs: start.installs, catchUps: start.catchUps };
    this.#shipping = new Shipping(epoch, start);
    this.#start = start.body.log.last;
  }

  get(node: MemberId): Peer | undefined {
    return this.#peers.get(node);
  }

  all(): Iterable<Peer> {
    return this.#peers.values();
  }

  /** The log above this position is what one of them still needs; undefined: nobody any of it. */
  neededAbove(now: number): Seq | undefined {
    let lowest: Seq | undefined;
    for (const peer of this.#peers.values()) {
      const { needsAbove } = peer;
      if (needsAbove === undefined || this.#inSync.hasGivenUp(peer, now)) continue;
      if (lowest === undefined || needsAbove < lowest) lowest = needsAbove;
    }
    return lowest;
  }

  /** The replicas of the newest configuration: new ones are attached, lost ones forgotten. */
  adopt(replicas: readonly ReplicaPlace[], now: number): void {
    for (const [node, peer] of this.#peers) {
      if (replicas.some((place) => place.node === node)) continue;
      this.#peers.delete(node);
      peer.end();
    }
    for (const place of replicas) {
      if (place.node === this.#self) continue;
      let peer = this.#peers.get(place.node);
      if (peer === undefined) {
        peer = new Peer(place, this.#context, now);
        this.#peers.set(place.node, peer);
      }
      const isSame = peer.place.store === place.store && peer.place.process === place.process;
      if (isSame) peer.place = place;
      else peer.replace(place);
      this.attach(peer, now);
    }
  }

  /**
   * Asks a peer what it holds, once its stream stands and our promise is durable (S2). The barrier
   * has waited for that promise, and goes along.
   */
  attach(peer: Peer, now: number): void {
    if (peer.phase !== 'down' || this.#body.durableEpoch !== this.#epoch) return;
    if (!this.#sessions.reaches(peer.place)) return;
    const hasBegun = this.#body.commitSeq > this.#start.seq;
    this.#shipping.attach(peer, hasBegun ? this.#body.log.last : this.#start, now);
  }

  /** Its stream broke, or what was on it has to be forgotten. */
  detach(peer: Peer, phase: 'down' | 'unusable' = 'down'): void {
    peer.detach(phase, this.#claims.until(peer.node));
  }

  /** A message of this epoch. */
  onMessage(peer: Peer, message: ToPrimary, now: number): void {
    switch (message.type) {
      case 'attached':
        return this.#onAttached(peer, message, now);
      case 'prepareAck':
        return this.#onAck(peer, message.position, now);
      case 'installed':
        return this.#onInstalled(peer, message.base, now);
      case 'refused':
        return this.#onRefused(peer, message.promised, now);
      case 'detached':
        return this.detach(peer);
    }
  }

  /** An entry that this peer needs next cannot be read any more: all of our data does without. */
  onGap(peer: Peer): void {
    if (peer.phase === 'following') this.detach(peer, 'unusable');
  }

  /** More of the data that this peer gets is on its disk. */
  onInstallProgress(peer: Peer, now: number): void {
    if (peer.phase === 'installing') peer.cameForward(now);
  }

  /**
   * All data cannot be read for this peer: some of ours is damaged. That may be written over, or be
   * brought back by an operator, so it is tried again; if we are not the last copy, somebody else
   * takes our place meanwhile.
   */
  onInstallFailed(peer: Peer, attachNumber: number, now: number): void {
    if (peer.phase !== 'installing' || peer.attachNumber !== attachNumber) return;
    this.detach(peer, 'unusable');
    const tookMs = now - peer.installBeganAt;
    peer.installNotBefore = now + Math.max(this.#settings.installAgainMs, tookMs);
  }

  /** Something was sealed, or others made room: whoever follows gets what it may. */
  ship(now: number): void {
    for (const peer of this.#peers.values()) this.#ship(peer, now);
  }

  /** What is committed, for those who would not hear it with an entry. */
  tellCommit(): void {
    for (const peer of this.#peers.values()) this.#shipping.tellCommit(peer);
  }

  /**
   * Whatever made a peer unusable, all of our data makes it good, once nobody counts on its own.
   * One that others wait for in vain loses its turn to get it.
   */
  mend(peer: Peer, now: number): void {
    if (this.#inSync.isInTheWay(peer, now)) peer.endTurn();
    if (this.#inSync.counts(peer.node)) return;
    if (this.#hasStalled(peer, now)) this.#askAgain(peer, now);
    if (peer.phase !== 'unusable') return;
    if (now >= peer.installNotBefore) this.#install(peer, now);
    else peer.progressAt = now; // It waits for us.
  }

  /** Nothing is on its way to anybody any more. */
  end(): void {
    for (const peer of this.#peers.values()) peer.end();
  }

  /**
   * Whether it gets all data and has no more of it, for longer than that went well. Nothing went
   * well before the first of it is there, which may take longer than the pause on a slow link: one
   * that was asked again in vain is given as long as it was in all so far.
   */
  #hasStalled(peer: Peer, now: number): boolean {
    if (peer.phase !== 'installing') return false;
    const wentWellMs = peer.progressAt - peer.installBeganAt;
    const boundMs = Math.max(this.#settings.installAgainMs, wentWellMs, peer.stalledMs);
    return this.#inSync.stuckFor(peer, now) >= boundMs;
  }

  /**
   * What was lost of an install would never be sent again. All of it may be there by now: if what
   * says so is on its way, it is of before the question, and void.
   */
  #askAgain(peer: Peer, now: number): void {
    peer.stalledMs += this.#inSync.stuckFor(peer, now);
    peer.progressAt = now;
    this.#outbox.happened({ type: 'install-stalled', peer: peer.node });
    this.detach(peer);
    this.attach(peer, now);
  }

  #onRefused(peer: Peer, promised: Epoch, now: number): void {
    this.detach(peer);
    if (promised <= this.#epoch) return; // It will have heard more when asked again.
    this.#outbox.happened({ type: 'overtaken', by: peer.node, promised });
    this.#inSync.ask({ type: 'epoch-used', promised }, now);
  }

  #onAttached(peer: Peer, { number, tail, follows }: Attached, now: number): void {
    if (peer.phase !== 'attaching' || number !== peer.attachNumber) return;
    const match = tail.findLast(({ seq, chain }) => {
      return this.#body.log.positionAt(seq)?.chain === chain;
    });
    if (match !== undefined) {
      assert(!follows || match === tail.at(-1), 'S8', () => ({ peer: peer.node, match }));
      return this.#follow(peer, match, follows, now);
    }
    const committed = tail[0];
    const { base, last } = this.#body.log;
    if (committed !== undefined && committed.seq > last.seq) return this.#onMore(peer, committed);
    const isBehind = committed === undefined || committed.seq < base.seq;
    if (isBehind) this.detach(peer, 'unusable');
    else if (this.#inSync.hasMember(peer.node)) this.#onContradicted(peer, committed);
    else this.#onDiverged(peer, committed);
  }

  /**
   * It knows more to be committed than we hold: one of us has lost or changed data. A learner
   * cannot be right, as far as this epoch goes: an operator has given up what it knows, and its
   * data is set aside.
   */
  #onMore(peer: Peer, position: Position): void {
    if (this.#inSync.hasMember(peer.node)) return this.#onContradicted(peer, position);
    const { seq } = position;
    const { last } = this.#body.log;
    this.#outbox.happened({ type: 'peer-knows-more', peer: peer.node, seq, last: last.seq });
    this.#setAside(peer);
  }

  /** A member knows to be committed what our log does not have: ours may be wrong (S6). */
  #onContradicted(peer: Peer, { seq }: Position): void {
    this.detach(peer, 'unusable');
    const isNews = this.#body.damage === undefined;
    const what = `knows something else to be committed at ${seq}`;
    const problem = `${peer.node}, in sync as well, ${what}`;
    this.#body.contradictedBy(peer.node, problem);
    if (isNews) this.#outbox.happened({ type: 'damaged', problem });
  }

  /** `follows`: it does already; otherwise it is told where to go on. */
  #follow(peer: Peer, match: Position, follows: boolean, now: number): void {
    peer.follow(match, follows);
    peer.cameForward(now);
    if (!follows) this.#shipping.resume(peer, match);
    this.#outbox.happened({ type: 'peer-follows', peer: peer.node, after: match.seq });
    this.#ship(peer, now);
  }

  #onAck(peer: Peer, position: Position, now: number): void {
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
    peer.progressAt = now;
    this.#ship(peer, now);
  }

  #onDiverged(peer: Peer, { seq }: Position): void {
    this.#outbox.happened({ type: 'peer-diverged', peer: peer.node, seq });
    this.#setAside(peer);
  }

  /** Its data is, as soon as nobody counts on it. */
  #setAside(peer: Peer): void {
    peer.hasDiverged = true;
    this.detach(peer, 'unusable');
  }

  /** One that the log does not reach gets all data. */
  #ship(peer: Peer, now: number): void {
    const isAwaited = this.#inSync.counts(peer.node);
    if (!this.#shipping.ship(peer, isAwaited, now)) this.#install(peer, now);
  }

  /**
   * Gives it all data when it is its turn; until then it is asked for nothing. None of ours takes
   * the place of anything while a member contradicts us.
   */
  #install(peer: Peer, now: number): void {
    peer.endTurn(); // It may have begun before.
    const isItsTurn = this.#context.installs.mayBegin || this.#inSync.counts(peer.node);
    if (!isItsTurn || this.#body.contradictors.size > 0) {
      if (peer.phase !== 'unusable') this.detach(peer, 'unusable');
      peer.progressAt = now;
      return;
    }
    if (peer.hasDiverged) {
      assert(!this.#inSync.counts(peer.node), 'S19', () => ({ peer: peer.node }));
      this.#outbox.send(peer.node, { type: 'diverged', epoch: this.#epoch });
      peer.hasDiverged = false;
    }
    peer.install(this.#body.log.appliedSeq, now);
    this.#outbox.happened({ type: 'peer-needs-install', peer: peer.node });
    this.#outbox.install(peer.node);
  }

  #onInstalled(peer: Peer, base: Position, now: number): void {
    if (peer.phase !== 'installing') return;
    const { log } = this.#body;
    if (log.positionAt(base.seq)?.chain === base.chain) this.#follow(peer, base, false, now);
    else this.#install(peer, now); // Trimmed meanwhile: once more, from where we are now.
  }
}
