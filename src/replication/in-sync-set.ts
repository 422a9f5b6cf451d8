/**
 * Which replicas a primary's commits wait for, and who should join or leave them: what the primary
 * of one epoch asks of the leader.
 *
 * Upholds S7: the commit set is the isr, and every learner that was proposed for it from the moment
 * the request leaves: the leader may have accepted it although we have not heard (the "maximal ISR"
 * of KIP-966). A member that was asked to be removed counts until a newer configuration says that
 * it does not (bug B6). S16: a learner is proposed by its store and incarnation, once it caught up
 * in this epoch.
 */
import type { MemberId } from '../model/ids.js';
import type { Lead, MembershipChange } from '../model/member-messages.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { LeaseClaims } from './lease.js';
import type { Outbox } from './outbox.js';
import type { Peer } from './peer.js';
import type { ReplicaBody } from './replica-body.js';
import type { Sessions } from './sessions.js';

const SET_BACK = 'set-back';

export interface InSyncSettings {
  /** In-sync replicas without which nothing is accepted. */
  readonly minIsr: number;
  /** A member whose node answered nothing for so long is asked to be removed. */
  readonly silentMs: number;
  /** So is one that others wait for, and that does not come forward for so long. */
  readonly stuckMs: number;
  /** A learner that is silent or does not come forward for so long makes room for another. */
  readonly giveUpMs: number;
  /** Pause before the leader is asked again. */
  readonly askAgainMs: number;
  /** Without an input for longer, this process was late itself, or stopped: well above a tick. */
  readonly lateMs: number;
}

export interface InSyncStart {
  readonly body: ReplicaBody;
  readonly outbox: Outbox;
  readonly sessions: Sessions;
  readonly claims: LeaseClaims;
  readonly settings: InSyncSettings;
  readonly update: VersionedConfig;
  /** What this process went by in the epoch just before this one, if it led in it. */
  readonly before: Lead | undefined;
  readonly now: number;
}

export class InSyncSet {
  readonly #body: ReplicaBody;
  readonly #outbox: Outbox;
  readonly #sessions: Sessions;
  readonly #claims: LeaseClaims;
  readonly #settings: InSyncSettings;
  #update: VersionedConfig;
  /** Who has everything that was committed: the isr, unless ZooKeeper was set back. */
  #complete: ReadonlySet<MemberId>;
  /** Learners that were proposed for the isr, on top of this configuration. */
  readonly #joining = new Set<MemberId>();
  /** Made when it is asked for: that is done for every read. */
  #commitSet: readonly MemberId[] | undefined;
  /** When the leader was last asked for what, by node. */
  readonly #askedAt = new Map<string, number>();
  /** When the latest input came. */
  #inputAt: number;
  /** Since when inputs come without a gap: whoever answered in a gap may not be heard yet. */
  #attentiveSince: number;

  constructor({ body, outbox, sessions, claims, settings, update, before, now }: InSyncStart) {
    this.#body = body;
    this.#outbox = outbox;
    this.#sessions = sessions;
    this.#claims = claims;
    this.#settings = settings;
    this.#update = update;
    const { isr } = update.config;
    this.#complete = new Set(before === undefined ? isr : isr.filter(isIn(before.inSync)));
    this.#inputAt = now;
    this.#attentiveSince = now;
  }

