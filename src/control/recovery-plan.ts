/**
 * How the shard map is made again from what storage nodes hold, when ZooKeeper has lost it.
 *
 * Pure, and no part of what a leader does: an operator asks for it, sees it, and confirms it. Two
 * sources, the first that there is for each shard:
 *   1. The newest configuration that some running node still knows, in an epoch above all ever
 *      promised. Its primary holds every committed write of its epoch, as long as it leads; so does
 *      whoever of its isr has the longest log, if the primary does not. One whose disk was set back
 *      is not of the isr (`lives.ts`). The configuration is passed, and 2. holds, if any replica
 *      has promised a later epoch, or has an entry although the shard is being created in it: who
 *      knew more was started again since, and need not even be named in it.
 *   2. The replicas alone: the one whose log ends last. An entry that is committed is in the log of
 *      each member of the isr, and a log that ends in a later epoch, or later in the same one,
 *      contains it (KIP-966's rule for a cluster that lost its controller).
 * In sync are those whose logs end where the primary's does; the others catch up. So few replicas
 * may answer that minIsr others have gone on without them, or an epoch was promised of which none
 * of their logs has an entry: then writes may be missing. Where replicas are all that is known, one
 * whose log ends in an earlier epoch counts for nothing there: the shard may have left its node.
 *
 * If ZooKeeper was set back, and knows the cluster as it was, only shards are settled whose znodes
 * are older than what nodes know, missing, or unreadable; and those, if the operator accepts the
 * loss, none of whose in-sync replicas can serve them any more.
 *
 * Upholds S1, every epoch is above all that any replica has promised, by so much that it is above
 * what one has promised that does not answer; S6 and S19, a shard whose
 * in-sync replicas are away waits for them, unless the operator accepts the loss.
 */
import type { ClusterConfig } from '../model/cluster-config.js';
import {
  type Epoch,
  type Incarnation,
  isEpoch,
  isWithinReach,
  type LeaderEpoch,
  type ShardId,
  type Uuid,
} from '../model/ids.js';
import type { HeldReplica, Inventory } from '../model/inspection.js';
import {
  isOlderThan,
  type ReplicaPlace,
  replicaOn,
  type ShardConfig,
  type VersionedConfig,
} from '../model/shard-config.js';
import { slotRangeOf } from '../model/slot.js';
import { type AliveNodes, lifeOf } from './lives.js';

/**
 * Each recovery begins another million: no replica that does not answer has seen so many changes of
 * primary since the others heard of the last one.
 */
const EPOCHS_PER_RECOVERY = 1_000_000;

/** A configuration to write, but for its leader and nonce. */
export type PlannedConfig = Omit<ShardConfig, 'leaderEpoch' | 'nonce'>;

export interface PlannedShard {
  readonly shard: ShardId;
  readonly source: 'configuration' | 'replicas' | 'nothing';
  /** The highest epoch that nodes know of: a znode with this one or a later is not outdated. */
  readonly used: Epoch;
  /** It has been active: a znode that knows it as being created is outdated. */
  readonly hasServed: boolean;
  /** Undefined: its znode stays missing, and nobody serves it. */
  readonly config: PlannedConfig | undefined;
  /** What the operator has to know before: empty if all is well. */
  readonly doubt: string;
  /** Whether acknowledged writes may be missing if it is done like this. */
  readonly mayLose: boolean;
  /**
   * The in-sync replicas of the configuration with this nonce are abandoned: as long as the znode
   * holds that one, it is overwritten. Undefined: none are.
   */
  readonly abandons?: string;
  /** For replicas in sync that do not answer. */
  readonly waits?: boolean;
}

export interface RecoveryPlan {
  readonly cluster: ClusterConfig;
  /** Highest that anybody has heard of. */
  readonly leaderEpoch: LeaderEpoch;
  readonly shards: readonly PlannedShard[];
}

export interface RecoveryWish {
  /** If no node knows it any more. */
  readonly cluster?: Omit<ClusterConfig, 'clusterUuid'>;
  /** Serve what there is of a shard whose in-sync replicas do not answer. */
  readonly acceptsLoss: boolean;
}

/** What the znode of each shard holds; undefined: nothing that can be read. */
export type KnownConfigs = ReadonlyMap<ShardId, ShardConfig | undefined>;

/**
 * The part of a plan that ZooKeeper needs, if it knows the cluster, with these configurations.
 * `registered`: who is in it now.
 */
