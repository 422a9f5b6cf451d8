/**
 * How replicas behave, with the reason for each number. What depends on the length of a lease is
 * derived here and nowhere else, from the cluster's record: a grantor keeps its promise for as long
 * as it believes that the holder counts on it, so all nodes must take the same (S14).
 */
import type { ShardMap } from '../model/shard-map.js';
import type { ReplicaSettings } from './replicas.js';
import { UNSEEN_SLEEP_MS } from './wakefulness.js';

/** Beats per lease: one that is lost or late does not end it. */
const BEATS_PER_LEASE = 3;
/** Ticks per lease: how late a replica notices that time has passed. */
const TICKS_PER_LEASE = 6;
/**
 * Leases without a word, or without progress, until a replica is asked to be removed. Well above
 * one: reads wait that long, but a busy machine is not taken for a dead one.
 */
const LEASES_UNTIL_REMOVED = 2.5;

/**
 * Milliseconds by which a promise outlasts a lease, beside the sleep of its holder that nobody saw:
 * that sleep by the fastest clock there may be, and what clocks round.
 */
const ROUNDING_MS = 10;

export interface NodeSettings extends ReplicaSettings {
  /** Milliseconds between two beats to another node, and between two looks at the time. */
  readonly beatMs: number;
  readonly tickMs: number;
}

/** What a node may have its own way: how much it holds and sends at a time. */
export type NodeTuning = Pick<
  ReplicaSettings,
  | 'windowEntries'
  | 'catchUpEntries'
  | 'catchUpBytes'
  | 'catchUpNodeEntries'
  | 'catchUpNodeBytes'
  | 'keepEntries'
  | 'keepBytes'
  | 'tailEntries'
  | 'tailBytes'
  | 'installsMax'
  | 'trimEntries'
  | 'trimMax'
  | 'readBytesMax'
>;

export const NODE_TUNING: NodeTuning = {
  /** One entry on its way makes the next one larger, which gains more than a second one would. */
  windowEntries: 1,
  catchUpEntries: 64,
  catchUpBytes: 4 * 1024 * 1024,
  /** Read, sent and written in a tenth of a second, and a part of what may wait for a stream. */
  catchUpNodeEntries: 4_096,
  catchUpNodeBytes: 8 * 1024 * 1024,
  /** Of one shard: what it misses in some minutes of moderate load; 234 bytes of memory each. */
  keepEntries: 10_000,
  /** Of one shard: a start reads and verifies what all of them have kept. */
  keepBytes: 8 * 1024 * 1024,
  /** A start of a node reads no more than that while all is well, and it is back the sooner. */
  tailEntries: 128,
  tailBytes: 1024 * 1024,
  trimEntries: 64,
  /** More than a replica that catches up appends at a time. */
  trimMax: 128,
  /** Enough to keep a stream busy: each has up to a MiB on its way. */
  installsMax: 8,
  /** As much as LevelDB has for its blocks. */
  readBytesMax: 64 * 1024 * 1024,
};

/**
 * What the logs of all shards of a cluster may keep on a node, should it hold all of them. A start
 * reads and verifies that: 5 microseconds an entry, and the bytes in memory. While it runs it is
 * 60 MB.
 */
const KEEP_ALL_ENTRIES = 256_000;
const KEEP_ALL_BYTES = 512 * 1024 * 1024;

/** Read at each use: the map knows its target once the node has joined its cluster. */
export function nodeSettings(
  map: Pick<ShardMap, 'target' | 'shardCount'>,
  tuning: NodeTuning = NODE_TUNING,
): NodeSettings {
  const shareOf = (all: number) => Math.floor(all / Math.max(map.shardCount, 1));
  return {
    ...tuning,
    get keepEntries() {
      return Math.min(tuning.keepEntries, shareOf(KEEP_ALL_ENTRIES));
    },
    get keepBytes() {
      return Math.min(tuning.keepBytes, shareOf(KEEP_ALL_BYTES));
    },
    get minIsr() {
      return map.target.minIsr;
    },
    get leaseMs() {
      return map.target.leaseMs;
    },
    get beatMs() {
      return map.target.leaseMs / BEATS_PER_LEASE;
    },
    get tickMs() {
      return map.target.leaseMs / TICKS_PER_LEASE;
    },
    get silentMs() {
      return map.target.leaseMs * LEASES_UNTIL_REMOVED;
    },
    get stuckMs() {
      return map.target.leaseMs * LEASES_UNTIL_REMOVED;
    },
    get lateMs() {
      return map.target.leaseMs / 2;
    },
    /** The leader replaces replicas of a node that left; its primaries, one that is of no use. */
    get giveUpMs() {
      const { replaceAfterMs } = map.target;
      return replaceAfterMs === 0 ? Infinity : replaceAfterMs;
    },
    driftMax: 0.02,
    marginMs: UNSEEN_SLEEP_MS + ROUNDING_MS,
    askAgainMs: 500,
    /** Reading all data again and again would cost more than who waits for it gains. */
    installAgainMs: 10_000,
    handOverMs: 1_000,
    /** About what a shard takes in a minute of heavy load: in that time one can be installed. */
    pinnedBytes: 1024 * 1024 * 1024,
  };
}
