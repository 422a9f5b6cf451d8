/**
 * Making a cluster: the znodes that must exist before anything else, and the record of what the
 * cluster is. Safe when many routers do it at once: each step is one create, which exactly one
 * wins, and all read back what the winner wrote.
 */
import {
  type ClusterConfig,
  decodeClusterConfig,
  encodeClusterConfig,
} from '../model/cluster-config.js';
import { encodeLeaderRecord, NO_LEADER_YET } from '../model/leader-record.js';
import { BadRecordError } from '../model/records.js';
import { ZNODES } from '../model/znodes.js';
import type { CoordinatorSession, Outcome } from '../ports/coordinator.js';
import type { ErrorLog } from './said-once.js';

const NO_DATA = Buffer.alloc(0);

type Layout = readonly (readonly [path: string, data: Buffer])[];

/** Of a cluster that never had a leader, and no shard yet. */
const NEW_CLUSTER: { readonly leader: Buffer; readonly placement: Buffer } = {
  leader: encodeLeaderRecord(NO_LEADER_YET),
  placement: NO_DATA,
};

/** What `/leader/epoch` and `/shards` hold. Parents first; `/cluster` is no part of it. */
export function layoutOf({ leader, placement } = NEW_CLUSTER): Layout {
  return [
    [ZNODES.election, NO_DATA],
    [ZNODES.leader, NO_DATA],
    [ZNODES.leaderEpoch, leader],
    [ZNODES.nodes, NO_DATA],
    [ZNODES.shards, placement],
    [ZNODES.jobs, NO_DATA],
  ];
}

export interface EnsuredCluster {
  readonly cluster: ClusterConfig;
  /** Whether it is the wanted one: made by this call, or by one before it that heard no answer. */
  readonly created: boolean;
}

/**
 * The cluster as it is, made as wanted if it did not exist. Anything but `ok`: call again.
 *
 * @throws BadRecordError if `/cluster` holds something else; it is not overwritten.
 */
export async function ensureCluster(
  session: CoordinatorSession,
  wanted: ClusterConfig,
): Promise<Outcome<EnsuredCluster>> {
  const found = await readCluster(session);
  if (found.status !== 'ok') return found;
  if (found.value !== undefined) {
    const created = found.value.clusterUuid === wanted.clusterUuid;
    return { status: 'ok', value: { cluster: found.value, created } };
  }

  // `/cluster` comes last: whoever finds it finds the rest.
  const layout: Layout = [...layoutOf(), [ZNODES.cluster, encodeClusterConfig(wanted)]];
  const laidOut = await makeLayout(session, layout);
  if (laidOut.status !== 'ok') return laidOut;
  const made = await readCluster(session);
  if (made.status !== 'ok') return made;
  if (made.value === undefined) return { status: 'unknown', reason: 'the cluster vanished again' };
  const created = made.value.clusterUuid === wanted.clusterUuid;
  return { status: 'ok', value: { cluster: made.value, created } };
}

/** In this order. What exists stays as it is. */
export async function makeLayout(
  session: CoordinatorSession,
  layout: Layout,
): Promise<Outcome<void>> {
  for (const [path, data] of layout) {
    const made = await session.create(path, data, 'persistent');
    const exists =
      made.status === 'ok' || (made.status === 'failed' && made.code === 'node-exists');
    if (!exists) return made;
  }
  return { status: 'ok', value: undefined };
}

/** The cluster's record; undefined if no router has made it yet. */
export async function readCluster(
  session: CoordinatorSession,
): Promise<Outcome<ClusterConfig | undefined>> {
  const barrier = await session.barrier();
  if (barrier.status !== 'ok') return barrier;
  const read = await session.read(ZNODES.cluster);
  if (read.status !== 'ok') return read;
  return { status: 'ok', value: read.value && decodeClusterConfig(read.value.data) };
}

/**
 * For a member that knows its cluster already: a record that does not parse is no answer, said to
 * the log, because what the member knows stays true.
 */
export async function readClusterAgain(
  session: CoordinatorSession,
  log: ErrorLog,
): ReturnType<typeof readCluster> {
  try {
    return await readCluster(session);
  } catch (error) {
    if (!(error instanceof BadRecordError)) throw error;
    log.error(error.message);
    return { status: 'unknown', reason: error.message };
  }
}
