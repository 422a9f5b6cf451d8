/**
 * One replica of one shard: decides from the configuration whether it is the primary, follows one,
 * or has no part, and hands every input to the role it has.
 *
 * Pure: no clock, no I/O, no promises. The driver steps inputs one at a time, writes what
 * `takePersist()` returns as one batch, and says `persisted` when that is on stable storage. Same
 * inputs, same outputs.
 *
 * Upholds S1 and S19. A replica acts as primary only if the configuration names this node, this
 * store and this very process, in an epoch that no earlier life has used. It starts empty only as a
 * learner or while the shard is being created, and if this very process is named: an earlier life
 * may have joined the isr in a configuration that was not heard yet. An in-sync replica without
 * data has lost it.
 */
import { assert, unreachable } from '../model/assert.js';
import type { Epoch, MemberId, ShardId, Uuid } from '../model/ids.js';
import { replicaOn, type ShardConfig, type VersionedConfig } from '../model/shard-config.js';
import type { Lead } from '../model/member-messages.js';
import type { Position } from './entry.js';
import { Follower } from './follower.js';
import type { CatchUps } from './catch-ups.js';
import type { Installs } from './installs.js';
import type { LeaseClaims, LeaseGrants } from './lease.js';
import { type Attach, isToPrimary, type ReplicaMessage } from './messages.js';
import { Outbox, type Ready } from './outbox.js';
import { Primary, type PrimarySettings } from './primary.js';
import type { Proposal } from './proposals.js';
import { type BodySettings, type Persist, type Recovered, ReplicaBody } from './replica-body.js';
import type { ReadMemory } from './read-cache.js';
import type { Sessions } from './sessions.js';
import type { ReplicaStanding } from './standing.js';

/** What all replicas of a node share. */
export interface NodeContext {
  readonly self: MemberId;
  readonly store: Uuid;
  /** Minted at the start of this process: a life of the node is a life of one process. */
  readonly process: Uuid;
  readonly sessions: Sessions;
  readonly installs: Installs;
  readonly catchUps: CatchUps;
  readonly readMemory: ReadMemory;
  readonly grants: LeaseGrants;
  readonly claims: LeaseClaims;
  readonly settings: PrimarySettings & BodySettings;
}

export type ReplicaInput =
  /** A configuration that was heard; one that is older than before is not followed. */
  | { readonly type: 'config'; readonly update: VersionedConfig }
  | { readonly type: 'write'; readonly proposal: Proposal }
  /** A stream to this node stands, or its other end said more of itself. */
  | { readonly type: 'session-up'; readonly node: MemberId }
  /** It broke; `gone`: because its process has certainly ended. */
  | { readonly type: 'session-down'; readonly node: MemberId; readonly gone: boolean }
  /** A stream from this node broke. */
  | { readonly type: 'caller-down'; readonly node: MemberId }
  | { readonly type: 'message'; readonly from: MemberId; readonly message: ReplicaMessage }
  /** This node has more of the data on disk that it gets from us. */
  | { readonly type: 'install-progress'; readonly node: MemberId }
  /** It cannot get all of our data: some of it is damaged. */
  | {
      readonly type: 'install-failed';
      readonly node: MemberId;
      /** Of the `attach` that it followed: news of an earlier install may come late. */
      readonly attachNumber: number;
    }
  /** The data of an install of this node is there; void if another one is waited for by now. */
  | {
      readonly type: 'installed';
      readonly from: MemberId;
      readonly number: number;
      readonly base: Position;
    }
  /** The shard was made anew, and this is not a replica of it any more. */
  | { readonly type: 'retired' }
  | { readonly type: 'hand-over'; readonly epoch: Epoch; readonly to: MemberId }
  /** A record of its data or its log is not what was written. */
  | {
      readonly type: 'damaged';
      readonly problem: string;
      /** Who was to get it as an entry of our log, and gets nothing that follows it. */
      readonly owedTo?: MemberId;
    }
  | { readonly type: 'persisted' }
  | { readonly type: 'tick' };

