/** `portolan doctor` on this machine, beside a ZooKeeper that answers and one that does not. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../../src/cli/doctor.js';
import { EmbeddedZooKeeper } from '../support/embedded-zookeeper.js';
import { runPortolan } from '../support/run-portolan.js';

describe('portolan doctor', () => {
  let server: EmbeddedZooKeeper;
  const folder = mkdtempSync(join(tmpdir(), 'portolan-doctor-'));
  beforeAll(async () => {
    server = await EmbeddedZooKeeper.start();
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('looks at everything, and leaves nothing behind', async () => {
    const { stdout } = await runPortolan([
      'doctor',
      '--json',
      '--data',
      folder,
      '--zk',
      server.connect,
    ]);
    const { checks } = JSON.parse(stdout) as { ok: boolean; checks: readonly Check[] };
    const names = checks.map(({ name }) => name.split(' ')[0]);
    expect(names).toEqual([
      'node',
      'java',
      'zookeeper',
      'ports',
      'open',
      'disk',
      'clock',
      'versions',
    ]);
    const of = (what: string) => checks.find(({ name }) => name.startsWith(what))!;
    expect(of('node')).toMatchObject({ level: 'ok', found: process.version });
    expect(of('zookeeper')).toMatchObject({
      level: 'warn',
      found: expect.stringMatching(/standalone/) as string,
    });
    expect(of('disk').found).toMatch(/^fsync takes [\d.]+ ms/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('ends with 5 if something will not work, and says what to do', async () => {
    const args = ['doctor', '--data', join(folder, 'none'), '--zk', '127.0.0.1:1'];
    const { code, stdout } = await runPortolan(args);
    expect(code).toBe(5);
    expect(stdout).toMatch(/ERR +zookeeper 127\.0\.0\.1:1: does not answer: .*\n +-> start it/);
    expect(stdout).toMatch(/ERR +disk .*none: ENOENT.*\n +-> make the folder/);
  });
});
