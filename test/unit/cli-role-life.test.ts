/** The life of a role in the foreground: asked to stop, ended by itself, or never started. */
import { expect, it, vi } from 'vitest';
import { EXIT } from '../../src/cli/exit.js';
import { liveUntilStopped } from '../../src/cli/role-life.js';
import type { RunningRole } from '../../src/ports/process.js';

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

function deferred<T>(): Deferred<T> {
  let settle!: Pick<Deferred<T>, 'resolve' | 'reject'>;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  promise.catch(() => undefined);
  return { promise, ...settle };
}

function life({ startGraceMs = 60_000 } = {}) {
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const started = deferred<RunningRole>();
  const asked = deferred<NodeJS.Signals>();
  const ended = deferred<never>();
  const stop = vi.fn(() => Promise.resolve());
  const role = { address: '127.0.0.1:1', admin: undefined, ended: ended.promise, stop };
  const exitCode = liveUntilStopped({
    log: { debug: say, info: say, warn: say, error: say },
    start: () => started.promise,
    stopRequested: asked.promise,
    startGraceMs,
  });
  return { said, started, asked, ended, role, stop, exitCode };
}

it('stops in order when it is asked to', async () => {
  const { started, asked, role, stop, said, exitCode } = life();
  started.resolve(role);
  asked.resolve('SIGTERM');
  expect(await exitCode).toBe(EXIT.ok);
  expect(stop).toHaveBeenCalledOnce();
  expect(said).toEqual(['stopping', 'stopped']);
});

it('that ends by itself says why, once, and its exit code tells', async () => {
  const { started, ended, role, stop, said, exitCode } = life();
  started.resolve(role);
  ended.reject(new Error('the disk failed'));
  expect(await exitCode).toBe(EXIT.unexpected);
  expect(stop).toHaveBeenCalledOnce();
  expect(said).toEqual(['the disk failed', 'stopped']);
});

it('that cannot start fails with the reason', async () => {
  const { started, exitCode, said } = life();
  started.reject(new Error('no such directory'));
  await expect(exitCode).rejects.toThrow('no such directory');
  expect(said).toEqual([]);
});

it('asked to stop while it starts, it starts and stops in order', async () => {
  const { started, asked, role, stop, said, exitCode } = life();
  asked.resolve('SIGINT');
  await vi.waitFor(() => expect(said).toEqual(['stopping before it has started']));
  expect(stop).not.toHaveBeenCalled();
  started.resolve(role);
  expect(await exitCode).toBe(EXIT.ok);
  expect(stop).toHaveBeenCalledOnce();
  expect(said.at(-1)).toBe('stopped');
});

it('asked to stop during a start that fails, it is stopped, and not failed', async () => {
  const { started, asked, said, exitCode } = life();
  asked.resolve('SIGTERM');
  await vi.waitFor(() => expect(said).toHaveLength(1));
  started.reject(new Error('no such directory'));
  expect(await exitCode).toBe(EXIT.ok);
});

it('asked to stop during a start that does not end, it dies of the signal and does not wait', async () => {
  const { asked, said, exitCode } = life({ startGraceMs: 1 });
  asked.resolve('SIGTERM');
  expect(await exitCode).toBe('SIGTERM');
  expect(said.at(-1)).toMatch(/did not end in time/);
});
