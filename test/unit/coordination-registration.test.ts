import { beforeEach, describe, expect, it } from 'vitest';
import { NodeIdInUseError, NodeRegistration } from '../../src/coordination/registration.js';
import type { Uuid } from '../../src/model/ids.js';
import {
  decodeNodeRecord,
  encodeNodeRecord,
  type NodeRecord,
} from '../../src/model/registrations.js';
import type { Log } from '../../src/ports/log.js';
import { nodeOf, uuidOf } from '../support/configs.js';
import { bytes, nothing, ok } from '../support/coordinator-checks.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryService, type MemorySession } from '../support/memory-coordinator.js';
import { silentLog } from '../support/silent-log.js';
import { CountingRandom } from '../support/storage-harness.js';

const PATH = '/nodes/s1';
/** More than a retry's pause, less than anybody's patience. */
const RETRY_MS = 200;
const VERIFY_MS_MAX = 60_000;

let service: MemoryService;
let session: MemorySession;
let other: MemorySession;
let clock: FakeClock;
let said: string[];

beforeEach(async () => {
  service = new MemoryService();
  clock = new FakeClock();
  said = [];
  session = service.connect('/c');
  other = service.connect('/c');
  ok(await other.create('/nodes', nothing, 'persistent'));
});

function recordOf(life: number, store = 's1'): NodeRecord {
  const { id, address, labels, process, ancestry } = nodeOf('s1', life);
  return { id, address, labels, store: uuidOf(store), process, ancestry };
}

/** A node's registration and what became of it. */
function start(record = recordOf(1)) {
  const incarnations: number[] = [];
  const failures: Error[] = [];
  const hear = (message: string) => void said.push(message);
  const log: Log = { ...silentLog, warn: hear, error: hear };
  const registration = new NodeRegistration(
    record,
    {
      registered: (incarnation) => incarnations.push(incarnation),
      failed: (reason) => failures.push(reason),
    },
    { clock, random: new CountingRandom(), log },
  );
  return { registration, incarnations, failures };
}

