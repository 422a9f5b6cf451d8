/**
 * Receives all data of a shard for a learner whose log does not reach that of the primary.
 *
 * It goes beside the replica's present data, which stays whole until one batch puts the other in
 * its place. Each part is acknowledged when it is durable, so that the sender is never far ahead of
 * the disk.
 *
 * Whose data is taken is for the replica to say: it alone knows whom it follows, and which install
 * it waits for. A primary that was deposed may still send one, and what is left of an install may
 * come behind the next. It is asked in the round, behind everything that arrived before (S3, S15).
 * What it waits for no longer is garbage, and goes while others are received (L5).
 */
import type { MemberId, ShardId } from '../model/ids.js';
import type { DiskBatch } from '../ports/disk.js';
import { decodeDataRecord } from '../replication/data-record.js';
import type { ReplicaStore } from './replica-store.js';
import type { DataAck, DataEnd, DataPart, InstallName } from './replication-frame.js';
import type { Work } from './rounds.js';

/** An install that the replica was waiting for when it began. */
interface Receiving {
  readonly from: MemberId;
  readonly name: InstallName;
  parts: number;
  pairs: number;
}

export interface InstallReceiverDeps {
  readonly store: ReplicaStore;
  readonly submit: (work: Work) => void;
  /** Whether the replica of this very shard waits for the data of this install of that node. */
  readonly isAwaited: (from: MemberId, name: InstallName) => boolean;
}

export class InstallReceiver {
  readonly #deps: InstallReceiverDeps;
  readonly #receiving = new Map<ShardId, Receiving>();

  constructor(deps: InstallReceiverDeps) {
    this.#deps = deps;
  }

  /** To be called behind the `install` that was submitted for the replica. */
  begin(from: MemberId, { shard, shardUuid, number }: InstallName): void {
    const name = { shard, shardUuid, number };
    this.#inRound((batch) => {
      const { store, isAwaited } = this.#deps;
      if (!isAwaited(from, name)) return;
      this.look(); // Of the shard before this one, if it was made anew: that has another name.
      store.beginInstall(batch, shardUuid);
      this.#receiving.set(shard, { from, name, parts: 0, pairs: 0 });
    });
  }

  /** @throws CorruptRecordError if a record is not what was written; nothing is kept of the part */
  data(from: MemberId, part: DataPart, acknowledge: (ack: DataAck) => void): void {
    const { shard, shardUuid, number, pairs } = part;
    for (const { key, record } of pairs) decodeDataRecord(key, record);
    let parts = 0;
    this.#inRound(
      (batch) => {
        const receiving = this.#awaited(from, part);
        if (receiving === undefined) return;
        parts = ++receiving.parts;
        receiving.pairs += pairs.length;
        const records = pairs.map(({ key, record }) => [key, record] as const);
        this.#deps.store.install(batch, shardUuid, records);
      },
      () => {
        if (parts === 0 || this.#awaited(from, part) === undefined) return;
        acknowledge({ type: 'dataAck', shard, shardUuid, number, parts });
      },
    );
  }

  /**
   * Everything was sent. The replica may switch once all of it is durable, if all of it came: the
   * parts may still wait for their round.
   */
  end(from: MemberId, end: DataEnd): void {
    const { shard, shardUuid, number, base, pairs } = end;
    this.#inRound(
      () => undefined,
      () => {
        if (this.#awaited(from, end)?.pairs !== pairs) return;
        const input = { type: 'installed', from, number, base } as const;
        this.#deps.submit({ type: 'replica', shard, shardUuid, input });
      },
    );
  }

  /**
   * Ends what no replica waits for any more, and gives what came of it to the removal of garbage;
   * of one that is complete, and that its replica has switched to, nothing is left to give.
   *
   * What is in a batch by now is removed by a later one; a part that comes later is not taken.
   */
  look(): void {
    const { store, isAwaited } = this.#deps;
    for (const [shard, { from, name }] of this.#receiving) {
      if (isAwaited(from, name)) continue;
      this.#receiving.delete(shard);
      store.abandonInstall(name.shardUuid);
    }
  }

  /** What came of this very install so far; undefined if the replica does not wait for it. */
  #awaited(from: MemberId, { shard, shardUuid, number }: InstallName): Receiving | undefined {
    const receiving = this.#receiving.get(shard);
    const isIt =
      receiving?.from === from &&
      receiving.name.shardUuid === shardUuid &&
      receiving.name.number === number;
    return isIt && this.#deps.isAwaited(from, receiving.name) ? receiving : undefined;
  }

  #inRound(write: (batch: DiskBatch) => void, done: () => void = () => undefined): void {
    this.#deps.submit({ type: 'record', write, done });
  }
}
