/** Inventories and scrubs between their protobuf form and the model's. */
import { decodeClusterConfig, encodeClusterConfig } from '../model/cluster-config.js';
import { isCount, isEpoch, isLeaderEpoch, isMemberId, isUuid, type Seq } from '../model/ids.js';
import type { HeldReplica, Inventory, ScrubFinding, ScrubQuestion } from '../model/inspection.js';
import { isShardId } from '../model/limits.js';
import { decodeShardConfig, encodeShardConfig } from '../model/shard-config.js';
import type { HeldReplica__Output } from './generated/portolan/v1/HeldReplica.js';
import type {
  InventoryResponse,
  InventoryResponse__Output,
} from './generated/portolan/v1/InventoryResponse.js';
import type { ScrubRequest__Output } from './generated/portolan/v1/ScrubRequest.js';
import type {
  ScrubResponse,
  ScrubResponse__Output,
} from './generated/portolan/v1/ScrubResponse.js';

/** A node did not answer, or not in a way that this version understands. */
export class InspectionError extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(problem, options);
    this.name = 'InspectionError';
  }
}

const NOTHING = Buffer.alloc(0);

export function toWireInventory(inventory: Inventory): InventoryResponse {
  const { lives, clusterUuid, cluster, replicas, configs, ...rest } = inventory;
  return {
    ...rest,
    lives: [...lives],
    clusterUuid: clusterUuid ?? '',
    cluster: cluster === undefined ? NOTHING : encodeClusterConfig(cluster),
    replicas: replicas.map(({ problem = '', ...replica }) => ({ ...replica, problem })),
    configs: configs.map(({ config, version }) => {
      return { shard: config.shard, config: encodeShardConfig(config), version };
    }),
  };
}

/** @throws InspectionError, and BadRecordError for a configuration that does not parse. */
export function fromWireInventory(answer: InventoryResponse__Output): Inventory {
  const { node, store, process, lives, clusterUuid, cluster } = answer;
  const leaderEpoch = Number(answer.leaderEpoch);
  const isNamed = isMemberId(node) && isUuid(store) && isUuid(process) && lives.every(isUuid);
  if (!isNamed || !isLeaderEpoch(leaderEpoch, 0)) throw malformed('its name');
  if (clusterUuid !== '' && !isUuid(clusterUuid)) throw malformed('its cluster');
  return {
    node,
    store,
    process,
    lives,
    clusterUuid: clusterUuid === '' ? null : clusterUuid,
    cluster: cluster.length === 0 ? undefined : decodeClusterConfig(cluster),
    leaderEpoch,
    replicas: answer.replicas.map(fromWireHeld),
    configs: answer.configs.map(({ shard, config, version }) => {
      if (!isShardId(shard)) throw malformed('a shard');
      return { config: decodeShardConfig(shard, config), version };
    }),
  };
}

function fromWireHeld({ shard, shardUuid, problem, ...rest }: HeldReplica__Output): HeldReplica {
  const [epoch, lastSeq, lastEpoch, commitSeq] = [
    Number(rest.epoch),
    Number(rest.lastSeq),
    Number(rest.lastEpoch),
    Number(rest.commitSeq),
  ];
  const areEpochs = isEpoch(epoch, 0) && isEpoch(lastEpoch, 0);
  const areCounts = isCount(lastSeq) && isCount(commitSeq);
  if (!isShardId(shard) || !isUuid(shardUuid) || !areEpochs || !areCounts) {
    throw malformed('a replica');
  }
  return {
    shard,
    shardUuid,
    epoch,
    lastSeq: lastSeq as Seq,
    lastEpoch,
    commitSeq: commitSeq as Seq,
    problem: problem === '' ? undefined : problem,
  };
}

/** Undefined: it is no question. */
export function fromWireScrubQuestion(asked: ScrubRequest__Output): ScrubQuestion | undefined {
  const { shard, shardUuid } = asked;
  const at = Number(asked.at);
  if (!isShardId(shard) || !isUuid(shardUuid) || !isCount(at)) return undefined;
  return { shard, shardUuid, at: at === 0 ? undefined : (at as Seq) };
}

export function toWireFinding(finding: ScrubFinding): ScrubResponse {
  const { digest = '', problem = '', ...rest } = finding;
  return { ...rest, digest, problem };
}

/** @throws InspectionError */
export function fromWireFinding(answer: ScrubResponse__Output): ScrubFinding {
  const { isExact, digest, problem } = answer;
  const [position, pairs] = [Number(answer.position), Number(answer.pairs)];
  if (!isCount(position) || !isCount(pairs)) throw malformed('a position');
  return {
    position: position as Seq,
    isExact,
    pairs,
    digest: digest === '' ? undefined : digest,
    problem: problem === '' ? undefined : problem,
  };
}

function malformed(what: string): InspectionError {
  return new InspectionError(`its answer does not parse: ${what}`);
}
