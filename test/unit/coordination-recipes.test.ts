import { describe, expect, it } from 'vitest';
import { ensureCluster, readCluster } from '../../src/coordination/cluster-layout.js';
import { takeLeaderEpoch } from '../../src/coordination/leader-epoch.js';
import { createProtected } from '../../src/coordination/protected-create.js';
import { EPOCH_MAX, type LeaderEpoch, type MemberId } from '../../src/model/ids.js';
import {
  decodeLeaderRecord,
  encodeLeaderRecord,
  NO_LEADER_YET,
} from '../../src/model/leader-record.js';
import { BadRecordError } from '../../src/model/records.js';
import { candidateZnode, ZNODES } from '../../src/model/znodes.js';
import { systemRandom } from '../../src/system/random.js';
import { clusterOf, uuidOf } from '../support/configs.js';
import { bytes, expectFailed, nothing, ok } from '../support/coordinator-checks.js';
import { type FakeSession, FakeTree, type Fault } from '../support/fake-session.js';

const LOSSES: readonly Fault[] = ['lost-before', 'lost-after'];
/** More calls than any recipe makes. */
const CALLS = 12;
const EACH_LOSS = LOSSES.flatMap((fault) => {
  return Array.from({ length: CALLS }, (_, call) => ({ fault, call }));
});

/** Calls again until there is an answer, as every caller of a recipe does. */
async function untilOk<T>(call: () => Promise<{ status: string } & T>): Promise<T> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const outcome = await call();
    if (outcome.status === 'ok') return outcome;
  }
  throw new Error('no answer in 5 attempts');
}

describe('createProtected (Z1)', () => {
  const guid = uuidOf('me');
  const znode = { directory: '/election', guid, prefix: 'c_', data: bytes('d') };

  function setUp(): { tree: FakeTree; session: FakeSession } {
    const tree = new FakeTree();
    tree.put('/election');
    return { tree, session: tree.session() };
  }

  it('makes one znode: guid, prefix and ten digits, owned by the session', async () => {
    const { tree, session } = setUp();
    const name = ok(await createProtected(session, znode));
    expect(name).toBe(`${guid}-c_0000000000`);
    expect(tree.get(`/election/${name}`)?.stat.owner).toBe(session.id);
  });

  it('made again, it is the same one', async () => {
    const { tree, session } = setUp();
    const name = ok(await createProtected(session, znode));
    expect(ok(await createProtected(session, znode))).toBe(name);
    expect(tree.children('/election')).toEqual([name]);
  });

  it.each(EACH_LOSS)('answer $call $fault: exactly one candidate in the end (Z5)', async (loss) => {
    const { tree, session } = setUp();
    session.faults.set(loss.call, loss.fault);
    const made = await untilOk(() => createProtected(session, znode));
    expect(tree.children('/election')).toEqual([(made as { value?: string }).value]);
  });

  it('two answers lost in a row leave one candidate, whichever they are', async () => {
    for (let call = 0; call < CALLS; call++) {
      for (const [first, second] of LOSSES.flatMap((a) => LOSSES.map((b) => [a, b] as const))) {
        const { tree, session } = setUp();
        session.faults.set(call, first);
        session.faults.set(call + 1, second);
        await untilOk(() => createProtected(session, znode));
        expect(tree.children('/election')).toHaveLength(1);
      }
    }
  });

  it('one of an earlier session with our guid is never taken for ours, and removed', async () => {
    const { tree, session } = setUp();
    const old = ok(await createProtected(tree.session(), znode));
    const name = ok(await createProtected(session, znode));
    expect(name).not.toBe(old);
    expect(tree.children('/election')).toEqual([name]);
  });

  it('candidates with other guids are left alone', async () => {
    const { tree, session } = setUp();
    const other = ok(await createProtected(tree.session(), { ...znode, guid: uuidOf('you') }));
    const name = ok(await createProtected(session, znode));
    expect(tree.children('/election')?.sort()).toEqual([name, other].sort());
  });

  it('without its directory it fails, definitely', async () => {
    expectFailed(await createProtected(new FakeTree().session(), znode), 'no-node');
  });
});

