/** Writes that a primary could not start: they wait, and end with a definite refusal in time. */
import { describe, expect, it } from 'vitest';
import { clusterOf, nodeOf, placeOf } from '../support/configs.js';
import {
  getRequest,
  NodeUnderTest,
  putRequest,
  settle,
  SHARDS,
} from '../support/storage-harness.js';

/** One that serves alone, in a cluster whose writes need two replicas. */
async function lacking(): Promise<NodeUnderTest> {
  const test = await NodeUnderTest.serving();
  await test.node.join(clusterOf({ shards: SHARDS, minIsr: 2 }));
  return test;
}

/** The call, and what it was answered so far. */
function called(test: NodeUnderTest, key: string, budgetMs: number) {
  const seen: unknown[] = [];
  void test.call('put', putRequest(key, 'v'), budgetMs).then((answer) => seen.push(answer));
  return seen;
}

describe('a write for which too few replicas are in sync', () => {
  it('S4 S21 is refused before its deadline, and never applied; reads go on', async () => {
    const test = await lacking();
    const answers = called(test, 'k', 1_000);
    await test.tick(749);
    expect(answers).toEqual([]);
    await test.tick(1);
    expect(answers).toEqual([{ code: 'NOT_ENOUGH_REPLICAS' }]);
    await test.node.join(clusterOf({ shards: SHARDS }));
    await test.tick();
    expect(await test.get('k')).toMatchObject({ version: 0 });
  });

  it('names how many there are', async () => {
    const test = await lacking();
    const call = test.node.kv.call('put', putRequest('k', 'v'), {
      budgetMs: 400,
      onCancel: () => undefined,
    });
    const refused = expect(call).rejects.toMatchObject({
      message: expect.stringContaining('1 replicas in sync, and writes need 2') as string,
      outcome: 'not-applied',
      retry: 'backoff',
    });
    await settle();
    await test.tick(300);
    await refused;
  });

  it('is done if they come in time, and each has a time of its own', async () => {
    const test = await lacking();
    const slow = called(test, 'a', 4_000);
    const quick = called(test, 'b', 400);
    await test.tick(300);
    expect(quick).toEqual([{ code: 'NOT_ENOUGH_REPLICAS' }]);
    await test.node.join(clusterOf({ shards: SHARDS }));
    await test.tick();
    expect(slow).toMatchObject([{ applied: true }]);
    expect(await test.get('a')).toMatchObject({ value: 'v' });
    expect(await test.get('b')).toMatchObject({ version: 0 });
  });

  it('whose time is over when it comes is refused at once', async () => {
    const test = await lacking();
    expect(await test.call('put', putRequest('k', 'v'), 0)).toEqual({ code: 'DEADLINE_PASSED' });
  });
});

describe('a write to a primary that does not serve yet', () => {
  it('S11 is refused with DEADLINE_PASSED: replicas are not what it lacks', async () => {
    const test = await NodeUnderTest.start();
    const away = nodeOf('s2');
    const leader = test.lead(1);
    const members = { isr: [test.self.id, away.id], replicas: [test.self, away].map(placeOf) };
    await test.tell(leader, test.configs({ ...members, state: 'creating' }));
    await test.tell(leader, test.configs(members), 1);
    const answers = called(test, 'k', 1_000);
    const reading = test.call('get', getRequest('k'), 1_000);
    await test.tick(750);
    expect(answers).toEqual([{ code: 'DEADLINE_PASSED' }]);
    await test.tick(250);
    expect(await reading).toEqual({ code: 'DEADLINE_PASSED' });
  });
});
