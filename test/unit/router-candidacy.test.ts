/** One router's part in the election, over sessions that doubt, break and end. */
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeLeaderRecord, NO_LEADER_YET } from '../../src/model/leader-record.js';
import type { LeaderEpoch, MemberId } from '../../src/model/ids.js';
import { encodeCandidateRecord } from '../../src/model/registrations.js';
import { CANDIDATE_PREFIX, candidateZnode, ZNODES } from '../../src/model/znodes.js';
import type { Dialer } from '../../src/ports/network.js';
import { Candidacy, RouterIdInUseError } from '../../src/router/candidacy.js';
import { nothing, ok } from '../support/coordinator-checks.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeDialer } from '../support/fake-dialer.js';
import { MemoryService, type MemorySession } from '../support/memory-coordinator.js';
import { silentLog } from '../support/silent-log.js';
import { CountingRandom } from '../support/storage-harness.js';

const RETRY_MS = 200;

let service: MemoryService;
let clock: FakeClock;
let observer: MemorySession;
/** One for all, so that no two are alike. */
let random: CountingRandom;

beforeEach(async () => {
  service = new MemoryService();
  clock = new FakeClock();
  random = new CountingRandom();
  observer = service.connect('/c');
  for (const path of [ZNODES.election, ZNODES.leader]) {
    ok(await observer.create(path, nothing, 'persistent'));
  }
  ok(await observer.create(ZNODES.leaderEpoch, encodeLeaderRecord(NO_LEADER_YET), 'persistent'));
});

class WatchingDialer extends FakeDialer {
  readonly #watches = new Map<string, () => void>();

  override readonly watchProcess: Dialer['watchProcess'] = (address, gone) => {
    this.#watches.set(address, gone);
    return () => this.#watches.delete(address);
  };

  get watched(): string[] {
    return [...this.#watches.keys()];
  }

  /** Its port refuses: whoever watched it is told, once. */
  findDead(address: string): void {
    const gone = this.#watches.get(address);
    this.#watches.delete(address);
    gone?.();
  }
}

/** A router's candidacy and what became of it: epochs it leads with, `-` when it resigned. */
class RouterUnderTest {
  readonly became: (number | '-')[] = [];
  readonly failures: Error[] = [];
  readonly dialer = new WatchingDialer();
  readonly session: MemorySession;
  readonly candidacy: Candidacy;
  candidate = '';

