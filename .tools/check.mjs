// Everything that must hold before a commit, in under a minute: types, lint, format, layering, dead
// code, current generated types, unit tests, scenarios. Each step says how long it took.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules', '.bin', name);

const STEPS = [
  ['types', bin('tsc'), ['-p', 'tsconfig.json']],
  [
    'lint',
    bin('eslint'),
    [
      '-c',
      '.tools/eslint.config.js',
      '--cache',
      '--cache-location',
      'node_modules/.cache/eslint/',
      'src',
      'test',
      'bench',
    ],
  ],
  ['format', bin('biome'), ['format', 'src', 'test', 'bench', '.tools']],
  ['layering', bin('depcruise'), ['--config', '.tools/dependency-cruiser.cjs', 'src']],
  ['dead code', bin('knip'), ['--config', '.tools/knip.json', '--no-progress']],
  ['api types', process.execPath, ['.tools/proto-types.mjs', '--check']],
  [
    'tests',
    bin('vitest'),
    [
      'run',
      '--config',
      'test/vitest.config.ts',
      '--project',
      'unit',
      '--project',
      'scenario',
      '--reporter=dot',
    ],
  ],
];
/** Two cores: one long step beside the short ones. */
const AT_ONCE = 2;

function runStep([name, command, args]) {
  return new Promise((resolve) => {
    const start = performance.now();
    let output = '';
    const child = spawn(command, args, { cwd: root, env: { ...process.env, NO_COLOR: '1' } });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(12)} ${seconds.padStart(5)} s`);
      if (code !== 0) console.log(output);
      resolve(code === 0);
    });
  });
}

const results = [];
let next = 0;
const work = async () => {
  while (next < STEPS.length) results.push(await runStep(STEPS[next++]));
};
await Promise.all(Array.from({ length: AT_ONCE }, work));
process.exitCode = results.every(Boolean) ? 0 : 1;
