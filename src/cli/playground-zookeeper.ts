/**
 * Who coordinates a playground: our own small server, a real ZooKeeper, or one that runs already.
 *
 * The first two keep their data beside that of the storage nodes, and neither reads the other's: a
 * playground whose data is kept goes on with the one it began with.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, EXIT } from './exit.js';
import { type MemberEvents, MemberProcess } from './member-process.js';

/** Of `--zk`, instead of an address. */
export const REAL = 'real';

export const ZOOKEEPER_FOLDERS = { embedded: 'coordination', real: 'zookeeper' } as const;

export const EMBEDDED_NOTE =
  'embedded: one process without a quorum, for trying; production uses an ensemble of ZooKeeper';

/** In milliseconds: sessions last 2 to 20 of these. */
export const TICK_MS = 500;

/** @throws CliError if the data here is that of the other kind. */
export function checkKind(folder: string, wanted: keyof typeof ZOOKEEPER_FOLDERS): void {
  const other = wanted === 'real' ? 'embedded' : 'real';
  const has = (kind: typeof wanted) => existsSync(join(folder, ZOOKEEPER_FOLDERS[kind]));
  if (has(wanted) || !has(other)) return;
  const [what, advice] =
    other === 'real'
      ? ['a real ZooKeeper', `add --zk ${REAL}`]
      : ['embedded coordination', `leave --zk ${REAL} away`];
  throw new CliError(EXIT.usage, `what is in ${folder} was made with ${what}: ${advice}`);
}

/** One that is being started. */
export interface EmbeddedZooKeeper {
  readonly process: MemberProcess;
  /** Resolves when it serves for the first time, whatever it takes until then. */
  readonly serving: Promise<void>;
}

/** @param listen HOST:PORT that is free, and stays its own over restarts. */
export function startEmbedded(
  folder: string,
  listen: string,
  events: MemberEvents,
): EmbeddedZooKeeper {
  const data = join(folder, ZOOKEEPER_FOLDERS.embedded);
  const args = ['zookeeper', '--data', data, '--listen', listen, '--tick-ms', String(TICK_MS)];
  let serves: () => void = () => undefined;
  const serving = new Promise<void>((resolve) => {
    serves = resolve;
  });
  const process = new MemberProcess('zookeeper', args, {
    ...events,
    line: (line) => {
      if (line.includes('serves clients of ZooKeeper')) serves();
      events.line(line);
    },
  });
  process.start();
  return { process, serving };
}
