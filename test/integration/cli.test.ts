/** Client commands against a real cluster: data on stdout, everything else on stderr, exit codes. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlaygroundCluster } from '../../src/cli/playground.js';
import { PlaygroundHome, ready } from '../support/playground-process.js';
import type { PortolanProcess } from '../support/portolan-process.js';
import { runPortolan } from '../support/run-portolan.js';

const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

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
      { id: 's1', state: 'up', shards: 4, primaries: 4 },
      { id: 's2', state: 'up', shards: 4, primaries: 4 },
    ]);
    expect(shards).toHaveLength(8);
    expect(shards![0]).toMatchObject({ id: 0, slots: [0, 2047], learners: [] });
    const table = (await run('status')).stdout;
    expect(table).toMatch(/cluster default: healthy/);
    expect(table).toMatch(new RegExp(`${leader.id} +leader`));
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
  });
});
