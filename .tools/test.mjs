// Runs every test of the tiers that CI runs and ends with the line `N passed, N failed`.
//
//   node .tools/test.mjs [vitest arguments: a project (--project unit), a file, -t "a title"]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// A Ctrl-C goes to the tests too; they end, and then this file tidies up.
process.on('SIGINT', () => {});
const folder = mkdtempSync(join(tmpdir(), 'portolan-report-'));
const report = join(folder, 'report.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const args = ['run', '--config', 'test/vitest.config.ts', ...reporters, ...process.argv.slice(2)];

const { status } = spawnSync(process.execPath, [vitest, ...args], { cwd: root, stdio: 'inherit' });
let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  passed = numPassedTests;
  skipped = numPendingTests + numTodoTests;
  // A file that could not even be loaded has no tests that failed, but failed all the same.
  const broken = testResults.filter((file) => {
    return (
      file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed')
    );
  });
  failed = numFailedTests + broken.length;
} catch {
  failed = 1;
}
rmSync(folder, { recursive: true, force: true });
if (skipped > 0) console.log(`${skipped} tests were skipped: a skipped test counts as failed`);
failed += skipped;
if (status !== 0 && failed === 0) failed = 1; // An error outside of any test.
if (passed + failed === 0) failed = 1; // Nothing ran.
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
