/**
 * What a router does while it leads: reads the map, watches registrations, hears its members, lets
 * the controller decide, writes its decisions fenced by the leaderEpoch, and tells every member.
 *
 * Whatever goes wrong with a write, the answer is the same: read the shards concerned again and let
 * the controller decide anew. Only one answer means something else: if the fence does not hold,
 * somebody else leads now, and this leadership is over (rule Z3). While ZooKeeper is away nothing
 * is written; the map stays valid and data keeps flowing.
 */
import type { ProposedWrite } from '../control/controller-io.js';
import { Controller } from '../control/controller.js';
import { fencedMulti } from '../coordination/compare-and-set.js';
import type { Fence } from '../coordination/leader-epoch.js';
import { WatchedChildren } from '../coordination/watched-read.js';
import type { ClusterConfig } from '../model/cluster-config.js';
import type { LeaderEpoch, MemberId, ShardId } from '../model/ids.js';
import type { Registration } from '../model/registrations.js';
import { encodeCompletePlacement } from '../model/placement-record.js';
import type { ShardConfig } from '../model/shard-config.js';
import { ZNODES } from '../model/znodes.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { CoordinatorSession, FailureCode } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';
import type { Dialer } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import { readCandidates } from '../coordination/candidates.js';
import { readNodes } from '../coordination/read-nodes.js';
import { ConflictPauses } from './conflict-pauses.js';
import { sayEvents } from './controller-log.js';
import { GoneNodes } from './gone-nodes.js';
import { HandOverCalls } from './hand-over-calls.js';
import { Hearing } from './hearing.js';
import { Learning } from './learning.js';
import type { MapHolder } from './map-holder.js';
import { believed, readPlacement, readShard } from './map-reader.js';
import { describeWrites, writeOp } from './map-writes.js';
import { MemberLinks } from './member-links.js';
import type { RouterCounters } from './metrics.js';
import { type ErrorLog, saidOnce } from '../coordination/said-once.js';
import { Trust } from './trust.js';

/** No node came or went for so long: those that start together are there. */
const SETTLE_MS = 500;
/**
 * Whoever has not said after that what it holds is decided without: its disk may hang. Twenty times
 * what it takes a node to be dialled and to sync the new leaderEpoch.
 */
const ACCOUNT_MS = 1_000;
/** A timer that runs so late shows that this process was held up. */
const LATE_MS = 100;
/** Shards written in one multi: well under the size bound of a request (rule Z8). */
const WRITES_PER_MULTI = 64;
/** Refusals that only mean: somebody else wrote meanwhile. */
const CONFLICTS: ReadonlySet<FailureCode> = new Set(['bad-version', 'node-exists']);
/** Pause before trying again what ZooKeeper did not answer. */
const RETRY_MS = 200;
/** Between two looks at znodes that are not what they should be, and two words to the routers. */
const LOOK_AGAIN_MS = 5_000;
const FENCED = 'another router took the leaderEpoch';

export interface LeadershipDeps {
  readonly self: MemberId;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dialer: Dialer;
  readonly map: MapHolder;
  readonly counters: Pick<RouterCounters, 'countChanges'>;
}

/** What this leadership rests on. */
export interface Office {
  readonly fence: Fence;
  /** Name of this leader's candidate znode. */
  readonly candidate: string;
  readonly cluster: ClusterConfig;
  /** When the connection to ZooKeeper was made, by the clock of `LeadershipDeps`. */
  readonly connectedAt: number;
  /** Whether this router knew the map before that, from a ZooKeeper that it could believe. */
  readonly hasMemory: boolean;
  /** Called when the map that it knows now is from one. */
  readonly trusted: () => void;
  /** Called when this leadership turns out to be over; `stop` follows. */
  readonly over: (why: string) => void;
  /** Called when a member, or a shard's znode, tells of a later leaderEpoch; `stop` follows. */
  readonly heard: (leaderEpoch: LeaderEpoch) => void;
}

