/** A process that runs the seeds it is told, one after the other, and says what came of each. */
import { runSeed, type SeedReport } from './portolan/seed-run.js';

export interface WorkerTask {
  readonly seed: number;
  readonly twice: boolean;
}

/** One seed; with `twice` a second time, which must not differ. */
export async function runTask({ seed, twice }: WorkerTask): Promise<SeedReport> {
  const report = await runSeed({ seed });
  if (!twice || report.failure !== undefined) return report;
  const again = await runSeed({ seed });
  if (again.hash === report.hash) return report;
  const message = `its trace has hash ${report.hash}, and ${again.hash} the second time`;
  return { ...report, failure: { promise: 'determinism', message } };
}

// Nothing happens where this is only imported.
if (process.send !== undefined && process.argv[1]?.endsWith('worker.ts') === true) {
  let last = Promise.resolve();
  process.on('message', (task: WorkerTask) => {
    // One whose parent has just ended is told so next: that nobody reads this is no error.
    last = last.then(async () => {
      const report = await runTask(task);
      process.send?.(report, undefined, undefined, () => undefined);
    });
  });
  process.on('disconnect', () => process.exit());
}