export function unsettled(
  plan: RecoveryPlan,
  { configs, registered }: { readonly configs: KnownConfigs; readonly registered: AliveNodes },
): RecoveryPlan {
  const shards = plan.shards.flatMap((planned): readonly PlannedShard[] => {
    const known = configs.get(planned.shard);
    if (known === undefined) return [planned];
    const shardUuid = planned.config?.shardUuid ?? known.shardUuid;
    if (isOlderThan(known, { ...planned, shardUuid })) return [planned];
    if (known.nonce === planned.abandons) return [unlessServed(planned, known, registered)];
    if (known.shardUuid === shardUuid) return [];
    const doubt =
      'ZooKeeper has another shard of this number, which was made since: it is not overwritten, ' +
      'and what nodes hold of the one before stays on their disks';
    return [{ ...planned, source: 'nothing', config: undefined, doubt, mayLose: false }];
  });
  return { ...plan, shards };
}

/** Nobody is abandoned who may serve the shard, whether it was asked or not. */
function unlessServed(
  planned: PlannedShard,
  { isr, replicas }: ShardConfig,
  registered: AliveNodes,
): PlannedShard {
  const able = replicas.find((place) => {
    const life = isr.includes(place.node) ? lifeOf(place, registered) : 'away';
    return life === 'same' || life === 'new';
  });
  if (able === undefined) return planned;
  const doubt =
    `${able.node} is in sync and registered, and may serve it: name it, or end its node and wait ` +
    'until ZooKeeper has noticed';
  return { ...planned, config: undefined, doubt, mayLose: false };
}

/** What of a plan is to be written. `nonce`: random, fresh in every write. */
export function rebuiltFrom({ cluster, leaderEpoch, shards }: RecoveryPlan, nonce: string) {
  const planned = shards.flatMap(({ config, used, hasServed, abandons }) => {
    if (config === undefined) return [];
    return [{ config: { ...config, leaderEpoch, nonce }, used, hasServed, abandons }];
  });
  return { cluster, leaderEpoch, shards: planned, nonce };
}

/** There is no plan, and why: for the operator. */
export class NoPlanError extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'NoPlanError';
  }
}

/** Of a registration that is not there any more: none is like it. */
const NO_INCARNATION = 0 as Incarnation;

/** @throws NoPlanError */
export function planRecovery(inventories: readonly Inventory[], wish: RecoveryWish): RecoveryPlan {
  const cluster = clusterOf(inventories, wish);
  const heard = Math.max(0, ...inventories.map(({ leaderEpoch }) => leaderEpoch)) as LeaderEpoch;
  const written = inventories
    .flatMap(({ configs }) => configs.map(({ config }) => config.leaderEpoch))
    .filter((leaderEpoch) => isWithinReach(leaderEpoch, heard));
  const shards = Array.from({ length: cluster.shards }, (_, id) => {
    return planShard(id as ShardId, cluster, inventories, wish.acceptsLoss);
  });
  return { cluster, leaderEpoch: Math.max(heard, ...written) as LeaderEpoch, shards };
}

function clusterOf(inventories: readonly Inventory[], wish: RecoveryWish): ClusterConfig {
  const named = inventories.filter(({ clusterUuid }) => clusterUuid !== null);
  const uuids = new Set(named.map(({ clusterUuid }) => clusterUuid));
  const [clusterUuid] = uuids;
  if (clusterUuid === undefined || clusterUuid === null) {
    throw new NoPlanError('none of these nodes has ever been in a cluster');
  }
  if (uuids.size > 1) {
    const each = named.map(({ node, clusterUuid: uuid }) => `${node} in ${uuid}`);
    throw new NoPlanError(`these nodes are of different clusters: ${each.join(', ')}`);
  }
  const known = inventories.find(({ cluster }) => cluster !== undefined)?.cluster;
  if (known !== undefined) return known;
  if (wish.cluster !== undefined) return { clusterUuid, ...wish.cluster };
  throw new NoPlanError(
    'all of these nodes were started again since, and know nothing of the cluster but their ' +
      'data: say what it was with --shards, --replicas and --min-isr',
  );
}

/** A replica, and the node that holds it. */
interface Copy {
  readonly node: Inventory;
  readonly held: HeldReplica;
}

