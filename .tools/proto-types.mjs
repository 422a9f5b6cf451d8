// Generates the TypeScript types of the .proto files into src/grpc/generated.
// `--check` generates into a temporary folder and fails if the committed files differ.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const committed = join(root, 'src/grpc/generated');
const protos = ['kv', 'cluster', 'errors', 'internal'].map((name) => `portolan/v1/${name}.proto`);

function generate(outDir) {
  execFileSync(
    join(root, 'node_modules/.bin/proto-loader-gen-types'),
    [
      '--longs=String',
      '--enums=String',
      '--defaults',
      '--oneofs',
      '--grpcLib=@grpc/grpc-js',
      '--targetFileExtension=.ts',
      '--importFileExtension=.js',
      '--includeDirs=.',
      `--outDir=${outDir}`,
      ...protos,
      'grpc/health/v1/health.proto',
    ],
    { cwd: join(root, 'proto'), stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(join(tmpdir(), 'portolan-proto-'));
  try {
    generate(fresh);
    const files = new Set([...filesOf(fresh), ...filesOf(committed)]);
    const read = (folder, file) => {
      try {
        return readFileSync(join(folder, file), 'utf8');
      } catch {
        return undefined;
      }
    };
    const stale = [...files].filter((file) => read(fresh, file) !== read(committed, file));
    if (stale.length > 0) {
      console.error(`out of date: ${stale.join(', ')}\nrun: npm run proto`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
} else {
  rmSync(committed, { recursive: true, force: true });
  generate(committed);
}
