/** Writes the fields of replication records one behind the other, numbers big-endian. */
import type { Epoch, Seq, ShardId, Uuid } from '../model/ids.js';
import { writeU64 } from '../replication/data-record.js';
import type { Position } from '../replication/entry.js';

/** Bytes of the fields that are no plain numbers. */
export const EPOCH_BYTES = 6;
export const SEQ_BYTES = 8;
/** Of what its sender counts. */
export const NUMBER_BYTES = 4;
export const UUID_BYTES = 16;
export const POSITION_BYTES = SEQ_BYTES + EPOCH_BYTES + 16;
export const SHARD_BYTES = 2 + UUID_BYTES;

/** A replica's shard: its number, and which shard that number means. */
export interface ShardName {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
}

/** Requires that the target is large enough; numbers beyond their field throw RangeError. */
export class RecordWriter {
  readonly #target: Buffer;
  #at: number;

  constructor(target: Buffer, at: number) {
    this.#target = target;
    this.#at = at;
  }

  /** Where the next field goes. */
  get at(): number {
    return this.#at;
  }

  u8(value: number): void {
    this.#at = this.#target.writeUInt8(value, this.#at);
  }

  u16(value: number): void {
    this.#at = this.#target.writeUInt16BE(value, this.#at);
  }

  u32(value: number): void {
    this.#at = this.#target.writeUInt32BE(value, this.#at);
  }

  u48(value: number): void {
    this.#at = this.#target.writeUIntBE(value, this.#at, 6);
  }

  epoch(epoch: Epoch): void {
    this.u48(epoch);
  }

  seq(seq: Seq): void {
    writeU64(this.#target, this.#at, seq);
    this.#at += SEQ_BYTES;
  }

  /** 32 hex digits, as 16 bytes. */
  hex(text: string): void {
    this.#at += this.#target.write(text, this.#at, UUID_BYTES, 'hex');
  }

  bytes(bytes: Buffer): void {
    this.#at += bytes.copy(this.#target, this.#at);
  }

  shard({ shard, shardUuid }: ShardName): void {
    this.u16(shard);
    this.hex(shardUuid);
  }

  position({ seq, epoch, chain }: Position): void {
    this.seq(seq);
    this.epoch(epoch);
    this.hex(chain);
  }
}
