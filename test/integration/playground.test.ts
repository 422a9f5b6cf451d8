/** The playground as its user and scripts meet it: ready, broken, stopped; never an orphan. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlaygroundCluster } from '../../src/cli/playground.js';
import { PlaygroundHome, pidsOf, ready } from '../support/playground-process.js';
import type { PortolanProcess } from '../support/portolan-process.js';
import { runPortolan, survivors } from '../support/run-portolan.js';

const SMALL = ['--routers', '2', '--storage', '1', '--shards', '4'];

describe('playground', () => {
  let home: PlaygroundHome;
  let cluster: PlaygroundCluster | undefined;

  beforeEach(() => {
    home = new PlaygroundHome();
    cluster = undefined;
  });
  afterEach(() => {
    for (const pid of cluster === undefined ? [] : pidsOf(cluster)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone, as it should be.
      }
    }
    home.remove();
  });

  const start = async (...args: readonly string[]): Promise<PortolanProcess> => {
    const playground = home.start(...args);
    cluster = await ready(playground);
    return playground;
  };
  const run = (...args: readonly string[]) => runPortolan(args, { env: home.env });
  const leftovers = () => readdirSync(home.path).filter((name) => name !== 'portolan');

  it('says at once that it is alive, and is ready when it serves', async () => {
    const began = performance.now();
    const playground = home.start();
    await playground.line(/portolan playground/);
    expect(performance.now() - began).toBeLessThan(1_000);
    cluster = await ready(playground);
    expect(cluster).toMatchObject({
      event: 'ready',
      cluster: 'default',
      zookeeper: { connect: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string },
      routers: ['r1', 'r2', 'r3'].map((id) => ({ id })),
      storage: ['s1', 's2', 's3'].map((id) => ({ id })),
    });
    expect(new Set(pidsOf(cluster)).size).toBe(7);
    expect(playground.stdout).toHaveLength(1);

    // In the next shell, without any flag.
    expect(await run('put', 'hello', 'world')).toMatchObject({ code: 0 });
    expect(await run('get', 'hello')).toMatchObject({ code: 0, stdout: 'world' });
    expect((await run('status')).code).toBe(0);

    expect(await playground.stop()).toBe(143);
    expect(await survivors(pidsOf(cluster), 0)).toEqual([]);
  });

  it('Ctrl-C stops everything in order and leaves nothing behind', async () => {
    const playground = await start(...SMALL);
    playground.signal('SIGINT');
    expect(await playground.exited).toBe(130);
    expect(await survivors(pidsOf(cluster!), 0)).toEqual([]);
    expect(leftovers()).toEqual([]);
    expect((await run('get', 'hello')).stderr).toMatch(/which cluster\?/);
  });

  it('a second signal does not wait for what hangs', async () => {
    const playground = await start(...SMALL, '--zk', await otherZooKeeper());
    expect(cluster!.zookeeper.pid).toBeNull();
    // Without ZooKeeper's answer nobody can leave the election in order.
    process.kill(otherZooKeeperPid, 'SIGSTOP');
    playground.signal('SIGTERM');
    await playground.line(/stopping/);
    await new Promise((resolve) => setTimeout(resolve, 300)); // As long as a person takes.
    playground.signal('SIGTERM');
    expect(await playground.exited).toBe(143);
    expect(playground.said(/forced/)).toHaveLength(1);
    expect(await survivors(pidsOf(cluster!))).toEqual([]);
    process.kill(otherZooKeeperPid, 'SIGCONT');
    await other!.stop();
  });

  it('a Ctrl-C that arrives twice, from the terminal and through npm, is one request', async () => {
    const playground = await start(...SMALL);
    playground.signal('SIGINT');
    playground.signal('SIGINT');
    expect(await playground.exited).toBe(130);
    expect(playground.said(/forced/)).toEqual([]);
    expect(await survivors(pidsOf(cluster!))).toEqual([]);
  });

  let other: PortolanProcess | undefined;
  let otherZooKeeperPid = 0;
  /** The ZooKeeper of another playground, so that `--zk` has one to name. */
  async function otherZooKeeper(): Promise<string> {
    other = home.start('--routers', '1', '--storage', '1', '--cluster', 'other');
    const { connect, pid } = (await ready(other)).zookeeper;
    otherZooKeeperPid = pid!;
    return connect;
  }

  it('leaves no orphan when it is killed with -9, not even a paused one', async () => {
    const playground = await start(...SMALL);
    process.kill(cluster!.routers[1]!.pid, 'SIGSTOP');
    await playground.kill();
    expect(await survivors(pidsOf(cluster!))).toEqual([]);
    expect(leftovers().filter((name) => name.startsWith('portolan-playground-'))).toHaveLength(1);

    const next = await start(...SMALL); // It sweeps up.
    expect(leftovers().filter((name) => name.startsWith('portolan-playground-'))).toHaveLength(1);
    await next.stop();
    expect(leftovers()).toEqual([]);
  });

  it.each([0, 300, 700, 1_200])(
    'stopped %i ms after its first line, leaves nothing',
    async (ms) => {
      const playground = home.start(...SMALL);
      await playground.line(/starting ZooKeeper/);
      await new Promise((resolve) => setTimeout(resolve, ms));
      playground.signal('SIGINT');
      expect(await playground.exited).toBe(130);
      expect(leftovers()).toEqual([]);
    },
  );

  it('does not restart what dies, and the others go on', async () => {
    const playground = await start(...SMALL);
    process.kill(cluster!.routers[0]!.pid, 'SIGKILL');
    await playground.line(/r1 died: SIGKILL/);
    expect(await run('put', 'after', 'death')).toMatchObject({ code: 0 });
    expect(await survivors([cluster!.routers[0]!.pid])).toEqual([]);
    await playground.stop();
  });

  it('with --restart it does, at the same address', async () => {
    const playground = await start(...SMALL, '--restart');
    await run('put', 'kept', 'yes');
    const [node] = cluster!.storage;
    process.kill(node!.pid, 'SIGKILL');
    const line = await playground.line(/^{"event":"restarted","id":"s1"/);
    const { pid } = JSON.parse(line) as { pid: number };
    expect(pid).not.toBe(node!.pid);
    expect(await run('get', 'kept', '--timeout-ms', '20000')).toMatchObject({ stdout: 'yes' });
    await playground.stop();
    expect(await survivors([pid], 0)).toEqual([]);
  });

  it('keeps what was put in --data, also when it was killed', async () => {
    const data = ['--data', join(home.path, 'data')];
    const playground = await start(...SMALL, ...data);
    await run('put', 'kept', 'yes');
    const second = await run('playground', ...data);
    expect([second.code, second.stderr]).toEqual([2, expect.stringMatching(/runs in .* already/)]);
    await playground.kill();
    const again = await start(...SMALL, ...data);
    expect(await run('get', 'kept')).toMatchObject({ code: 0, stdout: 'yes' });
    await again.stop();
  });

  it('a ZooKeeper that is not there, or no Java, is said in time with what to do', async () => {
    const began = performance.now();
    const noZooKeeper = await run('playground', '--zk', '127.0.0.1:1');
    expect(noZooKeeper.code).toBe(4);
    expect(noZooKeeper.stderr).toMatch(/no ZooKeeper answers at 127\.0\.0\.1:1 .*Check --zk/);
    expect(performance.now() - began).toBeLessThan(5_500);
    const env = { ...home.env, PORTOLAN_JAVA: '/no/java' };
    const noJava = await runPortolan(['playground'], { env });
    expect(noJava.code).toBe(2);
    expect(noJava.stderr).toMatch(/install it with: apt-get install/);
    expect(leftovers()).toEqual([]);
  });
});
