/** For what is looked at again and again: an error that is still there is not said again. */
import type { Log } from '../ports/log.js';

export type ErrorLog = Pick<Log, 'error'>;

/** Beyond, everything may be said once more. */
const REMEMBERED_MAX = 10_000;

export function saidOnce(log: ErrorLog): ErrorLog {
  const said = new Set<string>();
  return {
    error: (message, fields) => {
      if (said.has(message)) return;
      if (said.size >= REMEMBERED_MAX) said.clear();
      said.add(message);
      log.error(message, fields);
    },
  };
}
