/** What goes into the controller and what comes out of it. Its rules are in `controller.ts`. */
import type { Epoch, MemberId, ShardId, Uuid } from '../model/ids.js';
import type { ChangeRequest, ReplicaEntry, UsedEpoch } from '../model/member-messages.js';
import type { PlacementState } from '../model/placement-record.js';
import type { Registration } from '../model/registrations.js';
import type { ShardConfig, StoredShard, VersionedConfig } from '../model/shard-config.js';
import type { Why } from './draft.js';

export type ControllerInput =
  /** A shard's znode was read: at the start, and after a write that met something unexpected. */
  | { readonly type: 'shard-read'; readonly stored: StoredShard }
  /** Whether every shard has had a configuration at some time. Nothing is created before. */
  | { readonly type: 'placement-read'; readonly placement: PlacementState }
  /** A proposed write happened; this is what the znode holds now. */
  | { readonly type: 'written'; readonly written: VersionedConfig }
  /** A proposed write did not happen, for a reason that is not in the znode. Propose again. */
  | { readonly type: 'not-written'; readonly shard: ShardId }
  /** All registered nodes. Until the first of these, nothing is decided. */
  | { readonly type: 'nodes'; readonly nodes: readonly Registration[] }
  /** No node came or went for a while: placing and balancing may start. */
  | { readonly type: 'nodes-settled' }
  /**
   * Whoever may know more than ZooKeeper, should it have been set back, has had the time to speak;
   * or it is known not to have been. `router/trust.ts` judges that.
   */
  | { readonly type: 'zookeeper-trusted' }
  /** Not any more: ZooKeeper may have been set back a moment ago. */
  | { readonly type: 'zookeeper-doubted' }
  /** What this router had heard of a shard before it led. */
  | { readonly type: 'remembered'; readonly known: VersionedConfig }
  /** Or that a replica has promised this epoch. */
  | ({ readonly type: 'met' } & UsedEpoch)
  /** A node says which replicas it holds durably. */
  | { readonly type: 'reported'; readonly replicas: readonly ReplicaEntry[] }
  /** A node's process has said all that it holds, or has had the time to. */
  | { readonly type: 'accounted'; readonly process: Uuid }
  /** The registered process of this node has said all that it holds. */
  | { readonly type: 'spoken'; readonly node: MemberId }
  /** This process is gone or hangs, whatever ZooKeeper says: it does not count as alive. */
  | { readonly type: 'suspected'; readonly node: MemberId; readonly process: Uuid }
  /**
   * A later process of this node answers in its place. That one may register soon, so nothing is
   * taken from it yet; but nothing is given to the one before.
   */
  | { readonly type: 'replaced'; readonly node: MemberId; readonly process: Uuid }
  /** This process is there after all. */
  | { readonly type: 'heard'; readonly node: MemberId; readonly process: Uuid }
  /** A primary asks for a change of its isr. It asks again until it sees it, or another epoch. */
  | { readonly type: 'requested'; readonly request: ChangeRequest }
  /**
   * The primary of this epoch will never serve in it again and holds no lease. It says so to every
   * leader, until it hears of a later epoch.
   */
  | {
      readonly type: 'stepped-down';
      readonly shard: ShardId;
      readonly epoch: Epoch;
      readonly to: MemberId | undefined;
    }
  /** A node is away for so long that its replicas are to be on others, until it is back. */
  | { readonly type: 'gone'; readonly node: MemberId }
  /** A node asked to shut down in order. It says so to every leader, until it is gone. */
  | { readonly type: 'leaving'; readonly node: MemberId }
  /** A hand-over that was asked for did not happen, or not in time. It may yet. */
  | { readonly type: 'hand-over-failed'; readonly shard: ShardId; readonly epoch: Epoch }
  /** That was some time ago: it may be asked for again. */
  | { readonly type: 'hand-over-rested'; readonly shard: ShardId; readonly epoch: Epoch };

/** A configuration to write. The driver adds a nonce and, for a new shard, its uuid. */
export interface ProposedWrite {
  /** Version of the znode the decision was based on; undefined = the znode must not exist. */
  readonly basedOn: number | undefined;
  readonly draft: Omit<ShardConfig, 'nonce' | 'shardUuid'>;
  readonly shardUuid: Uuid | undefined;
  readonly why: Why;
}

/** Ask the primary `from` of this epoch to bring `to` up to date and to step down (rule 8). */
export interface HandOver {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly epoch: Epoch;
  readonly from: MemberId;
  readonly to: MemberId;
}

export type ControllerEvent =
  /** A member of the isr came back without its data, and nobody can give it back. */
  | { readonly type: 'replica-lost'; readonly shard: ShardId; readonly node: MemberId }
  /** The primary's data is damaged, and no other member of the isr can take its place. */
  | {
      readonly type: 'last-copy-damaged';
      readonly shard: ShardId;
      readonly node: MemberId;
      readonly problem: string;
    }
  /** The primary is away and no member of the isr can take its place. */
  | { readonly type: 'no-successor'; readonly shard: ShardId; readonly primary: MemberId }
  /** It should have a new epoch, and none is left above those that were used: it stays as it is. */
  | { readonly type: 'no-epoch-left'; readonly shard: ShardId }
  | { readonly type: 'shard-garbled'; readonly shard: ShardId }
  | { readonly type: 'shard-missing'; readonly shard: ShardId }
  /**
   * Its configuration is older than what a replica has promised, or knows it as not served yet
   * although it was (then `promised` may be no higher): ZooKeeper was set back.
   */
  | {
      readonly type: 'shard-outdated';
      readonly shard: ShardId;
      readonly epoch: Epoch;
      readonly promised: number;
    }
  /** One that was garbled, missing or outdated is well again: somebody restored it. */
  | { readonly type: 'shard-restored'; readonly shard: ShardId };

export interface ControllerReady {
  readonly writes: readonly ProposedWrite[];
  /** To ask of primaries; each is said once. */
  readonly handOvers: readonly HandOver[];
  /** Every shard has a configuration: record that the placement is complete. Said until it is. */
  readonly completesPlacement: boolean;
  /** Configurations that are new to the map, for every member to hear. */
  readonly changed: readonly VersionedConfig[];
  /** Shards whose configurations are outdated, as was said of each when it was found. */
  readonly outdated: readonly ShardId[];
  /** Epochs above those of the configurations, which replicas have promised. */
  readonly used: readonly UsedEpoch[];
  readonly events: readonly ControllerEvent[];
}
