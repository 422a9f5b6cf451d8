/**
 * What a rule sees of the cluster besides the shard it is about. The rules only read it; whoever
 * carries out what they decide counts that in {@link Loads}, so that the next shard sees it.
 */
import type { ClusterConfig } from '../model/cluster-config.js';
import type { MemberId } from '../model/ids.js';
import type { PlacementState } from '../model/placement-record.js';
import type { ReplicaPlace } from '../model/shard-config.js';
import type { AliveNodes } from './lives.js';
import type { Loads } from './loads.js';
import type { Reports } from './reports.js';

export interface ClusterView {
  readonly cluster: ClusterConfig;
  readonly alive: AliveNodes;
  /** Registered nodes, suspected ones among them. */
  readonly registered: ReadonlyMap<MemberId, unknown>;
  /** Alive nodes that asked to shut down in order: they are given nothing more. */
  readonly leaving: ReadonlySet<MemberId>;
  /** Alive nodes that have not said yet what they hold, and may. */
  readonly awaited: ReadonlySet<MemberId>;
  /** Whether a later process of this node answers in the place of the one that is named. */
  readonly isReplaced: (place: ReplicaPlace) => boolean;
  /** Nodes that are away for so long that their replicas are to be on others. */
  readonly gone: ReadonlySet<MemberId>;
  /** Whether every shard has had a configuration at some time. */
  readonly placement: PlacementState | 'unread';
  /** No node came or went for a while, at some time since this leader began. */
  readonly hasSettled: boolean;
  /** No node came or went for a while until now. */
  readonly isSettled: boolean;
  readonly reports: Reports;
  readonly loads: Loads;
}
