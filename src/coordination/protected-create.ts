/**
 * Creating an ephemeral sequential znode exactly once, although the answer may get lost.
 *
 * The service chooses the name, so a client that hears no answer does not know what to look for.
 * A guid in front of the name makes its own znodes recognisable (Apache Curator's "protection",
 * CURATOR-45), and the owner tells which session made them: only one of *this* session counts,
 * because one of an earlier session vanishes when that session is found dead (rule Z1).
 */
import type { Uuid } from '../model/ids.js';
import type { CoordinatorSession, Outcome } from '../ports/coordinator.js';

export interface ProtectedZnode {
  /** Parent, which must exist. */
  readonly directory: string;
  /** The same over all attempts and sessions of one process. */
  readonly guid: Uuid;
  /** Between the guid's hyphen and the ten digits. */
  readonly prefix: string;
  readonly data: Buffer;
}

/**
 * Name of this session's znode, made now or by an earlier attempt of which nothing was heard.
 * Orphans of earlier sessions of this process are removed on the way. `unknown`: call again.
 */
export async function createProtected(
  session: CoordinatorSession,
  znode: ProtectedZnode,
): Promise<Outcome<string>> {
  const found = await findOwn(session, znode);
  if (found.status !== 'ok') return found;
  if (found.value !== undefined) return { status: 'ok', value: found.value };

  const { directory, guid, prefix, data } = znode;
  const path = `${directory}/${guid}-${prefix}`;
  const created = await session.create(path, data, 'ephemeral-sequential');
  if (created.status === 'ok') return { status: 'ok', value: nameIn(directory, created.value) };
  if (created.status === 'failed') return created;

  const afterwards = await findOwn(session, znode);
  if (afterwards.status !== 'ok' || afterwards.value === undefined) return created;
  return { status: 'ok', value: afterwards.value };
}

/** This session's znode, if there is one already. Removes those of our earlier sessions. */
async function findOwn(
  session: CoordinatorSession,
  { directory, guid }: ProtectedZnode,
): Promise<Outcome<string | undefined>> {
  const barrier = await session.barrier();
  if (barrier.status !== 'ok') return barrier;
  const children = await session.children(directory);
  if (children.status !== 'ok') return children;
  let own: string | undefined;
  for (const name of children.value ?? []) {
    if (!name.startsWith(`${guid}-`)) continue;
    const path = `${directory}/${name}`;
    const read = await session.read(path);
    if (read.status !== 'ok') return read;
    if (read.value === undefined) continue;
    if (read.value.stat.owner === session.id && own === undefined) own = name;
    else await session.remove(path, read.value.stat.version);
  }
  return { status: 'ok', value: own };
}

function nameIn(directory: string, path: string): string {
  return path.slice(directory.length + 1);
}
