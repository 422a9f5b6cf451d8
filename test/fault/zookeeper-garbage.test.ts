/**
 * A server, or something in its place, that answers nonsense: nothing throws, no call hangs, and
 * nothing is believed that was not said (testing.md section 8, row 13; N4, N5, N7).
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CoordinatorSession, Outcome } from '../../src/ports/coordinator.js';
import { systemClock } from '../../src/system/clock.js';
import { systemRandom } from '../../src/system/random.js';
import { ZooKeeperCoordinator } from '../../src/zookeeper/coordinator.js';
import { nothing } from '../support/coordinator-checks.js';
import { answer, frame, OP, ScriptedZooKeeper } from '../support/scripted-zookeeper.js';
import { silentLog } from '../support/silent-log.js';

const TIMEOUT_MS = 900;
const GRACE_MS = 200;
const SEEDS = 240;

const thrown: unknown[] = [];
const note = (error: unknown): void => void thrown.push(error);

/** A small generator (mulberry32): the same garbage for the same seed. */
function chanceOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function garbage(below: (n: number) => number, xid: number): Buffer | undefined {
  const random = Buffer.from(Array.from({ length: 1 + below(120) }, () => below(256)));
  const length = Buffer.alloc(4);
  switch (below(10)) {
    case 0:
      return random;
    case 1:
      return frame(random);
    case 2:
      return answer(xid, 0, random);
    case 3:
      return answer(xid, [-118, -127, -1, -122, 12_345, -999][below(6)]!, random);
    case 4:
      return answer(xid + 1 + below(5), 0, random);
    case 5:
      length.writeInt32BE([-1, -100, 0, 2 ** 31 - 1, -(2 ** 31), 50_000_000][below(6)]!);
      return Buffer.concat([length, random]);
    case 6: // An event, mostly of no known kind.
      return answer(-1, 0, random);
    case 7:
      return answer([-2, -4, -8][below(3)]!, below(2) === 0 ? 0 : -115, random);
    case 8: // Half an answer: whatever comes next is garbled.
      return answer(xid, 0, random).subarray(0, 10);
    default:
      return undefined;
  }
}