function planShard(
  shard: ShardId,
  cluster: ClusterConfig,
  inventories: readonly Inventory[],
  acceptsLoss: boolean,
): PlannedShard {
  const heard = inventories
    .flatMap(({ configs }) => configs)
    .filter(({ config }) => config.shard === shard)
    .sort((left, right) => {
      return right.config.epoch - left.config.epoch || right.version - left.version;
    });
  const all = inventories.flatMap((node) =>
    node.replicas.filter((held) => held.shard === shard).map((held): Copy => ({ node, held })),
  );
  const shardUuid = uuidOf(heard, all);
  const known = heard.filter(({ config }) => config.shardUuid === shardUuid);
  const [newest] = known;
  const copies = all.filter(({ held }) => held.shardUuid === shardUuid);
  const epochs = [...heard.map(({ config }) => config.epoch), ...copies.map((c) => c.held.epoch)];
  const used = Math.max(0, ...epochs) as Epoch;
  const isWritten = copies.some(({ held }) => held.lastSeq > 0);
  const hasBeenActive = known.some(({ config }) => config.state === 'active');
  const facts = { used, hasServed: isWritten || hasBeenActive };
  const nothing = { shard, ...facts, source: 'nothing', config: undefined, mayLose: true } as const;
  const epoch = aboveAll(used);
  if (!isEpoch(epoch)) {
    return { ...nothing, doubt: `no epoch is left above ${used}: its znode stays as it is` };
  }
  const answers = { copies, cluster };
  if (newest !== undefined && !isPassed(newest.config, facts))
    return { ...facts, ...asConfigured(newest, epoch, { ...answers, acceptsLoss }) };
  if (shardUuid !== undefined) return { ...facts, ...asHeld(shard, shardUuid, epoch, answers) };
  const doubt = 'no node knows or holds it: its znode stays missing, and it is not served';
  return { ...nothing, doubt };
}

function aboveAll(used: Epoch): number {
  return (Math.floor(used / EPOCHS_PER_RECOVERY) + 1) * EPOCHS_PER_RECOVERY + 1;
}

/**
 * Which shard it is that has this number: one that is known to have been active, or that was
 * written to, in the latest epoch; else the newest that is known, or held.
 */
function uuidOf(heard: readonly VersionedConfig[], copies: readonly Copy[]): Uuid | undefined {
  const active = heard.find(({ config }) => config.state === 'active')?.config;
  const written = latestFirst(copies).find(({ held }) => held.lastSeq > 0)?.held;
  const found = active ?? written ?? heard[0]?.config ?? copies[0]?.held;
  return found?.shardUuid;
}

/** Whether replicas tell that there was a later configuration, which no node knows any more. */
function isPassed({ state, epoch }: ShardConfig, { used, hasServed }: Facts): boolean {
  // While a shard is being created nobody leads it, so that all of its logs are empty.
  return used > epoch || (state === 'creating' && hasServed);
}

type Facts = Pick<PlannedShard, 'used' | 'hasServed'>;

interface Answers {
  /** All replicas of the shard that answer. */
  readonly copies: readonly Copy[];
  readonly cluster: ClusterConfig;
}

function asConfigured(
  newest: VersionedConfig,
  epoch: Epoch,
  { copies, cluster, acceptsLoss }: Answers & { readonly acceptsLoss: boolean },
): Omit<PlannedShard, keyof Facts> {
  const { config } = newest;
  const { shard, isr, primary } = config;
  const sound = latestFirst(copies).filter(({ node, held }) => {
    return replicaOn(config, node.node)?.store === node.store && held.problem === undefined;
  });
  const replicas = config.replicas.map((place) => ({ ...place, incarnation: NO_INCARNATION }));
  const planned = { ...config, replicas, epoch, leaseReleased: false };
  const source = 'configuration';
  const whole = sound.filter(({ node }) => {
    const place = replicaOn(config, node.node);
    return place !== undefined && node.lives.includes(place.process);
  });
  const complete = whole.filter(({ node }) => isr.includes(node.node));
  const leading = complete.find(({ node }) => node.node === primary && leads(node, newest));
  const best = leading ?? complete[0];
  const away = `none of its in-sync replicas (${isr.join(', ')}) answers with all of its data`;
  if (best === undefined) {
    const [left] = acceptsLoss ? sound : [];
    const running = copies.find(({ node }) => {
      return isr.includes(node.node) && replicaOn(config, node.node)?.process === node.process;
    });
    if (left === undefined || running !== undefined) {
      const wait = 'it waits for them';
      const why =
        running && `${running.node.node} runs, and may serve what it can: end its node first`;
      const doubt = `${away}: ${(left && why) ?? wait}`;
      return { shard, source, config: planned, doubt, mayLose: false, waits: true };
    }
    // Whatever life they were counted on in, the present one is what there is.
    const now = replicas.map((place) => placeNow(place, sound));
    const served = servedBy(left, { ...planned, replicas: now }, sound);
    const upTo = `${left.node.node} has it up to ${left.held.lastSeq}`;
    const doubt = `${away}: ${upTo}, what came after that is lost`;
    return { shard, source, config: served, doubt, mayLose: true, abandons: config.nonce };
  }
  const to = best.node.node;
  const gap = gapOf(whole.length, config.replicas.length, cluster);
  const isLed = best === leading;
  const served = isLed ? servedOn(planned, complete) : servedBy(best, planned, complete);
  const [latest = best] = whole;
  const behind = isLed || isSameEnd(latest, best) ? '' : `${latest.node.node} has more than ${to}`;
  const moved = to === primary ? '' : `primary ${primary} does not lead it any more: ${to} does`;
  const doubt = [moved, behind, gap].filter((text) => text !== '').join('; ');
  return { shard, source, config: served, doubt, mayLose: gap !== '' || behind !== '' };
}

