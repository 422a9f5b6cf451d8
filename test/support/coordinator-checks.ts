/** What tests of coordinators say again and again. */
import { expect } from 'vitest';
import type {
  CoordinatorSession,
  FailureCode,
  Outcome,
  Znode,
} from '../../src/ports/coordinator.js';

export const bytes = (text: string) => Buffer.from(text);
export const nothing = Buffer.alloc(0);

/** The value of an outcome that must be ok. */
export function ok<T>(outcome: Outcome<T>): T {
  if (outcome.status !== 'ok') throw new Error(`not ok: ${JSON.stringify(outcome)}`);
  return outcome.value;
}

export function expectFailed(outcome: Outcome<unknown>, code: FailureCode, opIndex?: number): void {
  expect(outcome).toMatchObject({ status: 'failed', code });
  if (opIndex !== undefined) expect(outcome).toMatchObject({ opIndex });
}

/** The znode, which must exist. */
export async function found(session: CoordinatorSession, path: string): Promise<Znode> {
  const znode = ok(await session.read(path));
  if (znode === undefined) throw new Error(`no ${path}`);
  return znode;
}

/** No paths of znodes, or not below the root. */
export const MALFORMED_PATHS: readonly string[] = [
  ...['', 'x', 'x/y', '//', '/x/', '/x//y', '/.', '/..', '/x/../y', '/x\u0000', '/\ud83d\ude00'],
];

/** Counts hints and lets a test wait for the next one. */
export class Hint {
  count = 0;
  #wake: () => void = () => undefined;
  readonly call = (): void => {
    this.count++;
    this.#wake();
  };

  async reaches(count: number): Promise<void> {
    while (this.count < count) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
