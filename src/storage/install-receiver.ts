/**
 * Receives all data of a shard for a learner whose log does not reach that of the primary.
 *
 * It goes beside the replica's present data, and takes its place in one batch when it is complete;
 * a part that was never completed is garbage. Each part is acknowledged when it is durable, so that
 * the sender is never far ahead of the disk.
 */
import type { MemberId, ShardId, Uuid } from '../model/ids.js';
import { decodeDataRecord } from '../replication/data-record.js';
import type { ReplicaStore } from './replica-store.js';
import type { DataAck, DataEnd, DataPart } from './replication-frame.js';
import type { Work } from './rounds.js';

interface Receiving {
  readonly from: MemberId;
  readonly shardUuid: Uuid;
  parts: number;
  pairs: number;
}

export class InstallReceiver {
  readonly #store: ReplicaStore;
  readonly #submit: (work: Work) => void;
  readonly #receiving = new Map<ShardId, Receiving>();

  constructor(store: ReplicaStore, submit: (work: Work) => void) {
    this.#store = store;
    this.#submit = submit;
  }

  /** A primary is about to send all data of a shard; what came before of it is void. */
  begin(from: MemberId, { shard, shardUuid }: { shard: ShardId; shardUuid: Uuid }): void {
    this.#receiving.set(shard, { from, shardUuid, parts: 0, pairs: 0 });
    const write = (batch: Parameters<ReplicaStore['beginInstall']>[0]) => {
      this.#store.beginInstall(batch, shardUuid);
    };
    this.#submit({ type: 'record', write, done: () => undefined });
  }

  /** @throws CorruptRecordError if a record is not what was written; nothing is kept of the part */
  data(from: MemberId, { shard, pairs }: DataPart, acknowledge: (ack: DataAck) => void): void {
    const receiving = this.#receiving.get(shard);
    if (receiving?.from !== from) return;
    for (const { key, record } of pairs) decodeDataRecord(key, record);
    const { shardUuid } = receiving;
    receiving.parts++;
    receiving.pairs += pairs.length;
    const { parts } = receiving;
    this.#submit({
      type: 'record',
      write: (batch) => {
        if (this.#receiving.get(shard) === receiving) {
          this.#store.install(
            batch,
            shardUuid,
            pairs.map(({ key, record }) => [key, record] as const),
          );
        }
      },
      done: () => {
        if (this.#receiving.get(shard) !== receiving) return;
        acknowledge({ type: 'dataAck', shard, shardUuid, parts });
      },
    });
  }

  /**
   * Everything was sent. The replica may switch once all of it is durable, if all of it came: the
   * parts may still wait for their round.
   */
  end(from: MemberId, { shard, base, pairs }: DataEnd): void {
    const receiving = this.#receiving.get(shard);
    if (receiving?.from !== from || receiving.pairs !== pairs) return;
    const { shardUuid } = receiving;
    this.#submit({
      type: 'record',
      write: () => undefined,
      done: () => {
        if (this.#receiving.get(shard) !== receiving) return;
        this.#receiving.delete(shard);
        this.#submit({ type: 'replica', shard, shardUuid, input: { type: 'installed', base } });
      },
    });
  }

  /** The stream of this node broke. */
  abandon(from: MemberId): void {
    for (const [shard, receiving] of this.#receiving) {
      if (receiving.from === from) this.#receiving.delete(shard);
    }
  }
}
