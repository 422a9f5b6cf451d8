// Makes a fresh clone ready: npm packages, ZooKeeper's jars, a C compiler for tests, the build. Does
// only what is missing or out of date, so that it costs well under a second when nothing changed. No
// dependencies: it runs before there are any.
//
//   node .tools/setup.mjs [--no-java] [--compiler]
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const NODE_MIN = [20, 19];
const JAVA_MIN = 11;
const ZOOKEEPER = ['openjdk-17-jre-headless', 'libzookeeper-java'];
const COMPILER = ['gcc', 'libc6-dev'];
const LOCK_STALE_MS = 10 * 60_000;

const say = (text) => process.stderr.write(`setup: ${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};

function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    ...options,
  });
  if (result.error !== undefined) return result.error.message;
  return result.status === 0 ? undefined : `${command} ended with status ${result.status}`;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  fail(`Node ${NODE_MIN.join('.')} or newer is needed; this is ${process.versions.node}`);
}

const hashOf = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
};

const stampOf = (name) => join(root, 'node_modules', `.portolan-${name}`);

function isStamped(name, value) {
  try {
    return readFileSync(stampOf(name), 'utf8') === value;
  } catch {
    return false;
  }
}

function installPackages() {
  const wanted = hashOf(readFileSync(join(root, 'package-lock.json')), process.version);
  if (isStamped('packages', wanted)) return;
  say('installing npm packages (npm ci)');
  const problem = run('npm', [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  if (problem !== undefined) fail(`${problem}. Run it again by hand: npm ci`);
  writeFileSync(stampOf('packages'), wanted);
}

function javaMajor() {
  const java = process.env.PORTOLAN_JAVA ?? 'java';
  const { stderr = '' } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0);
}

const hasJars = () =>
  process.env.PORTOLAN_ZK_CLASSPATH !== undefined ||
  process.env.ZOOKEEPER_HOME !== undefined ||
  existsSync('/usr/share/java/zookeeper.jar');

function provideZooKeeper() {
  // Looking at java takes longer than everything else here; once found it is not asked again.
  const found = hashOf(process.env.PORTOLAN_JAVA ?? '', process.env.PATH ?? '');
  if (hasJars() && isStamped('java', found)) return;
  if (hasJars() && javaMajor() >= JAVA_MIN) {
    writeFileSync(stampOf('java'), found);
    return;
  }
  installSystemPackages(ZOOKEEPER, `real ZooKeeper needs Java ${JAVA_MIN}+ and its jars`);
}

/** Tests make real calls fail through a small library of their own. */
function provideCompiler() {
  if (spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0) return;
  installSystemPackages(COMPILER, 'some tests need a C compiler');
}

/** Where we may; otherwise the line to run is printed and we go on. */
function installSystemPackages(packages, why) {
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) {
    say(`${why}. Install with:\n  ${line}`);
    return;
  }
  say(`installing ${packages.join(' and ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const problem =
    run('apt-get', ['update', '-qq'], { env }) ??
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
  if (problem !== undefined) say(`${problem}. Run it by hand:\n  apt-get update && ${line}`);
}

/** Every source file with its size and time, and the settings: changes when any of them does. */
function sourceStamp() {
  const entries = [readFileSync(join(root, 'tsconfig.json'), 'utf8')];
  for (const folder of ['src', '.tools']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const { size, mtimeMs } = statSync(path);
      entries.push(`${path} ${size} ${mtimeMs}`);
    }
  }
  return hashOf(...entries.sort());
}

function build() {
  const wanted = sourceStamp();
  const command = join(root, 'dist', 'cli', 'main.js');
  if (isStamped('build', wanted) && existsSync(command)) return;
  say('building');
  // Beside the old one, which a cluster that runs may still load from, and then in its place.
  const fresh = join(root, 'node_modules', '.cache', 'portolan-build');
  rmSync(fresh, { recursive: true, force: true });
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const out = ['--outDir', fresh, '--tsBuildInfoFile', join(fresh, '.tsbuildinfo')];
  const problem = run(process.execPath, [tsc, '-p', '.tools/tsconfig.build.json', ...out], {
    stdio: ['ignore', 2, 2],
  });
  if (problem !== undefined) fail('the build failed');
  chmodSync(join(fresh, 'cli', 'main.js'), 0o755);
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  renameSync(fresh, join(root, 'dist'));
  linkCommand();
  writeFileSync(stampOf('build'), wanted);
}

/** So that `npx portolan` works here, as it does where the package is installed. */
function linkCommand() {
  const bin = join(root, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  rmSync(join(bin, 'portolan'), { force: true });
  symlinkSync(join('..', '..', 'dist', 'cli', 'main.js'), join(bin, 'portolan'));
}

/** One set-up at a time in one clone; a lock whose holder is gone does not count. */
function withLock(task) {
  const lock = join(root, 'node_modules', '..', '.setup.lock');
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (isStale(lock)) rmSync(lock, { force: true });
      else execFileSync(process.execPath, ['-e', 'setTimeout(() => {}, 200)']);
    }
  }
  process.on('exit', () => rmSync(lock, { force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
  task();
}

function isStale(lock) {
  try {
    const tooOld = Date.now() - statSync(lock).mtimeMs > LOCK_STALE_MS;
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return tooOld;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

checkNode();
withLock(() => {
  installPackages();
  if (!process.argv.includes('--no-java')) provideZooKeeper();
  if (process.argv.includes('--compiler')) provideCompiler();
  build();
});
