/** How long a disk takes to make a small write durable: what every acknowledged write waits for. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const WRITES = 60;
const BYTES = 4_096;

export interface FsyncTime {
  readonly medianMs: number;
  readonly maxMs: number;
}

/**
 * Writes some small blocks to a file of its own in this folder, and removes it.
 *
 * @throws Error of the system: the folder is not there, not writable, or the disk failed.
 */
export async function measureFsync(folder: string): Promise<FsyncTime> {
  const place = await mkdtemp(join(folder, '.portolan-doctor-'));
  try {
    const file = await open(join(place, 'block'), 'w');
    try {
      const block = Buffer.alloc(BYTES, 0x5a);
      const took: number[] = [];
      for (let n = 0; n < WRITES; n++) {
        await file.write(block);
        const began = performance.now();
        await file.datasync();
        took.push(performance.now() - began);
      }
      took.sort((left, right) => left - right);
      return { medianMs: took[WRITES >> 1] ?? NaN, maxMs: took.at(-1) ?? NaN };
    } finally {
      await file.close();
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
