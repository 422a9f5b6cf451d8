/**
 * The election as an operator sees it: four routers, their log lines and their znodes.
 * The words are a contract; the znodes are read with another client than the routers' own.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterStatus } from '../../src/client/index.js';
import type { PortolanProcess } from '../support/portolan-process.js';
import { EmbeddedZooKeeper } from '../support/embedded-zookeeper.js';
import { TestCluster } from '../support/test-cluster.js';
import { ZnodeViewer } from '../support/znode-viewer.js';
import { startTestZooKeeper } from '../support/zookeeper-server.js';

const LEADS = /I am the leader/;
const NAME = /znode name \/election\/(\S+-c_\d{10})/;

async function nameOf(router: PortolanProcess): Promise<string> {
  return NAME.exec(await router.line(NAME))![1]!;
}

/** How often a router was woken: it says so whenever a znode it watched was deleted. */
function wakeUps(router: PortolanProcess): number {
  return router.said(/was deleted/).length;
}

const SERVERS = {
  'a real ZooKeeper': () => startTestZooKeeper(),
  'the embedded server': () => EmbeddedZooKeeper.start(),
} as const;

describe.each(Object.entries(SERVERS))('the election transcript, on %s', (_, start) => {
  let cluster: TestCluster<Awaited<ReturnType<typeof start>>>;
  let znodes: ZnodeViewer;
  const names: string[] = [];
  const routers: PortolanProcess[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.startOn(await start(), { routers: 0, storage: 0 });
    znodes = await ZnodeViewer.connect(cluster.zooKeeper.connect);
  });
  afterAll(async () => {
    await znodes.close();
    await cluster.stop();
  });

  const candidates = async () => {
    const children = await znodes.children('/portolan/default/election');
    return [...children].sort((a, b) => a.slice(-10).localeCompare(b.slice(-10)));
  };

  it('the first of four leads, and each other watches exactly the one before it', async () => {
    for (const id of ['r1', 'r2', 'r3', 'r4']) {
      const router = await cluster.startRouter(id);
      routers.push(router);
      names.push(await nameOf(router));
      await router.line(id === 'r1' ? LEADS : /Watching znode/);
    }
    const [r1, r2, r3, r4] = routers;
    await r2!.line(new RegExp(`I am not the leader, ${names[0]} is the leader`));
    await r2!.line(new RegExp(`Watching znode ${names[0]}`));
    await r3!.line(new RegExp(`I am not the leader, ${names[0]} is the leader`));
    await r3!.line(new RegExp(`Watching znode ${names[1]}`));
    await r4!.line(new RegExp(`Watching znode ${names[2]}`));
    expect(r1!.said(/Watching znode/)).toEqual([]);
    expect(await candidates()).toEqual(names);
    expect(await znodes.watchedBy(names)).toEqual(['watched', 'watched', 'watched', 'not watched']);
    const status = await cluster.until((s) => s.candidates.length === 4);
    expect(status.candidates.map(({ watches }) => watches)).toEqual([
      undefined,
      ...names.slice(0, 3),
    ]);
    expect(status.leader).toMatchObject({ id: 'r1', znode: `/election/${names[0]}` });
  });

  it('the leader dies: exactly the second is notified and leads', async () => {
    const [r1, r2, r3, r4] = routers;
    await r1!.kill();
    // By its connection: without that this test would pass as well, a session timeout later.
    await r2!.line(new RegExp(`${names[0]} is dead: its port refuses connections`));
    await r2!.line(new RegExp(`${names[0]} was deleted`));
    await r2!.line(LEADS);
    const status = await cluster.until((s) => s.leader?.id === 'r2', {
      routers: [cluster.addressOf('r4')],
    });
    expect(status.leader?.leaderEpoch).toBe(2);
    expect(await candidates()).toEqual(names.slice(1));
    expect([wakeUps(r2!), wakeUps(r3!), wakeUps(r4!)]).toEqual([1, 0, 0]);
    expect(r3!.said(LEADS).length + r4!.said(LEADS).length).toBe(0);
  });

  it('the third dies: the fourth closes the gap and watches the new predecessor', async () => {
    const [, r2, r3, r4] = routers;
    await r3!.kill();
    await r4!.line(new RegExp(`${names[2]} is dead: its port refuses connections`));
    await r4!.line(new RegExp(`${names[2]} was deleted`));
    await r4!.line(new RegExp(`I am not the leader, ${names[1]} is the leader`));
    await r4!.line(new RegExp(`Watching znode ${names[1]}`));
    expect(wakeUps(r2!)).toBe(1);
    expect(r4!.said(LEADS)).toEqual([]);
    expect(await candidates()).toEqual([names[1], names[3]]);
  });

  it('the first starts again: it is last in the chain and follows the current leader', async () => {
    const reborn = await cluster.startRouter('r1');
    const name = await nameOf(reborn);
    await reborn.line(new RegExp(`I am not the leader, ${names[1]} is the leader`));
    await reborn.line(new RegExp(`Watching znode ${names[3]}`));
    expect(await candidates()).toEqual([names[1], names[3], name]);
    expect(reborn.said(LEADS)).toEqual([]);
  });

  it('a leader that is asked to stop hands over at once, without a session timeout', async () => {
    const before = performance.now();
    expect(await routers[1]!.stop()).toBe(0);
    await routers[3]!.line(LEADS);
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(await candidates()).toHaveLength(2);
  });

  it('a router that was taken for dead and lives stands again, in a few seconds', async () => {
    const [leads, removed] = await candidates();
    await znodes.remove(`/portolan/default/election/${removed}`);
    const standsAgain = ({ candidates: now }: ClusterStatus) =>
      now.length === 2 && now[0]!.znode === leads && now[1]!.znode !== removed;
    const routers = [cluster.addressOf('r4')];
    const { candidates: now } = await cluster.until(standsAgain, { routers, timeoutMs: 10_000 });
    expect(now.map(({ id }) => id)).toEqual(['r4', 'r1']);
  });
});
