/** Child processes that end with their parent, at whatever moment that is killed. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { processesOf, survivors } from '../support/run-portolan.js';

const MODULE = new URL('../../src/system/child.ts', import.meta.url).href;

/** Where there is a `setpriv` that takes its time: as on a machine that is busy. */
let slowPath: string;
beforeAll(() => {
  slowPath = mkdtempSync(join(tmpdir(), 'portolan-unit-'));
  const slow = `#!/bin/sh\nsleep 0.2\nPATH=$ORIGINAL_PATH exec setpriv "$@"\n`;
  writeFileSync(join(slowPath, 'setpriv'), slow, { mode: 0o755 });
});
afterAll(() => {
  rmSync(slowPath, { recursive: true });
});

/** A parent that starts a child of that kind and then does this. It has the mark, as all have. */
async function parentThat(then: string, mark: string, firstInPath = ''): Promise<string> {
  const script = `import { spawnWithParent } from '${MODULE}';
    const child = spawnWithParent('sleep', ['300'], { stdio: 'ignore' });
    ${then};`;
  const { PATH = '' } = process.env;
  const path = firstInPath === '' ? PATH : `${firstInPath}${delimiter}${PATH}`;
  const env = { ...process.env, ORIGINAL_PATH: PATH, PATH: path, PORTOLAN_TEST_MARK: mark };
  const parent = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script],
    { env, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  parent.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await new Promise((resolve) => parent.once('close', resolve));
  return output;
}

const KILL_ITSELF = `process.kill(process.pid, 'SIGKILL')`;

it('a parent that dies while it starts a child leaves none', async () => {
  const mark = randomUUID();
  await parentThat(`setTimeout(() => { ${KILL_ITSELF} }, 50)`, mark, slowPath);
  const begun = processesOf(mark);
  expect(begun).toHaveLength(2); // The slow one and its sleep.
  expect(await survivors(begun)).toEqual([]);
  expect(processesOf(mark)).toEqual([]);
});

it('a child runs while its parent does, under its own pid, and goes when it is killed', async () => {
  const mark = randomUUID();
  const ended = parentThat(
    `setTimeout(() => { process.stdout.write(String(child.pid)); ${KILL_ITSELF} }, 300)`,
    mark,
  );
  const seen = new Set<number>();
  const timer = setInterval(() => {
    for (const running of processesOf(mark)) seen.add(running);
  }, 20);
  const pid = Number(await ended);
  clearInterval(timer);
  expect([...seen]).toContain(pid);
  expect(await survivors([...seen])).toEqual([]);
});
