/**
 * Whether a batch is missing in the middle of LevelDB's log, which LevelDB itself may pass over
 * without a word.
 *
 * It reads zeros where a record should begin as the end of a block, and a log that ends in the
 * middle of a record as one whose writer died, even if a newer log follows. Both are what a drive
 * leaves that had not written what it said. Batches behind such a hole survive: one replica's
 * newest writes, a promise, or an apply are gone while another replica's later ones are there, and
 * no log record of either shows it (S2, S4).
 *
 * LevelDB numbers the changes of all batches without a gap, over all of its logs. So every batch
 * already has its marker, and this reads them: nothing has to be written for it, and nothing is
 * missed as long as it is not yet in a table. What is not found is a lost end of the newest log.
 *
 *   log    = block*                                  32 KiB each, the last one shorter
 *   block  = record* trailer                         trailer: fewer than 7 bytes
 *   record = crc:u32 length:u16 type:u8 fragment     type: 1 whole, 2 first, 3 middle, 4 last
 *   batch  = sequence:u64 count:u32 change*          the fragments of one batch
 *
 * Numbers are little-endian. Checksums are left to LevelDB: what fails them it reports.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const LOG = /^(\d+)\.log$/;
const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const BATCH_HEADER_BYTES = 12;
const WHOLE = 1;
const FIRST = 2;
const LAST = 4;

interface Numbers {
  /** Of its first change. */
  readonly sequence: number;
  readonly count: number;
}

/** Says where a batch is missing; undefined if none is. Call it before LevelDB opens its logs. */
export function findLogGap(directory: string, files: readonly string[]): string | undefined {
  const logs = files
    .filter((name) => LOG.test(name))
    .sort((left, right) => numberOf(left) - numberOf(right));
  let expected: number | undefined;
  for (const log of logs) {
    for (const { sequence, count } of batchesOf(join(directory, log))) {
      if (expected !== undefined && sequence > expected) {
        return `${log}: change ${sequence} comes where ${expected} should: a batch is missing`;
      }
      expected = sequence + count;
    }
  }
  return undefined;
}

function numberOf(name: string): number {
  return Number(LOG.exec(name)?.[1]);
}

/** The batches that LevelDB would find, damaged ones included. */
function* batchesOf(path: string): Generator<Numbers> {
  /** The beginning of the batch whose fragments are being read. */
  let header: Buffer | undefined;
  for (const { type, fragment } of recordsOf(path)) {
    if (type === WHOLE || type === FIRST) header = Buffer.alloc(0);
    if (header === undefined) continue;
    const missing = BATCH_HEADER_BYTES - header.length;
    if (missing > 0) header = Buffer.concat([header, fragment.subarray(0, missing)]);
    if (type !== WHOLE && type !== LAST) continue;
    if (header.length >= BATCH_HEADER_BYTES) {
      yield { sequence: Number(header.readBigUInt64LE(0)), count: header.readUInt32LE(8) };
    }
    header = undefined;
  }
}

/** The fragments in it, each good until the next is taken. */
function* recordsOf(path: string): Generator<{ type: number; fragment: Buffer }> {
  for (const block of blocksOf(path)) {
    let at = 0;
    while (at + HEADER_BYTES <= block.length) {
      const length = block.readUInt16LE(at + 4);
      const type = block[at + 6] ?? 0;
      const end = at + HEADER_BYTES + length;
      if (end > block.length || (type === 0 && length === 0)) break; // As LevelDB does.
      yield { type, fragment: block.subarray(at + HEADER_BYTES, end) };
      at = end;
    }
  }
}

function* blocksOf(path: string): Generator<Buffer> {
  const file = openSync(path, 'r');
  try {
    const block = Buffer.alloc(BLOCK_BYTES);
    for (;;) {
      const length = readSync(file, block, 0, BLOCK_BYTES, null);
      if (length === 0) return;
      yield block.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}
