/** The playground as its user and scripts meet it: ready, broken, stopped; never an orphan. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlaygroundCluster } from '../../src/cli/playground.js';
import { spawnWithParent } from '../../src/system/child.js';
import { PlaygroundHome, pidsOf, ready } from '../support/playground-process.js';
import { PortolanProcess } from '../support/portolan-process.js';
import { processesOf, runPortolan, survivors } from '../support/run-portolan.js';
import { ZnodeViewer } from '../support/znode-viewer.js';

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
    await isAsTheContractHasIt(cluster);

    // In the next shell, without any flag.
    expect(await run('put', 'hello', 'world')).toMatchObject({ code: 0 });
    expect(await run('get', 'hello')).toMatchObject({ code: 0, stdout: 'world' });
    expect((await run('status')).code).toBe(0);

    expect(await playground.stop()).toBe(143);
    expect(await survivors(pidsOf(cluster), 0)).toEqual([]);
  });

  const commandOf = (pid: number | null) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

  /** Every field of the contract, each address answering, each pid a process of what it should be. */
  async function isAsTheContractHasIt({ routers, storage, zookeeper }: PlaygroundCluster) {
    expect(Object.keys(zookeeper).sort()).toEqual(['connect', 'pid']);
    for (const member of [...routers, ...storage]) {
      const admin = 'admin' in member ? ['admin'] : [];
      expect(Object.keys(member).sort()).toEqual(['address', ...admin, 'id', 'pid']);
      expect(member.address).toMatch(/^127\.0\.0\.1:\d+$/);
      expect((await run('health', '--address', member.address)).stdout).toBe('SERVING\n');
    }
    for (const { admin } of routers) {
      expect(admin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    }
    for (const { id, pid } of routers) expect(commandOf(pid)).toContain(`router\0--id\0${id}\0`);
    for (const { id, pid } of storage) expect(commandOf(pid)).toContain(`storage\0--id\0${id}\0`);
    expect(commandOf(zookeeper.pid)).toMatch(/main\.js\0zookeeper\0|QuorumPeerMain/);
  }

  it('runs on a real ZooKeeper if asked to, and on the data it began with only', async () => {
    const data = ['--data', join(home.path, 'data')];
    const playground = await start('--zk', 'real', ...SMALL, ...data);
    const commandLine = readFileSync(`/proc/${cluster!.zookeeper.pid}/cmdline`, 'utf8');
    expect(commandLine).toContain('QuorumPeerMain');
    expect(await run('put', 'hello', 'world')).toMatchObject({ code: 0 });
    expect(await playground.stop()).toBe(143);
    expect(await survivors(pidsOf(cluster!), 0)).toEqual([]);
    const other = await run('playground', ...SMALL, ...data);
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/add --zk real/)]);
  });

  it('whoever coordinates it by itself can be killed, and started again by hand', async () => {
    const playground = await start(...SMALL, '--data', join(home.path, 'data'));
    process.kill(cluster!.zookeeper.pid!, 'SIGKILL');
    await playground.line(/zookeeper died: SIGKILL/);
    expect(await run('put', 'without', 'it')).toMatchObject({ code: 0 });
    const line = await playground.line(/^ *node \S+ zookeeper --data /);
    const again = new PortolanProcess('zookeeper', asPasted(line), home.env);
    await again.line(/serves clients of ZooKeeper/);
    const { leader, routers } = cluster!;
    process.kill(routers.find(({ id }) => id === leader)!.pid, 'SIGKILL');
    await playground.line(new RegExp(`${leader} died`));
    // The election goes on where it was.
    const deadline = performance.now() + 20_000;
    let leads: string | undefined = leader;
    while ((leads === undefined || leads === leader) && performance.now() < deadline) {
      const { stdout } = await run('status', '--json');
      leads = (JSON.parse(stdout || '{}') as { leader?: { id: string } }).leader?.id;
    }
    expect(leads).toBe(routers.find(({ id }) => id !== leader)!.id);
    expect(await playground.stop()).toBe(143);
    const { connect } = cluster!.zookeeper;
    const said = `  zookeeper was started by hand and runs on at ${connect}: stop it yourself`;
    expect(playground.said(/by hand/)).toEqual([said]);
    expect(await again.stop()).toBe(0);
  });

  it('with --restart goes on when whoever coordinates it dies before it serves', async () => {
    const playground = home.start('--restart', ...SMALL);
    await playground.line(/starting embedded coordination/);
    let first: number | undefined;
    while (first === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      [first] = processesOf(home.path, 'zookeeper\0--data\0');
    }
    process.kill(first, 'SIGKILL');
    await playground.line(/zookeeper died: SIGKILL/);
    expect(playground.said(/serves clients/)).toEqual([]);
    cluster = await ready(playground);
    expect(cluster.zookeeper.pid).not.toBe(first);
    expect(await run('put', 'hello', 'world')).toMatchObject({ code: 0 });
    expect(await playground.stop()).toBe(143);
    expect(await survivors(pidsOf(cluster), 0)).toEqual([]);
  });

  it('with --restart a real ZooKeeper is there again, too, at the same address', async () => {
    const playground = await start('--zk', 'real', '--restart', ...SMALL);
    const { connect, pid: before } = cluster!.zookeeper;
    process.kill(before!, 'SIGKILL');
    const line = await playground.line(/^{"event":"restarted","id":"zookeeper"/);
    const { pid } = JSON.parse(line) as { pid: number };
    expect(pid).not.toBe(before);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('QuorumPeerMain');
    const viewer = await ZnodeViewer.connect(connect);
    expect(await viewer.children('/portolan/default')).toContain('election');
    await viewer.close();
    expect(await playground.stop()).toBe(143);
    expect(await survivors([pid], 0)).toEqual([]);
  });

  it('starts although its processes have little to say', async () => {
    const env = { ...home.env, PORTOLAN_LOG_LEVEL: 'error' };
    const quiet = new PortolanProcess('playground', ['playground', '--json', ...SMALL], env);
    cluster = await ready(quiet);
    expect(await quiet.stop()).toBe(143);
  });

  it('says what embedded coordination is not for', async () => {
    const forPeople = new PortolanProcess('playground', ['playground', ...SMALL], home.env);
    await forPeople.line(/embedded: one process without a quorum, for trying/);
    await forPeople.stop();
  });

  it.each(['embedded', 'real'])(
    'Ctrl-C stops all in order and leaves nothing, %s',
    async (kind) => {
      const zk = kind === 'real' ? ['--zk', 'real'] : [];
      const playground = await start(...SMALL, ...zk);
      playground.signal('SIGINT');
      expect(await playground.exited).toBe(130);
      expect(await survivors(pidsOf(cluster!), 0)).toEqual([]);
      expect(leftovers()).toEqual([]);
      expect((await run('get', 'hello')).stderr).toMatch(/which cluster\?/);
    },
  );

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
      await playground.line(/starting embedded coordination/);
      await new Promise((resolve) => setTimeout(resolve, ms));
      playground.signal('SIGINT');
      expect(await playground.exited).toBe(130);
      expect(leftovers()).toEqual([]);
    },
  );

  it.each([0, 5, 10, 20, 40, 300, 600, 900])(
    'killed with -9 %i ms after its first line, leaves no process',
    async (ms) => {
      const playground = home.start(...SMALL);
      await playground.line(/starting embedded coordination/);
      await new Promise((resolve) => setTimeout(resolve, ms));
      const pids = processesOf(home.path);
      expect(pids).toContain(playground.pid);
      await playground.kill();
      // It may have started one more after we looked.
      expect(await survivors([...pids, ...processesOf(home.path)])).toEqual([]);
      expect(processesOf(home.path)).toEqual([]);
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

  it('what died is there again with the line that was printed', async () => {
    const data = join(home.path, "it's kept here");
    const playground = await start(...SMALL, '--data', data, '--session-timeout-ms', '2000');
    await run('put', 'kept', 'yes');
    const revived: PortolanProcess[] = [];
    const [router, node] = [cluster!.routers[0]!, cluster!.storage[0]!];
    for (const { id, pid } of [router, node]) {
      process.kill(pid, 'SIGKILL');
      await playground.line(new RegExp(`${id} died: SIGKILL`));
      const line = await playground.line(new RegExp(`^ *node \\S+ \\w+ --id ${id} `));
      revived.push(new PortolanProcess(id, asPasted(line), home.env));
    }
    await revived[0]!.line(/ready/);
    expect(await run('get', 'kept', '--routers', router.address)).toMatchObject({ stdout: 'yes' });
    const { code, stdout } = await untilHealthy();
    expect([code, stdout]).toEqual([0, expect.stringMatching(/r1 +(?:leader|follower)/)]);
    expect(stdout).toMatch(new RegExp(`s1 +up .*${node.address}`));
    for (const member of revived) expect(await member.stop()).toBe(0);
    await playground.stop();
  });

  it('what was started by hand is left to whoever did, and named', async () => {
    const playground = await start(...SMALL, '--session-timeout-ms', '2000');
    const { id, pid, address } = cluster!.storage[0]!;
    process.kill(cluster!.routers[1]!.pid, 'SIGKILL'); // Stays dead: nothing to be said of it.
    await playground.line(/r2 died/);
    process.kill(pid, 'SIGBUS');
    await playground.line(/s1 died: SIGBUS: its disk cannot be read/);
    const line = await playground.line(/^ *node \S+ storage --id s1 /);
    // As pasted, `exec` apart: a shell with a terminal makes no other process either.
    const env = { ...process.env, ...home.env };
    const byHand = spawnWithParent('sh', ['-c', `exec ${line.trim()}`], { env });
    const gone = new Promise((resolve) => byHand.once('exit', resolve));
    try {
      await untilServes(address);
      expect(await playground.stop()).toBe(143);
      const said = `  ${id} was started by hand and runs on at ${address}: stop it yourself`;
      expect(playground.said(/by hand/)).toEqual([said]);
      expect(await survivors([byHand.pid!], 0)).toEqual([byHand.pid]);
      expect(leftovers()).toEqual([]);
      byHand.kill('SIGTERM');
      expect(await gone).toBe(0);
    } finally {
      byHand.kill('SIGKILL');
    }
  });

  async function untilServes(address: string): Promise<void> {
    const deadline = performance.now() + 20_000;
    let health = await run('health', '--address', address);
    while (health.code !== 0 && performance.now() < deadline) {
      health = await run('health', '--address', address);
    }
    expect(health.stdout).toBe('SERVING\n');
  }

  /** The arguments as a shell splits them, without `node main.js`. */
  function asPasted(line: string): readonly string[] {
    const script = `set -- ${line.trim()}; shift 2; printf '%s\\n' "$@"`;
    return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n');
  }

  /** Nodes and routers that were killed are in the status until their sessions end. */
  async function untilHealthy() {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const status = await run('status');
      const everyone = (status.stdout.match(/^ +[rs]\d +/gm) ?? []).length;
      if ((status.code === 0 && everyone === 3) || performance.now() > deadline) return status;
    }
  }

  it('has the ports of the README if all are free, and others if not', async () => {
    const first = home.start(...SMALL);
    const second = home.start(...SMALL);
    const clusters = [await ready(first), await ready(second)];
    const addresses = clusters.map(({ routers, storage }) => [
      ...routers.map(({ address, admin }) => `${address} ${admin.replace('http://', '')}`),
      ...storage.map(({ address }) => address),
    ]);
    const usual = ['127.0.0.1:7000 127.0.0.1:7080', '127.0.0.1:7001 127.0.0.1:7081'];
    for (const [index, list] of addresses.entries()) {
      const has = list.filter((address) => [...usual, '127.0.0.1:7100'].includes(address));
      expect([0, list.length]).toContain(has.length); // All of them or none.
      const told = [first, second][index]!.said(/^ {2}usual ports are taken \(127\.0\.0\.1:\d+/);
      expect(told).toHaveLength(has.length === 0 ? 1 : 0);
    }
    expect(new Set(addresses.flat()).size).toBe(6);
    for (const found of clusters) {
      const { address } = found.routers[1]!;
      expect(await run('put', 'two', 'run', '--routers', address)).toMatchObject({ code: 0 });
    }
    expect(await Promise.all([first.stop(), second.stop()])).toEqual([143, 143]);
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

  it('with --restart a router is there again, at the same addresses, and serves', async () => {
    const playground = await start(...SMALL, '--restart');
    const { id, pid: before, address, admin } = cluster!.routers[0]!;
    process.kill(before, 'SIGKILL');
    await playground.line(new RegExp(`${id} died: SIGKILL`));
    const line = await playground.line(new RegExp(`^{"event":"restarted","id":"${id}"`));
    const { pid, ...event } = JSON.parse(line) as { pid: number };
    expect(event).toEqual({ event: 'restarted', id });
    expect(pid).not.toBe(before);
    await untilServes(address);
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    expect(await run('put', 'through', 'it', '--routers', address)).toMatchObject({ code: 0 });
    await playground.kill();
    expect(await survivors([pid, ...pidsOf(cluster!)])).toEqual([]);
  });

  it('with --json only events are on stdout, and every line is JSON', async () => {
    const playground = await start(...SMALL, '--restart');
    process.kill(cluster!.storage[0]!.pid, 'SIGKILL');
    await playground.line(/^{"event":"restarted"/);
    await playground.stop();
    expect(playground.stdout.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'ready',
      'restarted',
    ]);
  });

  it('for people it shows the logs, what to try, and nothing on stdout', async () => {
    const forPeople = new PortolanProcess('playground', ['playground', ...SMALL], home.env);
    await forPeople.line(/npx portolan put greeting hello/);
    const line = await forPeople.line(/^\[r\d\] .*I am the leader/);
    expect(line).toMatch(/^\[r\d\] \S+ info {2}I am the leader/); // Its id once.
    expect(await forPeople.stop()).toBe(143);
    expect(forPeople.stdout).toEqual([]);
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
    const noJava = await runPortolan(['playground', '--zk', 'real'], { env });
    expect(noJava.code).toBe(2);
    expect(noJava.stderr).toMatch(/install it with: apt-get install/);
    expect(leftovers()).toEqual([]);
  });
});
