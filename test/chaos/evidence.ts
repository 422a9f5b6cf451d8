/** What is kept of a schedule that broke a promise: everything there is to find out why. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Recorded } from './recorder.js';
import type { Outcome } from './run.js';
import type { Schedule } from './schedule.js';

export interface Evidence {
  readonly outcome: Outcome;
  readonly schedule: Schedule;
  readonly operations: readonly Recorded[];
  readonly logs: ReadonlyMap<string, readonly string[]>;
  readonly storage: readonly string[];
}

/** Into the folder of the run, which holds the data directories already. */
export async function keepEvidence(folder: string, evidence: Evidence): Promise<void> {
  const { outcome, schedule, operations, logs, storage } = evidence;
  const history = operations.map((operation) => JSON.stringify(operation)).join('\n');
  await writeFile(join(folder, 'history.jsonl'), `${history}\n`);
  await writeFile(join(folder, 'outcome.json'), JSON.stringify({ outcome, schedule }, null, 2));
  const broken = outcome.broken.map(({ promise, what }) => `${promise}\n${what}\n`).join('\n');
  await writeFile(join(folder, 'broken.txt'), broken);
  await mkdir(join(folder, 'logs'));
  for (const [name, lines] of logs) {
    await writeFile(join(folder, 'logs', `${name}.log`), `${lines.join('\n')}\n`);
  }
  // They may be on small disks, which go with the run.
  for (const id of storage) {
    await cp(join(folder, id), join(folder, `data-of-${id}`), { recursive: true });
  }
}
