/**
 * Moves replica groups by seeds until one breaks a promise, from several starts. Runs in a process of
 * its own, so that a planted bug can be in the code that it loads:
 *
 *   node --import tsx test/mutants/seeds.ts CAP START...
 *
 * prints one line of JSON per start, see {@link SeedsRun}; after a start that found nothing it ends.
 */
import { moved } from '../support/group-chaos.js';

/** What JavaScript throws at code that is nonsense. */
const SLIPS = [TypeError, RangeError, ReferenceError, SyntaxError] as const;

export interface SeedsRun {
  readonly start: number;
  /** Seeds run, with the one that failed; undefined: none of `cap` did. */
  readonly seeds: number | undefined;
  /** What the checks said of it. */
  readonly problem: string | undefined;
  /** Whether they said it, or the code merely threw: then the bug is none that a check must find. */
  readonly isViolation: boolean;
}

function problemOf(seed: number): Error | undefined {
  try {
    moved(seed);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function runFrom(start: number, cap: number): SeedsRun {
  for (let seeds = 1; seeds <= cap; seeds++) {
    const error = problemOf(start + seeds);
    if (error === undefined) continue;
    const isViolation = !SLIPS.some((Slip) => error instanceof Slip);
    const problem = isViolation ? error.message : String(error.stack);
    return { start, seeds, problem: problem.slice(0, 300), isViolation };
  }
  return { start, seeds: undefined, problem: undefined, isViolation: false };
}

const [cap = 0, ...starts] = process.argv.slice(2).map(Number);
for (const start of starts) {
  const run = runFrom(start, cap);
  process.stdout.write(`${JSON.stringify(run)}\n`);
  if (run.seeds === undefined) break;
}