function asHeld(
  shard: ShardId,
  shardUuid: Uuid,
  epoch: Epoch,
  { copies, cluster }: Answers,
): Omit<PlannedShard, keyof Facts> {
  const source = 'replicas';
  const sound = latestFirst(copies).filter(({ held }) => held.problem === undefined);
  const [best] = sound;
  if (best === undefined) {
    const doubt = 'all replicas that answer are damaged: its znode stays as it is';
    return { shard, source, config: undefined, doubt, mayLose: true };
  }
  const planned = {
    shard,
    slots: slotRangeOf(shard, cluster.shards),
    shardUuid,
    state: 'active',
    epoch,
    replicas: copies.map(placeOf),
    leaseReleased: false,
    pending: null,
  } as const;
  // One that ends earlier may be of a node that the shard has left: it stands for nobody.
  const { lastEpoch } = best.held;
  const abreast = sound.filter(({ held }) => held.lastEpoch === lastEpoch).length;
  const gap = gapOf(abreast, cluster.replicas, cluster, `a sound log up to epoch ${lastEpoch}`);
  const doubt = [silenceOf(best, copies), gap].filter((text) => text !== '').join('; ');
  const config = servedBy(best, planned, sound);
  return { shard, source, config, doubt, mayLose: doubt !== '' };
}

/** Whether this very process is the primary, and knows no later configuration than anybody. */
function leads({ node, process, configs }: Inventory, { config, version }: VersionedConfig) {
  const place = replicaOn(config, node);
  const known = configs.find((one) => one.config.shard === config.shard);
  const isNewest = known?.version === version && known.config.nonce === config.nonce;
  return place?.process === process && isNewest;
}

/**
 * Its primary serves on: what it commits waits for its whole isr (S6), wherever their logs ended
 * when each was asked. Who does not answer has to catch up.
 */
function servedOn(planned: ShardConfig, complete: readonly Copy[]): ShardConfig {
  const isr = planned.isr.filter((id) => complete.some(({ node }) => node.node === id));
  const learners = planned.replicas.map(({ node }) => node).filter((id) => !isr.includes(id));
  return { ...planned, isr, learners };
}

/** With this primary, and those of the `complete` in sync whose logs end where its log does. */
function servedBy(
  best: Copy,
  planned: Omit<PlannedConfig, 'primary' | 'isr' | 'learners'>,
  complete: readonly Copy[],
): PlannedConfig {
  const isr = complete.filter((copy) => isSameEnd(copy, best)).map(({ node }) => node.node);
  const learners = planned.replicas.map(({ node }) => node).filter((node) => !isr.includes(node));
  return { ...planned, primary: best.node.node, isr, learners };
}

/** Whether those that do not answer could have committed something without the others. */
function gapOf(
  answering: number,
  replicas: number,
  { minIsr }: ClusterConfig,
  what = 'sound data',
): string {
  const missing = replicas - answering;
  if (missing < minIsr) return '';
  return (
    `${missing} of its ${replicas} replicas do not answer with ${what}, enough to have gone ` +
    'on without the others: acknowledged writes may be missing'
  );
}

/** Whether somebody has led since in an epoch of which no log that can be taken has an entry. */
function silenceOf({ held: { lastEpoch } }: Copy, copies: readonly Copy[]): string {
  const promised = Math.max(...copies.map(({ held }) => held.epoch));
  if (promised <= lastEpoch) return '';
  return (
    `epoch ${promised} was promised, but the last entry is of epoch ${lastEpoch}: who led in it ` +
    'wrote nothing, or does not answer with sound data: acknowledged writes may be missing'
  );
}

/** As it is now: in another life than this one to the leader that reads it, and with its data. */
function placeOf({ node: { node, store, process, lives } }: Copy): ReplicaPlace {
  return { node, store, incarnation: NO_INCARNATION, process: lives.at(-1) ?? process };
}

function placeNow(place: ReplicaPlace, copies: readonly Copy[]): ReplicaPlace {
  const copy = copies.find(({ node }) => node.node === place.node);
  return copy === undefined ? place : placeOf(copy);
}

function isSameEnd({ held: one }: Copy, { held: other }: Copy): boolean {
  return one.lastEpoch === other.lastEpoch && one.lastSeq === other.lastSeq;
}

/** Whose log ends last comes first; ties by name. */
function latestFirst(copies: readonly Copy[]): readonly Copy[] {
  return [...copies].sort((left, right) => {
    return (
      right.held.lastEpoch - left.held.lastEpoch ||
      right.held.lastSeq - left.held.lastSeq ||
      (left.node.node < right.node.node ? -1 : 1)
    );
  });
}
