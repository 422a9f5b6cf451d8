/** The tree under any sequence of requests, against a second one that is as dumb as can be. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Request } from '../../src/znode-tree/requests.js';
import { WatchedTree } from '../../src/znode-tree/watched-tree.js';
import { NaiveTree } from '../support/naive-tree.js';
import { close, open } from '../support/tree-client.js';
import { readPaths, requests } from '../support/tree-commands.js';

const SESSIONS = ['s1', 's2', 's3'];

type Command =
  | { readonly do: 'apply'; readonly session: string; readonly request: Request }
  | { readonly do: 'renew'; readonly session: string }
  | {
      readonly do: 'getData' | 'exists' | 'getChildren';
      readonly path: string;
      readonly watcher: string;
    }
  | { readonly do: 'forget'; readonly watcher: string }
  /** A server starts anew from a snapshot: nobody watches. */
  | { readonly do: 'restore' };

const session = fc.constantFrom(...SESSIONS);
const watcher = fc.constantFrom('w1', 'w2');
const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('apply' as const), session, request: requests }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), session }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('getData' as const, 'exists' as const, 'getChildren' as const),
      path: readPaths,
      watcher,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), watcher }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const) }) },
);

class Both {
  tree = new WatchedTree();
  readonly naive = new NaiveTree();
  /** As many lives as each session had: ids are not given twice. */
  readonly #lives = new Map<string, number>();
  #timeMs = 0;

  run(command: Command): void {
    const { naive } = this;
    switch (command.do) {
      case 'apply':
        return this.#apply(this.#id(command.session), command.request);
      case 'renew': {
        if (this.#lives.has(command.session)) this.#apply(this.#id(command.session), close);
        this.#lives.set(command.session, (this.#lives.get(command.session) ?? 0) + 1);
        return this.#apply(this.#id(command.session), open);
      }
      case 'forget':
        this.tree.forget(command.watcher);
        return naive.forget(command.watcher);
      case 'restore':
        this.tree = new WatchedTree(this.tree.tree.snapshot());
        naive.watches = [];
        return;
      case 'getData':
      case 'exists':
      case 'getChildren': {
        const read = this.tree[command.do](command.path, command.watcher);
        const found = naive.find(command.path) !== undefined;
        expect(read.ok).toBe(found);
        if (!found && command.do !== 'exists') return;
        const kind = command.do === 'getChildren' ? 'child' : 'data';
        naive.watch(kind, command.path, command.watcher);
      }
    }
  }

  compare(): void {
    const { tree, naive } = this;
    expect(tree.tree.lastZxid).toBe(naive.zxid);
    expect(tree.watchCount).toBe(naive.watches.length);
    expect(tree.tree.size).toBe(naive.rows.length);
    for (const { path, data } of naive.rows) {
      expect(tree.tree.stat(path)).toEqual(naive.stat(path));
      expect(tree.tree.data(path)).toEqual(data);
      expect([...(tree.tree.children(path) ?? [])].sort()).toEqual(naive.childrenOf(path));
    }
    tree.tree.assertInvariants();
  }

  #id(name: string): string {
    return `${name}-${this.#lives.get(name) ?? 0}`;
  }

  #apply(id: string, request: Request): void {
    const timeMs = this.#timeMs++;
    const { result, events } = this.tree.apply({ session: id, timeMs, request });
    const steps = result.steps.map((step) => {
      if (typeof step === 'string') return step;
      return step.type === 'create' ? step.path : 'done';
    });
    this.naive.events = [];
    expect(steps).toEqual(this.naive.apply(id, timeMs, request));
    expect(events.map((event) => `${event.watcher} ${event.type} ${event.path}`)).toEqual(
      this.naive.events,
    );
  }
}

it('does, tells and fires what a dumb tree does, tells and fires', () => {
  fc.assert(
    fc.property(fc.array(commands, { maxLength: 60, size: 'max' }), (run) => {
      const both = new Both();
      for (const name of SESSIONS) both.run({ do: 'renew', session: name });
      for (const command of run) both.run(command);
      both.compare();
    }),
    { numRuns: 500 },
  );
});
