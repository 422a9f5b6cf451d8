/** How commands find the playground that is meant, and how two of them keep apart. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CliError, EXIT } from '../../src/cli/exit.js';
import { findRouters } from '../../src/cli/find-routers.js';
import { leaveContext, readContexts, removeContext } from '../../src/cli/playground-context.js';
import { openFolder } from '../../src/cli/playground-folder.js';
import { ownIdentity } from '../../src/cli/process-identity.js';

let state: string;
const contexts = () => join(state, 'portolan', 'playgrounds');
/** Larger than any pid of Linux. */
const NOBODY = 2 ** 22 + 1;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'portolan-unit-'));
  vi.stubEnv('XDG_STATE_HOME', state);
  mkdirSync(contexts(), { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(state, { recursive: true });
});

function leaveOther(name: string, context: object): void {
  writeFileSync(join(contexts(), name), JSON.stringify({ ...ownIdentity(), ...context }));
}

const find = (flags: object = {}) => findRouters({ timeoutMs: 100, ...flags });

describe('finding routers without a flag', () => {
  it('asks the playground that runs', async () => {
    await leaveContext({ cluster: 'default', routers: ['127.0.0.1:1'] });
    expect(await find()).toEqual(['127.0.0.1:1']);
    expect(await find({ cluster: 'default' })).toEqual(['127.0.0.1:1']);
    expect(await find({ routers: ['h:2'] })).toEqual(['h:2']);
    removeContext();
    await expect(find()).rejects.toThrow(/which cluster\? Give --routers.*portolan playground/);
  });

  it('never asks a playground of another cluster', async () => {
    await leaveContext({ cluster: 'mine', routers: ['127.0.0.1:1'] });
    await expect(find({ cluster: 'default' })).rejects.toThrow(
      /no playground runs cluster "default"/,
    );
  });

  it('does not guess among several, and names them', async () => {
    await leaveContext({ cluster: 'a', routers: ['127.0.0.1:1'] });
    leaveOther('other.json', { cluster: 'b', routers: ['127.0.0.1:2'] });
    await expect(find()).rejects.toThrow(/say which:\n.*127\.0\.0\.1:\d.*cluster a[^]*cluster b/);
    expect(await find({ cluster: 'b' })).toEqual(['127.0.0.1:2']);
  });

  it('a file whose process is gone counts for nothing, even if its pid is used again', () => {
    leaveOther('gone.json', { pid: NOBODY, routers: ['127.0.0.1:1'] });
    leaveOther('reused.json', { began: 'at another time', routers: ['127.0.0.1:1'] });
    writeFileSync(join(contexts(), 'garbage.json'), '{');
    expect(readContexts()).toEqual([]);
    expect(readdirSync(contexts())).toEqual([]);
  });
});

describe('where a playground leaves its addresses', () => {
  it.each(['', 'not/absolute', '.'])('XDG_STATE_HOME=%s counts as not set', async (named) => {
    const home = { HOME: state, XDG_STATE_HOME: named };
    vi.stubEnv('HOME', state); // Where the folder of last resort is.
    await leaveContext({ cluster: 'default', routers: ['127.0.0.1:1'] }, home);
    const file = join(state, '.local', 'state', 'portolan', 'playgrounds', `${process.pid}.json`);
    expect(existsSync(file)).toBe(true);
    expect(readContexts(home)).toMatchObject([{ routers: ['127.0.0.1:1'] }]);
    vi.stubEnv('XDG_STATE_HOME', named);
    expect(await find()).toEqual(['127.0.0.1:1']);
    removeContext(home);
    expect(existsSync(file)).toBe(false);
  });

  it('a folder that cannot be made is done without', async () => {
    await leaveContext({ cluster: 'default', routers: [] }, { XDG_STATE_HOME: '/proc/portolan' });
    expect(existsSync('/proc/portolan')).toBe(false);
  });
});

describe('the folder of a playground', () => {
  it('that was named belongs to one at a time, and stays', async () => {
    const path = join(state, 'named');
    const folder = await openFolder(path);
    await expect(openFolder(path)).rejects.toThrow(/a playground runs in .*named already, pid \d+/);
    await folder.release();
    expect(existsSync(path)).toBe(true);
    await (await openFolder(path)).release();
  });

  it('that is temporary goes with it, and those of killed ones are swept', async () => {
    const abandoned = mkdtempSync(join(tmpdir(), 'portolan-playground-'));
    writeFileSync(join(abandoned, 'playground.json'), JSON.stringify({ pid: NOBODY, began: '' }));
    const folder = await openFolder(undefined);
    expect(existsSync(abandoned)).toBe(false);
    const other = await openFolder(undefined);
    expect(existsSync(folder.path)).toBe(true);
    await folder.release();
    await other.release();
    expect(existsSync(folder.path)).toBe(false);
  });

  it('that cannot be made or used is a mistake in the call', async () => {
    writeFileSync(join(state, 'file'), '');
    for (const path of [join(state, 'file', 'below'), '/proc', '/proc/portolan', '/proc/a/b/c']) {
      const error = (await openFolder(path).catch((reason: unknown) => reason)) as CliError;
      expect(error.message).toContain(`cannot use --data ${path}: E`);
      expect(error.exitCode).toBe(EXIT.usage);
    }
  });
});
