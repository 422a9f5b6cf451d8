/** Damaged replicas on real processes: never served, never overwritten, and learnt anew (S20). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forEachIndex, IndependentClient } from '../support/independent-client.js';
import { runPortolan } from '../support/run-portolan.js';
import type { ShardScrub } from '../../src/cli/scrub.js';
import { damageShards, readShards, type StoredShards } from '../support/stored-shards.js';
import { TestCluster } from '../support/test-cluster.js';

const KEYS = Array.from({ length: 120 }, (_, n) => `key-${n}`);
const NODES = ['s1', 's2', 's3'];

describe('replicas whose bytes rotted', () => {
  let cluster: TestCluster;
  let client: IndependentClient;
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 1, storage: 3, replicas: 3, shards: 6 });
    client = new IndependentClient(cluster.addressOf('r1'));
    await forEachIndex(KEYS.length, 16, async (n) => {
      await client.put(KEYS[n]!, KEYS[n]!);
    });
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  /** Reads all keys, as often as they are refused; what is answered is right. */
  async function readAll(): Promise<void> {
    await forEachIndex(KEYS.length, 16, async (n) => {
      const key = KEYS[n]!;
      for (const deadline = performance.now() + 20_000; ; ) {
        const got = await client.get(key, 2_000).catch((error: unknown) => error as Error);
        if (!(got instanceof Error)) {
          expect({ found: got.found, value: got.value.toString() }).toEqual({
            found: true,
            value: key,
          });
          return;
        }
        if (performance.now() > deadline) throw got;
      }
    });
  }

  const untilWhole = () =>
    cluster.until((s) => s.healthy && s.shards.every(({ isr }) => isr.length === 3));

  it('S19 S20 a log with a flipped bit is kept as it is, and its shards are learnt anew', async () => {
    await cluster.storage.get('s2')!.kill();
    const shards = await damageShards(cluster.folder, 's2', 'log');
    expect(shards.length).toBe(6);
    const node = await cluster.startStorage('s2');
    await node.line(/a replica is damaged and not used/);
    await untilWhole();
    await readAll();
  });

  it('S20 a primary that reads a damaged record is relieved, and learns the shard anew', async () => {
    await cluster.storage.get('s1')!.kill();
    expect((await damageShards(cluster.folder, 's1', 'data')).length).toBe(6);
    const node = await cluster.startStorage('s1');
    // It follows, and is given shards to lead, before anybody has read what is damaged.
    await cluster.until((s) => s.healthy && s.shards.some(({ primary }) => primary === 's1'));
    await readAll();
    await node.line(/a damaged replica was set aside, and is learnt anew/);
    await untilWhole();
    await readAll();
  });

  const scrub = async () => {
    const { code, stdout } = await runPortolan([
      ...['scrub', '--json', '--routers', cluster.addressOf('r1')],
    ]);
    const { shards } = JSON.parse(stdout) as { shards: ShardScrub[] };
    return { code, shards, results: shards.map(({ result }) => result) };
  };

  it('S9 S20 a scrub finds what nobody has read, and after it all replicas are equal', async () => {
    await cluster.storage.get('s3')!.kill();
    expect(await damageShards(cluster.folder, 's3', 'data', [2])).toEqual([2]);
    await cluster.startStorage('s3');
    await untilWhole();
    const first = await scrub();
    expect(first.code).toBe(5);
    expect(first.results[2]).toBe('damaged');
    const { replicas } = first.shards[2]!;
    const problems = new Map(replicas.map(({ node, problem }) => [node, problem]));
    expect(problems.get('s3')).toMatch(/checksum/);
    let last = await scrub();
    for (let n = 0; n < 100 && last.code !== 0; n++) {
      await untilWhole();
      last = await scrub();
    }
    expect(last.results).toEqual(Array.from({ length: 6 }, () => 'equal'));
    for (const { replicas: three } of last.shards) {
      expect(new Set(three.map(({ digest }) => digest)).size).toBe(1);
      expect(three.map(({ pairs }) => pairs)).toEqual(three.map(() => three[0]!.pairs));
    }
    expect(last.shards.reduce((sum, { replicas: [one] }) => sum + one!.pairs, 0)).toBe(120);
    await readAll();
  });

  it('S9 S19 on disk they are equal too, and what was damaged is still there', async () => {
    await untilWhole();
    await Promise.all(NODES.map((id) => cluster.storage.get(id)!.stop()));
    const [first, second, third] = [
      await readShards(cluster.folder, 's1'),
      await readShards(cluster.folder, 's2'),
      await readShards(cluster.folder, 's3'),
    ];
    const keptBy = ({ damaged }: StoredShards) =>
      new Set(damaged.flatMap(({ at, shard }) => (at === undefined ? [] : [shard])));
    expect(keptBy(first).size).toBe(6);
    expect(keptBy(second).size).toBe(6);
    expect(keptBy(third)).toEqual(new Set([2]));
    expect(second.digests.size).toBe(6);
    expect(first.digests).toEqual(second.digests);
    expect(third.digests).toEqual(second.digests);
  });
});

describe('the last copy of a shard, when its bytes rotted', () => {
  it('S19 is kept and served as far as it is readable, and status says what is wrong', async () => {
    const cluster = await TestCluster.start({ routers: 2, storage: 1, replicas: 1, shards: 2 });
    const client = new IndependentClient(cluster.addressOf('r1'));
    try {
      await forEachIndex(KEYS.length, 16, async (n) => {
        await client.put(KEYS[n]!, KEYS[n]!);
      });
      const restart = async () => {
        await cluster.startStorage('s1');
        await cluster.until(({ healthy }) => healthy);
      };
      // What it wrote last it applies again when it starts: the second start has nothing to heal.
      await cluster.storage.get('s1')!.stop();
      await restart();
      await cluster.storage.get('s1')!.stop();
      expect(await damageShards(cluster.folder, 's1', 'data')).toEqual([0, 1]);
      await restart();
      const read = await Promise.all(
        KEYS.map((key) => client.get(key, 2_000).catch((error: unknown) => error as Error)),
      );
      const right = read.filter(
        (got, n) => !(got instanceof Error) && got.value.toString() === KEYS[n],
      );
      expect(right.length).toBe(KEYS.length - 2);
      for (const id of ['r1', 'r2']) {
        const { problems } = await cluster.until(
          ({ shards }) => shards.every(({ damaged }) => damaged.length === 1),
          { routers: [cluster.addressOf(id)] },
        );
        expect(problems).toEqual([
          expect.stringMatching(
            /^shards 0-1: the replica on s1 is damaged, and no other .*checksum/,
          ),
        ]);
      }
    } finally {
      client.close();
      await cluster.stop();
    }
  });
});
