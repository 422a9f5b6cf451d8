/**
 * A real ZooKeeper server as a child process, for the playground and for tests: on loopback, in a
 * folder of its own, alone or as one of an ensemble. Not for production, which wants several
 * machines.
 *
 * Java is started directly, not through Debian's scripts, whose configuration is global. It ends
 * with its parent, however that ends.
 */
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { spawnWithParent } from './child.js';
import { freePort } from './free-port.js';
import { findClassPath, findJava } from './java.js';
import { makeDirectory } from './make-directory.js';

export interface ZooKeeperProcessOptions {
  /** Holds the configuration, the log and the data; made if it does not exist. */
  readonly dataDir: string;
  /** Undefined = any free one. */
  readonly port?: number;
  /** Sessions may last 2 to 20 ticks. */
  readonly tickTimeMs?: number;
  /** Undefined = it serves alone. */
  readonly ensemble?: EnsembleMember;
  /** Each line the server writes. */
  readonly onLog?: (line: string) => void;
  /** False: the server does not wait for its disk. For tests that do not test that. */
  readonly forceSync?: boolean;
}

/** One server of several. */
export interface EnsembleMember {
  /** Its number, from 1. */
  readonly id: number;
  /** `HOST:PORT:PORT` of each server, by number: where followers call it, and where electors do. */
  readonly servers: readonly string[];
}

export interface ZooKeeperProcess {
  readonly connect: string;
  readonly port: number;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Settles when the process is gone, whoever ended it. */
  readonly exited: Promise<void>;
  /** Ends it: politely, then by force. */
  stop(): Promise<void>;
}

const START_MS = 30_000;
const STOP_MS = 5_000;
/** Somebody may take a free port before the server does; then another is tried. */
const ATTEMPTS = 3;
/** How long a follower may take to join its leader, and to answer it. */
const LIMIT_TICKS = { initLimit: 20, syncLimit: 10 };

/**
 * Resolves when the server serves; one of an ensemble does when more than half of them run.
 *
 * @throws MissingPrerequisiteError with the line to run, or an Error with the server's last words.
 */
export async function startZooKeeper(options: ZooKeeperProcessOptions): Promise<ZooKeeperProcess> {
  const java = await findJava();
  const classPath = findClassPath();
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options, java, classPath);
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('Address already in use');
      if (options.port !== undefined || !portTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

async function startOnce(
  options: ZooKeeperProcessOptions,
  java: string,
  classPath: string,
): Promise<ZooKeeperProcess> {
  const port = options.port ?? (await freePort());
  const config = await writeConfig(options, port);
  const flags = [
    ...['-Xms32m', '-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
    '-Dzookeeper.admin.enableServer=false',
    '-Dzookeeper.4lw.commands.whitelist=*',
    '-Djava.net.preferIPv4Stack=true',
    `-Dzookeeper.forceSync=${options.forceSync === false ? 'no' : 'yes'}`,
    ...['-cp', classPath, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', config],
  ];
  const child = spawnWithParent(java, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
  const lastLines = keepLines(child, options.onLog);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  try {
    await untilServing(port, exited);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`ZooKeeper did not start:\n${lastLines.join('\n')}`, { cause: error });
  }
  return {
    connect: `127.0.0.1:${port}`,
    port,
    pid: child.pid ?? -1,
    child,
    exited,
    stop: () => stopChild(child, exited),
  };
}

async function writeConfig(options: ZooKeeperProcessOptions, port: number): Promise<string> {
  const dataDir = join(options.dataDir, 'data');
  await makeDirectory(dataDir);
  const config = join(options.dataDir, 'zoo.cfg');
  const lines = [
    `dataDir=${dataDir}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    `tickTime=${options.tickTimeMs ?? 500}`,
    'maxClientCnxns=0',
  ];
  if (options.ensemble !== undefined) {
    const { id, servers } = options.ensemble;
    lines.push(...Object.entries(LIMIT_TICKS).map(([name, ticks]) => `${name}=${ticks}`));
    lines.push(...servers.map((addresses, index) => `server.${index + 1}=${addresses}`));
    await writeFile(join(dataDir, 'myid'), String(id));
  }
  await writeFile(config, `${lines.join('\n')}\n`);
  return config;
}

/** Passes lines on and keeps the last ones, for the message if it fails. */
function keepLines(child: ChildProcess, onLog: ZooKeeperProcessOptions['onLog']): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        if (lines.length > 20) lines.shift();
        onLog?.(line);
      }
    });
  }
  return lines;
}

/** Asks until the server says how it serves: its port answers before it does. */
async function untilServing(port: number, exited: Promise<void>): Promise<void> {
  const state = { hasExited: false };
  void exited.then(() => {
    state.hasExited = true;
  });
  const deadline = Date.now() + START_MS;
  while ((await roleOf(port)) === undefined) {
    if (state.hasExited) throw new Error('it ended');
    if (Date.now() > deadline) throw new Error(`it did not answer within ${START_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** `standalone`, `leader` or `follower`; undefined: the server at this port does not serve. */
export async function roleOf(port: number): Promise<string | undefined> {
  return /^Mode: (\w+)$/m.exec(await fourLetterWord(port, 'srvr'))?.[1];
}

/** The server's answer to a four-letter word; empty if there is none. */
function fourLetterWord(port: number, word: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(word));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(force);
}
