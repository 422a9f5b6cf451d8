/** ZooKeeper's rules for watches: what fires them, once; and what is told over a new connection. */
import { beforeEach, describe, expect, it } from 'vitest';
import { close, create, remove, SESSIONS, set, TreeClient } from '../support/tree-client.js';

let client: TreeClient;

beforeEach(() => {
  client = new TreeClient();
  for (const path of ['/p', '/p/c', '/x']) client.make(path);
});

describe('watches', () => {
  it('for data hear of a change of the data, once', () => {
    client.tree.getData('/x', 'w');
    client.apply(set('/x'));
    client.apply(set('/x'));
    expect(client.events).toEqual(['w NodeDataChanged /x']);
    expect(client.tree.watchCount).toBe(0);
  });

  it('for data do not hear of children', () => {
    client.tree.getData('/p', 'w');
    client.make('/p/d');
    client.apply(remove('/p/c'));
    expect(client.events).toEqual([]);
  });

  it('for existence hear of creation, of change and of deletion, whichever is first', () => {
    expect(client.tree.exists('/new', 'w')).toEqual({ ok: false, code: 'no-node' });
    client.make('/new');
    client.tree.exists('/new', 'w');
    client.apply(set('/new'));
    client.tree.exists('/new', 'w');
    client.apply(remove('/new'));
    expect(client.events).toEqual([
      'w NodeCreated /new',
      'w NodeDataChanged /new',
      'w NodeDeleted /new',
    ]);
  });

  it('for children hear of one that comes and of one that goes, with the path of the parent', () => {
    client.tree.getChildren('/p', 'w');
    client.make('/p/d');
    client.tree.getChildren('/p', 'w');
    client.apply(remove('/p/d'));
    expect(client.events).toEqual(['w NodeChildrenChanged /p', 'w NodeChildrenChanged /p']);
  });

  it('for children do not hear of data, nor of grandchildren', () => {
    client.tree.getChildren('/p', 'w');
    client.apply(set('/p'));
    client.apply(set('/p/c'));
    client.make('/p/c/grandchild');
    expect(client.events).toEqual([]);
  });

  it('for children of the root hear of top-level znodes', () => {
    client.tree.getChildren('/', 'w');
    client.apply(remove('/x'));
    expect(client.events).toEqual(['w NodeChildrenChanged /']);
  });

  it('a deletion is told to those of the data, those of the children, those of the parent', () => {
    client.tree.getChildren('/', 'parent');
    client.tree.getChildren('/x', 'child');
    client.tree.getData('/x', 'data');
    client.apply(remove('/x'));
    expect(client.events).toEqual([
      'data NodeDeleted /x',
      'child NodeDeleted /x',
      'parent NodeChildrenChanged /',
    ]);
  });

  it('a watcher of both kinds hears of a deletion once, and is done with both', () => {
    client.tree.getChildren('/x', 'w');
    client.tree.getData('/x', 'w');
    client.apply(remove('/x'));
    client.make('/x');
    client.make('/x/child');
    expect(client.events).toEqual(['w NodeDeleted /x']);
  });

  it('set twice by one watcher are one; each watcher has its own', () => {
    client.tree.getData('/x', 'w');
    client.tree.exists('/x', 'w');
    client.tree.getData('/x', 'v');
    expect(client.tree.watchCount).toBe(2);
    client.apply(set('/x'));
    expect(client.events).toEqual(['w NodeDataChanged /x', 'v NodeDataChanged /x']);
  });

  it('of what is not there are set by exists only', () => {
    client.tree.getData('/new', 'w');
    client.tree.getChildren('/new', 'w');
    client.make('/new');
    expect(client.events).toEqual([]);
  });

  it('of a multi are told step by step, of a refused one not at all', () => {
    client.tree.getData('/x', 'w');
    client.tree.exists('/new', 'w');
    client.tree.getChildren('/', 'w');
    client.apply({ type: 'multi', steps: [set('/x'), create('/new'), create('/x')] });
    expect(client.events).toEqual([]);
    client.apply({ type: 'multi', steps: [create('/new'), set('/x')] });
    expect(client.events).toEqual([
      'w NodeCreated /new',
      'w NodeChildrenChanged /',
      'w NodeDataChanged /x',
    ]);
  });

  it('hear of ephemeral znodes whose session ends', () => {
    client.make('/e', 'ephemeral', SESSIONS.b);
    client.tree.exists('/e', 'w');
    client.apply(close, SESSIONS.b);
    expect(client.events).toEqual(['w NodeDeleted /e']);
  });

  it('of a connection that is gone are gone, and no others', () => {
    client.tree.getData('/x', 'w');
    client.tree.getChildren('/x', 'w');
    client.tree.getData('/x', 'v');
    client.tree.forget('w');
    client.apply(remove('/x'));
    expect(client.events).toEqual(['v NodeDeleted /x']);
  });
});

describe('watches set again over a new connection', () => {
  const again = (sinceZxid: number) => {
    const paths = { data: ['/x', '/gone'], exist: ['/new', '/none'], child: ['/p', '/lost'] };
    client.heard(client.tree.setWatches('w', sinceZxid, paths));
  };

  it('are told at once what changed since, by kind', () => {
    const sinceZxid = client.tree.tree.lastZxid;
    client.apply(set('/x'));
    client.make('/new');
    client.make('/p/d');
    again(sinceZxid);
    expect(client.events).toEqual([
      ...['w NodeDataChanged /x', 'w NodeDeleted /gone', 'w NodeCreated /new'],
      ...['w NodeChildrenChanged /p', 'w NodeDeleted /lost'],
    ]);
    expect(client.tree.watchCount).toBe(1);
  });

  it('wait on where nothing changed', () => {
    again(client.tree.tree.lastZxid);
    expect(client.events).toEqual(['w NodeDeleted /gone', 'w NodeDeleted /lost']);
    expect(client.tree.watchCount).toBe(4);
    client.make('/none');
    expect(client.events.at(-1)).toBe('w NodeCreated /none');
  });

  it('miss what came and went meanwhile, but not what went and came', () => {
    const sinceZxid = client.tree.tree.lastZxid;
    client.make('/new');
    client.apply(remove('/new'));
    client.apply(remove('/x'));
    client.make('/x');
    again(sinceZxid);
    expect(client.events).not.toContain('w NodeCreated /new');
    expect(client.events).toContain('w NodeDataChanged /x');
  });
});
