/** The state of a cluster as `Client.status` tells it, from the protocol's form. */
import type { StatusResponse__Output } from '../grpc/generated/portolan/v1/StatusResponse.js';
import type { ClusterStatus } from '../model/status.js';

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
    nodes: response.nodes.map(({ state, ...node }) => {
      return { ...node, state: state === 'up' ? 'up' : 'down' };
    }),
    shards: response.shards.map(({ id, firstSlot, lastSlot, epoch, ...shard }) => {
      const { primary, isr, learners, state, served } = shard;
      return {
        id,
        slots: [firstSlot, lastSlot],
        epoch: Number(epoch),
        primary,
        isr,
        learners,
        state,
        served,
      };
    }),
    problems: response.problems,
    zookeeperConnected: response.zookeeperConnected,
    answeredBy: response.answeredBy,
  };
}
