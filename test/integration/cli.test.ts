/** Client commands against a real cluster: data on stdout, everything else on stderr, exit codes. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlaygroundCluster } from '../../src/cli/playground.js';
import { freePort } from '../../src/system/free-port.js';
import { startZooKeeper } from '../../src/system/zookeeper-process.js';
import { PlaygroundHome, ready } from '../support/playground-process.js';
import { PortolanProcess } from '../support/portolan-process.js';
import { runPortolan } from '../support/run-portolan.js';

const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

describe('a server whose ZooKeeper is not there', () => {
  const home = new PlaygroundHome();
  afterAll(() => home.remove());

  it.each([
    ['router', [], /I am the leader/],
    ['storage', ['--data', join(home.path, 'data')], /waiting for a router to create the cluster/],
  ])('%s: says so within 5 s, and goes on when it is', async (role, flags, goesOn) => {
    const port = await freePort();
    const zk = ['--zk', `127.0.0.1:${port}`];
    const member = new PortolanProcess(role, [role, '--id', 'm1', ...zk, ...flags]);
    await member.line(/no ZooKeeper answers at 127\.0\.0\.1:\d+.*Check --zk/, {
      timeoutMs: 5_000,
    });
    const server = await startZooKeeper({ dataDir: join(home.path, role), port });
    await member.line(goesOn);
    expect(await member.stop()).toBe(0);
    await server.stop();
  });
});

describe('a role that is started', () => {
  const home = new PlaygroundHome();
  const held: Server[] = [];
  afterAll(() => {
    for (const server of held) server.close();
    home.remove();
  });

  const nowhere = ['--id', 'm1', '--zk', '127.0.0.1:1'];
  const data = (name: string) => ['--data', join(home.path, name)];

  it.each([
    ['router', '--listen', []],
    ['router', '--admin', []],
    ['storage', '--listen', data('taken')],
    ['storage', '--admin', data('taken')],
  ])('%s %s in use: exit 2 and one line, before it opens anything', async (role, flag, more) => {
    const server = createServer();
    held.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await runPortolan([role, ...nowhere, ...more, flag, taken])).toEqual({
      code: 2,
      stdout: '',
      stderr: `portolan: ${taken} is in use: choose another with ${flag}\n`,
    });
    expect(existsSync(join(home.path, 'taken', 'CURRENT'))).toBe(false);
  });

  it('a storage node that is refused its port has not made its directory', async () => {
    const server = createServer();
    held.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const flags = ['--zk', '127.0.0.1:1', ...data('unnamed'), '--listen', taken];
    const { code, stderr } = await runPortolan(['storage', ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${taken} is in use`)]);
    expect(existsSync(join(home.path, 'unnamed'))).toBe(false);
  });

  it.each([
    [1, /data directory \/proc\/portolan could not be opened/, ['storage', '--zk', '127.0.0.1:1']],
    [2, /cannot use --data \/proc\/portolan: /, ['playground']],
  ])('where no directory can be made: exit %i and a reason, at once', (code, reason, args) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [COMMAND, ...args, '--data', '/proc/portolan'],
      { encoding: 'utf8', timeout: 10_000, killSignal: 'SIGKILL' },
    );
    expect([status, stderr]).toEqual([code, expect.stringMatching(reason)]);
  });

  it.each([
    ['router', []],
    ['storage', data('stopped')],
  ])('%s without ZooKeeper stops in order, and at once', async (role, flags) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const member = new PortolanProcess(role, [role, ...nowhere, ...flags]);
      await member.line(/listening/);
      const began = performance.now();
      member.signal(signal);
      expect(await member.exited).toBe(0);
      expect(performance.now() - began).toBeLessThan(1_000);
      expect(member.said(/opened the data directory after an unclean stop/)).toEqual([]);
    }
  });

  it('asked to stop while its disk hangs, it does not wait for the disk', async () => {
    const stuck = join(home.path, 'stuck');
    mkdirSync(stuck);
    // Whoever opens a pipe waits for its other end, as one waits for a disk that does not answer.
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(stuck, 'CURRENT')]);
    for (const name of ['MANIFEST-000001', '000003.log']) writeFileSync(join(stuck, name), '');
    const start = async () => {
      const member = new PortolanProcess('storage', ['storage', ...nowhere, '--data', stuck]);
      while (!opensDisk(member.pid)) await new Promise((resolve) => setTimeout(resolve, 10));
      member.signal('SIGTERM');
      await member.line(/stopping before it has started/);
      return member;
    };
    expect(await (await start()).exited).toBe('SIGTERM');
    const impatient = await start();
    await new Promise((resolve) => setTimeout(resolve, 300)); // As long as a person takes.
    const again = performance.now();
    impatient.signal('SIGTERM');
    expect(await impatient.exited).toBe('SIGTERM');
    expect(performance.now() - again).toBeLessThan(500);
  });

  /** Whether LevelDB holds the lock of its directory, which is the first thing it does. */
  function opensDisk(pid: number): boolean {
    const files = `/proc/${pid}/fd`;
    return readdirSync(files).some((name) => {
      try {
        return readlinkSync(join(files, name)) === join(home.path, 'stuck', 'LOCK');
      } catch {
        return false; // Closed meanwhile.
      }
    });
  }
});

