/** Paths of znodes: absolute, one slash between segments, nothing that reads as another path. */
import { assert } from '../model/assert.js';

// Control characters would be accepted by the library and refused, or worse, by the server.
const PATH = /^(?:\/[^/\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]+)+$/;

/** The absolute path of a path below the root. A malformed one is our own bug. */
export function absolute(root: string, path: string): string {
  const full = path === '/' ? root : root + path;
  // Without its slash, a path would lie beside the root: in another cluster.
  const valid = path.startsWith('/') && PATH.test(full) && !/\/\.{1,2}(?:\/|$)/.test(full);
  assert(valid, 'path of a znode', () => ({ path }));
  return full;
}

/** Every parent of a path and the path itself, outermost first. */
export function ancestry(path: string): readonly string[] {
  const segments = path.split('/').slice(1);
  return segments.map((_, index) => `/${segments.slice(0, index + 1).join('/')}`);
}
