/**
 * Looks at all replicas every few milliseconds of true time, whatever is broken at that moment, and
 * compares what no two of them may disagree on. It changes nothing that it looks at.
 *
 * S1  an epoch is served by one process
 * S2  what a store has promised never goes back
 * S6  every member of the isr has everything committed on its disk
 * S8  two replicas that know something to be committed know the same
 * S9  what is applied is committed, and what is committed is in the log
 * S14 at most one primary of a shard could answer a read
 * S15 no member of the isr is without its data
 * S20 a node to which its disk refused something ends
 */
import type { Epoch, MemberId, Seq, Uuid } from '../../../src/model/ids.js';
import { replicaOn, type ShardConfig } from '../../../src/model/shard-config.js';
import type { Chain } from '../../../src/replication/entry.js';
import type { LogFields } from '../../../src/ports/log.js';
import type { ShardReplica } from '../../../src/replication/shard-replica.js';
import type { DiskImage } from '../fault-injections.js';
import type { Simulation } from '../simulation.js';
import { UNSEEN_SLEEP_MS } from '../../../src/storage/wakefulness.js';
import { CLUSTER_ZNODE } from './member-process.js';
import { livesOn } from './disk-records.js';
import { MapWatch } from './map-watch.js';
import type { Life, PortolanCluster } from './portolan-cluster.js';
import type { Probes, SeenProbe } from './probes.js';
import { BrokenPromiseError, must } from './promise.js';
import type { RotWatch } from './rot-watch.js';
import { SetBackWatch } from './set-back-watch.js';
import { hasItsDisk, isElsewhere } from './spare-copies.js';

const LOOK_EVERY_MS = 10;
/** A node ticks more often, whatever its lease. */
const SLEEP_UNNOTICED_MS = 1_000;

/** What is known to be committed of one shard. */
interface Committed {
  readonly chains: Map<Seq, Chain>;
  last: Seq;
}

/** What is never true here, where ZooKeeper loses nothing and no disk more than it may. */
const NEVER_SAID = [
  ['S6', 'committed writes that its primary lacks'],
  ['S6', 'knows something else to be committed'],
] as const;
const NEVER_SAID_UNLESS_SET_BACK = [['S1', 'ZooKeeper was set back']] as const;

export class SafetyWatch {
  readonly map: MapWatch;
  readonly setBack: SetBackWatch;
  readonly #simulation: Simulation;
  readonly #cluster: PortolanCluster;
  readonly #probes: Probes;
  readonly #rot: RotWatch;
  readonly #committed = new Map<Uuid, Committed>();
  /** By shard and epoch, the life that served in it. */
  readonly #served = new Map<string, number>();
  /** Of each life, how long its clock had stood still when that was noticed last. */
  readonly #sleeps = new Map<number, { readonly aheadMs: number; readonly atMs: number }>();
  /** Situations that were so at the last look. */
  readonly #lasting = new Set<string>();
  /** By store and shard. */
  readonly #promised = new Map<string, Epoch>();
  /** Lives to which their disk has refused something by the last look. */
  readonly #refused = new Set<number>();

  constructor(
    simulation: Simulation,
    cluster: PortolanCluster,
    options: {
      readonly map: MapWatch;
      readonly rot: RotWatch;
      readonly probes: Probes;
    },
  ) {
    this.#simulation = simulation;
    this.#cluster = cluster;
    this.#probes = options.probes;
    this.#rot = options.rot;
    this.map = options.map;
    this.setBack = new SetBackWatch(options.map);
    this.#lookLater();
  }

  /** What a member says that none should ever have to. */
  readonly said = (who: string, message: string, { problem }: LogFields): void => {
    const text = `${message} ${String(problem)}`;
    const isSetBack = this.setBack.count > 0;
    const all = isSetBack ? NEVER_SAID : [...NEVER_SAID, ...NEVER_SAID_UNLESS_SET_BACK];
    const never = all.find(([, words]) => text.includes(words));
    if (never === undefined) return;
    this.#cluster.fail(new BrokenPromiseError(never[0], `${who}: ${text}`));
  };

