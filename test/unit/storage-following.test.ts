/** How a storage node hears its leader, and which leaders it does not hear. */
import { describe, expect, it } from 'vitest';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { uuidOf } from '../support/configs.js';
import { NodeUnderTest, settle, SHARDS } from '../support/storage-harness.js';

describe('following', () => {
  it('a leader is greeted and told of every replica that exists', async () => {
    const test = await NodeUnderTest.serving();
    const successor = test.lead(2);
    await settle();
    expect(successor.heard.messages[0]).toMatchObject({ type: 'hello', id: 's1' });
    const report = successor.heard.messages[1];
    expect(report).toMatchObject({ type: 'replicas' });
    expect(report?.type === 'replicas' && report.replicas.length).toBe(SHARDS);
  });

  it('S19 a new replica is reported when it is durable, and not before', async () => {
    const test = await NodeUnderTest.start();
    const leader = test.lead(1);
    await settle();
    test.disk.hold();
    await test.tell(leader, test.configs({ state: 'creating' }));
    const reports = () =>
      leader.heard.messages.flatMap((said) => (said.type === 'replicas' ? said.replicas : []));
    expect(reports()).toEqual([]);
    test.disk.release();
    await settle();
    expect(reports()).toMatchObject(
      test.configs().map(({ shard, shardUuid }) => {
        return { shard, shardUuid, store: test.self.store, epoch: 1, lastSeq: 0 };
      }),
    );
  });

  it('S17 a lower leaderEpoch is not heard, not even after a restart', async () => {
    const test = await NodeUnderTest.serving();
    test.lead(5);
    await settle();
    const restarted = await NodeUnderTest.start(test.disk.afterCrash(), 2);
    for (const node of [test, restarted]) {
      const old = node.lead(4);
      await node.tell(old, node.configs({ epoch: 9 as ShardConfig['epoch'] }), 9);
      expect(old.heard.ended).toBe(true);
      // It is told that its time is over.
      expect(old.heard.messages).toMatchObject([{ type: 'hello', leaderEpoch: 5 }]);
      expect(node.node.map.config(0 as never)?.epoch).not.toBe(9);
    }
  });

  it('S17 nothing of a new leader is acted on before its epoch is durable', async () => {
    const test = await NodeUnderTest.serving();
    test.disk.hold();
    const leader = test.lead(2);
    await test.tell(leader, test.configs({ epoch: 2 as ShardConfig['epoch'] }), 2);
    expect(leader.heard.messages).toEqual([]);
    expect(test.node.map.config(0 as never)?.epoch).toBe(1);
    test.disk.release();
    await settle();
    expect(leader.heard.messages.length).toBeGreaterThan(0);
    expect(test.node.map.config(0 as never)?.epoch).toBe(2);
    expect(test.store.leaderEpoch).toBe(2);
  });

  it("a newer leader's stream ends the one before, whose words then count no more", async () => {
    const test = await NodeUnderTest.serving();
    const old = test.lead(2);
    await settle();
    const successor = test.lead(3);
    await settle();
    expect(old.heard.ended).toBe(true);
    expect(successor.heard.ended).toBe(false);
    await test.tell(old, test.configs({ epoch: 7 as ShardConfig['epoch'] }), 7);
    expect(test.node.map.config(0 as never)?.epoch).toBe(1);
  });

  it('a leader of another cluster, or one that does not say hello, is not heard', async () => {
    const test = await NodeUnderTest.start();
    const foreign = test.lead(9, { clusterUuid: uuidOf('foreign') });
    expect(foreign.heard.ended).toBe(true);
    const silent = test.lead(9, { hello: false });
    await test.tell(silent, test.configs());
    expect(silent.heard.ended).toBe(true);
    expect(test.node.map.shards.size).toBe(0);
    expect(test.store.leaderEpoch).toBe(0);
  });

  it('S19 a configuration that cannot be of this cluster is left out and named', async () => {
    const test = await NodeUnderTest.start();
    const [first, second] = test.configs({ state: 'creating' });
    const far = { ...first!, shard: SHARDS as ShardConfig['shard'] };
    const shifted = { ...second!, slots: [0, 1] as const };
    await test.tell(test.lead(1), [far, shifted, first!]);
    expect([...test.node.map.shards.keys()]).toEqual([0]);
    const named = test.log.lines.filter(({ level }) => level === 'error');
    expect(named.map(({ fields }) => fields?.['shard'])).toEqual([SHARDS, 1]);
  });

  it('an older configuration is ignored', async () => {
    const test = await NodeUnderTest.serving();
    await test.tell(test.lead(2), test.configs({ state: 'creating' }), 0);
    expect(test.node.standings()).toEqual(new Map([['serving', SHARDS]]));
  });
});
