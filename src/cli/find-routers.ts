/** Which routers a client command asks: those named, those in ZooKeeper, or the playground's. */
import { CliError, EXIT } from './exit.js';
import { readContexts } from './playground-context.js';

export interface RouterFlags {
  readonly routers?: readonly string[];
  readonly zk?: string;
  /** Undefined: nobody said which. */
  readonly cluster?: string;
  readonly timeoutMs: number;
}

/** HOST:PORT of at least one router. @throws CliError if none is known. */
export async function findRouters(flags: RouterFlags): Promise<readonly string[]> {
  const { routers, zk, cluster = 'default', timeoutMs } = flags;
  if (routers !== undefined) return routers;
  if (zk === undefined) return playgroundRouters(flags.cluster);
  const { routersFromZooKeeper } = await import('./zookeeper-routers.js');
  return routersFromZooKeeper({ zk, cluster, timeoutMs });
}

/** Those of the one playground that runs; never a guess among several. */
function playgroundRouters(cluster: string | undefined): readonly string[] {
  const running = readContexts();
  const meant = running.filter((context) => cluster === undefined || context.cluster === cluster);
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return only.routers;
  if (meant.length > 1) {
    const each = meant.map(({ pid, routers, ...context }) => {
      return `  --routers ${routers.join(',')}   # cluster ${context.cluster}, pid ${pid}`;
    });
    throw new CliError(EXIT.usage, `several playgrounds run; say which:\n${each.join('\n')}`);
  }
  const why =
    running.length > 0 && cluster !== undefined
      ? `no playground runs cluster "${cluster}".`
      : 'which cluster?';
  throw new CliError(
    EXIT.usage,
    `${why} Give --routers HOST:PORT[,...] (or PORTOLAN_ROUTERS), or --zk HOST:PORT, ` +
      'or start one with: portolan playground',
  );
}
