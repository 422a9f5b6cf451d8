/** Leaving the cluster's list of nodes, whatever the registration is in the middle of (Z10). */
import { describe, expect, it } from 'vitest';
import { NodeRegistration } from '../../src/coordination/registration.js';
import { decodeNodeRecord, encodeNodeRecord } from '../../src/model/registrations.js';
import { nodeZnode } from '../../src/model/znodes.js';
import { systemRandom } from '../../src/system/random.js';
import { nodeOf } from '../support/configs.js';
import { FakeClock } from '../support/fake-clock.js';
import { type FakeSession, FakeTree, type Fault } from '../support/fake-session.js';
import { silentLog } from '../support/silent-log.js';

const record = decodeNodeRecord(nodeOf('s1').id, encodeNodeRecord(nodeOf('s1')));
const path = nodeZnode(record.id);

function setUp() {
  const tree = new FakeTree();
  tree.put('/nodes');
  const clock = new FakeClock();
  const registered: number[] = [];
  const events = {
    registered: (incarnation: number) => void registered.push(incarnation),
    failed: (reason: Error) => {
      throw reason;
    },
  };
  const deps = { clock, random: systemRandom, log: silentLog };
  const registration = new NodeRegistration(record, events, deps);
  return { tree, clock, registered, registration, session: tree.session() };
}

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  for (let n = 0; n < 50; n++) await Promise.resolve();
}

async function reach(session: FakeSession, calls: number): Promise<void> {
  while (session.calls < calls) await Promise.resolve();
}

describe('withdrawing', () => {
  it('while the creation is unanswered leaves nothing behind, and registers nobody', async () => {
    const { tree, registered, registration, session } = setUp();
    session.faults.set(0, 'hold');
    registration.enter(session);
    await reach(session, 1);
    const withdrawn = registration.withdraw();
    await settle();
    session.release();
    await withdrawn;
    expect(tree.get(path)).toBeUndefined();
    expect(registered).toEqual([]);
  });

  it.each(['lost-before', 'lost-after'] satisfies Fault[])(
    'while the creation is %s leaves nothing behind',
    async (fault) => {
      const { tree, clock, registration, session } = setUp();
      session.faults.set(0, fault);
      registration.enter(session);
      await reach(session, 1);
      await registration.withdraw();
      clock.advance(60_000);
      await settle();
      expect(tree.get(path)).toBeUndefined();
      expect(clock.pending).toBe(0);
    },
  );

  it('between two attempts ends at once, and no attempt follows', async () => {
    const { tree, clock, registration, session } = setUp();
    session.faults.set(0, 'refused');
    registration.enter(session);
    await settle();
    await registration.withdraw();
    clock.advance(60_000);
    await settle();
    expect(session.made.filter((call) => call === 'multi')).toHaveLength(1);
    expect(tree.get(path)).toBeUndefined();
  });

  it('does not remove what another node has put in our place', async () => {
    const { tree, registration, session } = setUp();
    registration.enter(session);
    await settle();
    tree.expire(session.id);
    const other = tree.session();
    const data = encodeNodeRecord(nodeOf('s1', 9, 'elsewhere'));
    await other.multi([
      { type: 'create', path, data, mode: 'ephemeral' },
      { type: 'set', path, data, version: 0 },
    ]);
    await registration.withdraw();
    expect(tree.get(path)?.stat.owner).toBe(other.id);
  });
});

describe('registering, with one answer lost at every place (Z5, Z10)', () => {
  const each = (['lost-before', 'lost-after'] satisfies Fault[]).flatMap((fault) => {
    return Array.from({ length: 10 }, (_call, call) => ({ fault, call }));
  });

  it.each(each)('$fault at call $call: one registration, and its own incarnation', async (loss) => {
    for (const hasPast of [false, true]) {
      const { tree, clock, registered, registration, session } = setUp();
      if (hasPast) {
        const data = encodeNodeRecord({ ...record, process: nodeOf('s1', 2).process });
        await tree.session().create(path, data, 'ephemeral');
      }
      session.faults.set(loss.call, loss.fault);
      registration.enter(session);
      for (let n = 0; n < 10; n++) {
        await settle();
        if (registered.length === 0) clock.advance(200);
      }
      const { data, stat } = tree.get(path)!;
      expect(stat.owner).toBe(session.id);
      expect(registered).toEqual([stat.czxid]);
      expect(decodeNodeRecord(record.id, data)).toEqual(record);
    }
  });
});
