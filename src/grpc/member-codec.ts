/**
 * The messages of `Member.Follow` between their protobuf form and the model's. What a peer says is
 * checked here, so that everything behind this gateway may assume it is well formed: a part that
 * does not parse is left out and reported, the rest of the message still counts.
 */
import { isAddressText } from '../model/address.js';
import {
  type Epoch,
  type Incarnation,
  isCount,
  isMemberId,
  isUuid,
  type LeaderEpoch,
  type Seq,
  type ShardId,
} from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import type { LeaderMessage, MemberMessage, ReplicaEntry } from '../model/member-messages.js';
import { BadRecordError } from '../model/records.js';
import type { Registration } from '../model/registrations.js';
import {
  decodeShardConfig,
  encodeShardConfig,
  type VersionedConfig,
} from '../model/shard-config.js';
import type {
  LeaderMessage as WireLeaderMessage,
  LeaderMessage__Output,
} from './generated/portolan/v1/LeaderMessage.js';
import type { MapUpdate__Output } from './generated/portolan/v1/MapUpdate.js';
import type {
  MemberMessage as WireMemberMessage,
  MemberMessage__Output,
} from './generated/portolan/v1/MemberMessage.js';
import type { NodeEntry, NodeEntry__Output } from './generated/portolan/v1/NodeEntry.js';
import type { ReplicaEntry__Output } from './generated/portolan/v1/ReplicaEntry.js';
import type { ShardUpdate__Output } from './generated/portolan/v1/ShardUpdate.js';

/** Told about each part of a message that does not parse. */
export type ReportGarbled = (problem: string) => void;

export function toWireLeaderMessage(message: LeaderMessage): WireLeaderMessage {
  if (message.type === 'hello') {
    const { clusterUuid, leaderEpoch, leader } = message;
    return { hello: { clusterUuid, leaderEpoch, leader } };
  }
  return {
    map: {
      shards: message.shards.map(({ config, version }) => {
        return { shard: config.shard, config: encodeShardConfig(config), version };
      }),
      nodes: message.nodes === undefined ? null : { nodes: message.nodes.map(toWireNode) },
    },
  };
}

/** Undefined if nothing of the message can be used. */
export function fromWireLeaderMessage(
  message: LeaderMessage__Output,
  report: ReportGarbled,
): LeaderMessage | undefined {
  const { hello, map } = message;
  if (map) return fromWireMapUpdate(map, report);
  if (!hello) return garbled(report, 'a message of the leader that is of no known kind');
  const leaderEpoch = Number(hello.leaderEpoch);
  const { clusterUuid, leader } = hello;
  if (!isUuid(clusterUuid) || !isMemberId(leader) || !isCount(leaderEpoch, 1)) {
    return garbled(report, 'a hello of a leader that does not parse');
  }
  return { type: 'hello', clusterUuid, leader, leaderEpoch: leaderEpoch as LeaderEpoch };
}

export function toWireMemberMessage(message: MemberMessage): WireMemberMessage {
  if (message.type === 'hello') {
    const { id, process, leaderEpoch } = message;
    return { hello: { id, process, leaderEpoch } };
  }
  return { replicas: { replicas: [...message.replicas] } };
}

/** Undefined if nothing of the message can be used. */
export function fromWireMemberMessage(
  message: MemberMessage__Output,
  report: ReportGarbled,
): MemberMessage | undefined {
  const { hello, replicas } = message;
  if (replicas) {
    const entries = replicas.replicas.map((entry) => fromWireReplica(entry, report));
    return { type: 'replicas', replicas: entries.filter((entry) => entry !== undefined) };
  }
  if (!hello) return garbled(report, 'a message of a member that is of no known kind');
  const { id, process } = hello;
  const leaderEpoch = Number(hello.leaderEpoch);
  if (!isMemberId(id) || !isUuid(process) || !isCount(leaderEpoch)) {
    return garbled(report, 'a hello of a member that does not parse');
  }
  return { type: 'hello', id, process, leaderEpoch: leaderEpoch as LeaderEpoch };
}

function fromWireMapUpdate(map: MapUpdate__Output, report: ReportGarbled): LeaderMessage {
  const shards = map.shards.map((update) => fromWireShard(update, report));
  const nodes = map.nodes?.nodes.map((node) => fromWireNode(node, report));
  return {
    type: 'map',
    shards: shards.filter((shard) => shard !== undefined),
    // A table that is not whole would make a live node look gone.
    nodes: nodes?.every((node) => node !== undefined) ? nodes : undefined,
  };
}

function fromWireShard(
  { shard, config, version }: ShardUpdate__Output,
  report: ReportGarbled,
): VersionedConfig | undefined {
  if (!isShardId(shard)) return garbled(report, `shard ${shard} is out of range`);
  try {
    return { config: decodeShardConfig(shard, config), version };
  } catch (error) {
    if (error instanceof BadRecordError) return garbled(report, error.message);
    throw error;
  }
}

function toWireNode(node: Registration): NodeEntry {
  const { labels, ...rest } = node;
  return { ...rest, host: labels.host, zone: labels.zone };
}

function fromWireNode(node: NodeEntry__Output, report: ReportGarbled): Registration | undefined {
  const { id, address, store, process, host, zone } = node;
  const incarnation = Number(node.incarnation);
  const generation = Number(node.generation);
  const wellFormed = isMemberId(id) && isUuid(store) && isUuid(process) && isAddressText(address);
  if (!wellFormed || !isCount(incarnation) || !isCount(generation, 1)) {
    return garbled(report, 'a registered node that does not parse');
  }
  return {
    id,
    address,
    store,
    process,
    incarnation: incarnation as Incarnation,
    generation,
    labels: { host, zone },
  };
}

function fromWireReplica(
  entry: ReplicaEntry__Output,
  report: ReportGarbled,
): ReplicaEntry | undefined {
  const { shard, shardUuid, store } = entry;
  const epoch = Number(entry.epoch);
  const openedEpoch = Number(entry.openedEpoch);
  const lastSeq = Number(entry.lastSeq);
  const wellFormed = isShardId(shard) && isUuid(shardUuid) && isUuid(store);
  if (!wellFormed || ![epoch, openedEpoch, lastSeq].every((count) => isCount(count))) {
    return garbled(report, 'a report of a replica that does not parse');
  }
  return {
    shard,
    shardUuid,
    store,
    epoch: epoch as Epoch,
    openedEpoch: openedEpoch as Epoch,
    lastSeq: lastSeq as Seq,
  };
}

function isShardId(shard: number): shard is ShardId {
  return isCount(shard) && shard < LIMITS.shardsMax;
}

function garbled(report: ReportGarbled, problem: string): undefined {
  report(problem);
  return undefined;
}
