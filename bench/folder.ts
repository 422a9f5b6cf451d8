/** A place for data that nobody needs afterwards. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gone when this process ends, however that is asked for; kill -9 leaves it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-bench-'));
  // Whoever writes there is being killed: a second look may be needed.
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 } as const;
  process.once('exit', () => rmSync(folder, options));
  return folder;
}

/** A signal is an end like others: what has to be left in order is. */
export function endOnSignals(): void {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}