export class ShardReplica {
  readonly #node: NodeContext;
  readonly #body: ReplicaBody;
  readonly #outbox: Outbox;
  /** Promised when this process opened the store: that epoch belongs to an earlier life. */
  readonly #openedEpoch: Epoch;
  #update: VersionedConfig | undefined;
  #standing: ReplicaStanding = 'unknown';
  #primary: Primary | undefined;
  #follower: Follower | undefined;
  /** The primary that beats of this replica's node have last counted for. */
  #grantedTo: MemberId | undefined;
  /** When promises to primaries before that end, as far as this life made them. */
  #promisedUntil = -Infinity;
  /** Whether an earlier life may have made some that still hold. */
  readonly #mayHavePromised: boolean;

  constructor(
    id: { readonly shard: ShardId; readonly shardUuid: Uuid },
    node: NodeContext,
    recovered?: Recovered,
  ) {
    this.#node = node;
    this.#body = new ReplicaBody(id, node.settings, recovered);
    this.#outbox = new Outbox(id.shard);
    this.#openedEpoch = recovered?.state.promisedEpoch ?? (0 as Epoch);
    // A replica that this life makes has promised nothing in an earlier one; nor, since then, has
    // one that served in the epoch it promised (B22).
    this.#mayHavePromised = recovered !== undefined && !recovered.state.hasServed;
  }

  get standing(): ReplicaStanding {
    return this.#standing;
  }

  /** The newest configuration heard. */
  get config(): ShardConfig | undefined {
    return this.#update?.config;
  }

  /** What its process found promised when it opened the store: that epoch was an earlier life's. */
  get openedEpoch(): Epoch {
    return this.#openedEpoch;
  }

  /** Why it should not be counted on, if there is a reason. */
  get problem(): string | undefined {
    const { damage, exists } = this.#body;
    if (damage !== undefined || this.#standing !== 'lost') return damage;
    return exists ? 'its data is not whole' : 'its data directory does not hold it';
  }

  get body(): ReplicaBody {
    return this.#body;
  }

  /** Set while this is the primary, serving or about to. */
  get primary(): Primary | undefined {
    return this.#primary;
  }

  /** What it goes by, if it is the primary of the epoch that it has promised durably. */
  get lead(): Lead | undefined {
    return this.#primary?.epoch === this.#body.durableEpoch ? this.#primary.lead : undefined;
  }

  /** Whether it waits for the data of this install of this node, and so for no other. */
  awaitsInstall(from: MemberId, number: number): boolean {
    return this.#follower?.primary === from && this.#follower.awaits(number);
  }

  step(input: ReplicaInput, now: number): void {
    switch (input.type) {
      case 'config':
        return this.#onConfig(input.update, now);
      case 'write':
        assert(this.#primary !== undefined, 'S3', () => ({ call: input.proposal.call }));
        return this.#primary.propose(input.proposal, now);
      case 'session-up':
        return this.#primary?.onSessionUp(input.node, now);
      case 'session-down':
        return this.#primary?.onSessionDown(input.node, input.gone, now);
      case 'caller-down':
        if (this.#follower?.primary === input.node) this.#follower = undefined;
        return;
      case 'message':
        return this.#onMessage(input.from, input.message, now);
      case 'install-progress':
        return this.#primary?.onInstallProgress(input.node, now);
      case 'install-failed':
        return this.#primary?.onInstallFailed(input.node, input.attachNumber, now);
      case 'installed':
        if (this.awaitsInstall(input.from, input.number)) this.#follower?.onInstalled(input.base);
        return;
      case 'retired':
        this.#endPrimary();
        return this.#leaveFollowed();
      case 'hand-over':
        return this.#onHandOver(input.epoch, input.to, now);
      case 'damaged':
        this.#onDamaged(input.problem);
        return input.owedTo === undefined ? undefined : this.#primary?.onGap(input.owedTo, now);
      case 'persisted':
        return this.#onPersisted(now);
      case 'tick':
        this.#body.applySoon();
        this.#body.trimSoon();
        return this.#primary?.onTick(now);
      default:
        return unreachable(input);
    }
  }

  /** Whether the next batch would hold writes that are waiting, without any further input. */
  get hasMore(): boolean {
    return this.#primary?.maySeal ?? false;
  }

  /** What the next batch has to hold; undefined if there is no need for one. */
  takePersist(): Persist | undefined {
    this.#primary?.beforeBatch();
    return this.#body.takePersist();
  }

  /** Everything else decided since the last call. */
  takeReady(): Ready {
    return this.#outbox.take();
  }

  #onConfig(update: VersionedConfig, now: number): void {
    const known = this.#update;
    if (known !== undefined && update.config.epoch < known.config.epoch) return;
    if (known?.config.epoch === update.config.epoch && update.version <= known.version) {
      return this.#primary?.onConfigAgain(update, now);
    }
    assert(update.config.shardUuid === this.#body.shardUuid, 'a replica is of one shard', () => ({
      shard: update.config.shard,
    }));
    this.#update = update;
    this.#reconsider(now);
  }

