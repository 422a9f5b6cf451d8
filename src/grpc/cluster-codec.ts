/** `Cluster.Status` as the public protocol tells it, from what a router knows. */
import type { ClusterStatus } from '../model/status.js';
import type { StatusResponse } from './generated/portolan/v1/StatusResponse.js';

export function toWireStatus(status: ClusterStatus): StatusResponse {
  return {
    cluster: status.cluster,
    healthy: status.healthy,
    leader: status.leader ?? null,
    candidates: status.candidates.map((candidate) => {
      return { ...candidate, watches: candidate.watches ?? '' };
    }),
    nodes: status.nodes.map((node) => ({ ...node, downForMs: node.downForMs ?? 0 })),
    shards: status.shards.map(({ slots, isr, learners, away, learning, damaged, ...shard }) => ({
      ...shard,
      firstSlot: slots[0],
      lastSlot: slots[1],
      isr: [...isr],
      learners: [...learners],
      away: [...away],
      learning: [...learning],
      damaged: [...damaged],
    })),
    problems: [...status.problems],
    zookeeperConnected: status.zookeeperConnected,
    answeredBy: status.answeredBy,
  };
}