  /** Called with every input, before it has any effect. */
  passTo(now: number): void {
    if (now - this.#inputAt >= this.#settings.lateMs) this.#attentiveSince = now;
    this.#inputAt = now;
  }

  /** Whether the isr is large enough for anything to be accepted (S4). */
  get isEnough(): boolean {
    return this.#update.config.isr.length >= this.#settings.minIsr;
  }

  /** Whether the newest configuration has this node in the isr. */
  hasMember(node: MemberId): boolean {
    return this.#update.config.isr.includes(node);
  }

  /** Whether commits wait for this node. */
  counts(node: MemberId): boolean {
    return this.hasMember(node) || this.#joining.has(node);
  }

  /** Everybody commits wait for, the primary among them. */
  commitSet(): readonly MemberId[] {
    return (this.#commitSet ??= [...new Set([...this.#update.config.isr, ...this.#joining])]);
  }

  /**
   * Whether a later configuration of this epoch can have come from ours: its isr has nobody but who
   * was in it, or was asked for (S7). If not, ZooKeeper was set back, and led on from there: some
   * may lack what was committed without them.
   */
  leadsTo({ config }: VersionedConfig): boolean {
    return config.isr.every((node) => this.counts(node));
  }

  /** A configuration of this same epoch. */
  onConfig(update: VersionedConfig): void {
    const { isr } = update.config;
    const has = (node: MemberId) => this.#complete.has(node) || this.#joining.has(node);
    this.#complete = new Set(isr.filter(has));
    // Whatever was asked on top of the one before is void now, or is in this one (S7).
    if (update.version > this.#update.version) {
      this.#joining.clear();
      this.#askedAt.clear();
    }
    this.#update = update;
    this.#commitSet = undefined;
  }

  /**
   * Asks to drop a member that is in the way or about to stop, to replace a learner that was given
   * up, and to take in one that has caught up if that `isOpen`.
   */
  review(peer: Peer, isOpen: boolean, now: number): void {
    const { node, place, phase } = peer;
    const isInTheWay = this.isInTheWay(peer, now) || this.#mayLeave(peer);
    if (this.counts(node) && isInTheWay) return this.goOnWithout(node, now);
    if (this.hasMember(node)) return;
    // Dropped because it hangs, it may still hold everything: that is no reason to wait for it.
    if (this.hasGivenUp(peer, now)) {
      return this.ask({ type: 'replace', node }, now, this.#settings.giveUpMs);
    }
    if (isInTheWay || this.#claims.until(node) <= now) return;
    if (!isOpen || phase !== 'following') return;
    if (!this.#joining.has(node) && !this.#hasCaughtUp(peer)) return;
    this.#joining.add(node);
    this.#commitSet = undefined;
    const { store, incarnation } = place;
    this.ask({ type: 'expand', node, store, incarnation }, now);
  }

  /**
   * A learner that was proposed is in our way until that is certainly void (S7). A member that
   * contradicts us may be right, and stays (S6, S19).
   */
  goOnWithout(node: MemberId, now: number): void {
    if (this.#body.contradictors.has(node)) return;
    if (this.hasMember(node)) this.ask({ type: 'shrink', node }, now);
    else if (this.#joining.has(node)) this.ask({ type: 'withdraw', node }, now);
  }

  /** Whether nothing is expected any more of this learner. */
  hasGivenUp(peer: Peer, now: number): boolean {
    const { giveUpMs } = this.#settings;
    const stuckFor = peer.stalledMs + this.stuckFor(peer, now);
    const uselessFor = Math.max(this.#silentFor(peer, now), stuckFor);
    return !this.counts(peer.node) && uselessFor >= giveUpMs;
  }

  /** Who has everything that was committed, or is waited for since it was asked for. */
  get complete(): readonly MemberId[] {
    return [...new Set([...this.#complete, ...this.#joining])];
  }

  /** Whether everybody in the isr has. */
  get isComplete(): boolean {
    return this.#update.config.isr.every(isIn(this.complete));
  }

  /** Asks whether ZooKeeper was set back, as somebody goes by another configuration than this. */
  askAbout(nonce: string, now: number): void {
    this.ask({ type: SET_BACK, nonce, inSync: this.complete }, now);
  }

  /** What was asked about that does not count any more. */
  mayAskAtOnce(): void {
    this.#askedAt.delete(SET_BACK);
  }

  /** Asks the leader, unless it was asked for the same just now. */
  ask(change: MembershipChange, now: number, pauseMs = this.#settings.askAgainMs): void {
    const about = 'node' in change ? `${change.type} ${change.node}` : change.type;
    const askedAt = this.#askedAt.get(about) ?? -Infinity;
    if (now - askedAt < pauseMs) return;
    this.#askedAt.set(about, now);
    const { shard, shardUuid } = this.#body;
    const { config, version } = this.#update;
    this.#outbox.request({ shard, shardUuid, epoch: config.epoch, basedOn: version, change });
  }

  /** Whether others wait for it in vain. */
  isInTheWay(peer: Peer, now: number): boolean {
    const { silentMs, stuckMs } = this.#settings;
    const isIdle = peer.phase === 'following' && peer.durable?.seq === this.#body.log.last.seq;
    if (isIdle) peer.progressAt = now;
    const isSilent = this.#silentFor(peer, now) >= silentMs;
    const isStuck = this.stuckFor(peer, now) >= stuckMs;
    return isSilent || isStuck || peer.phase === 'unusable';
  }

  /** How long it has not come forward, as far as this process would have seen that. */
  stuckFor(peer: Peer, now: number): number {
    return now - Math.max(this.#watchedSince(peer), peer.progressAt);
  }

  /** It is about to stop: better without it now, while it still answers, if enough are left. */
  #mayLeave({ node, place }: Peer): boolean {
    const isSpare = this.#update.config.isr.length > this.#settings.minIsr;
    return this.#sessions.isLeaving(place) && (isSpare || !this.hasMember(node));
  }

  #silentFor(peer: Peer, now: number): number {
    return now - Math.max(this.#watchedSince(peer), this.#claims.heardAt(peer.node));
  }

  /** Who was away itself blames nobody before it has listened for as long as it takes. */
  #watchedSince({ knownSince }: Peer): number {
    return Math.max(knownSince, this.#attentiveSince);
  }

  /** Past the start of the epoch and caught up (KIP-279); in this epoch by construction (S16). */
  #hasCaughtUp({ durable }: Peer): boolean {
    return durable !== undefined && durable.seq >= this.#body.commitSeq;
  }
}

function isIn(nodes: readonly MemberId[]): (node: MemberId) => boolean {
  return (node) => nodes.includes(node);
}
