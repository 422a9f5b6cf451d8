/** One call over several attempts: what bounds them. Time is simulated, routers are functions. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Attempts, type CallPlan } from '../../src/client/attempts.js';
import { OutcomeUnknownError, PortolanError } from '../../src/client/errors.js';
import { RetryBudget } from '../../src/client/retry-budget.js';
import { RouterPool } from '../../src/client/router-pool.js';
import type { Attempt } from '../../src/grpc/kv-client.js';

const OK: Attempt<string> = { type: 'ok', response: 'yes' };
const OVERLOADED: Attempt<string> = {
  type: 'refused',
  detail: {
    code: 'OVERLOADED',
    retry: 'backoff',
    outcome: 'not-applied',
    message: '',
    hint: undefined,
  },
  message: 'too many calls',
};
const TIMED_OUT: Attempt<string> = {
  type: 'unknown',
  status: 'deadline-exceeded',
  message: 'Deadline exceeded',
  connected: true,
};

let pool: RouterPool;
beforeEach(() => {
  vi.useFakeTimers();
  pool = new RouterPool(['127.0.0.1:1'], 1);
});
afterEach(() => {
  pool.close();
  vi.useRealTimers();
});

/** A call whose attempts end as told, each after so many ms; the last one repeats. */
function call(steps: readonly [number, Attempt<string>][], plan: Partial<CallPlan<string>> = {}) {
  const sent: number[] = [];
  const whole: CallPlan<string> = {
    kind: 'write',
    repeatable: true,
    timeoutMs: 1_000,
    attemptTimeoutMs: 1_000,
    signal: undefined,
    send: async (_router, { timeoutMs }) => {
      const [ms, attempt] = steps[Math.min(sent.length, steps.length - 1)]!;
      sent.push(timeoutMs);
      await new Promise((resolve) => setTimeout(resolve, ms));
      return attempt;
    },
    ...plan,
  };
  return { whole, sent };
}

async function endOf(run: Promise<string>): Promise<string | PortolanError> {
  const end = run.catch((error: unknown) => error as PortolanError);
  await vi.advanceTimersByTimeAsync(2_000);
  return end;
}

const EMPTY = (): RetryBudget => {
  const budget = new RetryBudget();
  while (budget.spend());
  return budget;
};

describe('the budget of retries', () => {
  it('empty, lets a refusal through at once', async () => {
    const { whole, sent } = call([[1, OVERLOADED]]);
    const end = await endOf(new Attempts(whole, pool, EMPTY()).run());
    expect(end).toMatchObject({ code: 'OVERLOADED', outcome: 'not-applied', attempts: 1 });
    expect(sent).toHaveLength(1);
  });

  it('empty, leaves an unknown outcome unknown', async () => {
    const { whole, sent } = call([[1, TIMED_OUT]]);
    const end = await endOf(new Attempts(whole, pool, EMPTY()).run());
    expect(end).toBeInstanceOf(OutcomeUnknownError);
    expect(sent).toHaveLength(1);
  });

  it('ten calls that succeed earn one retry', async () => {
    const budget = EMPTY();
    const plan = call([[1, OK]]).whole;
    for (let n = 0; n < 9; n++) await endOf(new Attempts(plan, pool, budget).run());
    const poor = call([[1, OVERLOADED]]);
    expect(await endOf(new Attempts(poor.whole, pool, budget).run())).toBeInstanceOf(PortolanError);
    for (let n = 0; n < 2; n++) await endOf(new Attempts(plan, pool, budget).run());
    const once = call([
      [1, OVERLOADED],
      [1, OK],
    ]);
    expect(await endOf(new Attempts(once.whole, pool, budget).run())).toBe('yes');
    expect(budget.spend()).toBe(false);
  });

  it('holds no more than its store, however many calls succeed', () => {
    const budget = new RetryBudget();
    for (let n = 0; n < 100; n++) budget.earn();
    let retries = 0;
    while (budget.spend()) retries++;
    expect(retries).toBe(2_000);
  });
});

describe('the deadline', () => {
  it('a refusal is not replaced by an attempt too short to succeed', async () => {
    const { whole, sent } = call(
      [
        [85, OVERLOADED],
        [15, TIMED_OUT],
      ],
      { timeoutMs: 100 },
    );
    const end = await endOf(new Attempts(whole, pool, new RetryBudget()).run());
    expect(end).toMatchObject({ code: 'OVERLOADED', outcome: 'not-applied', attempts: 1 });
    expect(sent).toEqual([100]);
  });

  it('however short, one attempt is made', async () => {
    const { whole, sent } = call([[1, OK]], { timeoutMs: 5 });
    expect(await endOf(new Attempts(whole, pool, new RetryBudget()).run())).toBe('yes');
    expect(sent).toEqual([5]);
  });
});
