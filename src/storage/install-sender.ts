/**
 * Sends all data of a shard to a learner: a snapshot as of the position that was applied last, in
 * parts, a few of them ahead of their acknowledgements.
 */
import { assert } from '../model/assert.js';
import type { MemberId, ShardId } from '../model/ids.js';
import { CorruptRecordError } from '../replication/data-record.js';
import { positionOf } from '../replication/entry.js';
import type { ShardReplica } from '../replication/shard-replica.js';
import type { ReplicaStore } from './replica-store.js';
import type { DataAck, ReplicationRecord } from './replication-frame.js';
import type { Rounds } from './rounds.js';

/** Parts on their way at once: keeps the stream busy without filling it before other shards'. */
const PARTS_AHEAD = 4;

interface Sending {
  readonly replica: ShardReplica;
  readonly to: MemberId;
  /** Of its `install`. */
  readonly number: number;
  sent: number;
  received: number;
  /** Bytes of keys and records in the parts that were sent. */
  sentBytes: number;
  isOver: boolean;
  /** Resolves the wait for an acknowledgement. */
  goOn: () => void;
}

export interface InstallSenderDeps {
  readonly store: ReplicaStore;
  readonly send: (to: MemberId, record: ReplicationRecord) => void;
  /** Our own data is damaged. */
  readonly damaged: Rounds['damaged'];
  /** It cannot be sent to this node, which was asked to follow by this `attach`. */
  readonly installFailed: (replica: ShardReplica, to: MemberId, attachNumber: number) => void;
  /** The disk failed. */
  readonly failed: (error: unknown) => void;
}

export class InstallSender {
  readonly #deps: InstallSenderDeps;
  readonly #sending = new Map<string, Sending>();
  /** Installs that were begun so far: each has another number, whichever shard it is of. */
  #begun = 0;

  constructor(deps: InstallSenderDeps) {
    this.#deps = deps;
  }

  /**
   * Call it between rounds: the snapshot is of this moment, and so is the position. Does nothing if
   * the primary that wanted it is none any more: what is here now may be another replica's.
   */
  begin(replica: ShardReplica, to: MemberId): void {
    const { body, primary } = replica;
    const peer = primary?.peer(to);
    if (primary === undefined || peer?.phase !== 'installing') return;
    const { shard, shardUuid, log } = body;
    const base = log.positionAt(log.appliedSeq);
    assert(base !== undefined, 'S9', () => ({ appliedSeq: log.appliedSeq }));
    const { attachNumber } = peer;
    const key = nameOf(shard, to);
    this.#stop(key);
    const number = ++this.#begun;
    const sending: Sending = {
      ...{ replica, to, number, sent: 0, received: 0, sentBytes: 0, isOver: false },
      goOn: () => undefined,
    };
    this.#sending.set(key, sending);
    const snapshot = this.#deps.store.snapshot(shardUuid);
    assert(snapshot !== undefined, 'a primary has data', () => ({ shard }));
    this.#deps.send(to, {
      type: 'replica',
      shard,
      shardUuid,
      message: { type: 'install', epoch: primary.epoch, number },
    });
    const run = async () => {
      let pairCount = 0;
      try {
        for await (const chunk of snapshot.chunks()) {
          const pairs = chunk.map(([key, record]) => ({ key, record }));
          while (sending.sent - sending.received >= PARTS_AHEAD && !sending.isOver) {
            await new Promise<void>((resolve) => {
              sending.goOn = resolve;
            });
          }
          if (sending.isOver) return;
          pairCount += pairs.length;
          sending.sent++;
          for (const [name, record] of chunk) sending.sentBytes += name.length + record.length;
          this.#deps.send(to, { type: 'data', shard, shardUuid, number, pairs });
        }
        // It may have been stopped while the last part was read, too.
        if (sending.isOver) return;
        const end = { number, base: positionOf(base), pairs: pairCount };
        this.#deps.send(to, { type: 'dataEnd', shard, shardUuid, ...end });
      } finally {
        await snapshot.close();
        if (this.#sending.get(key) === sending) this.#sending.delete(key);
      }
    };
    void run().catch((error: unknown) => {
      if (!(error instanceof CorruptRecordError)) return this.#deps.failed(error);
      this.#deps.damaged(replica, error, snapshot.prefix);
      if (!sending.isOver) this.#deps.installFailed(replica, to, attachNumber);
    });
  }

  /** Bytes of a shard's data that were sent to this node; undefined if none are being sent. */
  sentBytes(shard: ShardId, to: MemberId): number | undefined {
    return this.#sending.get(nameOf(shard, to))?.sentBytes;
  }

  /**
   * An acknowledgement sets the pace, and says that the learner comes forward. One of an earlier
   * install says nothing of this one.
   *
   * @returns Whether the learner has more than before.
   */
  acknowledged(from: MemberId, { shard, number, parts }: DataAck): boolean {
    const sending = this.#sending.get(nameOf(shard, from));
    if (sending?.number !== number || parts <= sending.received) return false;
    sending.received = parts;
    sending.goOn();
    return true;
  }

  /**
   * Ends what nobody waits for any more: a snapshot that stays open keeps everything on disk that
   * is written after it.
   */
  look(): void {
    for (const [key, { replica, to }] of this.#sending) {
      if (replica.primary?.peer(to)?.phase !== 'installing') this.#stop(key);
    }
  }

  /** The stream to this node broke. */
  abandon(to: MemberId): void {
    for (const [key, sending] of this.#sending) if (sending.to === to) this.#stop(key);
  }

  stop(): void {
    for (const key of [...this.#sending.keys()]) this.#stop(key);
  }

  #stop(key: string): void {
    const sending = this.#sending.get(key);
    if (sending === undefined) return;
    sending.isOver = true;
    this.#sending.delete(key);
    sending.goOn();
  }
}

function nameOf(shard: ShardId, node: MemberId): string {
  return `${shard}@${node}`;
}
