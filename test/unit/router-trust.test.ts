/** When a leader may go by what ZooKeeper has (S1, S6, Z12). */
import { beforeEach, describe, expect, it } from 'vitest';
import type { MemberId } from '../../src/model/ids.js';
import { oldAfterMs, Trust } from '../../src/router/trust.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryLog } from '../support/storage-harness.js';

const TIMEOUT_MS = 4_000;
const OLD_MS = oldAfterMs(TIMEOUT_MS);

let clock: FakeClock;
let log: MemoryLog;
let said: boolean[];

beforeEach(() => {
  clock = new FakeClock();
  log = new MemoryLog();
  said = [];
});

function trustWith(hasMemory: boolean): Trust {
  return new Trust(
    { clock, log, sessionTimeoutMs: TIMEOUT_MS, hasMemory },
    {
      awaited: () => ['s1', 's3'] as MemberId[],
      trusts: (trusts) => said.push(trusts),
    },
  );
}

describe('a leader that knew no map before', () => {
  it('believes a connection that is older than any set-back, once it has read the map', () => {
    const trust = trustWith(false);
    trust.connected(clock.now() - OLD_MS);
    expect([said, clock.pending]).toEqual([[false], 0]);
    trust.hasRead();
    expect(said).toEqual([false, true]);
  });

  it('waits for members until a new one is that old, and says for whom', () => {
    const trust = trustWith(false);
    trust.connected(clock.now() - 1_000);
    trust.hasRead();
    clock.advance(OLD_MS - 1_001);
    expect(said).toEqual([false]);
    expect(log.lines).toMatchObject([{ level: 'info', fields: { forMs: OLD_MS - 2_000 } }]);
    expect(log.has('waiting for s1, s3: the connection to ZooKeeper is new')).toBe(true);
    clock.advance(1);
    expect(said).toEqual([false, true]);
  });

  it('waits no longer because the connection breaks meanwhile, again and again', () => {
    const trust = trustWith(false);
    trust.connected(clock.now());
    for (let breaks = 0; breaks < 10; breaks++) {
      trust.hasRead();
      clock.advance(OLD_MS / 10);
      if (breaks < 9) trust.connected(clock.now());
    }
    expect(said).toEqual([false, true]);
  });

  it('S1 S6 but until it has read the map over the last one', () => {
    const trust = trustWith(false);
    trust.connected(clock.now());
    trust.hasRead();
    clock.advance(OLD_MS - 1);
    trust.connected(clock.now());
    clock.advance(OLD_MS);
    expect(said).toEqual([false]);
    trust.hasRead();
    expect(said).toEqual([false, true]);
  });

  it('waits no longer once all of them have spoken, and knows the map from then on', () => {
    const trust = trustWith(false);
    trust.connected(clock.now());
    trust.hasRead();
    trust.allHaveSpoken();
    trust.allHaveSpoken();
    expect(said).toEqual([false, true]);
    expect([trust.isWaiting, clock.pending]).toEqual([false, 0]);
    trust.connected(clock.now());
    trust.hasRead();
    expect(said).toEqual([false, true, false, true]);
  });

  it('has one after that', () => {
    const trust = trustWith(false);
    trust.connected(clock.now() - OLD_MS);
    trust.hasRead();
    trust.connected(clock.now());
    trust.hasRead();
    expect(said).toEqual([false, true, false, true]);
  });
});

describe('a leader that knew the map before', () => {
  it('believes a new connection once it has found nothing older', () => {
    const trust = trustWith(true);
    trust.connected(clock.now());
    expect(said).toEqual([false]);
    trust.hasRead();
    expect(said).toEqual([false, true]);
    expect(clock.pending).toBe(0);
  });

  it('S1 S6 waits if it has found less than it knew, and then has forgotten that', () => {
    const trust = trustWith(true);
    trust.connected(clock.now());
    trust.foundOlder();
    trust.hasRead();
    trust.connected(clock.now());
    trust.hasRead();
    clock.advance(OLD_MS - 1);
    expect(said).not.toContain(true);
    clock.advance(1);
    expect(said.at(-1)).toBe(true);
    trust.connected(clock.now());
    trust.hasRead();
    expect(said.slice(-3)).toEqual([true, false, true]);
  });
});

describe('a leader that finds less than it knew at the end of its wait', () => {
  /** ZooKeeper was set back 100 ms before that, and it finds out so long after it was. */
  function foundAfter(ms: number): Trust {
    const trust = trustWith(false);
    trust.connected(clock.now());
    trust.hasRead();
    clock.advance(OLD_MS - 100);
    trust.connected(clock.now());
    clock.advance(ms);
    trust.foundOlder();
    trust.hasRead();
    return trust;
  }

  it.each([50, 100, 150])('S1 S6 waits until that connection is old (%i ms)', (ms) => {
    foundAfter(ms);
    clock.advance(OLD_MS - ms - 1);
    expect(said).not.toContain(true);
    clock.advance(1);
    expect(said.at(-1)).toBe(true);
  });

  it('L1 but not if it is by then', () => {
    const trust = foundAfter(OLD_MS);
    expect(said.at(-1)).toBe(true);
    expect([trust.isWaiting, clock.pending]).toEqual([false, 0]);
  });
});

it('a leader that is stopped says nothing more, and trusts nothing', () => {
  const trust = trustWith(false);
  trust.connected(clock.now());
  trust.stop();
  trust.allHaveSpoken();
  trust.hasRead();
  clock.advance(2 * OLD_MS);
  expect([trust.isWaiting, said]).toEqual([false, [false]]);
  expect(log.lines).toEqual([]);
});
