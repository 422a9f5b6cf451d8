/**
 * Whether a directory lost a part of its database, which LevelDB itself does not tell.
 *
 * LevelDB opens a damaged log without an error: it drops what it cannot read, says so in its file
 * LOG only, goes on, and deletes the damaged log. Writes that were acknowledged may be gone, so the
 * node must not serve from there (S20). A log that merely ends in the middle of a record, as it
 * does after kill -9, is not damage: that write was never acknowledged, and LevelDB says nothing.
 *
 * The next opening would find nothing wrong any more. So the finding is kept in a file beside
 * LevelDB's own, until the operator decides. What LevelDB drops without a word, `log-gaps.ts` finds
 * before.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DamagedDirectoryError, UnusableDirectoryError } from '../ports/disk.js';

const FINDING = 'DAMAGED';
const OF_LEVELDB = /^(?:CURRENT|MANIFEST-\d+|\d+\.(?:ldb|sst|log|dbtmp))$/;
/** All that is there before the first write could be. */
const OF_NEWBORN = /^(?:CURRENT|MANIFEST-000001|000001\.dbtmp)$/;
/** What may be in a directory before its first opening: its own marks, and a file system's root. */
const OURS: ReadonlySet<string> = new Set(['node-id', 'LOCK', 'LOG', 'LOG.old', 'lost+found']);
const SIGNS = /ignoring error|dropping/i;

/** @throws DamagedDirectoryError if damage was found at an earlier opening. */
export function refuseDamaged(directory: string): void {
  if (existsSync(join(directory, FINDING))) throw damaged(directory);
}

/**
 * LevelDB makes a new database where its file CURRENT is missing, and deletes the old one's tables;
 * it opens without a word if its log is. Neither is ever missing unless somebody took it away: a
 * database is born with its first manifest and then CURRENT, and takes no write before it has its
 * second manifest and a log. So one that was killed at its birth is no loss, and may start anew.
 *
 * @throws DamagedDirectoryError if files of LevelDB are there, but not all that must be;
 *   UnusableDirectoryError if others are.
 */
export function refuseIncomplete(directory: string, names: readonly string[]): void {
  const files = names.filter((name) => OF_LEVELDB.test(name));
  if (files.length === 0) {
    // A directory of its own, or LevelDB's files would lie among somebody else's.
    const foreign = names.find((name) => !OURS.has(name));
    if (foreign !== undefined) throw occupied(directory, foreign);
    return;
  }
  const has = (pattern: RegExp) => files.some((name) => pattern.test(name));
  const isNewborn = !files.some((name) => !OF_NEWBORN.test(name));
  if (isNewborn) return;
  if (!has(/^CURRENT$/)) throw incomplete(directory, 'the file CURRENT');
  if (!has(/\.log$/)) throw incomplete(directory, 'its log (*.log)');
}

/** From now on the directory is not opened any more, until the operator decides. */
export function keepFinding(directory: string, finding: string): void {
  appendFileSync(join(directory, FINDING), `${finding}\n`, { flush: true });
}

/**
 * Looks into LevelDB's LOG of the opening that just happened, and keeps what it finds; undefined if
 * nothing was found, now or before.
 */
export function findDamage(directory: string): DamagedDirectoryError | undefined {
  const lines = readFileSync(join(directory, 'LOG'), 'utf8')
    .split('\n')
    .filter((line) => SIGNS.test(line));
  if (lines.length > 0) keepFinding(directory, lines.join('\n'));
  return existsSync(join(directory, FINDING)) ? damaged(directory) : undefined;
}

function occupied(directory: string, name: string): UnusableDirectoryError {
  return new UnusableDirectoryError(
    `data directory ${directory} holds other things, for instance ${name}; choose an empty one`,
  );
}

function incomplete(directory: string, missing: string): DamagedDirectoryError {
  return new DamagedDirectoryError(
    `data directory ${directory} is incomplete: ${missing} is missing, so acknowledged writes ` +
      'are too. Nothing was changed. Restore the directory from a backup, or start this node ' +
      'with a new one',
  );
}

function damaged(directory: string): DamagedDirectoryError {
  return new DamagedDirectoryError(
    `data directory ${directory} is damaged: LevelDB dropped a part of its log, so acknowledged ` +
      `writes may be missing (what was found is in ${join(directory, FINDING)}). Restore the ` +
      'directory from a backup, or delete that file to go on with what is left',
  );
}
