/** A shard whose replicas are all gone is made anew, with another uuid, under a node that had one. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Epoch, Uuid } from '../../src/model/ids.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { shardOfSlot, slotOf } from '../../src/model/slot.js';
import { LOG_START } from '../../src/replication/entry.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import { decodeFrame, encodeFrame } from '../../src/storage/replication-frame.js';
import { nodeOf, placeOf, uuidOf } from '../support/configs.js';
import { NodeUnderTest, Recorder, settle, SHARDS } from '../support/storage-harness.js';

const other = nodeOf('s2');
const shard = shardOfSlot(slotOf(Buffer.from('k')), SHARDS);
let test: NodeUnderTest;
let leader: ReturnType<NodeUnderTest['lead']>;

beforeEach(async () => {
  test = await NodeUnderTest.serving();
  leader = test.lead(1);
  await test.put('k', 'of the one before');
});

/** The node hears that all shards were made anew; the first configuration creates the replicas. */
async function makeAnew(): Promise<void> {
  const epoch = 2 as Epoch;
  await test.tell(leader, configsAnew({ epoch, state: 'creating' }), 10);
  await test.tell(leader, configsAnew({ epoch }), 11);
  await test.tick();
}

function configsAnew(change: Partial<ShardConfig>): ShardConfig[] {
  return test.configs(change).map((one) => ({ ...one, shardUuid: uuidOf(`anew ${one.shard}`) }));
}

/** A stream of another node, which says this of a replica; what it is told. */
async function say(shardUuid: Uuid, message: ReplicaMessage) {
  const outgoing = new Recorder<Buffer>();
  const events = test.node.replicate(outgoing, 'peer');
  const { id: node, store, process } = other;
  const hello = { type: 'hello', node, store, process, clusterUuid: uuidOf('cluster') } as const;
  events.message(encodeFrame([hello, { type: 'replica', shard, shardUuid, message }]));
  await settle();
  return outgoing.messages.flatMap(decodeFrame).filter(({ type }) => type === 'replica');
}

it('S19 it begins empty, whatever is here of the one before', async () => {
  await makeAnew();
  expect(test.failure).toBeUndefined();
  expect(await test.get('k')).toEqual({ value: undefined, version: 0 });
  expect(await test.put('k', 'v')).toEqual({ applied: true, version: 2 });
});

it('S21 a write to the one before that was not sealed is answered: it never will be', async () => {
  const answers: unknown[] = [];
  void test.put('k', 'v').then((answer) => answers.push(answer));
  await makeAnew(); // Heard in the same round.
  expect(answers).toEqual([{ code: 'NODE_BEHIND' }]);
});

describe('S19 it stays', () => {
  beforeEach(async () => {
    await makeAnew();
    await test.put('k', 'of the new one');
  });

  it('when somebody who has not heard of it speaks of the one before, or wants it back', async () => {
    const attach = { type: 'attach', epoch: 1 as Epoch, number: 3, after: LOG_START } as const;
    expect(await say(uuidOf(`shard-${shard}`), attach)).toMatchObject([
      { shardUuid: uuidOf(`shard-${shard}`), message: { type: 'refused', epoch: 1, promised: 1 } },
    ]);
    const { seq } = LOG_START;
    const commit = { type: 'commit', epoch: 1 as Epoch, commitSeq: seq, baseSeq: seq } as const;
    expect(await say(uuidOf(`shard-${shard}`), commit)).toEqual([]);
    expect((await test.get('k')).value).toBe('of the new one');
    expect(await test.put('k', 'v')).toMatchObject({ applied: true });
  });

  it('when an older configuration comes late', async () => {
    await test.tell(leader, test.configs({ nonce: 'late' }), 4);
    expect((await test.get('k')).value).toBe('of the new one');
  });
});

it('S2 S19 and when it is the one before again, what that held is found, in any life', async () => {
  const before = uuidOf(`shard-${shard}`);
  await makeAnew();
  const heldBy = (node: NodeUnderTest) => {
    const { replicas } = node.node.inspection.inventory();
    return replicas.filter((one) => one.shard === shard).map(({ shardUuid }) => shardUuid);
  };
  expect(heldBy(test), 'for an operator to see').toEqual([before, uuidOf(`anew ${shard}`)]);
  await test.tell(leader, test.configs({ epoch: 1_000_001 as Epoch }), 20);
  await test.tick(700);
  expect(test.failures).toEqual([]);
  expect(await test.get('k')).toMatchObject({ value: 'of the one before' });

  const again = await NodeUnderTest.start(test.disk.afterCrash(), 2);
  expect(heldBy(again).sort()).toEqual([before, uuidOf(`anew ${shard}`)].sort());
  const others = { primary: other.id, isr: [other.id], learners: [again.self.id] };
  const replicas = [placeOf(other), placeOf(again.self)];
  const epoch = 1_000_002 as Epoch;
  await again.tell(again.lead(2), again.configs({ ...others, replicas, epoch }), 21);
  expect(again.failures).toEqual([]);
});
