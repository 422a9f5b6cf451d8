/** Child processes that end with their parent, at whatever moment that is killed. */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { processesOf, survivors } from '../support/run-portolan.js';

const MODULE = new URL('../../src/system/child.ts', import.meta.url).href;

/** Where there is a `setpriv` that says at one pipe that it begins, and waits at another to go on. */
let waiting: string;
beforeAll(() => {
  waiting = mkdtempSync(join(tmpdir(), 'portolan-unit-'));
  execFileSync('mkfifo', [join(waiting, 'begun'), join(waiting, 'go')]);
  const script = [
    '#!/bin/sh',
    '[ "$3" = true ] && exit # Only whether there is one was asked.',
    `echo > '${join(waiting, 'begun')}'`,
    `read -r _ < '${join(waiting, 'go')}'`,
    'PATH=$ORIGINAL_PATH exec setpriv "$@"',
  ];
  writeFileSync(join(waiting, 'setpriv'), script.join('\n'), { mode: 0o755 });
});
afterAll(() => {
  rmSync(waiting, { recursive: true });
});

/** A parent that starts a child and then does this. All that it starts has the mark. */
function parentThat(then: string, mark: string, firstInPath = '') {
  const script = `import { readFileSync } from 'node:fs';
    import { spawnWithParent } from '${MODULE}';
    const child = spawnWithParent('sleep', ['300'], { stdio: 'ignore' });
    ${then};`;
  const { PATH = '' } = process.env;
  const path = firstInPath === '' ? PATH : `${firstInPath}${delimiter}${PATH}`;
  const env = { ...process.env, ORIGINAL_PATH: PATH, PATH: path, PORTOLAN_TEST_MARK: mark };
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

const KILL_ITSELF = `process.kill(process.pid, 'SIGKILL')`;

it('a parent that dies while it starts a child leaves none', async () => {
  const mark = randomUUID();
  const begun = `readFileSync('${join(waiting, 'begun')}')`;
  const parent = parentThat(`setImmediate(() => { ${begun}; ${KILL_ITSELF}; })`, mark, waiting);
  await once(parent, 'close');
  const starting = processesOf(mark, 'setpriv');
  expect(starting).toHaveLength(1);
  await writeFile(join(waiting, 'go'), '\n');
  expect(await survivors(starting)).toEqual([]);
  expect(processesOf(mark, 'sleep')).toEqual([]);
});

it('a child runs while its parent does, under its own pid, and goes when it is killed', async () => {
  const mark = randomUUID();
  const parent = parentThat(
    `process.stdout.write(String(child.pid));
    process.stdin.once('end', () => ${KILL_ITSELF}).resume()`,
    mark,
  );
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
  // Under its own name: what came before it in that process has made way.
  const isRunning = () => processesOf(mark, 'sleep\u0000300').includes(Number(pid));
  await vi.waitUntil(isRunning, { timeout: 30_000 });
  const seen = processesOf(mark);
  parent.stdin.end();
  await once(parent, 'close');
  expect(await survivors(seen)).toEqual([]);
});