  /** Judges anew, and takes on or lays down a role. */
  #reconsider(now: number): void {
    if (this.#update === undefined) return;
    const { config } = this.#update;
    const before = this.#primary;
    if (before !== undefined && before.epoch < config.epoch) this.#endPrimary();
    const from = this.#standing;
    const to = this.#judge(config);
    this.#standing = to;
    if (to !== from) this.#outbox.happened({ type: 'standing-changed', from, to });
    // Not when it was there before: then it may be asked to come back, and hear that later.
    if (to === 'elsewhere' && from !== to) this.#follower?.endInstall();
    this.#setAside();
    const mayCreate = to === 'creating' || to === 'learner';
    const isNamed = replicaOn(config, this.#node.self)?.process === this.#node.process;
    if (mayCreate && isNamed && !this.#body.exists) {
      // Not the learner's promise: that it gives to whoever asks first.
      this.#body.create(to === 'creating' ? config.epoch : (0 as Epoch));
      this.#outbox.happened({ type: 'created', epoch: config.epoch });
    }
    if (this.#mayPromise(to) && config.epoch > this.#body.promisedEpoch) this.#adopt(config.epoch);
    if (to !== 'primary') return;
    if (this.#primary === undefined) this.#becomePrimary(this.#update, before, now);
    else this.#primary.onConfig(this.#update, now);
  }

  #judge(config: ShardConfig): ReplicaStanding {
    const { self, store, process } = this.#node;
    const place = replicaOn(config, self);
    // Same name, other data directory: a different replica, which is not here.
    if (place?.store !== store) return 'elsewhere';
    const isThisLife = place.process === process;
    const isUsable = this.#body.exists && !this.#body.isInstalling;
    if (config.learners.includes(self)) return 'learner';
    if (config.state === 'creating') return isThisLife ? 'creating' : 'elsewhere';
    if (!isUsable) return 'lost';
    if (config.primary !== self) return 'secondary';
    if (this.#primary?.epoch === config.epoch) return 'primary';
    return this.#mayLead(config, isThisLife) ? 'primary' : 'awaiting-epoch';
  }

  /**
   * Whether it promises as soon as it hears of an epoch. A secondary, because its primary would
   * wait for our disk after its own if it had to ask first. One that the shard went on without,
   * because that is how this disk knows it, should ZooKeeper be set back to before (S19).
   */
  #mayPromise(to: ReplicaStanding): boolean {
    const { exists, damage } = this.#body;
    return exists && damage === undefined && (to === 'secondary' || to === 'elsewhere');
  }

  /** Whether this epoch can be ours: not one that an earlier life or another primary acted in. */
  #mayLead(config: ShardConfig, isThisLife: boolean): boolean {
    const { promisedEpoch, log } = this.#body;
    if (!isThisLife || config.epoch <= this.#openedEpoch) return false;
    if (config.epoch > promisedEpoch) return true;
    // Made by this life for this epoch, and nobody has spoken in it.
    return (
      config.epoch === promisedEpoch &&
      log.last.epoch < config.epoch &&
      this.#grantedTo === undefined
    );
  }

  /** `before`: what this process was before it heard of this configuration, if it led. */
  #becomePrimary(update: VersionedConfig, before: Primary | undefined, now: number): void {
    const { epoch } = update.config;
    // Nobody led between: who lacked something then lacks it still.
    const isNext = before !== undefined && before.epoch + 1 === epoch;
    if (epoch > this.#body.promisedEpoch) this.#adopt(epoch);
    else this.#leaveFollowed();
    const { sessions, installs, catchUps, readMemory, grants, claims, settings, self } = this.#node;
    const earlierUntil = this.#mayHavePromised ? grants.earlierLifeUntil : -Infinity;
    this.#primary = new Primary({
      body: this.#body,
      outbox: this.#outbox,
      sessions,
      installs,
      catchUps,
      readMemory,
      claims,
      settings,
      self,
      update,
      // Who stepped down waited for all leases before its own, and holds none any more.
      promisedUntil: update.config.leaseReleased
        ? -Infinity
        : Math.max(this.#promisedUntil, earlierUntil),
      before: isNext ? before.lead : undefined,
      now,
    });
  }

  #onMessage(from: MemberId, message: ReplicaMessage, now: number): void {
    if (isToPrimary(message)) return this.#primary?.onMessage(from, message, now);
    if (message.type === 'attach') return this.#onAttach(from, message);
    if (this.#follower?.primary === from) this.#follower.onMessage(message);
  }

  #onAttach(from: MemberId, attach: Attach): void {
    const { epoch } = attach;
    const { promisedEpoch, exists, damage } = this.#body;
    const isOurs = this.#primary?.epoch === epoch;
    const isDamaged = damage !== undefined && epoch > promisedEpoch;
    if (!exists || epoch < promisedEpoch || isOurs || isDamaged) {
      // Of the same epoch: asked again, when we have heard more.
      const promised = exists ? promisedEpoch : epoch;
      this.#outbox.send(from, { type: 'refused', epoch, promised });
      return;
    }
    this.#endPrimary();
    if (epoch > promisedEpoch) this.#adopt(epoch);
    else if (this.#follower?.primary !== from) this.#leaveFollowed();
    this.#grantedTo = from;
    this.#follower = new Follower(from, { attach, body: this.#body, outbox: this.#outbox });
  }

  /** From now on nothing is said in a lower epoch, and nothing in this one before it is durable. */
  #adopt(epoch: Epoch): void {
    const before = this.#body.promisedEpoch;
    this.#leaveFollowed();
    this.#body.promise(epoch);
    this.#outbox.happened({ type: 'epoch-adopted', epoch, before });
  }

