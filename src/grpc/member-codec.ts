/**
 * The messages of `Member.Follow` between their protobuf form and the model's. What a peer says is
 * checked here, so that everything behind this gateway may assume it is well formed: a part that
 * does not parse is left out and reported, the rest of the message still counts. A message of a
 * kind that this version does not know is no fault of anybody: it is passed over in silence, so
 * that versions can be mixed during an upgrade.
 */
import { isAddressText } from '../model/address.js';
import {
  type Incarnation,
  isCount,
  isEpoch,
  isLeaderEpoch,
  isMemberId,
  isUuid,
  type Seq,
} from '../model/ids.js';
import { isShardId } from '../model/limits.js';
import type {
  LeaderMessage,
  MapUpdate,
  Lead,
  MemberMessage,
  NodeWord,
  ReplicaEntry,
} from '../model/member-messages.js';
import { BadRecordError } from '../model/records.js';
import { isAncestry, type Registration } from '../model/registrations.js';
import {
  decodeShardConfig,
  encodeShardConfig,
  type VersionedConfig,
} from '../model/shard-config.js';
import {
  fromWireChangeRequest,
  fromWireHandOverFailed,
  fromWireSteppedDown,
  toWireChangeRequest,
  toWireSteppedDown,
} from './change-codec.js';
import { garbled, type ReportGarbled } from './garbled.js';
import { fromWireProgress, toWireProgress } from './progress-codec.js';
import type { HandOver__Output } from './generated/portolan/v1/HandOver.js';
import type { Lead__Output } from './generated/portolan/v1/Lead.js';
import type { LeaderHello__Output } from './generated/portolan/v1/LeaderHello.js';
import type {
  LeaderMessage as WireLeaderMessage,
  LeaderMessage__Output,
} from './generated/portolan/v1/LeaderMessage.js';
import type {
  MapUpdate as WireMapUpdate,
  MapUpdate__Output,
} from './generated/portolan/v1/MapUpdate.js';
import type { MemberHello__Output } from './generated/portolan/v1/MemberHello.js';
import type {
  MemberMessage as WireMemberMessage,
  MemberMessage__Output,
} from './generated/portolan/v1/MemberMessage.js';
import type { NodeEntry, NodeEntry__Output } from './generated/portolan/v1/NodeEntry.js';
import type {
  ReplicaEntry as WireReplicaEntry,
  ReplicaEntry__Output,
} from './generated/portolan/v1/ReplicaEntry.js';
import type { ShardUpdate__Output } from './generated/portolan/v1/ShardUpdate.js';

export function toWireLeaderMessage(message: LeaderMessage): WireLeaderMessage {
  switch (message.type) {
    case 'hello': {
      const { clusterUuid, leaderEpoch, leader } = message;
      return { hello: { clusterUuid, leaderEpoch, leader } };
    }
    case 'map':
      return { map: toWireMapUpdate(message) };
    case 'hand-over': {
      const { shard, shardUuid, epoch, to } = message;
      return { handOver: { shard, shardUuid, epoch, to } };
    }
    case 'ping':
      return { ping: { number: message.number } };
    case 'progress':
      return { progress: toWireProgress(message) };
  }
}

/** Undefined if nothing of the message can be used, or its kind is not known to this version. */
export function fromWireLeaderMessage(
  { hello, map, handOver, ping, progress }: LeaderMessage__Output,
  report: ReportGarbled,
): LeaderMessage | undefined {
  if (map) return fromWireMapUpdate(map, report);
  if (ping) {
    const number = Number(ping.number);
    return isCount(number) ? { type: 'ping', number } : garbled(report, 'a ping without number');
  }
  if (handOver) return fromWireHandOver(handOver, report);
  if (progress) return fromWireProgress(progress, report);
  return hello ? fromWireLeaderHello(hello, report) : undefined;
}

export function toWireMemberMessage(message: MemberMessage): WireMemberMessage {
  switch (message.type) {
    case 'hello': {
      const { id, process, leaderEpoch } = message;
      return { hello: { id, process, leaderEpoch } };
    }
    case 'replicas':
      return { replicas: { replicas: message.replicas.map(toWireReplica) } };
    case 'request':
      return { request: toWireChangeRequest(message.request) };
    case 'stepped-down':
      return { steppedDown: toWireSteppedDown(message) };
    case 'hand-over-failed':
      return {
        handOverFailed: { shard: message.shard, epoch: message.epoch, why: message.why },
      };
    case 'leaving':
      return { leaving: {} };
    case 'progress':
      return { progress: toWireProgress(message) };
    case 'pong':
      return { pong: { number: message.number, process: message.process } };
  }
}

