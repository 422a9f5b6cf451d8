/**
 * Being asked to stop. Ctrl-C under `npm start` or `npx` arrives twice: from the terminal, which
 * signals the whole process group, and from npm, which passes its own on. Two within a moment are
 * therefore one request; nobody presses a key twice that fast.
 */
import { EXIT, type ExitCode } from './exit.js';

const ONE_REQUEST_MS = 250;
/** Long enough for a signal to arrive. */
const IMMUNE_MS = 100;

/** Calls back with the exit code that the signal stands for, and 1 for the first request. */
export function onStopRequest(
  asked: (exitCode: ExitCode, request: number, signal: NodeJS.Signals) => void,
): void {
  let requests = 0;
  let lastMs = -Infinity;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const nowMs = performance.now();
      if (nowMs - lastMs < ONE_REQUEST_MS) return;
      lastMs = nowMs;
      requests++;
      asked(exitCodeOf(signal), requests, signal);
    });
  }
}

/**
 * Ends this process as if it had never listened to the signal. Unlike `process.exit` it waits for
 * nothing, not even for a thread that hangs in a file system.
 */
export function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Still here: the first process of a container does not die of a signal it does not listen to.
  setTimeout(() => process.exit(exitCodeOf(signal)), IMMUNE_MS);
}

function exitCodeOf(signal: NodeJS.Signals): ExitCode {
  return signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
}
