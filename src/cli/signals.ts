/**
 * Being asked to stop. Ctrl-C under `npm start` or `npx` arrives twice: from the terminal, which
 * signals the whole process group, and from npm, which passes its own on. Two within a moment are
 * therefore one request; nobody presses a key twice that fast.
 */
import { EXIT } from './exit.js';

const ONE_REQUEST_MS = 250;

/** Calls back with the exit code that the signal stands for, and 1 for the first request. */
export function onStopRequest(
  asked: (exitCode: number, request: number, signal: NodeJS.Signals) => void,
): void {
  let requests = 0;
  let lastMs = -Infinity;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const nowMs = performance.now();
      if (nowMs - lastMs < ONE_REQUEST_MS) return;
      lastMs = nowMs;
      requests++;
      asked(signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated, requests, signal);
    });
  }
}
