/** What a failed call means for the command line: its exit code, and what to do next. */
import { CliError, EXIT } from './exit.js';

export function clientError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CliError || !('code' in error)) return error;
  const { message } = error;
  switch (error.code) {
    case 'INVALID_REQUEST':
      return new CliError(EXIT.usage, message, { cause: error });
    case 'NOT_SUPPORTED':
      return new CliError(EXIT.unexpected, message, { cause: error });
    default:
      return new CliError(EXIT.unavailable, `${message}. See: portolan status`, { cause: error });
  }
}
