/** How long a node that is asked to stop waits for others. */
import { beforeEach, describe, expect, it } from 'vitest';
import { leaveInTime } from '../../src/storage/leaving.js';
import { FakeClock } from '../support/fake-clock.js';
import { settle } from '../support/storage-harness.js';

let clock: FakeClock;
let moved: () => void;
let done: () => void;
let outcome: boolean | undefined;

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}

beforeEach(() => {
  clock = new FakeClock();
  outcome = undefined;
  const node = {
    leave: (tell: () => void) => {
      moved = tell;
      return new Promise<void>((resolve) => (done = resolve));
    },
  };
  void leaveInTime(node, clock).then((isInTime) => (outcome = isInTime));
});

describe('a node that is asked to stop', () => {
  it('goes as soon as others have taken its place', async () => {
    done();
    await pass(0);
    expect([outcome, clock.pending]).toEqual([true, 0]);
  });

  it('goes when nothing moves for two seconds', async () => {
    await pass(1_999);
    moved();
    await pass(1_999);
    expect(outcome).toBeUndefined();
    await pass(1);
    expect([outcome, clock.pending]).toEqual([false, 0]);
  });

  it('goes after eight seconds, whatever moves, and leaves no timer behind', async () => {
    for (let ms = 0; ms < 7_000; ms += 1_000) {
      await pass(1_000);
      moved();
    }
    expect(outcome).toBeUndefined();
    await pass(1_000);
    moved();
    done();
    await pass(0);
    expect([outcome, clock.pending]).toEqual([false, 0]);
  });
});