describe('takeLeaderEpoch (Z2, Z3)', () => {
  const own = 'me-c_0000000000';

  function setUp(record: Buffer = encodeLeaderRecord(NO_LEADER_YET)) {
    const tree = new FakeTree();
    for (const path of ['/election', '/leader']) tree.put(path);
    tree.put(ZNODES.leaderEpoch, record);
    const session = tree.session();
    tree.apply(
      [{ type: 'create', path: candidateZnode(own), data: nothing, mode: 'ephemeral' }],
      session.id,
    );
    const leader = 'r1' as MemberId;
    const take = (above = 0) => {
      const claim = { leader, candidate: own, above: above as LeaderEpoch, random: systemRandom };
      return takeLeaderEpoch(session, claim);
    };
    return { tree, session, take, held: () => tree.get(ZNODES.leaderEpoch)! };
  }

  it('raises the epoch by one, and the fence is what the znode now has', async () => {
    const { take, held } = setUp();
    for (let epoch = 1; epoch <= 5; epoch++) {
      expect(ok(await take())).toEqual({ leaderEpoch: epoch, version: epoch });
      expect(decodeLeaderRecord(held().data)).toMatchObject({ leaderEpoch: epoch, leader: 'r1' });
      expect(held().stat.version).toBe(epoch);
    }
  });

  it('goes above the highest epoch that members have heard of (B9)', async () => {
    const { take, held } = setUp();
    expect(ok(await take(7))).toEqual({ leaderEpoch: 8, version: 1 });
    expect(ok(await take(3))).toEqual({ leaderEpoch: 9, version: 2 });
    expect(decodeLeaderRecord(held().data).leaderEpoch).toBe(9);
  });

  it('steps over no bound: nobody could read what it wrote', async () => {
    const last = { ...NO_LEADER_YET, leaderEpoch: EPOCH_MAX as LeaderEpoch };
    const { take, held } = setUp(encodeLeaderRecord(last));
    expect(await take()).toMatchObject({ status: 'failed', code: 'refused' });
    expect(decodeLeaderRecord(held().data)).toEqual(last);
    expect(await setUp().take(EPOCH_MAX)).toMatchObject({ status: 'failed', code: 'refused' });
  });

  it.each(EACH_LOSS)(
    'answer $call $fault: a fence that is told is the one held (Z5)',
    async (loss) => {
      const { take, held, session } = setUp();
      session.faults.set(loss.call, loss.fault);
      await untilOk(async () => {
        const taken = await take();
        if (taken.status === 'ok') {
          expect(taken.value.version).toBe(held().stat.version);
          expect(taken.value.leaderEpoch).toBe(decodeLeaderRecord(held().data).leaderEpoch);
        }
        return taken;
      });
    },
  );

  it('a multi whose answer is lost after it was done is known by its nonce', async () => {
    const { take, session } = setUp();
    session.faults.set(2, 'lost-after');
    expect(ok(await take())).toEqual({ leaderEpoch: 1, version: 1 });
    expect(session.made).toEqual(['barrier', 'read', 'multi', 'barrier', 'read']);
  });

  it('without any answer it stays unknown, and changed nothing', async () => {
    const { take, session, held } = setUp();
    for (let call = 2; call < 20; call++) session.faults.set(call, 'lost-before');
    expect((await take()).status).toBe('unknown');
    expect(held().stat.version).toBe(0);
  });

  it('one that another leader overtook is not taken for ours', async () => {
    const { take, session, tree } = setUp();
    session.faults.set(2, 'lost-after').set(3, 'hold');
    const taking = take();
    while (session.calls < 4) await Promise.resolve();
    const data = encodeLeaderRecord({ ...NO_LEADER_YET, nonce: 'theirs' });
    tree.apply([{ type: 'set', path: ZNODES.leaderEpoch, data, version: 1 }], 'another');
    session.release();
    expect((await taking).status).toBe('unknown');
  });

  it('without its own candidate nobody takes office', async () => {
    const { take, tree, session, held } = setUp();
    tree.expire(session.id);
    expect(await take()).toMatchObject({ status: 'failed', code: 'no-node', opIndex: 0 });
    expect(held().stat.version).toBe(0);
  });

  it('of two at once exactly one takes the epoch', async () => {
    const { tree, held } = setUp();
    const taken = await Promise.all(
      ['r1', 'r2', 'r3'].map((id) => {
        const session = tree.session();
        const path = candidateZnode(id);
        tree.apply([{ type: 'create', path, data: nothing, mode: 'ephemeral' }], session.id);
        const leader = id as MemberId;
        const claim = { leader, candidate: id, above: 0 as LeaderEpoch, random: systemRandom };
        return takeLeaderEpoch(session, claim);
      }),
    );
    expect(taken.filter(({ status }) => status === 'ok')).toHaveLength(1);
    expect(held().stat.version).toBe(1);
  });

  it.each(['', 'garbage', '{}', '{"format":2}'])(
    '%j is refused and not overwritten',
    async (text) => {
      const { take, held } = setUp(bytes(text));
      expectFailed(await take(), 'refused');
      expect(held().data).toEqual(bytes(text));
      expect(held().stat.version).toBe(0);
    },
  );
});

describe('ensureCluster', () => {
  const wanted = (name: string) => clusterOf({ clusterUuid: uuidOf(name) });

  it('of many routers exactly one creates it, and all read back the same', async () => {
    const tree = new FakeTree();
    const names = Array.from({ length: 9 }, (_, n) => `r${n}`);
    const ensured = await Promise.all(
      names.map(async (name) => ok(await ensureCluster(tree.session(), wanted(name)))),
    );
    expect(ensured.filter(({ created }) => created)).toHaveLength(1);
    const uuids = new Set(ensured.map(({ cluster }) => cluster.clusterUuid));
    expect(uuids.size).toBe(1);
    for (const path of Object.values(ZNODES)) expect(tree.get(path), path).toBeDefined();
  });

  it('what exists is found as it is', async () => {
    const tree = new FakeTree();
    await ensureCluster(tree.session(), wanted('first'));
    const { cluster, created } = ok(await ensureCluster(tree.session(), wanted('second')));
    expect([cluster, created]).toEqual([wanted('first'), false]);
  });

  it.each(EACH_LOSS)('answer $call $fault: it exists, is complete and ours (Z5)', async (loss) => {
    const tree = new FakeTree();
    const session = tree.session();
    session.faults.set(loss.call, loss.fault);
    const ensured = await untilOk(() => ensureCluster(session, wanted('mine')));
    expect(ensured).toMatchObject({ value: { cluster: wanted('mine'), created: true } });
    for (const path of Object.values(ZNODES)) expect(tree.get(path), path).toBeDefined();
  });

  it.each(['', 'garbage', '[]', '{"format":9}'])('%j throws, and stays', async (text) => {
    const tree = new FakeTree();
    tree.put(ZNODES.cluster, text);
    await expect(ensureCluster(tree.session(), wanted('mine'))).rejects.toThrow(BadRecordError);
    await expect(readCluster(tree.session())).rejects.toThrow(BadRecordError);
    expect(tree.get(ZNODES.cluster)?.data).toEqual(bytes(text));
    expect(tree.children('/')).toEqual(['cluster']);
  });
});