  #lookLater(): void {
    this.#simulation.after(LOOK_EVERY_MS, () => {
      this.look();
      this.#lookLater();
    });
  }

  /**
   * Whether all that ZooKeeper knows is known to somebody who answers, so that it may forget it. A
   * router that knows of no cluster would make one in its place.
   */
  maySetBack(): boolean {
    this.look();
    if (!this.setBack.isSettled) return false;
    const lives = [...this.#cluster.lives];
    if (lives.some(({ process, role }) => process.isDead || role === undefined)) return false;
    if (lives.some(({ router }) => router?.map.map.shardCount === 0)) return false;
    return this.map.configs.every((config) => config !== undefined && this.#isServed(config));
  }

  /** By its primary, in the epoch of this configuration. */
  #isServed({ shardUuid, primary, epoch }: ShardConfig): boolean {
    const replicas = [...(this.#cluster.lifeOf(primary).storage?.replicas() ?? [])];
    return replicas.some(({ body, primary: leading }) => {
      const isIts = body.shardUuid === shardUuid && leading?.epoch === epoch;
      return isIts && leading.isServing;
    });
  }

  /** Whether a member may die: not the only one that knows what ZooKeeper has forgotten. */
  mayGoDown(name: string): boolean {
    if (this.setBack.isSettled) return true;
    const isRouter = this.#cluster.diskOf(name) === undefined;
    return isRouter && this.#cluster.zooKeeper.tree.data(CLUSTER_ZNODE) !== undefined;
  }

  /**
   * Whether every shard has what this member holds elsewhere, in sync and running, and not on a disk
   * on which it has rotted, of which its node does not know. The disk that it gets instead must not
   * know the life that its configuration counts on: nobody could tell it from what was lost.
   */
  mayLoseDisk(name: string, backup: DiskImage | undefined): boolean {
    this.map.look();
    const known = backup === undefined ? [] : livesOn(backup);
    return this.map.configs.every((config) => {
      if (config === undefined) return false;
      const place = config.replicas.find(({ node }) => node === name);
      if (place === undefined) return true;
      const { isr, shardUuid } = config;
      if (isr.some((node) => node !== name && this.#rot.isRotten(node, shardUuid))) return false;
      return !known.includes(place.process) && isElsewhere(this.#cluster, config, name);
    });
  }

  /** @throws BrokenPromiseError */
  look(): void {
    this.map.look();
    this.#rot.look();
    const readers = new Map<Uuid, string>();
    for (const life of this.#cluster.lives) {
      this.#lookAtDiskOf(life);
      if (life.process.isDead || life.storage === undefined) continue;
      for (const replica of life.storage.replicas()) {
        this.#lookAt(life, replica);
        if (this.#mayRead(life, replica)) this.#addReader(readers, life, replica);
      }
    }
    for (const config of this.map.configs) if (config !== undefined) this.#checkIsr(config);
    this.#countWaiting(readers);
  }

  /** Those that know that they lead, and may not serve yet, because somebody else still may. */
  #countWaiting(readers: ReadonlyMap<Uuid, string>): void {
    if (readers.size === 0) return;
    for (const { number, process, storage } of this.#cluster.lives) {
      for (const { body, primary } of storage?.replicas() ?? []) {
        const reader = readers.get(body.shardUuid);
        const isWaiting = !process.isDead && primary?.isServing === false && reader !== undefined;
        const who = `${number} ${body.shard} ${primary?.epoch}`;
        const probe = 'successor waits while the one before holds a lease';
        if (isWaiting && reader !== process.name) this.#count(probe, who, true);
      }
    }
  }

  /** It ends at once; while it stands still it does nothing. */
  #lookAtDiskOf({ number, process }: Life): void {
    const refused = this.#cluster.diskOf(process.name)?.refused;
    if (refused === undefined || process.isPaused) return void this.#refused.delete(number);
    const wasRefused = this.#refused.has(number);
    must(!wasRefused || process.isDead, 'S20', `${process.name} goes on after a failed ${refused}`);
    if (process.isDead) this.#count(`node ended by a ${refused} that failed`, `${number}`, true);
    else this.#refused.add(number);
  }

  #lookAt(life: Life, { body, primary }: ShardReplica): void {
    const { shardUuid } = body;
    const { name } = life.process;
    if (!body.exists || body.isInstalling) return;
    this.#learn(name, body);
    // A disk that was set back is another one, although it has the same store; so is a replica
    // whose records have rotted, which its node made anew as a learner.
    const { restores } = this.#cluster.diskOf(name) ?? {};
    const promise = `${life.store} ${restores} ${this.#rot.timesLost(name, shardUuid)} ${shardUuid}`;
    const before = this.#promised.get(promise) ?? (0 as Epoch);
    must(body.durableEpoch >= before, 'S2', `${name} forgot its promise of epoch ${before}`);
    this.#promised.set(promise, body.durableEpoch);
    if (primary?.isServing !== true) return;
    const served = `${shardUuid} ${primary.epoch}`;
    const server = this.#served.get(served) ?? life.number;
    must(server === life.number, 'S1', `${name} and another life served epoch ${primary.epoch}`);
    this.#served.set(served, server);
    const newest = this.map.configs[body.shard]?.epoch ?? primary.epoch;
    const isOld = newest > primary.epoch;
    this.#count('primary of an old epoch still there', `${life.number} ${served}`, isOld);
  }

  /** By its own clock, as it would judge itself. */
  #mayRead(life: Life, { body, primary }: ShardReplica): boolean {
    if (primary?.isServing !== true || this.#hasJustSlept(life)) return false;
    const holdsLease = life.process.clock.now() < primary.leaseUntil;
    const who = `${life.number} ${body.shard} ${primary.epoch}`;
    this.#count('lease expired at a serving primary', who, !holdsLease);
    return holdsLease;
  }

  /** Once for each time that it begins to be so. */
  #count(probe: SeenProbe, who: string, isSo: boolean): void {
    const key = `${probe} ${who}`;
    if (!isSo) this.#lasting.delete(key);
    else if (!this.#lasting.has(key)) {
      this.#lasting.add(key);
      this.#probes.hit(probe);
    }
  }

  /**
   * Its system sleeps, or it may not have noticed yet that it did: it does before it answers. What
   * it would not notice is no excuse.
   */
  #hasJustSlept({ number, process: { clock } }: Life): boolean {
    const aheadMs = clock.stoodStillMs;
    const { nowMs } = this.#simulation;
    const before = this.#sleeps.get(number);
    if (before === undefined || aheadMs - before.aheadMs > UNSEEN_SLEEP_MS) {
      this.#sleeps.set(number, { aheadMs, atMs: before === undefined ? -Infinity : nowMs });
    }
    return nowMs - this.#sleeps.get(number)!.atMs < SLEEP_UNNOTICED_MS;
  }

  #addReader(readers: Map<Uuid, string>, { process }: Life, { body }: ShardReplica): void {
    const other = readers.get(body.shardUuid);
    const what = `shard ${body.shard}: ${other} and ${process.name} both hold a lease`;
    must(other === undefined, 'S14', what);
    readers.set(body.shardUuid, process.name);
  }

  #learn(name: string, { shardUuid, commitSeq, log }: ShardReplica['body']): void {
    must(log.appliedSeq <= commitSeq, 'S9', `${name} has applied what is not committed`);
    const position = log.positionAt(commitSeq);
    must(position !== undefined, 'S9', `${name} knows more to be committed than it has`);
    let committed = this.#committed.get(shardUuid);
    if (committed === undefined) {
      committed = { chains: new Map(), last: 0 as Seq };
      this.#committed.set(shardUuid, committed);
    }
    const known = committed.chains.get(commitSeq);
    const isSame = known === undefined || known === position.chain;
    must(isSame, 'S8', `${name} has committed something else at ${commitSeq}`);
    committed.chains.set(commitSeq, position.chain);
    if (commitSeq > committed.last) committed.last = commitSeq;
  }

  #checkIsr(config: ShardConfig): void {
    if (config.state !== 'active' || !this.setBack.knows(config)) return;
    const lacks = config.isr.map((node) => this.#lackOf(config, node));
    if (!this.setBack.isSettledOf(config)) {
      // The one before may still commit without a member that it knows to have left.
      const isWhole = this.#isServed(config) && lacks.every((lack) => lack === 'nothing');
      if (isWhole) this.setBack.settle(config);
      return;
    }
    for (const lack of lacks) if (typeof lack === 'object') must(false, lack.promise, lack.what);
  }

  /** What a member of the isr lacks of what it has to have. `unknown`: it is not there to look at. */
  #lackOf(
    config: ShardConfig,
    node: MemberId,
  ): 'nothing' | 'unknown' | { readonly promise: string; readonly what: string } {
    const { storage, store, process } = this.#cluster.lifeOf(node);
    const place = replicaOn(config, node);
    if (process.isDead || storage === undefined || place === undefined) return 'unknown';
    // Until the leader has seen it, a disk that was set back is taken for the one it was.
    if (place.store !== store || !hasItsDisk(this.#cluster, place)) return 'unknown';
    const replica = [...storage.replicas()].find(({ body }) => {
      return body.shardUuid === config.shardUuid;
    });
    if (replica === undefined || this.#rot.isLost(node, config.shardUuid)) return 'unknown';
    const { exists, isInstalling, durableSeq } = replica.body;
    if (!exists || isInstalling) return { promise: 'S15', what: `${node} in sync without data` };
    const committed = this.#committed.get(config.shardUuid)?.last ?? 0;
    const what = `${node} is in sync with ${durableSeq} of ${committed}`;
    return durableSeq >= committed ? 'nothing' : { promise: 'S6', what };
  }
}
