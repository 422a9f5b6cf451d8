/** A router that no leader tells the map reads it itself. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MapResync } from '../../src/router/map-resync.js';
import { FakeClock } from '../support/fake-clock.js';
import { CountingRandom } from '../support/storage-harness.js';

const LOOK_MS_MAX = 3_000;

let clock: FakeClock;
let isTold: boolean;
let reads: number;
let resync: MapResync;

beforeEach(() => {
  clock = new FakeClock();
  isTold = false;
  reads = 0;
  resync = new MapResync({
    clock,
    random: new CountingRandom(),
    isTold: () => isTold,
    read: () => {
      reads++;
      return Promise.resolve();
    },
  });
});

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await new Promise((resolve) => setImmediate(resolve));
}

describe('reading the map without a leader', () => {
  it('happens every few seconds while nobody tells, and not otherwise', async () => {
    resync.start();
    for (let n = 0; n < 3; n++) await pass(LOOK_MS_MAX);
    expect(reads).toBe(3);
    isTold = true;
    for (let n = 0; n < 3; n++) await pass(LOOK_MS_MAX);
    expect(reads).toBe(3);
    isTold = false;
    await pass(LOOK_MS_MAX);
    expect(reads).toBe(4);
  });

  it('starts once, however many sessions there are, and ends', async () => {
    for (let session = 0; session < 5; session++) resync.start();
    expect(clock.pending).toBe(1);
    resync.stop();
    expect(clock.pending).toBe(0);
    resync.start();
    await pass(LOOK_MS_MAX);
    expect(reads).toBe(0);
  });
});
