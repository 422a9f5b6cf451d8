/**
 * Sends all data of a shard to a learner: a snapshot as of the position that was applied last, in
 * parts, a few of them ahead of their acknowledgements.
 */
import { assert } from '../model/assert.js';
import type { MemberId, ShardId } from '../model/ids.js';
import { CorruptRecordError } from '../replication/data-record.js';
import type { ShardReplica } from '../replication/shard-replica.js';
import type { ReplicaStore } from './replica-store.js';
import type { ReplicationRecord } from './replication-frame.js';
import type { Rounds } from './rounds.js';

/** Parts on their way at once: keeps the stream busy without filling it before other shards'. */
const PARTS_AHEAD = 4;

interface Sending {
  readonly replica: ShardReplica;
  readonly to: MemberId;
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
    const sending: Sending = {
      ...{ replica, to, sent: 0, received: 0, sentBytes: 0, isOver: false },
      goOn: () => undefined,
    };
    this.#sending.set(key, sending);
    const snapshot = this.#deps.store.snapshot(shardUuid);
    assert(snapshot !== undefined, 'a primary has data', () => ({ shard }));
    this.#deps.send(to, {
      type: 'replica',
      shard,
      shardUuid,
      message: { type: 'install', epoch: primary.epoch },
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
          this.#deps.send(to, { type: 'data', shard, shardUuid, pairs });
        }
        const { seq, epoch, chain } = base;
        const end = { base: { seq, epoch, chain }, pairs: pairCount };
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
   * An acknowledgement sets the pace and nothing else: what was installed is decided by the order
   * of the stream. So it needs no number of its install. One of an earlier install that comes late
   * counts more parts than were sent since, and is ignored; or it is one of the first few, which
   * lets as many go again.
   *
   * @returns Whether the learner has more than before.
   */
  acknowledged(from: MemberId, shard: ShardId, received: number): boolean {
    const sending = this.#sending.get(nameOf(shard, from));
    if (sending === undefined || received > sending.sent) return false;
    if (received <= sending.received) return false;
    sending.received = received;
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
