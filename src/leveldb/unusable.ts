/** Why a data directory could not be opened, in the words an operator needs. */
import { DamagedDirectoryError, UnusableDirectoryError } from '../ports/disk.js';

/** The error of opening a directory, whatever layer it came from. */
export function unusable(directory: string, error: unknown): UnusableDirectoryError {
  const root = rootOf(error);
  const advice = DISK_FAILS.test(root.message) ? DISK_ADVICE : '';
  const problem = PROBLEMS[root.code] ?? `could not be opened: ${root.message}${advice}`;
  const Kind = root.code === CORRUPTION ? DamagedDirectoryError : UnusableDirectoryError;
  return new Kind(`data directory ${directory} ${problem}`, { cause: error });
}

/** As Node and LevelDB name the error EIO. */
const DISK_FAILS = /\bEIO\b|Input\/output error/;
const DISK_ADVICE =
  ". Its disk fails: look at it and at the kernel's log, then start this node again, or with a " +
  'new directory';

const CORRUPTION = 'LEVEL_CORRUPTION';

/** By the codes of Node's file system and of LevelDB. */
const PROBLEMS: Readonly<Partial<Record<string, string>>> = {
  LEVEL_LOCKED:
    'is in use by another process; stop that process, or give this one a directory of its own',
  [CORRUPTION]:
    'is corrupt: LevelDB does not understand its files. They were left as they are; ' +
    'restore the directory from a backup, or start this node with a new one',
  EACCES: 'is not writable: permission denied',
  EPERM: 'is not writable: permission denied',
  EROFS: 'is not writable: the file system is mounted read-only',
  ENOSPC: 'is not writable: no space is left on its file system',
  EEXIST: 'is a file, not a directory',
  ENOTDIR: 'is not below a directory: a part of its path is a file',
};

/** LevelDB's own reason is the cause of abstract-level's "failed to open". */
function rootOf(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  if (error.cause instanceof Error) return rootOf(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { code, message: error.message };
}