describe('client commands', () => {
  const home = new PlaygroundHome();
  let playground: PortolanProcess;
  let cluster: PlaygroundCluster;

  beforeAll(async () => {
    playground = home.start('--routers', '2', '--storage', '2', '--shards', '8');
    cluster = await ready(playground);
  });
  afterAll(async () => {
    await playground.stop();
    home.remove();
  });

  const run = (...args: readonly string[]) => runPortolan(args, { env: home.env });
  const json = async (...args: readonly string[]) => {
    return JSON.parse((await run(...args, '--json')).stdout) as Record<string, unknown>;
  };

  it('put, get and del, for people and as JSON', async () => {
    expect(await run('put', 'a', 'first')).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^stored, version \d+\n$/) as string,
      stderr: '',
    });
    const { version } = await json('put', 'a', 'second');
    expect(await json('get', 'a')).toEqual({
      key: 'a',
      value: 'second',
      encoding: 'utf8',
      version,
    });
    expect(await json('del', 'a')).toEqual({ key: 'a', applied: true, version });
    expect(await json('del', 'a')).toEqual({ key: 'a', applied: true, version: 0 });
    expect(await run('del', 'a')).toEqual({ code: 0, stdout: 'was not there\n', stderr: '' });
  });

  it('a missing key: exit 3, nothing on stdout', async () => {
    const missing = await run('get', 'never');
    expect(missing).toEqual({ code: 3, stdout: '', stderr: 'portolan: no such key: never\n' });
  });

  it('a condition that does not hold: exit 6, and which version there is', async () => {
    const { version } = await json('put', 'c', '1');
    const wrong = await run('put', 'c', '2', '--if-version', '999999');
    expect(wrong).toMatchObject({ code: 6, stdout: '' });
    expect(wrong.stderr).toContain(`its version is ${String(version)}`);
    expect((await run('put', 'c', '2', '--if-absent')).code).toBe(6);
    expect((await run('del', 'c', '--if-version', '999999')).code).toBe(6);
    expect((await run('put', 'c', '2', '--if-version', String(version))).code).toBe(0);
    expect((await run('put', 'new', '1', '--if-absent')).code).toBe(0);
  });

  it('bytes go in and out as they are', async () => {
    const bytes = Buffer.concat([Buffer.from([0, 10, 255]), randomBytes(70_000)]);
    const { code } = await runPortolan(['put', 'bytes', '-'], { env: home.env, input: bytes });
    expect(code).toBe(0);
    expect(Buffer.from((await run('get', 'bytes')).stdout, 'latin1')).toEqual(bytes);
    const file = join(home.path, 'file');
    writeFileSync(file, bytes);
    expect((await run('put', '00ff', `@${file}`, '--key-encoding', 'hex')).code).toBe(0);
    const base64 = ['--key-encoding', 'base64', '--value-encoding', 'base64'];
    const same = await run('get', 'AP8=', ...base64);
    expect(Buffer.from(same.stdout, 'base64')).toEqual(bytes);
  });

  it.each(['@alice', '-', '@@alice', '--', '-x'])('%s is a key like others', async (key) => {
    expect((await run('put', '--', key, `of ${key}`)).code).toBe(0);
    expect(await run('get', '--', key)).toMatchObject({ code: 0, stdout: `of ${key}` });
    expect(await run('del', '--', key)).toMatchObject({ code: 0 });
  });

  it('arguments that are not UTF-8 are refused, with how to give them', async () => {
    const bytes = `"$(printf 'a\\377')"`;
    const inShell = (args: string) =>
      new Promise<[code: number | null, stderr: string]>((resolve) => {
        const child = spawn('sh', ['-c', `exec "${process.execPath}" "${COMMAND}" ${args}`], {
          env: { ...process.env, ...home.env },
        });
        let stderr = '';
        child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
        child.once('close', (code) => resolve([code, stderr]));
      });
    const refused = (what: string) => [2, expect.stringMatching(what) as string];
    expect(await inShell(`get ${bytes}`)).toEqual(refused('the key holds .*--key-encoding hex'));
    expect(await inShell(`del ${bytes}`)).toEqual(refused('the key holds .*--key-encoding hex'));
    expect(await inShell(`put a ${bytes}`)).toEqual(refused('the value holds .*@FILE'));
    expect(await run('put', '61ff', 'x', '--key-encoding', 'hex')).toMatchObject({ code: 0 });
  });

  it.each([
    ['an empty key', ['put', '', 'x'], 2, /key has 0 bytes/],
    ['a key that is too long', ['get', 'k'.repeat(1_025)], 2, /1025 bytes/],
    ['an unknown flag', ['get', 'a', '--josn'], 2, /Did you mean --json\?/],
    ['an unknown command', ['gte', 'a'], 2, /Did you mean get\?/],
    ['a file that is not there', ['put', 'a', '@/no/such/file'], 2, /cannot read \/no\/such\/file/],
    ['a router that is not there', ['get', 'a', '--routers', '127.0.0.1:1'], 4, /127\.0\.0\.1:1/],
  ])('%s: a line that says so, and no stack', async (_, args, code, message) => {
    const result = await run(...args, ...(code === 4 ? ['--timeout-ms', '1000'] : []));
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toMatch(/^\s+at /m);
  });

  it('a value that is too large is refused before it is sent', async () => {
    const input = Buffer.alloc(1024 * 1024 + 1);
    const large = await runPortolan(['put', 'large', '-'], { env: home.env, input });
    expect([large.code, large.stderr]).toEqual([2, expect.stringMatching(/1048577 bytes/)]);
  });

  it('--debug shows where an error came from', async () => {
    expect((await run('get', 'never', '--debug')).stderr).toMatch(/^\s+at /m);
  });

  it('routers are found through ZooKeeper', async () => {
    const zk = ['--zk', cluster.zookeeper.connect];
    const env = { XDG_STATE_HOME: join(home.path, 'nothing') };
    expect((await runPortolan(['put', 'z', '1', ...zk], { env })).code).toBe(0);
    expect((await runPortolan(['get', 'z'], { env })).code).toBe(2);
    const fromEnv = { ...env, PORTOLAN_ROUTERS: cluster.routers[0]!.address };
    expect(await runPortolan(['get', 'z'], { env: fromEnv })).toMatchObject({ stdout: '1' });
    const none = await runPortolan(['get', 'z', ...zk, '--cluster', 'none'], { env });
    expect([none.code, none.stderr]).toEqual([4, expect.stringMatching(/no router runs for/)]);
  });

  it('status has exactly the names of the contract, and what was added since', async () => {
    const status = await json('status');
    const namesOf = (value: unknown) => Object.keys(value as object);
    const first = (list: unknown) => (list as object[])[0];
    expect(namesOf(status)).toEqual(
      expect.arrayContaining(['cluster', 'healthy', 'leader', 'candidates', 'nodes', 'shards']),
    );
    expect(namesOf(status['leader']).sort()).toEqual(['id', 'leaderEpoch', 'znode']);
    expect(namesOf(first(status['candidates'])).sort()).toEqual([
      'address',
      'admin',
      'id',
      'watches',
      'znode',
    ]);
    expect(namesOf(first(status['nodes'])).sort()).toEqual([
      'address',
      'downForMs',
      'host',
      'id',
      'primaries',
      'shards',
      'state',
      'zone',
    ]);
    expect(namesOf(first(status['shards'])).sort()).toEqual([
      'away',
      'damaged',
      'epoch',
      'id',
      'isr',
      'learners',
      'learning',
      'primary',
      'served',
      'slots',
      'state',
    ]);
    const admin = await fetch(`${cluster.routers[0]!.admin}/status`);
    expect(namesOf(await admin.json()).sort()).toEqual(namesOf(status).sort());
  });

  it('status is the object of the contract, and a table for people', async () => {
    const status = await json('status');
    expect(status).toMatchObject({ cluster: 'default', healthy: true });
    const { leader, candidates, nodes, shards } = status as Record<string, object[]> & {
      leader: { id: string; znode: string; leaderEpoch: number };
    };
    expect(leader.znode).toMatch(/^\/election\/\S+-c_\d{10}$/);
    expect(leader.leaderEpoch).toBeGreaterThan(0);
    expect(candidates).toHaveLength(2);
    expect(candidates!.map((candidate) => (candidate as { watches: unknown }).watches)).toEqual([
      null,
      expect.stringMatching(/c_\d{10}$/),
    ]);
    expect(nodes).toMatchObject([
      { id: 's1', state: 'up', shards: 8, primaries: 4 },
      { id: 's2', state: 'up', shards: 8, primaries: 4 },
    ]);
    expect(shards).toHaveLength(8);
    expect(shards![0]).toMatchObject({ id: 0, slots: [0, 2047], learners: [] });
    const table = (await run('status')).stdout;
    expect(table).toMatch(/cluster default: healthy/);
    expect(table).toMatch(new RegExp(`${leader.id} +leader`));
  });

  it('the admin port of a router: alive, ready, status and metrics', async () => {
    const { admin, id } = cluster.routers[0]!;
    const page = async (path: string) => {
      const response = await fetch(`${admin}${path}`);
      return { code: response.status, body: await response.text() };
    };
    expect(await page('/livez')).toEqual({ code: 200, body: 'ok\n' });
    expect(await page('/readyz')).toEqual({ code: 200, body: 'ok\n' });
    expect((await page('/nope')).code).toBe(404);
    expect((await fetch(`${admin}/status`, { method: 'DELETE' })).status).toBe(405);
    const status = JSON.parse((await page('/status')).body) as Record<string, object[]>;
    expect(status).toMatchObject({ healthy: true, answeredBy: id });
    expect(status['nodes']).toMatchObject([{ id: 's1' }, { id: 's2' }]);
    const metrics = (await page('/metrics')).body;
    expect(metrics).toMatch(/^portolan_\w+(?:\{[^}]*\})? \d/m);
    expect(metrics).toMatch(/^process_cpu_seconds_total \d/m);
  });

  it('health: asks any process, exit 0 if it serves and 4 if not', async () => {
    for (const { address } of [...cluster.routers, ...cluster.storage]) {
      expect(await run('health', '--address', address)).toEqual({
        code: 0,
        stdout: 'SERVING\n',
        stderr: '',
      });
    }
    const { address } = cluster.storage[0]!;
    expect(await json('health', '--address', address, '--service', 'liveness')).toEqual({
      address,
      service: 'liveness',
      status: 'SERVING',
    });
    const unknown = await run('health', '--address', address, '--service', 'nonsense');
    expect(unknown).toMatchObject({ code: 4, stdout: '' });
    expect(unknown.stderr).toMatch(/it knows no service "nonsense"/);
    const [, port] = cluster.zookeeper.connect.split(':');
    for (const other of ['127.0.0.1:1', `127.0.0.1:${port}`]) {
      const began = performance.now();
      const silent = await run('health', '--address', other, '--timeout-ms', '500');
      expect(silent).toMatchObject({ code: 4, stdout: '' });
      expect(silent.stderr).toMatch(new RegExp(`portolan: ${other} gave no health: `));
      expect(performance.now() - began).toBeLessThan(2_000);
    }
  });

  it('routers that do not answer: exit 4 when the time is over, with what to do', async () => {
    // They accept connections and say nothing, as hung processes do.
    const held = new Set<Socket>();
    const silent = createServer((socket) => {
      held.add(socket.on('error', () => undefined));
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const flags = ['--routers', `127.0.0.1:1,127.0.0.1:${port}`, '--timeout-ms', '700'];
    for (const command of [['get', 'a'], ['put', 'a', 'x'], ['del', 'a'], ['status']]) {
      const began = performance.now();
      const result = await run(...command, ...flags);
      expect(result).toMatchObject({ code: 4, stdout: '' });
      expect(result.stderr).toMatch(/^portolan: [^\n]+\n$/);
      expect(performance.now() - began).toBeLessThan(700 + 1_500);
    }
    for (const socket of held) socket.destroy();
    silent.close();
  });

  it('of several routers one that answers is enough', async () => {
    const routers = `127.0.0.1:1,${cluster.routers[1]!.address}`;
    expect((await run('put', 'one', 'enough', '--routers', routers)).code).toBe(0);
    expect(await run('get', 'one', '--routers', routers)).toMatchObject({ stdout: 'enough' });
  });

  it('an empty value is a value, and bytes that are no text are shown as hex', async () => {
    expect((await run('put', 'empty', '')).code).toBe(0);
    expect(await run('get', 'empty')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await json('get', 'empty')).toMatchObject({ value: '', encoding: 'utf8' });
    expect((await run('put', 'raw', 'fffe', '--value-encoding', 'hex')).code).toBe(0);
    expect(await json('get', 'raw')).toMatchObject({ value: 'fffe', encoding: 'hex' });
    expect(await run('get', 'raw', '--value-encoding', 'hex')).toMatchObject({ stdout: 'fffe\n' });
    expect((await run('put', 'raw', 'xyz', '--value-encoding', 'hex')).code).toBe(2);
  });

  it('get … | head -c1 ends without a word', async () => {
    const child = spawn(
      'sh',
      ['-c', `"${process.execPath}" "${COMMAND}" get bytes | head -c1 | wc -c`],
      { env: { ...process.env, ...home.env } },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    }
    await new Promise((resolve) => child.once('close', resolve));
    expect(output.trim()).toBe('1');
  });

  it('a reader that leaves early is no error', async () => {
    const child = spawn(process.execPath, [COMMAND, 'get', 'bytes'], {
      env: { ...process.env, ...home.env },
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.stdout.destroy();
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, stderr]).toEqual([0, '']);
  });

  it('an unhealthy cluster: exit 5, and what is wrong', async () => {
    process.kill(cluster.storage[1]!.pid, 'SIGKILL');
    await playground.line(/s2 died/);
    const deadline = performance.now() + 10_000;
    let status = await run('status');
    while (status.code === 0 && performance.now() < deadline) status = await run('status');
    expect(status.code).toBe(5);
    expect(status.stdout).toMatch(/NOT HEALTHY/);
    expect(status.stdout).toMatch(/! .*s2/);
    // s1 took over; by and by it is known that s2 is down, and what to do about it.
    const lacking = 'shards 0-7: 1 of 2 replicas in sync; start s2 again';
    while (!status.stdout.includes(lacking) && performance.now() < deadline + 10_000) {
      status = await run('status');
    }
    expect(status.stdout).toContain(lacking);
    expect(status.stdout).toMatch(/ s2 {2}down \d+ s /);
    const { shards } = await json('status');
    expect(shards).toMatchObject(
      Array.from({ length: 8 }, () => ({ primary: 's1', served: true, away: ['s2'] })),
    );
  });
});

it('npm run bench: a mistake in its call is exit 2', async () => {
  const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
  const codeOf = (...args: readonly string[]) =>
    new Promise((resolve) => {
      const flags = ['--import', 'tsx', main, ...args];
      spawn(process.execPath, flags, { stdio: 'ignore' }).once('close', resolve);
    });
  expect(await codeOf('--seconds', 'ten')).toBe(2);
  expect(await codeOf('--help')).toBe(0);
});

it('the package holds the build, the contract of its API, and no map to what is not in it', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const path of ['dist/cli/main.js', 'dist/client/index.js', 'dist/client/index.d.ts']) {
    expect(paths).toContain(path);
  }
  expect(paths).toContain('proto/portolan/v1/kv.proto');
  expect(paths.filter((path) => /\.map$|tsbuildinfo|^(?:src|test|\.tools)\//.test(path))).toEqual(
    [],
  );
  const built = readFileSync(join(root, 'dist', 'cli', 'main.js'), 'utf8');
  expect(built).not.toContain('sourceMappingURL');
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(scripts['prepack']).toContain('build');
});
