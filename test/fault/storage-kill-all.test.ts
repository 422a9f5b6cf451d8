/** Every storage node dies at once, again and again: what was acknowledged is there afterwards. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forEachIndex, IndependentClient } from '../support/independent-client.js';
import { TestCluster } from '../support/test-cluster.js';

const ROUNDS = 3;
const WRITERS = 32;

describe('kill -9 of every storage node during writes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 1, storage: 3 });
  });
  afterAll(() => cluster.stop());

  it('loses no acknowledged write, and no version is used twice', async () => {
    const client = new IndependentClient(cluster.addressOf('r1'));
    const acknowledged = new Map<string, { value: string; version: number }>();
    const attempted = new Map<string, Set<string>>();
    let acknowledgedInAll = 0;

    for (let round = 0; round < ROUNDS; round++) {
      let writing = true;
      let sinceKill = 0;
      let enough: () => void;
      const busy = new Promise<void>((resolve) => (enough = resolve));
      const writers = Array.from({ length: WRITERS }, async (_, writer) => {
        for (let n = 0; writing; n++) {
          const key = `w${writer}-${n % 20}`;
          const value = `${round}/${writer}/${n}`;
          attempted.set(key, (attempted.get(key) ?? new Set()).add(value));
          const written = await client.put(key, value, {}, 2_000).catch(() => undefined);
          if (written === undefined) continue;
          const before = acknowledged.get(key)?.version ?? 0;
          expect(Number(written.version)).toBeGreaterThan(before);
          acknowledged.set(key, { value, version: Number(written.version) });
          acknowledgedInAll++;
          if (++sinceKill === 500) enough!();
        }
      });
      await busy;
      await Promise.all([...cluster.storage.values()].map((node) => node.kill()));
      writing = false;
      await Promise.all(writers);
      for (const id of [...cluster.storage.keys()]) await cluster.startStorage(id);
      await cluster.untilHealthy();
    }

    const keys = [...acknowledged];
    await forEachIndex(keys.length, WRITERS, async (index) => {
      const [key, { value, version }] = keys[index]!;
      const got = await client.get(key);
      expect(got.found).toBe(true);
      if (Number(got.version) === version) expect(got.value.toString()).toBe(value);
      else {
        // A later write whose outcome was unknown: allowed to be there, if it is ours.
        expect(Number(got.version)).toBeGreaterThan(version);
        expect(attempted.get(key)).toContain(got.value.toString());
      }
    });
    client.close();
    expect(acknowledgedInAll).toBeGreaterThan(ROUNDS * 500 - 1);
  });
});

describe('kill -9 of one storage node', () => {
  it('is told at once, long before its session ends; it takes its place back when it returns', async () => {
    const cluster = await TestCluster.start({
      routers: 1,
      storage: 2,
      sessionTimeoutMs: 10_000,
      replicas: 1,
    });
    const client = new IndependentClient(cluster.addressOf('r1'));
    try {
      await cluster.storage.get('s1')!.kill();
      const told = await cluster.until(({ healthy }) => !healthy);
      expect(told.problems.join()).toMatch(
        /^shards? [-\d, ]+: primary s1 is registered, but cannot be reached: \S/,
      );
      expect(told.nodes.map(({ state }) => state)).toEqual(['up', 'up']);
      const keys = Array.from({ length: 64 }, (_, n) => `key-${n}`);
      const puts = await Promise.allSettled(keys.map((key) => client.put(key, '', {}, 500)));
      const failures = puts.flatMap((put) =>
        put.status === 'rejected' ? [String(put.reason)] : [],
      );
      expect(failures.length).toBeGreaterThan(0);
      expect(failures.length).toBeLessThan(keys.length);
      for (const failure of failures) {
        expect(failure).toMatch(/UNAVAILABLE: shard \d+: its primary cannot be reached: s1: \S/);
      }

      await cluster.startStorage('s1');
      await cluster.untilHealthy();
      for (const key of keys) await client.put(key, 'again');
    } finally {
      client.close();
      await cluster.stop();
    }
  });
});
