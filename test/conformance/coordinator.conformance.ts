/**
 * What every {@link Coordinator} must do: the znodes, versions, sessions and watches that the
 * recipes rely on. One suite for ZooKeeper and for whatever stands in for it, so that none of them
 * is kinder than the real one.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvariantViolation } from '../../src/model/assert.js';
import { LIMITS } from '../../src/model/limits.js';
import type {
  Coordinator,
  CoordinatorSession,
  FailureCode,
  MultiOp,
  Outcome,
} from '../../src/ports/coordinator.js';
import {
  bytes,
  expectFailed,
  found,
  Hint,
  MALFORMED_PATHS,
  nothing,
  ok,
} from '../support/coordinator-checks.js';

export interface CoordinatorHarness {
  /** One more client of the same service, not started. All clients of one root share its tree. */
  coordinator(root: string): Coordinator;
  dispose(): Promise<void>;
}

let roots = 0;

type MakeHarness = () => Promise<CoordinatorHarness>;

export function describeCoordinator(name: string, makeHarness: MakeHarness): void {
  describe(`coordinator: ${name}`, () => {
    let harness: CoordinatorHarness;
    let root: string;
    let a: CoordinatorSession;
    let b: CoordinatorSession;
    const opened: Coordinator[] = [];

    async function open(at = root): Promise<{ session: CoordinatorSession; owner: Coordinator }> {
      const owner = harness.coordinator(at);
      opened.push(owner);
      const session = await new Promise<CoordinatorSession>((resolve) => {
        owner.start({ session: resolve, unreachable: () => undefined });
      });
      return { session, owner };
    }

    async function make(path: string, data = nothing): Promise<void> {
      ok(await a.create(path, data, 'persistent'));
    }

    beforeAll(async () => {
      harness = await makeHarness();
    });
    afterAll(() => harness.dispose());
    beforeEach(async () => {
      root = `/conformance/t${roots++}`;
      a = (await open()).session;
      b = (await open()).session;
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((owner) => owner.close()));
    });

    describe('znodes', () => {
      it('what was created is read back, by every session behind its barrier (Z6)', async () => {
        expect(ok(await a.create('/x', bytes('1'), 'persistent'))).toBe('/x');
        expect((await found(a, '/x')).data).toEqual(bytes('1'));
        ok(await b.barrier());
        expect((await found(b, '/x')).data).toEqual(bytes('1'));
      });

      it('a barrier sees every write that was answered before it, in a row of 50 (Z6)', async () => {
        await make('/x');
        for (let version = 0; version < 50; version++) {
          ok(await a.set('/x', bytes(`${version}`), version));
          ok(await b.barrier());
          expect((await found(b, '/x')).data).toEqual(bytes(`${version}`));
        }
      });

      it('what does not exist reads as undefined, and so do its children', async () => {
        expect(ok(await a.read('/none'))).toBeUndefined();
        expect(ok(await a.children('/none'))).toBeUndefined();
      });

      it('data is bytes: none, all values, and what is no text (N17)', async () => {
        const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
        await make('/all', all);
        await make('/empty');
        expect((await found(a, '/all')).data).toEqual(all);
        expect((await found(a, '/empty')).data).toEqual(nothing);
        ok(await a.set('/all', nothing, 0));
        expect((await found(a, '/all')).data).toEqual(nothing);
      });

      it('children are names, only the direct ones; a znode without them has none', async () => {
        for (const path of ['/p', '/p/b', '/p/a', '/p/a/deep', '/q']) await make(path);
        expect([...ok(await a.children('/p'))!].sort()).toEqual(['a', 'b']);
        expect(ok(await a.children('/q'))).toEqual([]);
        expect([...ok(await a.children('/'))!].sort()).toEqual(['p', 'q']);
      });

      it('the root itself is a znode', async () => {
        expect(ok(await a.read('/'))).toBeDefined();
      });

      it('a removed znode is gone and may be made again', async () => {
        await make('/x', bytes('1'));
        ok(await a.remove('/x', 0));
        expect(ok(await a.read('/x'))).toBeUndefined();
        await make('/x', bytes('2'));
        expect((await found(a, '/x')).data).toEqual(bytes('2'));
      });

      it('names may hold spaces, dots and letters of any alphabet', async () => {
        for (const path of ['/a b', '/a.b', '/..a', '/größe-数', '/%2F']) await make(path);
        expect(ok(await a.children('/'))).toHaveLength(5);
        expect(ok(await a.read('/größe-数'))).toBeDefined();
      });
    });

    describe('stat', () => {
      it('version counts the changes of the data; set tells the new one', async () => {
        await make('/x');
        expect((await found(a, '/x')).stat.version).toBe(0);
        expect(ok(await a.set('/x', bytes('1'), 0)).version).toBe(1);
        expect(ok(await a.set('/x', bytes('1'), 1)).version).toBe(2);
        expect((await found(a, '/x')).stat.version).toBe(2);
      });

      it('a child does not change the version of its parent', async () => {
        await make('/p');
        await make('/p/c');
        expect((await found(a, '/p')).stat.version).toBe(0);
      });

      it('czxid stays for life and grows from znode to znode; mzxid is the last change', async () => {
        await make('/x');
        const first = (await found(a, '/x')).stat;
        expect(first.mzxid).toBe(first.czxid);
        const changed = ok(await a.set('/x', bytes('1'), 0));
        expect(changed.czxid).toBe(first.czxid);
        expect(changed.mzxid).toBeGreaterThan(first.mzxid);
        expect((await found(a, '/x')).stat).toEqual(changed);
        ok(await a.remove('/x', 1));
        await make('/x');
        expect((await found(a, '/x')).stat.czxid).toBeGreaterThan(changed.mzxid);
      });

      it('a persistent znode has no owner', async () => {
        await make('/x');
        expect((await found(a, '/x')).stat.owner).toBeUndefined();
      });
    });

    describe('definite failures', () => {
      const cases: readonly (readonly [string, FailureCode, () => Promise<Outcome<unknown>>])[] = [
        ['creating below nothing', 'no-node', () => a.create('/no/x', nothing, 'persistent')],
        ['creating twice', 'node-exists', () => a.create('/x', nothing, 'persistent')],
        ['setting nothing', 'no-node', () => a.set('/no', nothing, 0)],
        ['removing nothing', 'no-node', () => a.remove('/no', 0)],
        ['setting an older version', 'bad-version', () => a.set('/v1', nothing, 0)],
        ['setting a newer version', 'bad-version', () => a.set('/v1', nothing, 2)],
        ['removing an older version', 'bad-version', () => a.remove('/v1', 0)],
        ['removing a newer version', 'bad-version', () => a.remove('/v1', 2)],
        ['removing a parent', 'not-empty', () => a.remove('/p', 0)],
        ['a child of an ephemeral', 'no-children', () => a.create('/e/x', nothing, 'persistent')],
      ];

      beforeEach(async () => {
        for (const path of ['/x', '/v1', '/p', '/p/c']) await make(path);
        ok(await a.set('/v1', bytes('one'), 0));
        ok(await a.create('/e', nothing, 'ephemeral'));
      });

      it.each(cases)('%s fails as %s, and nothing changes', async (_title, code, run) => {
        expectFailed(await run(), code);
        expect((await found(a, '/v1')).data).toEqual(bytes('one'));
        expect([...ok(await a.children('/'))!].sort()).toEqual(['e', 'p', 'v1', 'x']);
      });

      it('version 0 is a version: a multi with it fails on a changed znode too (N1)', async () => {
        const steps: readonly MultiOp[] = [
          { type: 'check', path: '/v1', version: 0 },
          { type: 'set', path: '/v1', data: nothing, version: 0 },
          { type: 'remove', path: '/v1', version: 0 },
        ];
        for (const step of steps) expectFailed(await a.multi([step]), 'bad-version', 0);
        expect((await found(a, '/v1')).data).toEqual(bytes('one'));
      });
    });

    describe('multi', () => {
      it('does all steps in order and tells what each did', async () => {
        await make('/x');
        await make('/y');
        const done = await a.multi([
          { type: 'check', path: '/x', version: 0 },
          { type: 'create', path: '/z', data: bytes('0'), mode: 'ephemeral' },
          { type: 'set', path: '/z', data: bytes('1'), version: 0 },
          { type: 'remove', path: '/y', version: 0 },
          { type: 'create', path: '/s-', data: nothing, mode: 'ephemeral-sequential' },
        ]);
        const results = ok(done);
        const { data, stat } = await found(a, '/z');
        expect(data).toEqual(bytes('1'));
        expect(stat.owner).toBe(a.id);
        expect(results.slice(0, 4)).toEqual([
          { type: 'check' },
          { type: 'create', path: '/z' },
          { type: 'set', stat },
          { type: 'remove' },
        ]);
        expect(results[4]).toMatchObject({
          type: 'create',
          path: expect.stringMatching(/^\/s-\d{10}$/) as string,
        });
        expect(stat.czxid).toBe(stat.mzxid);
        expect(ok(await a.read('/y'))).toBeUndefined();
      });

      it.each([0, 1, 2, 3])('is all or nothing, and names step %i as the culprit', async (bad) => {
        await make('/x');
        const steps: MultiOp[] = Array.from({ length: 4 }, (_, index) => {
          return { type: 'create', path: `/n${index}`, data: nothing, mode: 'persistent' };
        });
        steps[bad] = { type: 'check', path: '/x', version: 7 };
        expectFailed(await a.multi(steps), 'bad-version', bad);
        expect(ok(await a.children('/'))).toEqual(['x']);
      });

      it.each([
        ['no-node', { type: 'set', path: '/no', data: nothing, version: 0 }],
        ['no-node', { type: 'check', path: '/no', version: 0 }],
        ['node-exists', { type: 'create', path: '/x', data: nothing, mode: 'persistent' }],
        ['not-empty', { type: 'remove', path: '/p', version: 0 }],
        ['no-children', { type: 'create', path: '/e/x', data: nothing, mode: 'persistent' }],
      ] satisfies [FailureCode, MultiOp][])('fails as %s with its code', async (code, step) => {
        for (const path of ['/x', '/p', '/p/c']) await make(path);
        ok(await a.create('/e', nothing, 'ephemeral'));
        const harmless: MultiOp = { type: 'check', path: '/x', version: 0 };
        expectFailed(await a.multi([harmless, step, harmless]), code, 1);
      });

      it('a step sees what the steps before it did', async () => {
        ok(
          await a.multi([
            { type: 'create', path: '/p', data: nothing, mode: 'persistent' },
            { type: 'create', path: '/p/c', data: nothing, mode: 'persistent' },
            { type: 'remove', path: '/p/c', version: 0 },
            { type: 'set', path: '/p', data: nothing, version: 0 },
            { type: 'check', path: '/p', version: 1 },
          ]),
        );
        expect(ok(await a.children('/p'))).toEqual([]);
      });

      it('without steps does nothing', async () => {
        expect(ok(await a.multi([]))).toEqual([]);
      });
    });

    describe('ephemeral znodes', () => {
      it('belong to the session: its id is 16 hex digits and equals the owner', async () => {
        ok(await a.create('/e', nothing, 'ephemeral'));
        expect(a.id).toMatch(/^[0-9a-f]{16}$/);
        expect(a.id).not.toBe(b.id);
        ok(await b.barrier());
        expect((await found(b, '/e')).stat.owner).toBe(a.id);
      });

      it('vanish when their session is closed, and only they', async () => {
        ok(await a.create('/e', nothing, 'ephemeral'));
        ok(await a.create('/p', nothing, 'persistent'));
        ok(await b.create('/other', nothing, 'ephemeral'));
        const hint = new Hint();
        ok(await b.barrier());
        ok(await b.read('/e', { onMaybeChanged: hint.call }));
        await a.close();
        await hint.reaches(1);
        expect([...ok(await b.children('/'))!].sort()).toEqual(['other', 'p']);
      });

      it('sequential names have ten digits and grow, whoever makes them', async () => {
        await make('/q');
        const names: string[] = [];
        for (let n = 0; n < 12; n++) {
          const session = n % 2 === 0 ? a : b;
          names.push(ok(await session.create('/q/g-c_', bytes('d'), 'ephemeral-sequential')));
        }
        for (const name of names) expect(name).toMatch(/^\/q\/g-c_\d{10}$/);
        expect(names.toSorted()).toEqual(names);
        expect(new Set(names).size).toBe(12);
        ok(await a.barrier());
        expect(ok(await a.children('/q'))).toHaveLength(12);
      });

      it('a removed number is not given again', async () => {
        await make('/q');
        const first = ok(await a.create('/q/n-', nothing, 'ephemeral-sequential'));
        ok(await a.remove(first, 0));
        const second = ok(await a.create('/q/n-', nothing, 'ephemeral-sequential'));
        expect(second > first).toBe(true);
      });
    });

    describe('watches (Z7)', () => {
      beforeEach(async () => {
        for (const path of ['/x', '/p', '/mark']) await make(path);
        ok(await a.barrier());
        ok(await b.barrier());
      });

      /** When this resolves, every hint for what happened before was given. */
      async function settle(session: CoordinatorSession): Promise<void> {
        ok(await session.barrier());
        await new Promise((resolve) => setImmediate(resolve));
      }

      it('a change of the data is hinted once, to the other session and to the own one', async () => {
        const [own, other] = [new Hint(), new Hint()];
        ok(await a.read('/x', { onMaybeChanged: own.call }));
        ok(await b.read('/x', { onMaybeChanged: other.call }));
        ok(await a.set('/x', bytes('1'), 0));
        ok(await a.set('/x', bytes('2'), 1));
        await Promise.all([own.reaches(1), other.reaches(1)]);
        ok(await a.set('/x', bytes('3'), 2));
        await Promise.all([settle(a), settle(b)]);
        expect([own.count, other.count]).toEqual([1, 1]);
      });

      it('reading again after the hint arms it again', async () => {
        const hint = new Hint();
        for (let version = 0; version < 5; version++) {
          ok(await b.read('/x', { onMaybeChanged: hint.call }));
          ok(await a.set('/x', bytes('1'), version));
          await hint.reaches(version + 1);
        }
        expect(hint.count).toBe(5);
      });

      it('a deletion is hinted, to readers of the data and of the children', async () => {
        const [data, children] = [new Hint(), new Hint()];
        ok(await b.read('/p', { onMaybeChanged: data.call }));
        ok(await b.children('/p', { onMaybeChanged: children.call }));
        ok(await a.remove('/p', 0));
        await Promise.all([data.reaches(1), children.reaches(1)]);
        await settle(b);
        expect([data.count, children.count]).toEqual([1, 1]);
      });

      it('children that come and go are hinted; their data and grandchildren are not', async () => {
        const hint = new Hint();
        ok(await b.children('/p', { onMaybeChanged: hint.call }));
        await make('/p/c');
        await hint.reaches(1);
        ok(await b.children('/p', { onMaybeChanged: hint.call }));
        ok(await a.set('/p/c', bytes('1'), 0));
        ok(await a.set('/p', bytes('1'), 0));
        await make('/p/c/grandchild');
        await settle(b);
        expect(hint.count).toBe(1);
        ok(await a.remove('/p/c/grandchild', 0));
        ok(await a.remove('/p/c', 1));
        await hint.reaches(2);
      });

      it('the creation of what was absent is hinted, whether data or children were asked', async () => {
        const [data, children] = [new Hint(), new Hint()];
        expect(ok(await b.read('/new', { onMaybeChanged: data.call }))).toBeUndefined();
        expect(ok(await b.children('/new', { onMaybeChanged: children.call }))).toBeUndefined();
        await make('/new');
        await Promise.all([data.reaches(1), children.reaches(1)]);
        ok(await a.set('/new', bytes('1'), 0));
        ok(await a.remove('/new', 1));
        await make('/new');
        await settle(b);
        expect([data.count, children.count]).toEqual([1, 1]);
      });

      it('a znode that comes and goes may be watched again and again', async () => {
        const hint = new Hint();
        for (let n = 1; n <= 6; n += 2) {
          expect(ok(await b.read('/blink', { onMaybeChanged: hint.call }))).toBeUndefined();
          await make('/blink');
          await hint.reaches(n);
          ok(await b.barrier());
          expect(ok(await b.read('/blink', { onMaybeChanged: hint.call }))).toBeDefined();
          ok(await a.remove('/blink', 0));
          await hint.reaches(n + 1);
          ok(await b.barrier());
        }
        await settle(b);
        expect(hint.count).toBe(6);
      });

      it('the same hint twice counts once; different ones are all called', async () => {
        const [same, other] = [new Hint(), new Hint()];
        ok(await b.read('/x', { onMaybeChanged: same.call }));
        ok(await b.read('/x', { onMaybeChanged: same.call }));
        ok(await b.read('/x', { onMaybeChanged: other.call }));
        ok(await a.set('/x', bytes('1'), 0));
        await Promise.all([same.reaches(1), other.reaches(1)]);
        await settle(b);
        expect([same.count, other.count]).toEqual([1, 1]);
      });

      it('every watch is hinted when the session is over, once', async () => {
        const hints = [new Hint(), new Hint(), new Hint()];
        ok(await b.read('/x', { onMaybeChanged: hints[0]!.call }));
        ok(await b.children('/p', { onMaybeChanged: hints[1]!.call }));
        ok(await b.read('/none', { onMaybeChanged: hints[2]!.call }));
        await b.close();
        await Promise.all(hints.map((hint) => hint.reaches(1)));
        ok(await a.set('/x', bytes('1'), 0));
        await settle(a);
        expect(hints.map(({ count }) => count)).toEqual([1, 1, 1]);
      });

      it('no hint is lost between the answer and the watch: 300 changes right behind reads', async () => {
        for (let n = 0; n < 300; n++) {
          const hint = new Hint();
          const read = b.read('/x', { onMaybeChanged: hint.call });
          const set = a.set('/x', bytes(`${n}`), n);
          const znode = ok(await read);
          ok(await set);
          if (znode?.stat.version === n) await hint.reaches(1);
        }
      });

      it('the same for absent znodes: none is both unseen and unhinted, over 100 creations', async () => {
        for (let n = 0; n < 100; n++) {
          const hint = new Hint();
          const read = b.read(`/new-${n}`, { onMaybeChanged: hint.call });
          const created = a.create(`/new-${n}`, nothing, 'persistent');
          const znode = ok(await read);
          ok(await created);
          if (znode === undefined) await hint.reaches(1);
          expect(hint.count).toBeLessThanOrEqual(1);
        }
      });
    });

    describe('what is our own bug', () => {
      it.each(MALFORMED_PATHS)('the path %j is refused by an assertion (N17)', async (path) => {
        const calls: (() => Promise<unknown>)[] = [
          () => a.read(path),
          () => a.children(path),
          () => a.create(path, nothing, 'persistent'),
          () => a.set(path, nothing, 0),
          () => a.remove(path, 0),
          () => a.multi([{ type: 'check', path, version: 0 }]),
        ];
        for (const call of calls) {
          await expect(Promise.resolve().then(call)).rejects.toThrow(InvariantViolation);
        }
      });

      it('a request that is too large fails, is not sent, and disturbs nobody (Z8)', async () => {
        await make('/x');
        const large = Buffer.alloc(LIMITS.znodeRequestBytesMax);
        const step: MultiOp = { type: 'set', path: '/x', data: large, version: 0 };
        expectFailed(await a.create('/l', large, 'persistent'), 'too-large');
        expectFailed(await a.set('/x', large, 0), 'too-large');
        expectFailed(await a.multi([step]), 'too-large');
        expect(a.state).toBe('connected');
        expect((await found(a, '/x')).stat.version).toBe(0);
      });

      it('a request just below the limit is done', async () => {
        const large = Buffer.alloc(LIMITS.znodeRequestBytesMax - 500, 7);
        await make('/l', large);
        expect((await found(a, '/l')).data.equals(large)).toBe(true);
      });
    });

    describe('sessions', () => {
      it('a new session is connected, proven and has a timeout', () => {
        expect(a.state).toBe('connected');
        expect(a.isProven()).toBe(true);
        expect(a.timeoutMs).toBeGreaterThan(0);
      });

      it('calls on a closed session fail as session-lost', async () => {
        await make('/x');
        await b.close();
        expect(b.state).toBe('lost');
        expect(b.isProven()).toBe(false);
        const calls = [
          b.read('/x'),
          b.read('/x', { onMaybeChanged: () => undefined }),
          b.children('/x'),
          b.create('/late', nothing, 'persistent'),
          b.set('/x', nothing, 0),
          b.remove('/x', 0),
          b.multi([{ type: 'remove', path: '/x', version: 0 }]),
          b.barrier(),
        ];
        for (const outcome of await Promise.all(calls)) expectFailed(outcome, 'session-lost');
        ok(await a.barrier());
        expect(ok(await a.children('/'))).toEqual(['x']);
      });

      it('lost comes once and last, also when closed twice', async () => {
        const states: string[] = [];
        b.on('state', (state) => states.push(state));
        await Promise.all([b.close(), b.close()]);
        await b.close();
        expect(states).toEqual(['lost']);
      });

      it('a listener that was taken back hears nothing', async () => {
        const states: string[] = [];
        const forget = b.on('state', (state) => states.push(state));
        forget();
        await b.close();
        expect(states).toEqual([]);
      });

      it('calls under way when the session is closed all end, and a hint asked for comes', async () => {
        await make('/x');
        const hints = Array.from({ length: 50 }, () => new Hint());
        const calls = hints.map((hint, n) => {
          return n % 2 === 0
            ? b.read('/x', { onMaybeChanged: hint.call })
            : b.create(`/c${n}`, nothing, 'ephemeral');
        });
        await b.close();
        for (const [n, { status }] of (await Promise.all(calls)).entries()) {
          if (n % 2 === 0 && status === 'ok') await hints[n]!.reaches(1);
        }
        expect(hints.every(({ count }) => count <= 1)).toBe(true);
        ok(await a.barrier());
        expect(ok(await a.children('/'))).toEqual(['x']);
      });

      it('a closed coordinator closes its session', async () => {
        const { session, owner } = await open();
        expect(owner.session).toBe(session);
        ok(await session.create('/e', nothing, 'ephemeral'));
        await owner.close();
        expect(session.state).toBe('lost');
        ok(await a.barrier());
        expect(ok(await a.read('/e'))).toBeUndefined();
      });
    });

    describe('many at once', () => {
      it('one root does not see another', async () => {
        const foreign = (await open(`${root}-other`)).session;
        await make('/x', bytes('mine'));
        ok(await foreign.barrier());
        expect(ok(await foreign.read('/x'))).toBeUndefined();
        expect(ok(await foreign.children('/'))).toEqual([]);
        ok(await foreign.create('/x', bytes('theirs'), 'persistent'));
        expect((await found(a, '/x')).data).toEqual(bytes('mine'));
      });

      it('of two sessions that create the same znode exactly one wins', async () => {
        for (let n = 0; n < 30; n++) {
          const outcomes = await Promise.all(
            [a, b].map((session) => session.create(`/r${n}`, bytes(session.id), 'ephemeral')),
          );
          expect(outcomes.map(({ status }) => status).sort()).toEqual(['failed', 'ok']);
          const winner = outcomes[0]!.status === 'ok' ? a : b;
          expect((await found(winner, `/r${n}`)).data).toEqual(bytes(winner.id));
        }
      });

      it('compare-and-set loses no increment of two racing sessions', async () => {
        await make('/n', bytes('0'));
        const add = async (session: CoordinatorSession): Promise<void> => {
          for (let done = 0; done < 25; ) {
            const { data, stat } = await found(session, '/n');
            const next = bytes(`${Number(data.toString()) + 1}`);
            if ((await session.set('/n', next, stat.version)).status === 'ok') done++;
            else ok(await session.barrier());
          }
        };
        await Promise.all([add(a), add(b)]);
        ok(await a.barrier());
        expect(await found(a, '/n')).toMatchObject({ data: bytes('50'), stat: { version: 50 } });
      });

      it('answers belong to their requests: 500 at once', async () => {
        const paths = Array.from({ length: 500 }, (_, n) => `/k${n}`);
        const created = await Promise.all(paths.map((p) => a.create(p, bytes(p), 'persistent')));
        expect(created.map(ok)).toEqual(paths);
        const read = await Promise.all(paths.map((path) => a.read(path)));
        expect(read.map((outcome) => ok(outcome)!.data.toString())).toEqual(paths);
      });
    });
  });
}
