/**
 * Whether LevelDB dropped a part of its log when it opened a directory.
 *
 * LevelDB opens a damaged log without an error: it drops what it cannot read, says so in its file
 * LOG only, goes on, and deletes the damaged log. Writes that were acknowledged may be gone, so the
 * node must not serve from there (S20). A log that merely ends in the middle of a record, as it
 * does after kill -9, is not damage: that write was never acknowledged, and LevelDB says nothing.
 *
 * The next opening would find nothing wrong any more. So the finding is kept in a file beside
 * LevelDB's own, until the operator decides.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnusableDirectoryError } from '../ports/disk.js';

const FINDING = 'DAMAGED';
const SIGNS = /ignoring error|dropping/i;

/** @throws UnusableDirectoryError if damage was found at an earlier opening. */
export function refuseDamaged(directory: string): void {
  if (existsSync(join(directory, FINDING))) throw damaged(directory);
}

/** Looks into LevelDB's LOG of the opening that just happened; keeps what it finds. */
export function findDamage(directory: string): UnusableDirectoryError | undefined {
  const lines = readFileSync(join(directory, 'LOG'), 'utf8')
    .split('\n')
    .filter((line) => SIGNS.test(line));
  if (lines.length === 0) return undefined;
  writeFileSync(join(directory, FINDING), `${lines.join('\n')}\n`, { flush: true });
  return damaged(directory);
}

function damaged(directory: string): UnusableDirectoryError {
  return new UnusableDirectoryError(
    `data directory ${directory} is damaged: LevelDB dropped a part of its log, so acknowledged ` +
      `writes may be missing (its words are in ${join(directory, FINDING)}). Restore the ` +
      'directory from a backup, or delete that file to go on with what is left',
  );
}
