/**
 * What `portolan doctor` looks at, and what it makes of it: pure but for the looking, so that every
 * verdict can be tested.
 */
import type { Address } from '../model/address.js';
import { formatAddress } from '../model/address.js';
import { USUAL } from './playground-ports.js';
import type { FsyncTime } from '../system/fsync-time.js';
import type { MissingPrerequisiteError } from '../system/java.js';

/** `ok`: as it should be. `warn`: it works, and will cost something. `err`: it will not work. */
export type Level = 'ok' | 'warn' | 'err';

export interface Check {
  readonly name: string;
  readonly level: Level;
  /** What was seen. */
  readonly found: string;
  /** What to do about it; undefined if nothing is to be done. */
  readonly fix: string | undefined;
}

const NODE_MIN = [20, 19] as const;

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const isNew = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  const fix = `install Node ${NODE_MIN.join('.')} or newer`;
  return {
    name: 'node',
    level: isNew ? 'ok' : 'err',
    found: version,
    fix: isNew ? undefined : fix,
  };
}

/** @param missing What a real ZooKeeper needs and is not here; undefined: one can be started. */
export function checkJava(missing: MissingPrerequisiteError | undefined): Check {
  const name = 'java';
  if (missing === undefined) {
    return { name, level: 'ok', found: 'a real ZooKeeper can be started', fix: undefined };
  }
  const fix = `needed for --zk real and npm test only: ${missing.fix}`;
  return { name, level: 'warn', found: missing.problem, fix };
}

/** What one server said to `srvr`, or why it said nothing. */
export interface ServerAnswer {
  readonly address: Address;
  readonly answer?: string;
  readonly problem?: string;
}

export function checkZooKeeper(servers: readonly ServerAnswer[]): readonly Check[] {
  return servers.map(({ address, answer = '', problem }) => {
    const name = `zookeeper ${formatAddress(address)}`;
    if (problem !== undefined) {
      const fix = 'start it, or correct --zk; with half of an ensemble away nothing can change';
      return { name, level: 'err', found: `does not answer: ${problem}`, fix };
    }
    const mode = /^Mode: (\w+)/m.exec(answer)?.[1];
    if (mode === undefined && !answer.includes('whitelist')) {
      const fix = 'see its log: it may have no quorum, or be no ZooKeeper at all';
      const [line = ''] = answer.split('\n', 1);
      const said = line === '' ? 'nothing' : line.slice(0, 80);
      return { name, level: 'err', found: `is not serving: it says ${said}`, fix };
    }
    if (mode === undefined) {
      const fix = 'to see more, allow it: 4lw.commands.whitelist=srvr,ruok,mntr';
      return { name, level: 'ok', found: 'answers; its mode is not told', fix };
    }
    if (mode !== 'standalone') return { name, level: 'ok', found: mode, fix: undefined };
    const fix = 'for production use an ensemble of three or five servers, and name all in --zk';
    return { name, level: 'warn', found: 'standalone: one server without a quorum', fix };
  });
}

/** What a playground of three routers and three storage nodes takes, if it can. */
const FIRST_PORTS = [USUAL.router, USUAL.storage].flatMap(({ listen, admin }) => [listen, admin]);
export const USUAL_PORTS = [
  USUAL.claim,
  ...FIRST_PORTS.flatMap((first) => [first, first + 1, first + 2]),
];

/** @param taken Of these. */
export function checkPorts(taken: readonly number[]): Check {
  const name = 'ports';
  if (taken.length === 0) {
    const ranges = FIRST_PORTS.map((first) => `${first}-${first + 2}`);
    const found = `${USUAL.claim}, ${ranges.join(', ')} are free`;
    return { name, level: 'ok', found, fix: undefined };
  }
  const fix = 'a playground uses others by itself; give routers and storage nodes --listen';
  return { name, level: 'warn', found: `in use: ${taken.join(', ')}`, fix };
}

/** LevelDB may hold a thousand files open, and each client and member takes one more. */
const FILES_WANTED = 4_096;
const FILES_MIN = 1_100;

/** @param soft Undefined: the system does not say; Infinity: no limit. */
export function checkOpenFiles(soft: number | undefined): Check {
  const name = 'open files';
  if (soft === undefined)
    return { name, level: 'ok', found: 'the limit is not told', fix: undefined };
  const found = `at most ${soft === Infinity ? 'any number' : soft}`;
  if (soft >= FILES_WANTED) return { name, level: 'ok', found, fix: undefined };
  const fix = 'raise it: ulimit -n 65536, or LimitNOFILE=65536 in the unit of a service';
  return { name, level: soft < FILES_MIN ? 'err' : 'warn', found, fix };
}

const FSYNC_SLOW_MS = 5;
const FSYNC_BAD_MS = 100;
/** No drive is as fast: nothing was waited for. */
const FSYNC_UNBELIEVABLE_MS = 0.01;

export function checkDisk(folder: string, time: FsyncTime | string): Check {
  const name = `disk ${folder}`;
  if (typeof time === 'string') {
    return {
      name,
      level: 'err',
      found: time,
      fix: 'make the folder, and let this user write there',
    };
  }
  const { medianMs, maxMs } = time;
  const found = `fsync takes ${round(medianMs)} ms (median; ${round(maxMs)} at most)`;
  if (medianMs >= FSYNC_BAD_MS) {
    return { name, level: 'err', found, fix: 'every write waits for it: use a local SSD' };
  }
  if (medianMs >= FSYNC_SLOW_MS) {
    return { name, level: 'warn', found, fix: 'every write waits for it: a local SSD is faster' };
  }
  if (medianMs < FSYNC_UNBELIEVABLE_MS) {
    const fix = 'it may be memory, or lie: keep data on a disk that survives a power cut';
    return { name, level: 'warn', found, fix };
  }
  return { name, level: 'ok', found, fix: undefined };
}

const LATE_WARN_MS = 20;
const LATE_BAD_MS = 200;
/** Before this was written. */
const YEAR_MIN = 2_026;

export interface ClockSeen {
  /** How late a timer fired at most. */
  readonly lateMs: number;
  readonly year: number;
}

export function checkClock({ lateMs, year }: ClockSeen): Check {
  const name = 'clock';
  if (year < YEAR_MIN) {
    const fix =
      'set the clock: times of znodes are for people only, but logs are read by them, too';
    return { name, level: 'warn', found: `the year is ${year}`, fix };
  }
  const found = `timers are late by ${round(lateMs)} ms at most`;
  if (lateMs < LATE_WARN_MS) return { name, level: 'ok', found, fix: undefined };
  const fix =
    'this machine is busy or paused now and then: leases of 600 ms need it to answer in time';
  return { name, level: lateMs >= LATE_BAD_MS ? 'err' : 'warn', found, fix };
}

export function checkVersions(versions: Readonly<Record<string, string>>): Check {
  const found = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  return { name: 'versions', level: 'ok', found: found.join(', '), fix: undefined };
}

/** The soft limit in `/proc/self/limits`; undefined if it is not there. */
export function openFilesIn(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Infinity : Number(soft);
}

function round(ms: number): number {
  return ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms);
}
