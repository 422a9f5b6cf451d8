/**
 * One call of a client command: finds routers, connects, closes, and turns a failure into an exit
 * code with what to do next. The client library is loaded here, when it is needed, so that help and
 * mistakes in the call are answered at once.
 */
import type { Client } from '../client/index.js';
import { CliError, EXIT } from './exit.js';
import { findRouters, type RouterFlags } from './find-routers.js';

export interface ClientFlags extends RouterFlags {
  readonly json: boolean;
}

export async function withClient<T>(
  flags: ClientFlags,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const routers = await findRouters(flags);
  const { connect } = await import('../client/index.js');
  const client = connect([...routers], { timeoutMs: flags.timeoutMs });
  try {
    return await use(client);
  } catch (error) {
    throw asCliError(error, routers, flags.timeoutMs);
  } finally {
    await client.close();
  }
}

/** The message is the library's; what was given to it, and what to try, is ours to say. */
export function asCliError(error: unknown, routers: readonly string[], timeoutMs: number): unknown {
  if (!(error instanceof Error) || error instanceof CliError || !('code' in error)) return error;
  const { message, code } = error;
  if (code === 'INVALID_REQUEST') return new CliError(EXIT.usage, message, { cause: error });
  if (code === 'NOT_SUPPORTED') return new CliError(EXIT.unexpected, message, { cause: error });
  const next =
    code === 'UNAVAILABLE'
      ? `none of ${routers.join(', ')} served the call within ${timeoutMs} ms: check that they ` +
        'run, give others with --routers or --zk, or more time with --timeout-ms'
      : 'portolan status may tell why';
  return new CliError(EXIT.unavailable, `${message}; ${next}`, { cause: error });
}
