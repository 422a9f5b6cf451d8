/**
 * What one replica may do under a configuration: the judgement, and nothing else.
 *
 * Upholds S1 and S19. A replica serves only if the configuration names this node, this store and a
 * life of this very process as primary: a restarted process waits for the epoch that counts on it.
 * It starts empty only while the shard is being created; later, an empty disk means lost data.
 */
import type { Epoch, Incarnation, MemberId, Uuid } from '../model/ids.js';
import { replicaOn, type ShardConfig } from '../model/shard-config.js';
import type { ReplicaState } from './replica-state.js';

/** Who this replica is, for as long as its process runs. */
export interface ReplicaPlaceHere {
  readonly node: MemberId;
  readonly store: Uuid;
}

export type Standing =
  /** No configuration was heard yet: nothing is served on a guess. */
  | 'unknown'
  /** Exists, or is about to, and serves nothing: the leader has not confirmed it. */
  | 'creating'
  /** The primary. */
  | 'serving'
  /** Somebody else is primary. */
  | 'elsewhere'
  /** This node is primary in a configuration that does not count on this life or state of it. */
  | 'awaiting-epoch'
  /** The configuration counts on data that this store does not have. */
  | 'lost';

export interface Situation {
  readonly self: ReplicaPlaceHere;
  /** Incarnations this process has registered with. */
  readonly lives: ReadonlySet<Incarnation>;
  /** The replica's state on this store, if it exists. */
  readonly held: ReplicaState | undefined;
  /** What was promised before this process began: that epoch belongs to an earlier life. */
  readonly openedEpoch: Epoch;
}

export function judge(config: ShardConfig, situation: Situation): Standing {
  const { self, lives, held, openedEpoch } = situation;
  const place = replicaOn(config, self.node);
  if (place === undefined || config.primary !== self.node) return 'elsewhere';
  // Same name, other data directory: a different replica, which is not here.
  if (place.store !== self.store) return 'elsewhere';
  if (held === undefined && config.state === 'active') return 'lost';
  if (!lives.has(place.incarnation)) return 'awaiting-epoch';
  // Only a coordination service that was set back offers an epoch that was used already (S1).
  const lowest = Math.max(held?.promisedEpoch ?? 0, openedEpoch + 1);
  if (config.epoch < lowest) return 'awaiting-epoch';
  return config.state === 'creating' ? 'creating' : 'serving';
}
