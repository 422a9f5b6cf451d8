/**
 * Reads the fields of one replication record, the counterpart of `record-writer.ts`. Every field is
 * checked to lie within the record and to be a value of its type.
 */
import type { Epoch, Seq, ShardId, Uuid } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { readU64 } from '../replication/data-record.js';
import type { Chain, Position } from '../replication/entry.js';
import { WireError } from '../wire/protobuf.js';
import { EPOCH_BYTES, SEQ_BYTES, type ShardName, UUID_BYTES } from './record-writer.js';

/** Every method throws WireError if there is no such field here. */
export class RecordReader {
  readonly #source: Buffer;
  #at = 0;

  constructor(source: Buffer) {
    this.#source = source;
  }

  u8(): number {
    return this.#source.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#source.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#source.readUInt32BE(this.#take(4));
  }

  u48(): number {
    return this.#source.readUIntBE(this.#take(6), 6);
  }

  epoch(): Epoch {
    return this.#source.readUIntBE(this.#take(EPOCH_BYTES), EPOCH_BYTES) as Epoch;
  }

  seq(): Seq {
    const seq = readU64(this.#source, this.#take(SEQ_BYTES));
    if (!Number.isSafeInteger(seq)) throw new WireError('a position beyond 2^53');
    return seq as Seq;
  }

  uuid(): Uuid {
    return this.#hex() as Uuid;
  }

  position(): Position {
    return { seq: this.seq(), epoch: this.epoch(), chain: this.#hex() as Chain };
  }

  shard(): ShardName {
    const shard = this.u16();
    if (shard >= LIMITS.shardsMax) throw new WireError(`shard ${shard}`);
    return { shard: shard as ShardId, shardUuid: this.uuid() };
  }

  /** A slice of the record, not a copy. */
  bytes(length: number): Buffer {
    const at = this.#take(length);
    return this.#source.subarray(at, at + length);
  }

  /** Everything that was not read yet. */
  rest(): Buffer {
    return this.bytes(this.#source.length - this.#at);
  }

  /** The record has to end here. */
  end(): void {
    if (this.#at !== this.#source.length) throw new WireError('a record with bytes left over');
  }

  #hex(): string {
    const at = this.#take(UUID_BYTES);
    return this.#source.toString('hex', at, at + UUID_BYTES);
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#source.length) throw new WireError('a record that ends too early');
    this.#at = at + length;
    return at;
  }
}
