/** ZooKeeper's rules for znodes, one by one. Those about numbers were seen at a server of 3.8. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InvariantViolation } from '../../src/model/assert.js';
import { isValidPath } from '../../src/znode-tree/paths.js';
import { ZnodeTree } from '../../src/znode-tree/tree.js';
import { WatchedTree } from '../../src/znode-tree/watched-tree.js';
import {
  check,
  close,
  create,
  open,
  remove,
  SESSIONS,
  set,
  TreeClient,
} from '../support/tree-client.js';

let client: TreeClient;

beforeEach(() => {
  client = new TreeClient();
});

describe('paths of znodes', () => {
  it.each([
    ...['/', '/a', '/a/b', '/a b', '/...', '/.a', '/a.', '/a/..b', '/größe', '/%2F'],
    ...['/zookeeper', '/\ufeff', '/\u00a0'],
  ])('%j is one', (path) => {
    expect(isValidPath(path)).toBe(true);
  });

  it.each([
    ...['', 'a', 'a/b', '//', '/a/', '/a//b', '//a', '/.', '/..', '/./a', '/../a', '/a/.', '/a/..'],
    ...['/a/./b', '/a/../b', '/\0', '/a\0b', '/\u0001', '/\u001f', '/\u007f', '/\u009f'],
    ...['/\ud83d\ude00', '/\ue000', '/\uf8ff', '/\ufff0', '/\uffff'],
  ])('%j is none', (path) => {
    expect(isValidPath(path)).toBe(false);
  });
});

describe('a new tree', () => {
  it('has the znodes that every server brings along, made by no transaction', () => {
    const tree = new ZnodeTree();
    expect(tree.lastZxid).toBe(0);
    expect(tree.children('/')).toEqual(['zookeeper']);
    expect(tree.children('/zookeeper')).toEqual(['quota', 'config']);
    expect(tree.stat('/')).toMatchObject({ czxid: 0, pzxid: 0, cversion: -1, numChildren: 1 });
    expect(tree.stat('/zookeeper')).toMatchObject({ cversion: -2, numChildren: 2 });
    expect(tree.stat('/zookeeper/config')).toMatchObject({ aversion: -1, version: 0 });
  });

  it.each(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'])(
    '%s is never deleted',
    (path) => {
      expect(client.refusal(remove(path))).toBe('bad-arguments');
      expect(client.tree.tree.stat(path)).toBeDefined();
    },
  );
});

describe('stat', () => {
  it('of a new znode tells who made it when', () => {
    client.timeMs = 77;
    client.apply(create('/x', 'ephemeral', 'four'));
    expect(client.stat('/x')).toEqual({
      ...{ czxid: 3, mzxid: 3, pzxid: 3, ctimeMs: 77, mtimeMs: 77 },
      ...{ version: 0, cversion: 0, aversion: 0, dataLength: 4, numChildren: 0 },
      ephemeralOwner: SESSIONS.a,
    });
  });

  it('version, mzxid and mtime are of the data only', () => {
    client.make('/x');
    const before = client.stat('/x');
    client.timeMs = 99;
    client.apply(set('/x', 'hello'));
    const changed = { mzxid: 4, mtimeMs: 99, version: 1, dataLength: 5 };
    expect(client.stat('/x')).toEqual({ ...before, ...changed });
  });

  it('pzxid and cversion are of the children only; cversion counts those that come and go', () => {
    client.make('/p');
    const before = client.stat('/p');
    client.make('/p/a');
    expect(client.stat('/p')).toEqual({ ...before, pzxid: 4, cversion: 1, numChildren: 1 });
    client.apply(set('/p/a'));
    client.make('/p/a/grandchild');
    expect(client.stat('/p')).toMatchObject({ pzxid: 4, cversion: 1 });
    client.apply(remove('/p/a/grandchild'));
    client.apply(remove('/p/a'));
    expect(client.stat('/p')).toEqual({ ...before, pzxid: 8, cversion: 2, numChildren: 0 });
  });
});

describe('zxids', () => {
  it('grow by one with every transaction, refused ones and those of sessions included', () => {
    expect(client.tree.tree.lastZxid).toBe(2);
    client.apply(create('/no/x'));
    client.apply({ type: 'multi', steps: [create('/m'), check('/no')] });
    client.apply(check('/no'));
    expect(client.tree.tree.lastZxid).toBe(5);
    client.apply(close);
    client.apply(close);
    expect(client.tree.tree.lastZxid).toBe(7);
  });

  it('are not taken by reads', () => {
    client.tree.getData('/');
    client.tree.exists('/x');
    client.tree.getChildren('/');
    expect(client.tree.tree.lastZxid).toBe(2);
  });

  it('of a new leader begin where none before it counted', () => {
    const tree = new ZnodeTree();
    tree.beginReign();
    expect(tree.lastZxid).toBe(2 ** 32);
    tree.apply({ session: SESSIONS.a, timeMs: 0, request: open });
    tree.beginReign();
    expect(tree.lastZxid).toBe(2 * 2 ** 32);
  });
});

describe('sequential names', () => {
  it('end in ten digits: how many children the parent was ever given', () => {
    client.make('/q');
    expect(client.make('/q/n-', 'persistent-sequential')).toBe('/q/n-0000000000');
    client.make('/q/other');
    expect(client.make('/q/m-', 'ephemeral-sequential')).toBe('/q/m-0000000002');
    expect(client.make('/q/', 'persistent-sequential')).toBe('/q/0000000003');
  });

  it('are not moved by deletions, nor by what was refused; no number is given twice', () => {
    client.make('/q');
    const first = client.make('/q/n-', 'persistent-sequential');
    client.apply(remove(first));
    client.apply({
      type: 'multi',
      steps: [create('/q/n-', 'persistent-sequential'), check('/no')],
    });
    expect(client.make('/q/n-', 'persistent-sequential')).toBe('/q/n-0000000001');
  });

  it('below the root begin at 0 although it has a child', () => {
    expect(client.make('/n-', 'persistent-sequential')).toBe('/n-0000000000');
  });
});

describe('refusals, in the order in which a server asks', () => {
  beforeEach(() => {
    for (const path of ['/x', '/p', '/p/c']) client.make(path);
    client.make('/e', 'ephemeral');
    client.apply(set('/p'));
  });

  it.each([
    [create('x'), 'bad-arguments'],
    [create('/no\0'), 'bad-arguments'],
    [create('/no//x'), 'no-node'],
    [create('/x/'), 'bad-arguments'],
    [create('/p/..'), 'bad-arguments'],
    [create('/no/x'), 'no-node'],
    [create('/'), 'node-exists'],
    [create('/x'), 'node-exists'],
    [create('/e/x'), 'no-children-for-ephemerals'],
    [create('/e/', 'persistent-sequential'), 'no-children-for-ephemerals'],
    [remove('x'), 'bad-arguments'],
    [remove('/x/'), 'no-node'],
    [remove('/no/x'), 'no-node'],
    [remove('/p', 0), 'bad-version'],
    [remove('/p', 1), 'not-empty'],
    [remove('/p'), 'not-empty'],
    [set('/x/'), 'bad-arguments'],
    [set('/no'), 'no-node'],
    [set('/x', '', 1), 'bad-version'],
    [check('x'), 'bad-arguments'],
    [check('/no'), 'no-node'],
    [check('/p', 0), 'bad-version'],
  ] as const)('%j is refused as %s, and changes nothing but the zxid', (step, code) => {
    const { lastZxid, ...before } = client.tree.tree.snapshot();
    expect(client.refusal(step)).toBe(code);
    expect(client.tree.tree.snapshot()).toEqual({ ...before, lastZxid: lastZxid + 1 });
  });

  it('a version is exact, and -1 is any', () => {
    expect(client.refusal(set('/x', '', 0))).toBeUndefined();
    expect(client.refusal(set('/x', '', 0))).toBe('bad-version');
    expect(client.refusal(set('/x', '', 1))).toBeUndefined();
    expect(client.refusal(check('/x'))).toBeUndefined();
    expect(client.refusal(remove('/x'))).toBeUndefined();
  });

  it('a session that is not open may do nothing', () => {
    for (const step of [create('/y'), remove('/x'), set('/x'), check('/x')]) {
      expect(client.refusal(step, 'unknown')).toBe('session-expired');
    }
  });
});

describe('multi', () => {
  it('does all steps in one transaction, each seeing what those before it did', () => {
    const done = client.apply({
      type: 'multi',
      steps: [
        create('/p'),
        create('/p/n-', 'persistent-sequential'),
        create('/p/n-', 'ephemeral-sequential'),
        set('/p', 'x', 0),
        check('/p', 1),
        remove('/p/n-0000000000', 0),
      ],
    });
    expect(done.map((step) => typeof step === 'object' && step.type)).toEqual([
      'create',
      'create',
      'create',
      'set-data',
      'check',
      'delete',
    ]);
    expect(client.tree.tree.children('/p')).toEqual(['n-0000000001']);
    expect(client.stat('/p')).toMatchObject({ czxid: 3, mzxid: 3, pzxid: 3, cversion: 3 });
    expect(client.stat('/p/n-0000000001').czxid).toBe(3);
  });

  it('tells the stat as it was behind each step', () => {
    const done = client.apply({ type: 'multi', steps: [create('/p'), set('/p'), create('/p/c')] });
    const stats = done.map((step) => (typeof step === 'object' && 'stat' in step ? step.stat : {}));
    expect(stats).toMatchObject([{ version: 0 }, { version: 1, numChildren: 0 }, {}]);
  });

  it('refused says ok before the culprit, its code, and runtime-inconsistency behind it', () => {
    const steps = [create('/a'), check('/'), check('/no'), create('/b'), check('/no')];
    expect(client.apply({ type: 'multi', steps })).toEqual([
      ...['ok', 'ok', 'no-node', 'runtime-inconsistency', 'runtime-inconsistency'],
    ]);
  });

  it('refused leaves no trace: znodes, stats, ephemerals and watches are as they were', () => {
    client.make('/p');
    client.make('/p/e', 'ephemeral');
    client.tree.getData('/p', 'w');
    client.tree.getChildren('/p', 'w');
    const { lastZxid, ...before } = client.tree.tree.snapshot();
    const steps = [
      ...[remove('/p/e'), create('/p/e', 'ephemeral'), create('/p/f', 'ephemeral')],
      ...[set('/p', 'x'), remove('/p/f'), remove('/p/e'), remove('/p'), check('/p')],
    ];
    client.apply({ type: 'multi', steps });
    expect(client.tree.tree.snapshot()).toEqual({ ...before, lastZxid: lastZxid + 1 });
    expect(client.tree.tree.ephemeralsOf(SESSIONS.a)).toEqual(['/p/e']);
    expect(client.events).toEqual([]);
    expect(client.tree.watchCount).toBe(2);
    client.tree.tree.assertInvariants();
  });

  it('without steps is a transaction all the same', () => {
    expect(client.apply({ type: 'multi', steps: [] })).toEqual([]);
    expect(client.tree.tree.lastZxid).toBe(3);
  });
});

describe('sessions', () => {
  it('take their ephemeral znodes with them, in one transaction of its own zxid', () => {
    client.make('/p');
    for (const path of ['/p/1', '/p/2', '/e']) client.make(path, 'ephemeral');
    client.make('/p/theirs', 'ephemeral', SESSIONS.b);
    client.apply(close);
    expect(client.tree.tree.children('/p')).toEqual(['theirs']);
    expect(client.tree.tree.stat('/e')).toBeUndefined();
    expect(client.stat('/p')).toMatchObject({ pzxid: 8, cversion: 5 });
    expect(client.tree.tree.lastZxid).toBe(8);
    expect([...client.tree.tree.sessions.keys()]).toEqual([SESSIONS.b]);
    client.tree.tree.assertInvariants();
  });

  it('may delete the ephemeral znodes of others, and make them their own', () => {
    client.make('/e', 'ephemeral');
    client.apply(remove('/e'), SESSIONS.b);
    client.make('/e', 'ephemeral', SESSIONS.b);
    client.apply(close);
    expect(client.stat('/e').ephemeralOwner).toBe(SESSIONS.b);
  });

  it('have ids that are never given twice', () => {
    expect(() => client.apply(open)).toThrow(InvariantViolation);
  });
});

describe('a snapshot', () => {
  it('is the same tree, and goes on as the first one does', () => {
    client.make('/p');
    client.make('/p/n-', 'ephemeral-sequential');
    client.make('/p/n-', 'persistent-sequential');
    client.apply(remove('/p/n-0000000001'));
    const copy = new TreeClient(new WatchedTree(client.tree.tree.snapshot()));
    copy.timeMs = client.timeMs;
    for (const each of [client, copy]) {
      expect(each.make('/p/n-', 'ephemeral-sequential')).toBe('/p/n-0000000002');
      each.apply(close);
      each.tree.tree.assertInvariants();
    }
    expect(copy.tree.tree.snapshot()).toEqual(client.tree.tree.snapshot());
    expect(copy.tree.tree.children('/p')).toEqual([]);
  });

  it('does not change any more', () => {
    client.make('/p');
    const snapshot = client.tree.tree.snapshot();
    client.apply(set('/p', 'later'));
    client.make('/p/c');
    const old = new ZnodeTree(snapshot);
    expect(old.stat('/p')).toMatchObject({ version: 0, numChildren: 0 });
    expect(old.lastZxid).toBe(3);
  });
});