  /** The primary we followed must not count on us any more; what we promised it still holds. */
  #leaveFollowed(): void {
    if (this.#follower !== undefined) {
      const { primary, epoch } = this.#follower;
      this.#outbox.send(primary, { type: 'detached', epoch });
    }
    this.#follower = undefined;
    if (this.#grantedTo === undefined) return;
    const until = this.#node.grants.promisedUntil(this.#grantedTo);
    if (until > this.#promisedUntil) this.#promisedUntil = until;
    this.#grantedTo = undefined;
  }

  #onHandOver(epoch: Epoch, to: MemberId, now: number): void {
    if (this.#primary?.epoch === epoch) return this.#primary.handOver(to, now);
    const why = `this node is not the primary of epoch ${epoch}`;
    this.#outbox.handOver({ type: 'hand-over-failed', epoch, why });
  }

  #onDamaged(problem: string): void {
    // While the shard is being created there is nothing that could be; and of what is replaced just
    // now several may have read the damage, or a primary that was may look for an entry in vain.
    const { exists, isReplacing, damage } = this.#body;
    const mayBe = exists && !isReplacing && this.#standing !== 'creating';
    if (damage !== undefined || !mayBe) return;
    this.#body.foundDamaged(problem);
    this.#outbox.happened({ type: 'damaged', problem });
    this.#setAside();
  }

  /**
   * Begins anew, empty, as soon as it may: out of the isr, in an epoch in which nobody can count
   * what it said before (S16). What was found damaged is kept.
   */
  #setAside(): void {
    const epoch = this.config?.epoch ?? 0;
    const { damage, promisedEpoch } = this.#body;
    const mayBegin = this.#standing === 'learner' && epoch > promisedEpoch;
    if (damage === undefined || !mayBegin) return;
    this.#leaveFollowed();
    this.#body.setAside(damage);
    this.#outbox.happened({ type: 'set-aside', problem: damage });
  }

  #endPrimary(): void {
    this.#primary?.end();
    this.#primary = undefined;
  }

  #onPersisted(now: number): void {
    this.#body.onPersisted();
    this.#primary?.onPersisted(now);
    this.#follower?.onPersisted();
  }
}
