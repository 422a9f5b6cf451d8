import { beforeEach, describe, expect, it } from 'vitest';
import { WatchedChildren } from '../../src/coordination/watched-read.js';
import { nothing, ok } from '../support/coordinator-checks.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryService, type MemorySession } from '../support/memory-coordinator.js';
import { CountingRandom } from '../support/storage-harness.js';

const RESYNC_MS = { least: 30_000, most: 60_000 };
const RETRY_MS = 500;

let session: MemorySession;
let other: MemorySession;
let clock: FakeClock;
let told: string[][];
/** What `changed` waits for before it returns. */
let busy: Promise<void>;
let watched: WatchedChildren;

beforeEach(async () => {
  const service = new MemoryService();
  session = service.connect('/c');
  other = service.connect('/c');
  clock = new FakeClock();
  told = [];
  busy = Promise.resolve();
  ok(await other.create('/p', nothing, 'persistent'));
  watched = new WatchedChildren({
    session,
    clock,
    random: new CountingRandom(),
    path: '/p',
    changed: (names) => {
      told.push([...names].sort());
      return busy;
    },
  });
});

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const reads = () => session.calls.filter((call) => call === 'children').length;
const add = async (name: string) =>
  void ok(await other.create(`/p/${name}`, nothing, 'persistent'));

describe('watched children (Z7)', () => {
  it('are told at once, and after every change', async () => {
    watched.start();
    await settle();
    await add('a');
    await settle();
    await add('b');
    await settle();
    expect(told).toEqual([[], ['a'], ['a', 'b']]);
  });

  it('that change while a read is under way or told of are read once more, not more often', async () => {
    let release = (): void => undefined;
    busy = new Promise((resolve) => (release = resolve));
    watched.start();
    await settle();
    for (const name of ['a', 'b', 'c']) await add(name);
    await settle();
    expect(reads()).toBe(1);
    busy = Promise.resolve();
    release();
    await settle();
    expect(told).toEqual([[], ['a', 'b', 'c']]);
    expect(reads()).toBe(2);
  });

  it('are read again after 30 to 60 s although nothing was hinted', async () => {
    watched.start();
    await settle();
    clock.advance(RESYNC_MS.least - 1);
    await settle();
    expect(reads()).toBe(1);
    clock.advance(RESYNC_MS.most - RESYNC_MS.least + 1);
    await settle();
    expect(reads()).toBe(2);
  });

  it('are read again after a pause when the answer was lost', async () => {
    session.fault('children', 'before');
    watched.start();
    await settle();
    expect(told).toEqual([]);
    clock.advance(RETRY_MS);
    await settle();
    expect(told).toEqual([[]]);
  });

  it('that changed during an outage are told when it ends, without waiting', async () => {
    watched.start();
    await settle();
    session.suspend();
    await add('a');
    await settle();
    session.resume();
    await settle();
    expect(told.at(-1)).toEqual(['a']);
  });

  it('of a znode that does not exist yet are none, and told once it exists', async () => {
    ok(await other.remove('/p', 0));
    watched.start();
    await settle();
    ok(await other.create('/p', nothing, 'persistent'));
    await add('a');
    await settle();
    expect(told[0]).toEqual([]);
    expect(told.at(-1)).toEqual(['a']);
  });

  it('are not told after stop, and nothing is left behind', async () => {
    watched.start();
    await settle();
    watched.stop();
    await add('a');
    session.suspend();
    session.resume();
    clock.advance(10 * RESYNC_MS.most);
    await settle();
    expect(told).toEqual([[]]);
    expect(reads()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('are not told when stopped while the read is under way', async () => {
    watched.start();
    watched.stop();
    await settle();
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