  constructor(id: string, address = `${id}:7000`) {
    this.session = service.connect('/c');
    const record = { id: id as MemberId, address, admin: '' };
    this.candidacy = new Candidacy(
      { self: record.id, record, clock, random, log: silentLog, dialer: this.dialer },
      {
        lead: (_, { fence, candidate }) => {
          this.became.push(fence.leaderEpoch);
          this.candidate = candidate;
        },
        resign: () => this.became.push('-'),
        failed: (reason) => this.failures.push(reason),
      },
    );
    this.candidacy.enter(this.session);
  }
}

async function enter(id: string, address?: string): Promise<RouterUnderTest> {
  const router = new RouterUnderTest(id, address);
  await settle();
  return router;
}

/** Lets everything happen that needs no time. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= RETRY_MS) {
    clock.advance(Math.min(left, RETRY_MS));
    await settle();
  }
}

const candidates = async () => ok(await observer.children(ZNODES.election))!;

describe('leading', () => {
  it('the lowest leads, the next one when its znode is gone', async () => {
    const r1 = await enter('r1');
    const r2 = await enter('r2');
    expect([r1.became, r2.became]).toEqual([[1], []]);
    r1.session.expire();
    await settle();
    expect([r1.became, r2.became]).toEqual([[1, '-'], [2]]);
  });

  it('passes from one to the next: a death wakes the one behind it, and no other', async () => {
    const [r1, r2, r3] = [await enter('r1'), await enter('r2'), await enter('r3')];
    const callsOf = ({ session }: RouterUnderTest) => session.calls.length;
    const [asleep, behind] = [callsOf(r3), callsOf(r2)];
    r1.session.expire();
    r3.dialer.findDead('r1:7000');
    await settle();
    expect(r2.became).toEqual([2]);
    expect(callsOf(r2)).toBeGreaterThan(behind);
    expect(callsOf(r3)).toBe(asleep);
    r2.session.expire();
    await settle();
    expect([r1.became, r2.became, r3.became]).toEqual([[1, '-'], [2, '-'], [3]]);
  });

  it('passes over one in the middle: whoever stood behind it watches the one before', async () => {
    const [r1, r2, r3] = [await enter('r1'), await enter('r2'), await enter('r3')];
    r2.session.expire();
    await settle();
    expect([r1.became, r3.became]).toEqual([[1], []]);
    r1.session.expire();
    await settle();
    expect(r3.became).toEqual([2]);
  });

  it('ends in doubt and comes back with the proof, without any other event (Z4)', async () => {
    const r1 = await enter('r1');
    r1.session.doubt();
    await settle();
    expect(r1.became).toEqual([1, '-']);
    r1.session.trust();
    await settle();
    expect(r1.became).toEqual([1, '-', 2]);
  });

  it('in doubt about a session that is not in use any more changes nothing', async () => {
    const r1 = await enter('r1');
    const old = r1.session;
    old.expire();
    r1.candidacy.enter(service.connect('/c'));
    await settle();
    old.doubt();
    expect(r1.became).toEqual([1, '-', 2]);
  });

  it('ends when its leadership says so; whoever is still lowest leads again', async () => {
    const r1 = await enter('r1');
    r1.candidacy.abdicate('a test');
    await settle();
    expect(r1.became).toEqual([1, '-', 2]);
    ok(await observer.remove(candidateZnode(r1.candidate), 0));
    r1.candidacy.abdicate('its znode is gone');
    await settle();
    expect(r1.became).toEqual([1, '-', 2, '-', 3]);
    expect(await candidates()).toHaveLength(1);
  });

  it('goes above every leaderEpoch that was heard of (B9)', async () => {
    const r1 = await enter('r1');
    r1.candidacy.heard(1 as LeaderEpoch);
    expect(r1.became).toEqual([1]);
    r1.candidacy.heard(40 as LeaderEpoch);
    await settle();
    expect(r1.became).toEqual([1, '-', 41]);
    const r2 = await enter('r2');
    r2.candidacy.heard(60 as LeaderEpoch);
    await settle();
    expect(r2.became).toEqual([]);
  });

  it('passes on at once when the process of its holder is gone', async () => {
    const [r1, r2] = [await enter('r1'), await enter('r2')];
    expect(r2.dialer.watched).toEqual(['r1:7000']);
    r2.dialer.findDead('r1:7000');
    await settle();
    expect(r2.became).toEqual([2]);
    expect(r2.dialer.watched).toEqual([]);
    expect(r1.became).toEqual([1]); // It does not know yet; the leaderEpoch fences it.
  });

  it('passes on as soon as ZooKeeper answers, if its process is still gone then', async () => {
    const [r1, r2] = [await enter('r1'), await enter('r2')];
    const removals = () => r2.session.calls.filter((call) => call === 'remove').length;
    for (const [times, fault] of (['not-connected', 'before'] as const).entries()) {
      r2.session.fault('remove', fault);
      r2.dialer.findDead('r1:7000');
      await settle();
      expect(r2.dialer.watched).toEqual([]);
      await pass(RETRY_MS);
      expect([removals(), r2.dialer.watched]).toEqual([times + 1, ['r1:7000']]);
    }
    await pass(10 * RETRY_MS);
    expect(r2.became, 'nobody said that it is gone').toEqual([]);
    r2.dialer.findDead('r1:7000');
    await settle();
    expect([r1.became, r2.became, r2.dialer.watched]).toEqual([[1], [2], []]);
  });

  it('waits for the session of a dead holder whose znode it may not remove', async () => {
    const [r1, r2] = [await enter('r1'), await enter('r2')];
    const remove = r2.session.remove.bind(r2.session);
    r2.session.remove = () =>
      Promise.resolve({ status: 'failed', code: 'refused', message: 'no-auth' });
    r2.dialer.findDead('r1:7000');
    await settle();
    await pass(10 * RETRY_MS);
    expect([r2.became, r2.dialer.watched]).toEqual([[], []]);
    r2.session.remove = remove;
    r1.session.expire();
    await settle();
    expect(r2.became).toEqual([2]);
  });

  it('passes on if the hint comes before the answer that it belongs to', async () => {
    const r1 = await enter('r1');
    const r2 = new RouterUnderTest('r2');
    const read = r2.session.read.bind(r2.session);
    r2.session.read = (path, options) => {
      const answer = read(path, options);
      if (options?.onMaybeChanged !== undefined) r1.session.expire();
      return answer;
    };
    await settle();
    expect([r1.became, r2.became]).toEqual([[1, '-'], [2]]);
    expect(r2.dialer.watched).toEqual([]);
  });
});

describe('standing', () => {
  it('a router that stops while it looks watches nobody', async () => {
    await enter('r1');
    const r2 = await enter('r2');
    r2.dialer.findDead('nobody');
    r2.candidacy.look();
    const watched = r2.dialer.watched;
    await r2.candidacy.withdraw();
    await settle();
    expect([watched, r2.dialer.watched]).toEqual([['r1:7000'], []]);
    const r3 = new RouterUnderTest('r3');
    await r3.session.children(ZNODES.election);
    await r3.candidacy.withdraw();
    await settle();
    expect(r3.dialer.watched).toEqual([]);
  });

  it('a router whose znode was removed although it lives looks, and stands again', async () => {
    const [r1, r2] = [await enter('r1'), await enter('r2')];
    const [first, second] = await candidates();
    ok(await observer.remove(candidateZnode(second!), 0));
    await settle();
    expect(await candidates()).toEqual([first]);
    r2.candidacy.look();
    await settle();
    expect(await candidates()).toEqual([first, expect.not.stringContaining(second!)]);
    r1.session.expire();
    await settle();
    expect([r1.became, r2.became]).toEqual([[1, '-'], [2]]);
  });

  it('a look changes nothing for a router that stands, or leads', async () => {
    const both = [await enter('r1'), await enter('r2')];
    const before = await candidates();
    for (const { candidacy } of both) candidacy.look();
    await settle();
    expect(await candidates()).toEqual(before);
    expect(both.map(({ became }) => became)).toEqual([[1], []]);
  });
});

describe('an id', () => {
  it('of an earlier process at our address is taken over at once', async () => {
    const first = await enter('r1');
    const second = await enter('r1');
    expect(second.became).toEqual([2]);
    expect(await candidates()).toEqual([second.candidate]);
    expect(first.failures).toEqual([]);
  });

  it('of a router elsewhere is waited for while that one may be dying', async () => {
    const first = await enter('r1', 'old:7000');
    const second = await enter('r1', 'new:7000');
    await pass(second.session.timeoutMs);
    expect(await candidates()).toEqual([first.candidate]);
    first.session.expire();
    await pass(2 * RETRY_MS);
    expect([second.became, second.failures]).toEqual([[2], []]);
  });

  it('is waited for anew in a new session: old znodes were given new time as well', async () => {
    const first = await enter('r1', 'old:7000');
    const second = await enter('r1', 'new:7000');
    await pass(second.session.timeoutMs);
    second.session.expire();
    clock.advance(10 * second.session.timeoutMs); // ZooKeeper was away.
    second.candidacy.enter(service.connect('/c'));
    await pass(second.session.timeoutMs);
    expect(second.failures).toEqual([]);
    first.session.expire();
    await pass(2 * RETRY_MS);
    expect([second.became, second.failures]).toEqual([[2], []]);
  });

  it('of a router elsewhere that stays is refused, and the router is told', async () => {
    const first = await enter('r1', 'here:7000');
    const second = await enter('r1', 'there:7000');
    await pass(2 * second.session.timeoutMs);
    expect(second.failures).toHaveLength(1);
    expect(second.failures[0]).toBeInstanceOf(RouterIdInUseError);
    expect(second.failures[0]!.message).toContain('in use by a process at here:7000');
    expect(await candidates()).toEqual([first.candidate]);
    expect([first.became, second.became]).toEqual([[1], []]);
    await pass(120_000);
    expect(second.failures).toHaveLength(1);
  });

  it('that two take at the same moment goes to one of them', async () => {
    const both = [new RouterUnderTest('r1', 'here:7000'), new RouterUnderTest('r1', 'there:7000')];
    await settle();
    expect(await candidates()).toHaveLength(1);
    await pass(2 * both[0]!.session.timeoutMs);
    expect(both.map(({ became }) => became.length).sort()).toEqual([0, 1]);
    expect(both.flatMap(({ failures }) => failures)).toHaveLength(1);
  });

  it('is not ours only because a znode cannot be read', async () => {
    const path = candidateZnode(`x-${CANDIDATE_PREFIX}`);
    ok(await observer.create(path, Buffer.from('garbage'), 'ephemeral-sequential'));
    const record = { id: 'r9' as MemberId, address: 'r9:7000', admin: '' };
    ok(await observer.create(path, encodeCandidateRecord(record), 'ephemeral-sequential'));
    const r1 = await enter('r1');
    expect(r1.failures).toEqual([]);
    expect(await candidates()).toHaveLength(3);
  });
});