/** Lets everything happen that needs no time. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= RETRY_MS) {
    clock.advance(Math.min(left, RETRY_MS));
    await settle();
  }
}

async function registered() {
  const znode = ok(await other.read(PATH));
  return (
    znode && {
      czxid: znode.stat.czxid,
      owner: znode.stat.owner,
      process: processOf(znode.data),
    }
  );
}

function processOf(data: Buffer): Uuid {
  return decodeNodeRecord(nodeOf('s1').id, data).process;
}

async function holdBy(owner: MemorySession, record: NodeRecord): Promise<void> {
  ok(await owner.create(PATH, encodeNodeRecord(record), 'ephemeral'));
}

describe('registering a node (Z10)', () => {
  it('makes an ephemeral znode and learns its incarnation from it', async () => {
    const { registration, incarnations } = start();
    registration.enter(session);
    await settle();
    expect(await registered()).toEqual({
      czxid: incarnations[0],
      owner: session.id,
      process: recordOf(1).process,
    });
  });

  it.each(['before', 'after'] as const)(
    'is done once though the answer is lost %s it happened (Z5)',
    async (when) => {
      const { registration, incarnations } = start();
      session.fault('multi', when);
      registration.enter(session);
      await settle();
      await pass(RETRY_MS);
      expect(incarnations).toEqual([(await registered())?.czxid]);
    },
  );

  it('goes on after an outage', async () => {
    const { registration, incarnations } = start();
    session.suspend();
    registration.enter(session);
    await pass(10 * RETRY_MS);
    expect(incarnations).toEqual([]);
    session.resume();
    await pass(RETRY_MS);
    expect(incarnations).toHaveLength(1);
  });

  it('is a new incarnation in each session', async () => {
    const { registration, incarnations } = start();
    registration.enter(session);
    await settle();
    session.expire();
    registration.enter(service.connect('/c'));
    await settle();
    expect(incarnations).toHaveLength(2);
    expect(incarnations[1]).toBeGreaterThan(incarnations[0]!);
  });

  it('says why, once, when it is refused for a reason that waiting may not mend', async () => {
    const { registration, incarnations } = start();
    ok(await other.remove('/nodes', 0));
    registration.enter(session);
    await pass(10 * RETRY_MS);
    expect(said.filter((line) => line.includes('refuses the registration'))).toHaveLength(1);
    ok(await other.create('/nodes', nothing, 'persistent'));
    await pass(RETRY_MS);
    expect(incarnations).toHaveLength(1);
  });
});

describe('a registration that is there already', () => {
  it('of an earlier process on our directory is replaced: we listen on its address', async () => {
    await holdBy(other, recordOf(1));
    const { registration, incarnations } = start(recordOf(2));
    registration.enter(session);
    await settle();
    await pass(RETRY_MS);
    expect(await registered()).toEqual({
      czxid: incarnations[0],
      owner: session.id,
      process: recordOf(2).process,
    });
  });

  it('of our own process in an earlier session is replaced, never taken for this one', async () => {
    await holdBy(other, recordOf(1));
    const { registration, incarnations } = start(recordOf(1));
    registration.enter(session);
    await settle();
    await pass(RETRY_MS);
    expect((await registered())?.owner).toBe(session.id);
    expect(incarnations).toHaveLength(1);
  });

  it('of a copy of our directory elsewhere is left alone, and named when it stays (S19)', async () => {
    const elsewhere = { ...recordOf(1), address: '10.0.0.9:7100' };
    await holdBy(other, elsewhere);
    const { registration, incarnations, failures } = start(recordOf(2));
    registration.enter(session);
    await pass(2 * session.timeoutMs);
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringContaining(
        'a copy of this data directory is in use by node s1 at 10.0.0.9:7100',
      ),
    ]);
    expect(incarnations).toEqual([]);
    expect((await registered())?.owner).toBe(other.id);
  });

  it('of another data directory is left alone, and named when it stays', async () => {
    await holdBy(other, recordOf(1, 'foreign'));
    const { registration, incarnations, failures } = start(recordOf(2));
    registration.enter(session);
    await pass(session.timeoutMs);
    expect(failures).toEqual([]);
    await pass(session.timeoutMs);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toBeInstanceOf(NodeIdInUseError);
    expect(failures[0]!.message).toContain(recordOf(1).address);
    expect(incarnations).toEqual([]);
    expect((await registered())?.owner).toBe(other.id);
  });

  it('of another data directory whose process was dying is waited for', async () => {
    await holdBy(other, recordOf(1, 'foreign'));
    const { registration, incarnations, failures } = start(recordOf(2));
    registration.enter(session);
    await pass(session.timeoutMs);
    other.expire();
    other = service.connect('/c');
    await pass(RETRY_MS);
    expect([incarnations.length, failures.length]).toEqual([1, 0]);
  });

  it('is given its whole time again after an outage', async () => {
    await holdBy(other, recordOf(1, 'foreign'));
    const { registration, failures } = start(recordOf(2));
    registration.enter(session);
    await pass(session.timeoutMs);
    session.suspend();
    await pass(10 * session.timeoutMs);
    session.resume();
    await pass(session.timeoutMs);
    expect(failures).toEqual([]);
  });

  it('that cannot be read is left alone (S19)', async () => {
    ok(await other.create(PATH, bytes('?'), 'persistent'));
    const { registration, failures } = start();
    registration.enter(session);
    await pass(2 * session.timeoutMs);
    expect(failures).toHaveLength(1);
    expect(ok(await other.read(PATH))?.data).toEqual(bytes('?'));
  });
});

describe('a registration that stands', () => {
  it('and is removed by somebody is made again at the next look', async () => {
    const { registration, incarnations } = start();
    registration.enter(session);
    await settle();
    ok(await other.remove(PATH, 1));
    await pass(VERIFY_MS_MAX);
    expect(incarnations).toHaveLength(2);
    expect((await registered())?.czxid).toBe(incarnations[1]);
  });

  it('is looked at when the connection is back', async () => {
    const { registration, incarnations } = start();
    registration.enter(session);
    await settle();
    session.suspend();
    ok(await other.remove(PATH, 1));
    session.resume();
    await settle();
    expect(incarnations).toHaveLength(2);
  });

  it('is made again once, though two looks at a time find another in its place', async () => {
    const { registration, incarnations } = start();
    registration.enter(session);
    await settle();
    ok(await other.remove(PATH, 1));
    await holdBy(other, recordOf(2));
    for (let flap = 0; flap < 2; flap++) {
      session.suspend();
      session.resume();
    }
    await pass(2 * RETRY_MS);
    expect(incarnations).toHaveLength(2);
    expect((await registered())?.czxid).toBe(incarnations[1]);
  });

  it('is not doubted because a look was not answered', async () => {
    const { registration, incarnations } = start();
    registration.enter(session);
    await settle();
    session.fault('barrier', 'before');
    await pass(2 * VERIFY_MS_MAX);
    expect(incarnations).toHaveLength(1);
  });
});

describe('withdrawing a registration', () => {
  it('removes the znode at once', async () => {
    const { registration } = start();
    registration.enter(session);
    await settle();
    await registration.withdraw();
    expect(await registered()).toBeUndefined();
  });

  it('ends, though sessions came and went while attempts paused', async () => {
    const { registration, incarnations } = start();
    const paused = async () => {
      const lost = service.connect('/c');
      lost.suspend();
      registration.enter(lost);
      await settle();
      return lost;
    };
    const first = await paused();
    registration.enter(session);
    await settle();
    expect(incarnations).toHaveLength(1);
    first.expire();
    session.expire();
    await paused();
    await registration.withdraw();
    expect(await registered()).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('ends every attempt to make it, and no timer is left', async () => {
    await holdBy(other, recordOf(1, 'foreign'));
    const { registration, incarnations, failures } = start(recordOf(2));
    registration.enter(session);
    await settle();
    await registration.withdraw();
    other.expire();
    other = service.connect('/c');
    await pass(VERIFY_MS_MAX);
    expect([incarnations, failures]).toEqual([[], []]);
    expect(await registered()).toBeUndefined();
    expect(clock.pending).toBe(0);
  });
});
