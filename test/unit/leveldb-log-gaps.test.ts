/** Logs of LevelDB with a hole that LevelDB does not see, byte for byte. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLogGap } from '../../src/leveldb/log-gaps.js';

const BLOCK = 32 * 1024;

/** A record of a log: without its checksum, which is not looked at. */
function record(type: number, fragment: Buffer): Buffer {
  const header = Buffer.alloc(7);
  header.writeUInt16LE(fragment.length, 4);
  header[6] = type;
  return Buffer.concat([header, fragment]);
}

function batch(sequence: number, count: number, byteCount = 40): Buffer {
  const bytes = Buffer.alloc(byteCount, 0x61);
  bytes.writeBigUInt64LE(BigInt(sequence));
  bytes.writeUInt32LE(count, 8);
  return bytes;
}

const whole = (sequence: number, count: number) => record(1, batch(sequence, count));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-gaps-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function gapIn(logs: Readonly<Record<string, readonly Buffer[]>>): string | undefined {
  for (const [name, parts] of Object.entries(logs)) {
    writeFileSync(join(folder, name), Buffer.concat(parts));
  }
  return findLogGap(folder, readdirSync(folder));
}

describe('a gap in the log', () => {
  it('is none where each batch begins behind the one before, over all logs', () => {
    expect(gapIn({})).toBeUndefined();
    expect(gapIn({ '000009.log': [] })).toBeUndefined();
    const logs = {
      '000009.log': [whole(100, 3), whole(103, 1)],
      '000010.log': [whole(104, 2)],
      '100000.log': [whole(106, 1)],
      LOG: [Buffer.from('no log')],
    };
    expect(gapIn(logs)).toBeUndefined();
  });

  it('S20 is a batch that is missing, in a log or between two', () => {
    expect(gapIn({ '000009.log': [whole(100, 3), whole(104, 1)] })).toBe(
      '000009.log: change 104 comes where 103 should: a batch is missing',
    );
    expect(gapIn({ '000009.log': [whole(100, 3)], '000010.log': [whole(104, 1)] })).toBe(
      '000010.log: change 104 comes where 103 should: a batch is missing',
    );
  });

  it('S20 is a stretch of zeros, and a log that ends too early before another', () => {
    const rest = BLOCK - whole(1, 1).length;
    const zeros = [whole(1, 1), Buffer.alloc(rest), whole(3, 1)];
    expect(gapIn({ '000009.log': zeros })).toContain('change 3 comes where 2 should');
    // LevelDB passes over the rest of the block, whatever comes behind the zeros.
    const hidden = [whole(1, 1), Buffer.alloc(42), whole(2, 1)];
    const filler = Buffer.alloc(BLOCK - Buffer.concat(hidden).length);
    expect(gapIn({ '000009.log': [...hidden, filler, whole(3, 1)] })).toContain('where 2 should');
    const torn = { '000009.log': [whole(1, 1), whole(2, 1).subarray(0, 20)] };
    expect(gapIn(torn)).toBeUndefined();
    expect(gapIn({ ...torn, '000010.log': [whole(3, 1)] })).toContain('change 3 comes');
  });

  it('a batch in fragments counts once, also if its first one holds hardly any of it', () => {
    for (const first of [0, 1, 11, 12, 13, 30]) {
      const bytes = batch(2, 5);
      const filler = record(1, batch(1, 1, BLOCK - 7 - 7 - first));
      const middle = record(3, bytes.subarray(first, 35));
      const log = [filler, record(2, bytes.subarray(0, first)), middle];
      expect(log[0]!.length + log[1]!.length).toBe(BLOCK);
      const end = record(4, bytes.subarray(35));
      expect(gapIn({ '000009.log': [...log, end, whole(7, 1)] })).toBeUndefined();
      expect(gapIn({ '000009.log': [...log, end, whole(8, 1)] })).toContain('where 7 should');
      expect(gapIn({ '000009.log': [...log, whole(2, 5), whole(7, 1)] })).toBeUndefined();
    }
  });

  it('is none where a block ends in fewer bytes than a record’s header', () => {
    for (let trailer = 0; trailer < 7; trailer++) {
      const filler = record(1, batch(1, 1, BLOCK - 7 - trailer));
      const log = [filler, Buffer.alloc(trailer), whole(2, 1)];
      expect(gapIn({ '000009.log': log })).toBeUndefined();
      expect(readFileSync(join(folder, '000009.log')).length).toBe(BLOCK + whole(2, 1).length);
    }
  });
});
