// Runs every test of the tiers that CI runs and ends with the line `N passed, N failed`.
//
//   node .tools/test.mjs [vitest arguments: a project (--project unit), a file, -t "a title"]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Far above what a run takes. A test that keeps its worker busy for ever has no other end. */
const LIMIT_MS = 20 * 60_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'portolan-tests-'));
/** Where tests put temporary files: what a run that was interrupted did not remove goes with it. */
const temporary = join(folder, 'tmp');
mkdirSync(temporary);
const report = join(folder, 'report.json');
const running = join(folder, 'running');
const reporters = [
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  '--reporter=.tools/running-reporter.mjs',
];
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const args = ['run', '--config', 'test/vitest.config.ts', ...reporters, ...process.argv.slice(2)];

let isInterrupted = false;
const status = await run();
let { passed, failed, skipped } = countsOf(report);
if (skipped > 0) console.log(`${skipped} tests were skipped: a skipped test counts as failed`);
failed += skipped;
const left = readdirSync(temporary).filter((name) => name.startsWith('portolan-'));
if (status === 0 && left.length > 0) {
  console.log(`tests left temporary folders behind: ${left.join(' ')}`);
  failed++;
}
if (status !== 0 && failed === 0) failed = 1; // An error outside of any test.
if (passed + failed === 0) failed = 1; // Nothing ran.
if (failed > 0 && left.length > 0 && !isInterrupted) {
  console.log(`what they left is kept for a look: ${temporary}`);
} else {
  // Servers that end with their tests may write to the last.
  await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch((error) => {
    console.log(`not removed: ${folder}: ${error.message}`);
  });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** The exit code; undefined if it was ended by a signal. */
function run() {
  // In a group of its own: at the limit, the servers that tests started end with their workers.
  const child = spawn(process.execPath, [vitest, ...args], {
    cwd: root,
    stdio: 'inherit',
    detached: true,
    env: { ...process.env, PORTOLAN_RUNNING: running, TMPDIR: temporary },
  });
  const send = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
  };
  // One Ctrl-C comes twice, from the terminal and from npm; to vitest the second means "at once".
  let sentAt = -Infinity;
  const forward = (signal) => {
    isInterrupted = true;
    if (performance.now() - sentAt < 1_000) return;
    sentAt = performance.now();
    send(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  const limit = setTimeout(() => {
    console.log(`not done after ${LIMIT_MS / 60_000} minutes; ended while these were running:`);
    console.log(textOf(running));
    send('SIGKILL');
  }, LIMIT_MS);
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      clearTimeout(limit);
      resolve(code ?? undefined);
    });
  });
}

function countsOf(file) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } =
      JSON.parse(readFileSync(file, 'utf8'));
    // A file that could not even be loaded has no tests that failed, but failed all the same.
    const broken = testResults.filter((tests) => {
      return (
        tests.status === 'failed' &&
        !tests.assertionResults.some(({ status }) => status === 'failed')
      );
    });
    return {
      passed: numPassedTests,
      failed: numFailedTests + broken.length,
      skipped: numPendingTests + numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return 'none that is known';
  }
}
