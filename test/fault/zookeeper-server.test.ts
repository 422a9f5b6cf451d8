/**
 * The embedded coordination server as a process: killed at any moment, on a disk that runs full, on
 * a log that is damaged, and under the command line of a real ZooKeeper.
 */
import { execFile, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERR } from '../../src/jute/codes.js';
import { findClassPath, findJava } from '../../src/system/java.js';
import { PortolanProcess } from '../support/portolan-process.js';
import { ProtocolClient } from '../support/protocol-client.js';

const KILLS = 12;
const FOREVER = { timeoutMs: 30_000 };

let folder: string;
let data: string;
let server: PortolanProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-zks-'));
  data = join(folder, 'data');
});
afterEach(async () => {
  await kill();
  await rm(folder, { recursive: true, force: true });
});

async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  server?.child.kill(signal);
  await server?.exited;
  server = undefined;
}

/** Where it serves. */
async function start(...more: readonly string[]): Promise<string> {
  server = new PortolanProcess('zookeeper', [
    ...['zookeeper', '--data', data, '--listen', '127.0.0.1:0', '--tick-ms', '500'],
    ...['--disk-reserve-mb', '0', ...more],
  ]);
  const line = await server.line(/serves clients/);
  return /address=(\S+)/.exec(line)![1]!;
}

describe('kill -9', () => {
  it('at any moment loses nothing that was answered, and no session', async () => {
    const written = new Map<string, string>();
    let holder: { session: string; password: Buffer } | undefined;
    for (let round = 0; round < KILLS; round++) {
      const address = await start();
      const client = await ProtocolClient.open(address, FOREVER);
      for (const [path, value] of written) {
        const { err, fields } = await client.call({ op: 'getData', path, watch: false });
        expect({ path, err, value: fields[0] }).toEqual({ path, err: 0, value });
      }
      if (holder !== undefined) {
        const again = await ProtocolClient.open(address, holder);
        expect(again.session).toBe(holder.session);
        expect((await again.call({ op: 'exists', path: '/held', watch: false })).err).toBe(0);
        await again.drop();
      } else {
        const first = await ProtocolClient.open(address, FOREVER);
        await first.call({ op: 'create', path: '/held', flags: 1 });
        holder = { session: first.session, password: first.password };
        await first.drop();
      }
      const killed = setTimeout(() => server?.child.kill('SIGKILL'), 20 + Math.random() * 150);
      for (let n = 0; !client.isClosed; n++) {
        const path = `/k${n % 50}`;
        const value = `${round}/${n}`;
        const isNew = !written.has(path);
        const { err } = isNew
          ? await client.call({ op: 'create', path, data: value })
          : await client.call({ op: 'setData', path, data: value });
        if (err === 0) written.set(path, value);
        // The last one may or may not have happened: nothing is known of its path from here on.
        else written.delete(path);
      }
      clearTimeout(killed);
      await kill();
    }
    expect(written.size).toBeGreaterThan(20);
  });
});

describe('a disk that runs full', () => {
  const WHAT = { type: 'tmpfs', size: '24m' };
  afterEach(async () => {
    await kill();
    execFileSync('umount', ['--lazy', data]);
  });

  it('refuses writes, answers reads, and loses nothing; with room again it goes on', async () => {
    mkdirSync(data);
    try {
      execFileSync('mount', ['-t', WHAT.type, '-o', `size=${WHAT.size}`, 'portolan-test', data]);
    } catch (cause) {
      throw new Error('this test mounts a small tmpfs and needs the right to: run it as root', {
        cause,
      });
    }
    const address = await start('--disk-reserve-mb', '8');
    const client = await ProtocolClient.open(address, FOREVER);
    const kept: string[] = [];
    let refused = 0;
    for (let n = 0; n < 400 && refused < 3; n++) {
      const path = `/n${n}`;
      const { err } = await client.call({ op: 'create', path, data: 'x'.repeat(200_000) });
      if (err === 0) kept.push(path);
      else {
        expect(err).toBe(ERR.quotaExceeded);
        refused++;
      }
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(refused).toBe(3);
    for (const path of kept) {
      expect((await client.call({ op: 'exists', path, watch: false })).err).toBe(0);
    }
    await server!.line(/the disk is full: writes are refused/);
    // Deleting is how room is made.
    expect((await client.call({ op: 'delete', path: kept[0]! })).err).toBe(0);
    execFileSync('mount', ['-o', 'remount,size=96m', data]);
    await server!.line(/the disk has space again/);
    expect((await client.call({ op: 'create', path: '/more' })).err).toBe(0);
    await kill();
    const again = await ProtocolClient.open(await start(), FOREVER);
    for (const path of [...kept.slice(1), '/more']) {
      expect((await again.call({ op: 'exists', path, watch: false })).err).toBe(0);
    }
    await again.drop();
  });
});

describe('a damaged log', () => {
  /** Writes so much that the log has several blocks, and kills the server; its newest log. */
  async function logOfKilled(): Promise<string> {
    const client = await ProtocolClient.open(await start(), FOREVER);
    for (let n = 0; n < 100; n++) {
      await client.call({ op: 'create', path: `/n${n}`, data: 'x'.repeat(2_000) });
    }
    await kill();
    const logs = readdirSync(data).filter((name) => name.endsWith('.log'));
    return join(data, logs.sort().at(-1)!);
  }

  it('at its end is cut back to the last whole record', async () => {
    const log = await logOfKilled();
    appendFileSync(log, Buffer.from('a record that was being wri'));
    const client = await ProtocolClient.open(await start(), FOREVER);
    expect((await client.call({ op: 'exists', path: '/n99', watch: false })).err).toBe(0);
    await client.drop();
  });

  it('in the middle is refused, and the file is named; nothing is changed', async () => {
    const log = await logOfKilled();
    const bytes = readFileSync(log);
    bytes.fill(0xff, 70_000, 70_100);
    writeFileSync(log, bytes);
    const refused = new PortolanProcess('zookeeper', [
      ...['zookeeper', '--data', data, '--listen', '127.0.0.1:0'],
    ]);
    expect(await refused.exited).toBe(1);
    const said = refused.lines.join('\n');
    expect(said).toContain(`data directory ${data} is damaged`);
    expect(said).toMatch(/DAMAGED/);
    expect(readFileSync(join(data, 'DAMAGED'), 'utf8')).toMatch(/\d+\.log/);
    expect(statSync(data).isDirectory()).toBe(true);
  });
});

describe("ZooKeeper's own command line", () => {
  it('lists, makes, reads, sets, describes and deletes', async () => {
    const [java, classPath] = [await findJava(), findClassPath()];
    const address = await start();
    const cli = async (...command: readonly string[]): Promise<string> => {
      const main = 'org.apache.zookeeper.ZooKeeperMain';
      const { stdout, stderr } = await promisify(execFile)(java, [
        ...['-cp', `${classPath}:/usr/share/java/commons-cli.jar`],
        ...['-XX:TieredStopAtLevel=1', main, '-server', address, ...command],
      ]);
      return `${stdout}${stderr}`;
    };
    expect(await cli('create', '/x', 'hello')).toContain('Created /x');
    expect(await cli('get', '-s', '/x')).toMatch(
      /hello[\s\S]*dataVersion = 0[\s\S]*dataLength = 5/,
    );
    await cli('set', '/x', 'bye');
    expect(await cli('stat', '/x')).toMatch(/dataVersion = 1[\s\S]*dataLength = 3/);
    expect(await cli('ls', '/')).toContain('[x, zookeeper]');
    await cli('delete', '/x');
    expect(await cli('ls', '/')).toContain('[zookeeper]');
  });
});
