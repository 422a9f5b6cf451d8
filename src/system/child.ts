/**
 * Child processes that end with their parent, even when that is killed with -9 and even when they
 * are paused at that moment: through `setpriv --pdeathsig` where there is one, and otherwise
 * through a reaper that waits for its end of a pipe to close. Each is in a process group of its
 * own, so that Ctrl-C reaches it only through its parent, in order.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';

/**
 * Runs "$@", unless the parent is gone already: it may have been killed before `setpriv` could ask
 * to be told, and then nobody ever would be.
 */
const UNLESS_ORPHANED = '[ "$PPID" = "$0" ] || exit; exec "$@"';

export function spawnWithParent(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const detached = { ...options, detached: true };
  if (hasSetpriv()) {
    const guarded = ['sh', '-c', UNLESS_ORPHANED, String(process.pid), command, ...args];
    return spawn('setpriv', ['--pdeathsig', 'KILL', ...guarded], detached);
  }
  const child = spawn(command, [...args], detached);
  if (child.pid !== undefined) reapWithParent(child, child.pid);
  return child;
}

function reapWithParent(child: ChildProcess, pid: number): void {
  const reaper = spawn('sh', ['-c', `read -r _; kill -9 ${pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.once('exit', () => reaper.kill('SIGKILL'));
  reaper.unref();
}

let setprivWorks: boolean | undefined;

function hasSetpriv(): boolean {
  setprivWorks ??=
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  return setprivWorks;
}