describe('answers that are nonsense', () => {
  let server: ScriptedZooKeeper;
  let coordinator: ZooKeeperCoordinator;
  const told: string[] = [];

  function open(address = server.address): Promise<CoordinatorSession> {
    const deps = { clock: systemClock, random: systemRandom, log: silentLog };
    const sessionTimeoutMs = TIMEOUT_MS;
    coordinator = new ZooKeeperCoordinator({
      connect: address,
      root: '/g',
      sessionTimeoutMs,
      ...deps,
    });
    return new Promise((resolve) => {
      coordinator.start({ session: resolve, unreachable: (problem) => told.push(problem) });
    });
  }

  async function inTime<T>(
    call: Promise<Outcome<T>>,
    deadlineMs = TIMEOUT_MS,
  ): Promise<Outcome<T>> {
    const startMs = performance.now();
    const outcome = await call;
    expect(performance.now() - startMs).toBeLessThan(deadlineMs + GRACE_MS);
    return outcome;
  }

  const next = (session: CoordinatorSession): Promise<string> => {
    return new Promise((resolve) => session.on('state', resolve));
  };

  beforeAll(() => {
    process.on('uncaughtException', note);
    process.on('unhandledRejection', note);
  });
  beforeEach(async () => {
    server = await ScriptedZooKeeper.start();
  });
  afterEach(async () => {
    await coordinator.close();
    await server.close();
    expect(thrown.splice(0)).toEqual([]);
    told.splice(0);
  });
  afterAll(() => {
    process.off('uncaughtException', note);
    process.off('unhandledRejection', note);
  });

  it.each([
    [-118, 'unknown'],
    [-122, 'unknown'],
    [-1, 'unknown'],
    [-999, 'unknown'],
    [12_345, 'unknown'],
    [-127, 'failed'],
    [-125, 'failed'],
    [-101, 'failed'],
  ])('the error code %i ends a write as %s (N5, Z5)', async (code, status) => {
    const session = await open();
    server.reply = (xid) => answer(xid, code);
    expect((await inTime(session.create('/x', nothing, 'persistent'))).status).toBe(status);
    expect((await inTime(session.set('/x', nothing, 0))).status).toBe(status);
    expect(session.state).toBe('connected');
  });

  it.each([-1, -7, 0, 2 ** 31 - 1, 50_000_000])(
    'an answer of %i bytes ends the connection at once, and the session comes back (N4)',
    async (length) => {
      const session = await open();
      const lengths = Buffer.alloc(4);
      lengths.writeInt32BE(length);
      server.reply = () => lengths;
      const states = [next(session), inTime(session.read('/x'))] as const;
      const startMs = performance.now();
      expect(await states[0]).toBe('suspended');
      expect(performance.now() - startMs).toBeLessThan(GRACE_MS);
      expect((await states[1]).status).toBe('unknown');
      const back = next(session);
      server.reply = undefined;
      expect(await back).toBe('connected');
      expect((await session.create('/x', nothing, 'persistent')).status).toBe('failed');
    },
  );

  it.each([
    ['a value of 2 GiB', [2 ** 31 - 1]],
    ['a value of a negative length', [-2]],
    ['2 billion children', [2 ** 31 - 1, -1, -1]],
    ['children that make no headway', [2 ** 31 - 1, -4, -4]],
  ])('an answer that claims %s ends the connection at once', async (_claim, numbers) => {
    const session = await open();
    const payload = Buffer.alloc(4 * numbers.length);
    for (const [n, number] of numbers.entries()) payload.writeInt32BE(number, 4 * n);
    server.reply = (xid) => answer(xid, 0, payload);
    const left = next(session);
    const startMs = performance.now();
    const read = numbers.length === 1 ? session.read('/x') : session.children('/x');
    expect(await left).toBe('suspended');
    expect(performance.now() - startMs).toBeLessThan(GRACE_MS);
    expect((await inTime<unknown>(read)).status).toBe('unknown');
  });

  it('a server that talks but answers nothing is left after 2/3 of the timeout (N2)', async () => {
    const session = await open();
    const startMs = performance.now();
    const long = Buffer.alloc(4);
    long.writeInt32BE(1_000_000);
    server.reply = () => {
      server.reply = (xid) => answer(xid, 0, Buffer.alloc(100));
      return long;
    };
    const left = next(session);
    expect((await inTime(session.read('/x'))).status).toBe('unknown');
    expect(await left).toBe('suspended');
    expect(performance.now() - startMs).toBeLessThan((TIMEOUT_MS * 2) / 3 + 500);
  });

  it('a server that grants another session than ours is not believed', async () => {
    const session = await open();
    server.greet = (right) => {
      const other = Buffer.from(right);
      other.writeInt32BE(0x77, 12);
      return other;
    };
    server.reply = () => Buffer.alloc(4);
    await session.read('/x');
    while (server.connections < 4) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(session.state).toBe('suspended');
  });

  it('garbage instead of a greeting opens no session; the operator is told', async () => {
    const below = chanceOf(7);
    server.greet = (right) => {
      const bytes = Buffer.from(Array.from({ length: 1 + below(60) }, () => below(256)));
      return [bytes, frame(bytes), right.subarray(0, 20), Buffer.alloc(45)][below(4)]!;
    };
    let opened = false;
    void open().then(() => (opened = true));
    while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(opened).toBe(false);
    expect(server.connections).toBeGreaterThan(2);
  });

  it(`${SEEDS} seeds of garbage: every call ends in time, nothing throws`, async () => {
    const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
    const one = async (seed: number): Promise<void> => {
      const below = chanceOf(seed);
      const own = await ScriptedZooKeeper.start();
      const opening = open(own.address);
      const owner = coordinator;
      const session = await opening;
      own.reply = (xid, op) => {
        return below(4) === 0 && op === OP.create ? answer(xid, -110) : garbage(below, xid);
      };
      for (let round = 0; round < 2; round++) {
        await Promise.all([
          inTime(session.create('/x', nothing, 'ephemeral')),
          inTime(session.read('/x', { timeoutMs: 300, onMaybeChanged: () => undefined }), 600),
          inTime(session.children('/x', { timeoutMs: 300 }), 300),
          inTime(session.multi([{ type: 'remove', path: '/x', version: 0 }])),
          inTime(session.set('/x', nothing, 0)),
          inTime(session.barrier()),
        ]);
      }
      await owner.close();
      await own.close();
    };
    const workers = Array.from({ length: 40 }, async () => {
      for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop()) await one(seed);
    });
    await Promise.all(workers);
    coordinator = new ZooKeeperCoordinator({
      ...{ connect: server.address, root: '/g', sessionTimeoutMs: TIMEOUT_MS },
      ...{ clock: systemClock, random: systemRandom, log: silentLog },
    });
  });
});
