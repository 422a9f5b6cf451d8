/** `portolan doctor`: whether this machine can run Portolan, and what to do if not. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { arch, platform, release } from 'node:os';
import { Command } from 'commander';
import { parseConnectString } from '../zookeeper/connect-string.js';
import { listenProblems } from '../system/free-port.js';
import { measureFsync } from '../system/fsync-time.js';
import { askWord } from '../system/four-letter-word.js';
import { findClassPath, findJava, MissingPrerequisiteError } from '../system/java.js';
import {
  type Check,
  checkClock,
  checkDisk,
  checkJava,
  checkNode,
  checkOpenFiles,
  checkPorts,
  checkVersions,
  checkZooKeeper,
  openFilesIn,
  type ServerAnswer,
  USUAL_PORTS,
} from './doctor.js';
import { EXIT } from './exit.js';
import { flag, jsonFlag, zkFlag } from './flags.js';
import { print } from './output.js';
import { version } from './version.js';

interface DoctorFlags {
  readonly zk?: string;
  readonly data: string;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  portolan doctor
  portolan doctor --data /var/lib/portolan --zk zk1:2181,zk2:2181,zk3:2181
  portolan doctor --json | jq '.checks[] | select(.level != "ok")'`;

const ZOOKEEPER_MS = 3_000;
const CLOCK_LOOKS = 20;
const CLOCK_MS = 10;

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('See whether this machine can run Portolan. Exit status 5 if something will not.')
    .addOption(flag('--data <dir>', 'where data is to be: its disk is measured').default('.'))
    .addOption(zkFlag())
    .addOption(jsonFlag())
    .addHelpText('after', EXAMPLES);
  return command.action(async () => run(command.opts<DoctorFlags>()));
}

async function run({ zk, data, json }: DoctorFlags): Promise<void> {
  const checks = [
    checkNode(process.version),
    checkJava(await missingForJava()),
    ...checkZooKeeper(zk === undefined ? [] : await askAll(zk)),
    checkPorts(await takenPorts()),
    checkOpenFiles(openFileLimit()),
    checkDisk(resolve(data), await measureFsync(data).catch(wordsOf)),
    checkClock({ lateMs: await lateness(), year: new Date().getFullYear() }),
    checkVersions({
      portolan: version(),
      node: process.versions.node,
      v8: process.versions.v8,
      [platform()]: `${release()} ${arch()}`,
    }),
  ];
  const ok = checks.every(({ level }) => level !== 'err');
  print(json ? JSON.stringify({ ok, checks }) : checks.map(describe).join('\n'));
  if (!ok) process.exitCode = EXIT.unhealthy;
}

function describe({ name, level, found, fix }: Check): string {
  const line = `${level.toUpperCase().padEnd(4)}  ${name}: ${found}`;
  return fix === undefined ? line : `${line}\n      -> ${fix}`;
}

async function missingForJava(): Promise<MissingPrerequisiteError | undefined> {
  try {
    await findJava();
    findClassPath();
    return undefined;
  } catch (error) {
    if (error instanceof MissingPrerequisiteError) return error;
    throw error;
  }
}

async function askAll(zk: string): Promise<readonly ServerAnswer[]> {
  const servers = parseConnectString(zk)?.servers ?? [];
  return Promise.all(
    servers.map(async (address): Promise<ServerAnswer> => {
      try {
        return { address, answer: await askWord(address, 'srvr', ZOOKEEPER_MS) };
      } catch (error) {
        return { address, problem: wordsOf(error) };
      }
    }),
  );
}

async function takenPorts(): Promise<readonly number[]> {
  const problems = await listenProblems(USUAL_PORTS.map((port) => ({ host: '127.0.0.1', port })));
  return USUAL_PORTS.filter((_, index) => problems[index] !== undefined);
}

function openFileLimit(): number | undefined {
  try {
    return openFilesIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return undefined;
  }
}

/** How late timers fire at most, in milliseconds. */
async function lateness(): Promise<number> {
  let lateMs = 0;
  for (let look = 0; look < CLOCK_LOOKS; look++) {
    const began = performance.now();
    await new Promise((wake) => setTimeout(wake, CLOCK_MS));
    lateMs = Math.max(lateMs, performance.now() - began - CLOCK_MS);
  }
  return lateMs;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