export class Leadership {
  readonly #deps: LeadershipDeps;
  readonly #session: CoordinatorSession;
  readonly #office: Office;
  readonly #controller: Controller;
  /** For what is read from ZooKeeper. */
  readonly #log: ErrorLog;
  readonly #members: MemberLinks;
  readonly #handOvers: HandOverCalls;
  readonly #learning: Learning;
  readonly #gone: GoneNodes;
  readonly #trust: Trust;
  readonly #conflicts: ConflictPauses;
  readonly #nodes: WatchedChildren;
  readonly #candidates: WatchedChildren;
  /** Version of `/shards`, as read. */
  #placementVersion = 0;
  #completingPlacement = false;
  /** The registrations that the controller decides by; undefined before they were read. */
  #registered: readonly Registration[] | undefined;
  #forgetState: () => void = () => undefined;
  /** Every shard was read once. */
  #isRead = false;
  /** Whether all shards are being read, and whether they are to be once more after that. */
  #isReading = false;
  #isToRead = false;
  /** How often each shard was written, or was to be. */
  readonly #writes = new Map<ShardId, number>();
  #stopSettling: Cancel = () => undefined;
  #stopLooking: Cancel = () => undefined;
  readonly #stopAwaiting = new Set<Cancel>();
  /** Set while something that was heard waits to be decided on. */
  #stopCarryingOut: Cancel | undefined;
  #pausing: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: LeadershipDeps, session: CoordinatorSession, office: Office) {
    this.#deps = deps;
    this.#session = session;
    this.#office = office;
    this.#log = saidOnce(deps.log);
    this.#controller = new Controller(office.cluster, office.fence.leaderEpoch);
    this.#handOvers = new HandOverCalls(deps.clock, (event) => {
      this.#controller.step(event);
      this.#carryOutSoon();
    });
    this.#learning = new Learning(deps.clock, (report) => {
      deps.map.applyProgress(report);
      this.#members.tellRouters(report);
    });
    const gone = (node: MemberId) => {
      this.#controller.step({ type: 'gone', node });
      this.#carryOutSoon();
    };
    const { replaceAfterMs } = office.cluster;
    this.#gone = new GoneNodes({ ...deps, map: deps.map.map, gone }, replaceAfterMs);
    const hearing = new Hearing({
      controller: this.#controller,
      map: deps.map.map,
      handOvers: this.#handOvers,
      learning: this.#learning,
      log: deps.log,
      fed: () => this.#carryOutSoon(),
      laterLeader: office.heard,
    });
    const { clusterUuid } = office.cluster;
    const { leaderEpoch } = office.fence;
    const hello = { type: 'hello', clusterUuid, leaderEpoch, leader: deps.self } as const;
    // Not the configurations that this router has heard besides: they may be of what ZooKeeper has
    // forgotten since, if it was set back.
    const mapInZooKeeper = () => ({
      shards: this.#controller.configs,
      nodes: [...deps.map.map.nodes.values()],
    });
    this.#members = new MemberLinks({ ...deps, known: mapInZooKeeper }, hello, hearing);
    this.#conflicts = new ConflictPauses(deps.clock);
    this.#trust = new Trust(
      { ...deps, sessionTimeoutMs: session.timeoutMs, hasMemory: office.hasMemory },
      {
        awaited: () => this.#controller.notSpoken,
        trusts: (trusts) => {
          this.#controller.step({ type: trusts ? 'zookeeper-trusted' : 'zookeeper-doubted' });
          if (trusts) office.trusted();
          this.#carryOutSoon();
        },
      },
    );
    this.#nodes = this.#watch(ZNODES.nodes, (names) => this.#onNodes(names));
    this.#candidates = this.#watch(ZNODES.election, (names) => this.#onCandidates(names));
  }

  /** Begins to lead. Everything runs in the background until `stop`. */
  start(): void {
    for (const known of this.#deps.map.map.shards.values()) {
      this.#controller.step({ type: 'remembered', known });
    }
    for (const [shardUuid, epoch] of this.#deps.map.used) {
      this.#controller.step({ type: 'met', shardUuid, epoch });
    }
    this.#trust.connected(this.#office.connectedAt);
    void this.#readMap();
    void this.#readPlacement();
    // ZooKeeper may have been set back meanwhile, and the session be one that the backup has.
    this.#forgetState = this.#session.on('state', (state) => {
      if (state !== 'connected') return;
      this.#trust.connected(this.#deps.clock.now());
      void this.#readMap();
    });
    this.#nodes.start();
    this.#candidates.start();
    this.#gone.start();
    this.#lookAgainLater();
  }

  /** Stops at once; writes under way are fenced by ZooKeeper, not by us. */
  stop(): void {
    this.#stopped = true;
    this.#forgetState();
    this.#stopSettling();
    this.#trust.stop();
    this.#stopLooking();
    for (const cancel of this.#stopAwaiting) cancel();
    this.#stopCarryingOut?.();
    this.#handOvers.close();
    this.#learning.close();
    this.#gone.stop();
    this.#nodes.stop();
    this.#candidates.stop();
    this.#members.close();
  }

  get #shards(): readonly ShardId[] {
    return Array.from({ length: this.#office.cluster.shards }, (_, id) => id as ShardId);
  }

  #watch(path: string, changed: (names: readonly string[]) => Promise<void>): WatchedChildren {
    const { clock, random } = this.#deps;
    return new WatchedChildren({ session: this.#session, clock, random, path, changed });
  }

  /**
   * Reads shards, all at once, until each was read: the requests share one connection. What was
   * written meanwhile is known better by who wrote it. One that was written in a later leaderEpoch
   * ends this leadership (S17): a recovery brings that back into a ZooKeeper that was set back.
   */
  async #readShards(shards: readonly ShardId[]): Promise<void> {
    await Promise.all(
      shards.map(async (shard) => {
        const writes = this.#writes.get(shard);
        const stored = await this.#untilAnswered(() => readShard(this.#session, shard, this.#log));
        if (stored === undefined || this.#writes.get(shard) !== writes) return;
        const { leaderEpoch: held } = this.#office.fence;
        const read = believed(stored, held, this.#log);
        if (read.type === 'config' && read.config.leaderEpoch > held) {
          return this.#leaveTo(read.config);
        }
        const { setBacks } = this.#controller;
        this.#controller.step({ type: 'shard-read', stored: read });
        // At once: nothing is to be decided by it before.
        if (this.#controller.setBacks > setBacks) this.#trust.foundOlder();
      }),
    );
    this.#carryOut();
  }

  #leaveTo({ shard, leaderEpoch }: ShardConfig): void {
    this.#deps.log.warn(`shard ${shard}: written in a later leaderEpoch`, { leaderEpoch });
    this.#office.heard(leaderEpoch);
  }

  /**
   * Reads every shard, at the start and over each new connection, to be compared with what was
   * known. Never twice at once, however often the connection breaks meanwhile.
   */
  async #readMap(): Promise<void> {
    this.#isToRead = true;
    if (this.#isReading) return;
    this.#isReading = true;
    // Who has just taken the leaderEpoch needs no barrier: that was one.
    for (let mayBeOld = this.#isRead; this.#isToRead; mayBeOld = true) {
      this.#isToRead = false;
      if (mayBeOld) await this.#untilAnswered(() => passBarrier(this.#session));
      await this.#readShards(this.#shards.filter((shard) => !this.#controller.isWriting(shard)));
      if (this.#stopped) return; // What was not read tells nothing.
    }
    this.#isReading = false;
    this.#isRead = true;
    this.#trust.hasRead();
    this.#lookWhoHasSpoken();
  }

  /** No watch tells what an operator did about a broken shard, so these are read again. */
  #lookAgainLater(): void {
    this.#stopLooking = this.#deps.clock.after(LOOK_AGAIN_MS, () => void this.#lookAgain());
  }

  async #lookAgain(): Promise<void> {
    const { broken } = this.#controller;
    const atRest = broken.filter((shard) => !this.#controller.isWriting(shard));
    if (atRest.length > 0) await this.#readShards(atRest);
    if (this.#stopped) return;
    this.#learning.repeat();
    this.#lookAgainLater();
  }

  async #readPlacement(): Promise<void> {
    const read = await this.#untilAnswered(() => readPlacement(this.#session, this.#log));
    if (read === undefined) return;
    this.#placementVersion = read.version;
    this.#controller.step({ type: 'placement-read', placement: read.placement });
    this.#carryOut();
  }

  async #onNodes(names: readonly string[]): Promise<void> {
    const nodes = await this.#untilAnswered(() => readNodes(this.#session, names, this.#log));
    // A look that found nothing new is no reason to wait anew until all has settled.
    if (nodes === undefined || isSameSet(nodes, this.#registered)) return;
    this.#awaitAccounts(nodes);
    this.#registered = nodes;
    this.#sayChanges(nodes);
    this.#deps.map.setNodes(nodes);
    this.#members.setNodes(nodes);
    this.#learning.keep(new Set(nodes.map(({ id }) => id)));
    this.#controller.step({ type: 'nodes', nodes });
    this.#stopSettling();
    this.#stopSettling = this.#deps.clock.after(SETTLE_MS, () => {
      this.#controller.step({ type: 'nodes-settled' });
      this.#carryOut();
    });
    this.#carryOut();
  }

  /** Of processes that are new: for what they hold, but not for ever. */
  #awaitAccounts(nodes: readonly Registration[]): void {
    const known = new Set(this.#registered?.map(({ process }) => process));
    const fresh = nodes.filter(({ process }) => !known.has(process));
    if (fresh.length === 0) return;
    this.#awaitOnTime(() => {
      for (const { process } of fresh) this.#controller.step({ type: 'accounted', process });
      this.#carryOut();
    });
  }

  /** In {@link ACCOUNT_MS}; if this process was held up meanwhile, and heard nobody, once more. */
  #awaitOnTime(due: () => void, mayWaitAgain = true): void {
    const { clock } = this.#deps;
    const dueAt = clock.now() + ACCOUNT_MS;
    const cancel = clock.after(ACCOUNT_MS, () => {
      this.#stopAwaiting.delete(cancel);
      const isLate = clock.now() - dueAt >= LATE_MS;
      if (isLate && mayWaitAgain) this.#awaitOnTime(due, false);
      else due();
    });
    this.#stopAwaiting.add(cancel);
  }

  #sayChanges(nodes: readonly Registration[]): void {
    const { log, map } = this.#deps;
    const before = map.map.nodes;
    for (const { id, address, incarnation } of nodes) {
      if (before.get(id)?.incarnation === incarnation) continue;
      log.info(`storage node ${id} is up`, { address, incarnation });
    }
    const now = new Set(nodes.map(({ id }) => id));
    for (const id of before.keys()) if (!now.has(id)) log.warn(`storage node ${id} is down`);
  }

  /** Learns which routers to tell. A candidate that cannot be read is told later. */
  async #onCandidates(names: readonly string[]): Promise<void> {
    // Nobody watches the lowest candidate's znode but the next one: its owner has to look itself.
    if (!names.includes(this.#office.candidate)) return this.#office.over('its znode is gone');
    const candidates = await readCandidates(this.#session, names);
    if (this.#stopped) return;
    this.#members.setRouters(
      candidates.map(({ record }) => record).filter(({ id }) => id !== this.#deps.self),
    );
  }

  /** Decides once on all that is heard at this moment: primaries of many shards speak together. */
  #carryOutSoon(): void {
    this.#stopCarryingOut ??= this.#deps.clock.after(0, () => {
      this.#stopCarryingOut = undefined;
      this.#carryOut();
    });
  }

  /** Of those that the map names: so it has to be read before. */
  #lookWhoHasSpoken(): void {
    if (this.#isReading || !this.#trust.isWaiting || this.#controller.notSpoken.length > 0) return;
    this.#trust.allHaveSpoken();
  }

  /** Tells what changed, writes what the controller proposes, and asks for hand-overs. */
  #carryOut(): void {
    if (this.#stopped) return;
    this.#lookWhoHasSpoken();
    const ready = this.#controller.takeReady();
    const { writes, handOvers, completesPlacement, changed, outdated, used, events } = ready;
    if (changed.length > 0) {
      this.#deps.map.applyConfigs(changed);
      this.#members.tell(changed);
    }
    sayEvents(events, this.#deps.log);
    this.#deps.map.applyUsed(used);
    this.#learning.found(outdated, used);
    for (const { from, ...order } of handOvers) {
      this.#members.order(from, { type: 'hand-over', ...order });
      this.#handOvers.asked(order.shard, order.epoch);
    }
    if (completesPlacement) void this.#completePlacement();
    for (let at = 0; at < writes.length; at += WRITES_PER_MULTI) {
      void this.#write(writes.slice(at, at + WRITES_PER_MULTI));
    }
  }

  /** One multi: the fence, then every proposed write at the version it was based on. */
  async #write(writes: readonly ProposedWrite[]): Promise<void> {
    const { random, log, map } = this.#deps;
    const { leaderEpoch, version: fenceVersion } = this.#office.fence;
    const shards = writes.map(({ draft }) => draft.shard);
    const configs = writes.map(({ draft, shardUuid }): ShardConfig => {
      return { ...draft, shardUuid: shardUuid ?? random.uuid(), nonce: random.nonce() };
    });
    for (const shard of shards) this.#writes.set(shard, (this.#writes.get(shard) ?? 0) + 1);
    const ops = configs.map((config, index) => writeOp(config, writes[index]?.basedOn));
    const outcome = await fencedMulti(this.#session, fenceVersion, ops);
    if (this.#stopped) return;
    switch (outcome.status) {
      case 'ok':
        log.info(`shard map: ${describeWrites(writes, map.map)}`, { leaderEpoch });
        this.#deps.counters.countChanges(writes.map(({ why }) => why));
        this.#conflicts.written(shards);
        return this.#onWritten(writes, configs);
      case 'fenced':
        log.warn('the fence does not hold: another router took the leaderEpoch', { leaderEpoch });
        return this.#office.over(FENCED);
      case 'failed':
        if (CONFLICTS.has(outcome.code)) await this.#conflicts.pause(shards);
        else await this.#sayNotWritten(writes, outcome.message);
        break;
      case 'unknown':
        await this.#sayNotWritten(writes, outcome.reason);
        break;
    }
    // Whether it happened or not, the znodes tell (rule Z5), to whoever asks behind a barrier: the
    // server that answers now may not have heard of it yet (rule Z6).
    await this.#untilAnswered(() => passBarrier(this.#session));
    await this.#readShards(shards);
  }

  #onWritten(writes: readonly ProposedWrite[], configs: readonly ShardConfig[]): void {
    for (const [index, config] of configs.entries()) {
      const basedOn = writes[index]?.basedOn;
      const version = basedOn === undefined ? 0 : basedOn + 1;
      this.#controller.step({ type: 'written', written: { config, version } });
    }
    this.#carryOut();
  }

  /** From here on no shard is created any more; its outcome, whatever it is, is read back. */
  async #completePlacement(): Promise<void> {
    if (this.#completingPlacement) return;
    this.#completingPlacement = true;
    const { version: fenceVersion, leaderEpoch } = this.#office.fence;
    const data = encodeCompletePlacement(this.#deps.random.nonce());
    const op = { type: 'set', path: ZNODES.shards, data, version: this.#placementVersion } as const;
    const outcome = await fencedMulti(this.#session, fenceVersion, [op]);
    if (this.#stopped) return;
    if (outcome.status === 'fenced') return this.#office.over(FENCED);
    if (outcome.status === 'ok') this.#deps.log.info('every shard is placed', { leaderEpoch });
    else await this.#pause();
    this.#completingPlacement = false;
    await this.#readPlacement();
  }

  #sayNotWritten(writes: readonly ProposedWrite[], why: string): Promise<void> {
    const { log, map } = this.#deps;
    log.warn(`shard map: not written: ${describeWrites(writes, map.map)}`, { why });
    return this.#pause();
  }

  /** What `read` gives, tried again while ZooKeeper does not answer; undefined once stopped. */
  async #untilAnswered<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
    for (;;) {
      const answer = await read();
      if (this.#stopped) return undefined;
      if (answer !== undefined) return answer;
      await this.#pause();
    }
  }

  /** One pause shared by all who wait: ZooKeeper's silence concerns them alike. */
  #pause(): Promise<void> {
    this.#pausing ??= new Promise((resolve) => {
      this.#deps.clock.after(RETRY_MS, () => {
        this.#pausing = undefined;
        resolve();
      });
    });
    return this.#pausing;
  }
}

/** Undefined if ZooKeeper did not answer. */
async function passBarrier(session: CoordinatorSession): Promise<true | undefined> {
  const barrier = await session.barrier();
  return barrier.status === 'ok' ? true : undefined;
}

/** By name and life; what a registration says never changes. Both in any order, names once each. */
function isSameSet(
  nodes: readonly Registration[],
  known: readonly Registration[] | undefined,
): boolean {
  if (known?.length !== nodes.length) return false;
  const lives = new Map(known.map(({ id, incarnation }) => [id, incarnation]));
  return nodes.every(({ id, incarnation }) => lives.get(id) === incarnation);
}