/** Undefined if nothing of the message can be used, or its kind is not known to this version. */
export function fromWireMemberMessage(
  message: MemberMessage__Output,
  report: ReportGarbled,
): MemberMessage | undefined {
  const { hello, replicas, pong } = message;
  if (pong) {
    const number = Number(pong.number);
    const { process } = pong;
    if (isCount(number) && isUuid(process)) return { type: 'pong', number, process };
    return garbled(report, 'an answer to a ping that does not parse');
  }
  if (replicas) {
    const entries = replicas.replicas.map((entry) => fromWireReplica(entry, report));
    return { type: 'replicas', replicas: entries.filter((entry) => entry !== undefined) };
  }
  return hello ? fromWireMemberHello(hello, report) : fromWireNodeWord(message, report);
}

function fromWireNodeWord(
  { request, steppedDown, handOverFailed, leaving, progress }: MemberMessage__Output,
  report: ReportGarbled,
): NodeWord | undefined {
  if (request) {
    const parsed = fromWireChangeRequest(request, report);
    return parsed && { type: 'request', request: parsed };
  }
  if (steppedDown) return fromWireSteppedDown(steppedDown, report);
  if (handOverFailed) return fromWireHandOverFailed(handOverFailed, report);
  if (progress) return fromWireProgress(progress, report);
  return leaving ? { type: 'leaving' } : undefined;
}

function fromWireLeaderHello(
  hello: LeaderHello__Output,
  report: ReportGarbled,
): LeaderMessage | undefined {
  const leaderEpoch = Number(hello.leaderEpoch);
  const { clusterUuid, leader } = hello;
  if (!isUuid(clusterUuid) || !isMemberId(leader) || !isLeaderEpoch(leaderEpoch)) {
    return garbled(report, 'a hello of a leader that does not parse');
  }
  return { type: 'hello', clusterUuid, leader, leaderEpoch };
}

function fromWireMemberHello(
  hello: MemberHello__Output,
  report: ReportGarbled,
): MemberMessage | undefined {
  const { id, process } = hello;
  const leaderEpoch = Number(hello.leaderEpoch);
  if (!isMemberId(id) || !isUuid(process) || !isLeaderEpoch(leaderEpoch, 0)) {
    return garbled(report, 'a hello of a member that does not parse');
  }
  return { type: 'hello', id, process, leaderEpoch };
}

function fromWireHandOver(
  { shard, shardUuid, to, ...order }: HandOver__Output,
  report: ReportGarbled,
): LeaderMessage | undefined {
  const epoch = Number(order.epoch);
  const isAboutShard = isShardId(shard) && isUuid(shardUuid) && isEpoch(epoch);
  if (!isAboutShard || !isMemberId(to)) {
    return garbled(report, 'an order to hand a shard over that does not parse');
  }
  return { type: 'hand-over', shard, shardUuid, epoch, to };
}

function toWireMapUpdate({ shards, nodes }: MapUpdate): WireMapUpdate {
  return {
    shards: shards.map(({ config, version }) => {
      return { shard: config.shard, config: encodeShardConfig(config), version };
    }),
    nodes: nodes === undefined ? null : { nodes: nodes.map(toWireNode) },
  };
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
  const { labels, ancestry, ...rest } = node;
  return { ...rest, ancestry: [...ancestry], host: labels.host, zone: labels.zone };
}

function fromWireNode(node: NodeEntry__Output, report: ReportGarbled): Registration | undefined {
  const { id, address, store, process, ancestry, host, zone } = node;
  const incarnation = Number(node.incarnation);
  const wellFormed = isMemberId(id) && isUuid(store) && isUuid(process) && isAddressText(address);
  if (!wellFormed || !isCount(incarnation) || !isAncestry(ancestry)) {
    return garbled(report, 'a registered node that does not parse');
  }
  return {
    id,
    address,
    store,
    process,
    incarnation: incarnation as Incarnation,
    ancestry,
    labels: { host, zone },
  };
}

function fromWireLead({ version, nonce, inSync }: Lead__Output): Lead | 'garbled' {
  return isCount(version) && inSync.every(isMemberId) ? { version, nonce, inSync } : 'garbled';
}

function toWireReplica({ lead, ...entry }: ReplicaEntry): WireReplicaEntry {
  return { ...entry, ...(lead && { lead: { ...lead, inSync: [...lead.inSync] } }) };
}

function fromWireReplica(
  entry: ReplicaEntry__Output,
  report: ReportGarbled,
): ReplicaEntry | undefined {
  const { shard, shardUuid, store } = entry;
  const epoch = Number(entry.epoch);
  const openedEpoch = Number(entry.openedEpoch);
  const lastSeq = Number(entry.lastSeq);
  const lead = entry.lead && fromWireLead(entry.lead);
  const wellFormed = isShardId(shard) && isUuid(shardUuid) && isUuid(store);
  const areEpochs = isEpoch(epoch, 0) && isEpoch(openedEpoch, 0);
  if (!wellFormed || !areEpochs || !isCount(lastSeq) || lead === 'garbled') {
    return garbled(report, 'a report of a replica that does not parse');
  }
  return {
    shard,
    shardUuid,
    store,
    epoch,
    openedEpoch,
    lastSeq: lastSeq as Seq,
    ...(entry.problem !== '' && { problem: entry.problem }),
    ...(lead && { lead }),
  };
}
