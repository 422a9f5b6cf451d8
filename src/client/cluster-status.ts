/** The state of a cluster as `Client.status` tells it, from the protocol's form. */
import type { Learning__Output } from '../grpc/generated/portolan/v1/Learning.js';
import type { StatusResponse__Output } from '../grpc/generated/portolan/v1/StatusResponse.js';
import type { ClusterStatus, LearningStatus } from '../model/status.js';

/** A kind that this version does not know tells at least that nothing is known. */
function learningOf({ node, by, done, total, forMs }: Learning__Output): LearningStatus {
  const isKnown = by === 'log' || by === 'snapshot';
  const counts = { done: Number(done), total: Number(total), forMs: Number(forMs) };
  return { node, by: isKnown ? by : 'nothing', ...counts };
}

export function clusterStatusOf(response: StatusResponse__Output): ClusterStatus {
  const { leader } = response;
  return {
    cluster: response.cluster,
    healthy: response.healthy,
    leader:
      leader === null
        ? undefined
        : { id: leader.id, znode: leader.znode, leaderEpoch: Number(leader.leaderEpoch) },
    candidates: response.candidates.map(({ id, znode, watches, address, admin }) => {
      return { id, znode, watches: watches === '' ? undefined : watches, address, admin };
    }),
    nodes: response.nodes.map(({ state, downForMs, ...node }) => {
      const isUp = state === 'up';
      return {
        ...node,
        state: isUp ? 'up' : 'down',
        downForMs: isUp ? undefined : Number(downForMs),
      };
    }),
    shards: response.shards.map(({ id, firstSlot, lastSlot, epoch, ...shard }) => {
      const { primary, isr, learners, state, served, away, learning, damaged } = shard;
      return {
        id,
        slots: [firstSlot, lastSlot],
        epoch: Number(epoch),
        primary,
        isr,
        learners,
        state,
        served,
        away,
        learning: learning.map(learningOf),
        damaged: damaged.map(({ node, problem }) => ({ node, problem })),
      };
    }),
    problems: response.problems,
    zookeeperConnected: response.zookeeperConnected,
    answeredBy: response.answeredBy,
  };
}
