import { beforeEach, describe, expect, it } from 'vitest';
import { compareAndSet, fencedMulti, writeOnce } from '../../src/coordination/compare-and-set.js';
import { takeLeaderEpoch } from '../../src/coordination/leader-epoch.js';
import { InvariantViolation } from '../../src/model/assert.js';
import type { LeaderEpoch, MemberId } from '../../src/model/ids.js';
import { encodeLeaderRecord, NO_LEADER_YET } from '../../src/model/leader-record.js';
import { candidateZnode, ZNODES } from '../../src/model/znodes.js';
import type { MultiOp } from '../../src/ports/coordinator.js';
import { bytes, expectFailed, nothing, ok } from '../support/coordinator-checks.js';
import { MemoryService, type MemorySession } from '../support/memory-coordinator.js';
import { CountingRandom } from '../support/storage-harness.js';

let session: MemorySession;
let other: MemorySession;

const found = async (path: string) => ok(await other.read(path));
const setX: MultiOp = { type: 'set', path: '/x', data: bytes('mine'), version: 0 };
const createY: MultiOp = { type: 'create', path: '/y', data: bytes('mine'), mode: 'persistent' };
const multis = () => session.calls.filter((call) => call === 'multi').length;

beforeEach(async () => {
  const service = new MemoryService();
  session = service.connect('/c');
  other = service.connect('/c');
  ok(await other.create('/x', bytes('before'), 'persistent'));
});

describe('a write whose answer is lost (Z5)', () => {
  it.each([[setX], [createY]])(
    'that happened is found by its data and not repeated',
    async (op) => {
      session.fault('multi', 'after');
      ok(await writeOnce(session, [op]));
      expect((await found(op.path))?.data).toEqual(bytes('mine'));
      expect(multis()).toBe(1);
    },
  );

  it.each([[setX], [createY]])('that did not happen is repeated', async (op) => {
    session.fault('multi', 'before');
    ok(await writeOnce(session, [op]));
    expect((await found(op.path))?.data).toEqual(bytes('mine'));
    expect(multis()).toBe(2);
  });

  it('is looked for behind a barrier, never in an old view (Z6)', async () => {
    session.fault('multi', 'after');
    ok(await writeOnce(session, [setX]));
    expect(session.calls).toEqual(['multi', 'barrier', 'read']);
  });

  it('and lost again and again stays unknown in the end', async () => {
    for (let n = 0; n < 3; n++) session.fault('multi', 'before');
    expect(await writeOnce(session, [setX])).toMatchObject({ status: 'unknown' });
    expect((await found('/x'))?.data).toEqual(bytes('before'));
  });

  it.each(['barrier', 'read'] as const)(
    'stays unknown when the %s is lost too (S21)',
    async (call) => {
      session.fault('multi', 'after');
      session.fault(call, 'not-connected');
      expect(await writeOnce(session, [setX])).toMatchObject({ status: 'unknown' });
    },
  );

  it('stays unknown when somebody changed the znode since (S21)', async () => {
    session.fault('multi', 'after', () => void other.set('/x', bytes('theirs'), 1));
    expect(await writeOnce(session, [setX])).toMatchObject({ status: 'unknown' });
    expect((await found('/x'))?.data).toEqual(bytes('theirs'));
  });

  it('and whose repetition is refused has definitely failed', async () => {
    // What changed is another znode of the multi, so the witness is as it was.
    ok(await other.create('/z', nothing, 'persistent'));
    session.fault('multi', 'before', () => void other.set('/z', bytes('theirs'), 0));
    const outcome = await writeOnce(session, [setX, { type: 'check', path: '/z', version: 0 }]);
    expectFailed(outcome, 'bad-version', 1);
    expect((await found('/x'))?.data).toEqual(bytes('before'));
  });
});

describe('a write that is refused', () => {
  it('fails at once, with the step that was refused, and is not repeated', async () => {
    ok(await other.set('/x', bytes('theirs'), 0));
    expectFailed(await writeOnce(session, [createY, setX]), 'bad-version', 1);
    expectFailed(
      await compareAndSet(session, { path: '/x', data: bytes('mine'), version: 0 }),
      'bad-version',
    );
    expect(await found('/y')).toBeUndefined();
    expect(multis()).toBe(2);
  });

  it('for want of a connection was never sent', async () => {
    session.suspend();
    expectFailed(await writeOnce(session, [setX]), 'not-connected');
  });

  it.each([
    [[]],
    [[{ type: 'check', path: '/x', version: 0 } satisfies MultiOp]],
    [[{ type: 'create', path: '/s-', data: nothing, mode: 'ephemeral-sequential' } as const]],
  ])('because it could not be recognised is our own bug', async (ops) => {
    await expect(writeOnce(session, ops)).rejects.toThrow(InvariantViolation);
  });
});

describe('the leaderEpoch as a fence', () => {
  const random = new CountingRandom();
  const claim = (candidate: string) => ({
    leader: 'r1' as MemberId,
    candidate,
    above: 0 as LeaderEpoch,
    random,
  });
  let own: string;

  beforeEach(async () => {
    for (const path of [ZNODES.election, ZNODES.leader]) {
      ok(await other.create(path, nothing, 'persistent'));
    }
    ok(await other.create(ZNODES.leaderEpoch, encodeLeaderRecord(NO_LEADER_YET), 'persistent'));
    own = await candidateOf(session);
  });

  async function candidateOf(owner: MemorySession): Promise<string> {
    const path = candidateZnode('g-c_');
    return ok(await owner.create(path, nothing, 'ephemeral-sequential'))
      .split('/')
      .at(-1)!;
  }

  describe('to a write of a leader (Z3), which', () => {
    it('is done while nobody else took office', async () => {
      const { version: fenceVersion } = ok(await takeLeaderEpoch(session, claim(own)));
      expect(await fencedMulti(session, fenceVersion, [setX])).toMatchObject({ status: 'ok' });
      expect((await found('/x'))?.data).toEqual(bytes('mine'));
    });

    it('changes nothing once another leads (S17)', async () => {
      const { version: fenceVersion } = ok(await takeLeaderEpoch(session, claim(own)));
      ok(await takeLeaderEpoch(other, claim(await candidateOf(other))));
      expect(await fencedMulti(session, fenceVersion, [setX])).toEqual({ status: 'fenced' });
      expect((await found('/x'))?.data).toEqual(bytes('before'));
    });

    it('is not repeated when the leaderEpoch was lost between two attempts', async () => {
      const { version: fenceVersion } = ok(await takeLeaderEpoch(session, claim(own)));
      const theirs = encodeLeaderRecord(NO_LEADER_YET);
      session.fault('multi', 'before', () => {
        void other.set(ZNODES.leaderEpoch, theirs, fenceVersion);
      });
      expect(await fencedMulti(session, fenceVersion, [setX])).toEqual({ status: 'fenced' });
      expect((await found('/x'))?.data).toEqual(bytes('before'));
    });

    it('that is refused for its own sake is told apart from that', async () => {
      const { version: fenceVersion } = ok(await takeLeaderEpoch(session, claim(own)));
      ok(await other.set('/x', bytes('theirs'), 0));
      const outcome = await fencedMulti(session, fenceVersion, [setX]);
      expect(outcome).toMatchObject({ status: 'failed', code: 'bad-version', opIndex: 1 });
    });

    it('without a connection is told apart from that', async () => {
      session.suspend();
      expect(await fencedMulti(session, 0, [setX])).toMatchObject({
        status: 'failed',
        code: 'not-connected',
      });
    });
  });
});
