/**
 * What `portolan router`, `storage` and `zookeeper` share: a log, a role, and an orderly end.
 * SIGTERM and SIGINT stop the role in order; a second one ends the process at once.
 */
import { hostname } from 'node:os';
import { Option } from 'commander';
import { isMemberId, type MemberId } from '../model/ids.js';
import type { Log, LogLevel } from '../ports/log.js';
import type { RunningRole } from '../ports/process.js';
import { createLog, LOG_LEVELS, type LogFormat } from '../system/log.js';
import { CliError, EXIT } from './exit.js';
import { flag } from './flags.js';
import { liveUntilStopped } from './role-life.js';
import { dieOf, onStopRequest } from './signals.js';

export interface RoleFlags {
  readonly id?: MemberId;
  readonly zk?: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

export function logFlags(): readonly Option[] {
  return [
    flag('--log-level <level>', 'least important lines to write')
      .choices(LOG_LEVELS)
      .default('info'),
    flag('--log-format <format>', 'lines for people or for machines')
      .choices(['text', 'json'])
      .default('text'),
  ];
}

/** The id given, or the host's name made to fit. */
export function memberIdOf(flags: RoleFlags): MemberId {
  if (flags.id !== undefined) return flags.id;
  const fromHost = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, 32)
    .replaceAll(/^-+|-+$/g, '');
  if (isMemberId(fromHost)) return fromHost;
  throw new CliError(EXIT.usage, 'the host has no usable name: give the process one with --id');
}

export function zkOf(flags: { readonly zk?: string }): string {
  if (flags.zk !== undefined) return flags.zk;
  throw new CliError(
    EXIT.usage,
    'where is ZooKeeper? Give --zk HOST:PORT or PORTOLAN_ZK; ' +
      'or try everything at once with: portolan playground',
  );
}

/** Starts the role and stays until it ends; the exit code tells how. */
export async function runRole(
  member: string,
  flags: Pick<RoleFlags, 'logLevel' | 'logFormat'>,
  start: (log: Log) => Promise<RunningRole>,
): Promise<void> {
  const log = createLog({ member, level: flags.logLevel, format: flags.logFormat });
  const stopRequested = stopSignals();
  dieWithParent(log);
  const end = await liveUntilStopped({ log, stopRequested, start: () => start(log) });
  if (typeof end === 'string') dieOf(end);
  else process.exit(end);
}

/** The first SIGTERM or SIGINT; the second ends the process on the spot. */
function stopSignals(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    onStopRequest((_, request, signal) => {
      if (request > 1) dieOf(signal);
      else resolve(signal);
    });
  });
}

/** A child of the playground ends with it, even if that was killed: their channel closes. */
function dieWithParent(log: Log): void {
  // Undefined: nobody holds a channel to this process. False: whoever did is gone already.
  const connected = process.connected as boolean | undefined;
  if (connected === undefined) return;
  const end = (): void => {
    log.warn('the process that started this one is gone');
    process.kill(process.pid, 'SIGTERM');
  };
  if (connected) process.on('disconnect', end);
  else end();
}
