/**
 * Paths of znodes: which strings are one, and how they are cut. The rules are those of ZooKeeper
 * 3.8's `PathUtils.validatePath`, character by character.
 *
 * A path begins with a slash, has no slash at its end (except the root, which is one slash), no
 * empty name, no name `.` or `..`, and none of the characters that ZooKeeper keeps out: controls,
 * surrogates, the private use area and the specials at the end of the basic plane.
 */

/** Surrogates are listed as such: whatever lies beyond the basic plane is made of two of them. */
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;
const RELATIVE = /\/\.{1,2}(?:\/|$)/;

export const ROOT = '/';

/** Znodes that a server brings along and nobody deletes, in the order in which they are made. */
export const SPECIAL_PATHS = ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'] as const;

export function isValidPath(path: string): boolean {
  if (path === ROOT) return true;
  if (!path.startsWith('/') || path.endsWith('/') || path.includes('//')) return false;
  return !FORBIDDEN.test(path) && !RELATIVE.test(path);
}

export function isSpecialPath(path: string): boolean {
  return (SPECIAL_PATHS as readonly string[]).includes(path);
}

/**
 * Whether a server looks for the parent of this path at all: before anything else, creating and
 * deleting refuse a path without a slash or with a zero in it, and only then miss the parent.
 */
export function hasParent(path: string): boolean {
  return path.includes('/') && !path.includes('\0');
}

/** Everything before the last slash. Requires {@link hasParent}; of the root it is the root. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || ROOT;
}

/** Everything behind the last slash. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What ZooKeeper appends to a sequential name: ten digits, so that names sort as numbers do. */
export function sequenceSuffix(count: number): string {
  return `${count}`.padStart(10, '0');
}
