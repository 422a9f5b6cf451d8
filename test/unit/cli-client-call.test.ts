/** What a command says when a call failed. */
import { expect, it } from 'vitest';
import { asCliError } from '../../src/cli/client-call.js';
import { type CliError, EXIT } from '../../src/cli/exit.js';
import { PortolanError } from '../../src/client/errors.js';

const failed = (code: string, message: string) =>
  new PortolanError(code, message, { outcome: 'not-applied', attempts: 0 });

it('without a router that served it: which were meant, in what time, and what to do', () => {
  const error = asCliError(failed('UNAVAILABLE', 'no router was asked'), ['a:1', 'b:2'], 1);
  expect((error as CliError).exitCode).toBe(EXIT.unavailable);
  expect((error as CliError).message).toBe(
    'no router was asked; none of a:1, b:2 served the call within 1 ms: check that they run, ' +
      'give others with --routers or --zk, or more time with --timeout-ms',
  );
});

it.each([
  ['INVALID_REQUEST', EXIT.usage],
  ['NOT_SUPPORTED', EXIT.unexpected],
  ['NO_PRIMARY', EXIT.unavailable],
])('%s is exit %i', (code, exitCode) => {
  expect(asCliError(failed(code, 'why'), ['a:1'], 1)).toMatchObject({ exitCode });
});

it('what no call failed with stays what it is', () => {
  const error = new Error('a bug');
  expect(asCliError(error, ['a:1'], 1)).toBe(error);
});
