/**
 * Telling one process from another with the same pid: when a process is gone, the system gives its
 * pid to the next one.
 */
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, as the system counts; empty where the system does not tell. */
  readonly began: string;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, began: beginningOf(process.pid) };
}

export function isRunning({ pid, began }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return began === beginningOf(pid);
}

/** Field 22 of Linux's /proc/PID/stat: clock ticks since the system began. */
function beginningOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
