/**
 * The life of a role in the foreground: it starts, serves until it is asked to stop or ends by
 * itself, and stops in order. Being asked counts from the first moment on: a start can take long,
 * and what is not wanted any more need not be waited for.
 */
import type { Log } from '../ports/log.js';
import type { RunningRole } from '../ports/process.js';
import { EXIT, type ExitCode } from './exit.js';

/**
 * How long a start that is not wanted any more may go on, so that the role can stop in order. Most
 * starts are done by then. One that is not has registered nowhere, as roles listen first, and a
 * data directory it was opening is found as after a crash.
 */
const START_GRACE_MS = 1_000;

export interface RoleLife {
  readonly log: Log;
  readonly start: () => Promise<RunningRole>;
  /** Settles when somebody asks it to stop. */
  readonly stopRequested: Promise<NodeJS.Signals>;
  readonly startGraceMs?: number;
}

/**
 * Resolves with how the process shall end: with an exit code when nothing of the role is left, and
 * of the signal itself after a start that outlived its grace and ends with the process.
 *
 * @throws whatever the start failed with, if nobody had asked it to stop.
 */
export async function liveUntilStopped(life: RoleLife): Promise<ExitCode | NodeJS.Signals> {
  const { log } = life;
  const starting = life.start();
  const first = await Promise.race([starting, life.stopRequested]);
  if (typeof first === 'string') return giveUpStarting(life, starting, first);
  const role = first;
  const ended = await Promise.race([
    role.ended.then(
      () => undefined,
      (reason: unknown) => ({ reason }),
    ),
    life.stopRequested.then((signal) => ({ signal })),
  ]);
  const failed = ended !== undefined && 'reason' in ended;
  if (failed) log.error(messageOf(ended.reason));
  else if (ended !== undefined) log.info('stopping', { signal: ended.signal });
  await role.stop();
  log.info('stopped');
  return failed ? EXIT.unexpected : EXIT.ok;
}

async function giveUpStarting(
  { log, startGraceMs = START_GRACE_MS }: RoleLife,
  starting: Promise<RunningRole>,
  signal: NodeJS.Signals,
): Promise<ExitCode | NodeJS.Signals> {
  log.info('stopping before it has started', { signal });
  const started = starting.catch((reason: unknown) => {
    log.info('it would not have started', { reason: messageOf(reason) });
    return undefined;
  });
  const role = await within(startGraceMs, started);
  if (role === 'late') {
    log.warn('the start did not end in time: stopped without it', { waitedMs: startGraceMs });
    return signal;
  }
  await role?.stop();
  log.info('stopped');
  return EXIT.ok;
}

function within<T>(ms: number, work: Promise<T>): Promise<T | 'late'> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, 'late');
    void work.then((done) => {
      clearTimeout(timer);
      resolve(done);
    });
  });
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
