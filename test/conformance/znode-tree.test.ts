/** The znode tree against a real server: the same requests, the same answers and stats. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ZnodeTree } from '../../src/znode-tree/tree.js';
import { RawZooKeeper } from '../support/raw-zookeeper.js';
import { close, open } from '../support/tree-client.js';
import { requests } from '../support/tree-commands.js';
import { startTestZooKeeper, type TestZooKeeper } from '../support/zookeeper-server.js';

const SEED = 20_260_101;
const REQUESTS = 1_500;
/** So often everything there is is compared. */
const COMPARE_EVERY = 50;

let server: TestZooKeeper;

beforeAll(async () => {
  server = await startTestZooKeeper();
});
afterAll(() => server.stop());

async function compare(tree: ZnodeTree, real: RawZooKeeper): Promise<void> {
  const waiting = ['/'];
  for (const path of waiting) {
    const { ctimeMs, mtimeMs, ...stat } = tree.stat(path)!;
    expect(mtimeMs).toBeGreaterThanOrEqual(ctimeMs);
    expect({ path, ...(await real.stat(path)) }).toEqual({ path, ...stat });
    const names = [...tree.children(path)!].sort();
    expect({ path, children: await real.children(path) }).toEqual({ path, children: names });
    waiting.push(...names.map((name) => (path === '/' ? `/${name}` : `${path}/${name}`)));
  }
}

it(`does and numbers what a real server does, over ${REQUESTS} requests of two sessions`, async () => {
  const tree = new ZnodeTree();
  // The server is new: the two sessions are its first transactions.
  const sessions = [
    await RawZooKeeper.connect(server.connect),
    await RawZooKeeper.connect(server.connect),
  ];
  for (const { sessionId } of sessions) {
    tree.apply({ session: sessionId, timeMs: 0, request: open });
  }
  const sample = fc.sample(fc.tuple(fc.nat(1), requests), { seed: SEED, numRuns: REQUESTS });
  for (const [n, [which, request]] of sample.entries()) {
    if (request.type === 'open-session' || request.type === 'close-session') continue;
    const session = sessions[which]!;
    const { result } = tree.apply({ session: session.sessionId, timeMs: n, request });
    const ours = result.steps.map((step) => {
      if (typeof step === 'string') return step;
      return step.type === 'create' ? step.path : 'done';
    });
    expect({ n, request, steps: await session.apply(request) }).toEqual({
      n,
      request,
      steps: ours,
    });
    if (n % COMPARE_EVERY === 0) await compare(tree, session);
  }
  const [first, second] = sessions as [RawZooKeeper, RawZooKeeper];
  await compare(tree, second);
  await first.close();
  tree.apply({ session: first.sessionId, timeMs: REQUESTS, request: close });
  await compare(tree, second);
  await second.close();
});
