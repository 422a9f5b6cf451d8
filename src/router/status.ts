/**
 * The state of the cluster as an operator asks for it: election from ZooKeeper at this moment, the
 * rest from this router's map. With ZooKeeper away it tells the last election it saw, and says so.
 */
import { nodesOf, problemsOf } from '../control/health.js';
import { decodeClusterConfig } from '../model/cluster-config.js';
import { decodeLeaderRecord } from '../model/leader-record.js';
import { BadRecordError } from '../model/records.js';
import type { MemberId, Uuid } from '../model/ids.js';
import type { ClusterStatus, NodeStatus } from '../model/status.js';
import { candidateZnode, ZNODES } from '../model/znodes.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import { readCandidates } from '../coordination/candidates.js';
import { AwaySince } from './away-since.js';
import type { MapHolder } from './map-holder.js';
import { shardStatuses } from './shard-status.js';

interface ElectionStatus extends Pick<ClusterStatus, 'leader' | 'candidates'> {
  /** Which cluster ZooKeeper has. */
  readonly found: 'ours' | 'none' | 'another';
}

const NOBODY: ElectionStatus = { leader: undefined, candidates: [], found: 'ours' };

export interface StatusSource {
  readonly cluster: string;
  readonly self: string;
  readonly map: MapHolder;
  /** Of a monotonic clock, in milliseconds. */
  now(): number;
  /** Nodes that this router cannot connect to, and why. */
  unreachable(): ReadonlyMap<MemberId, string>;
  /** Whether a leader tells this router the map. */
  isTold(): boolean;
  /** Of the cluster that this router is in; undefined before it knows. */
  clusterUuid(): Uuid | undefined;
  /** The session in use; undefined before the first. */
  session(): CoordinatorSession | undefined;
}

export class StatusReader {
  readonly #source: StatusSource;
  #lastElection = NOBODY;

  readonly #awaySince = new AwaySince();

  constructor(source: StatusSource) {
    this.#source = source;
    source.map.onChange(() => this.#awaySince.update(source.map.map.nodes, source.now()));
  }

  async read(): Promise<ClusterStatus> {
    const { cluster, self, map } = this.#source;
    const election = await this.#readElection();
    if (election !== undefined) this.#lastElection = election;
    const { leader, candidates } = this.#lastElection;
    const unreachable = this.#source.unreachable();
    const told = { damaged: map.damaged, outdated: map.outdated };
    const problems = [
      ...problemsOf(map.map, leader?.id, { ...told, unreachable }),
      ...this.#electionProblems(election),
    ];
    return {
      cluster,
      healthy: problems.length === 0,
      leader,
      candidates,
      nodes: this.#nodes(),
      shards: shardStatuses(map, unreachable),
      problems,
      zookeeperConnected: election !== undefined,
      answeredBy: self,
    };
  }

  #nodes(): readonly NodeStatus[] {
    const { map } = this.#source;
    const now = this.#source.now();
    return nodesOf(map.map).map((node) => {
      if (node.state === 'up') return node;
      const since = this.#awaySince.of(node.id as MemberId, now);
      return { ...node, downForMs: Math.round(now - since) };
    });
  }

  /** What this router's own part in the cluster lacks. */
  #electionProblems(election: ElectionStatus | undefined): readonly string[] {
    if (election === undefined) {
      return ['ZooKeeper does not answer: the shard map cannot change until it does'];
    }
    const { self } = this.#source;
    const { found, leader, candidates } = election;
    if (found === 'none') {
      return ["ZooKeeper has lost the cluster: restore ZooKeeper's data, or use portolan recover"];
    }
    if (found === 'another') {
      return ['ZooKeeper has another cluster in the place of this one: the log says what to do'];
    }
    if (!candidates.some(({ id }) => id === self)) {
      return [`router ${self} does not stand for election`];
    }
    if (leader === undefined || leader.id === self || this.#source.isTold()) return [];
    return [`the leader does not reach router ${self}: check its --advertise`];
  }

  /** Undefined if ZooKeeper does not answer. */
  async #readElection(): Promise<ElectionStatus | undefined> {
    const session = this.#source.session();
    if (session?.state !== 'connected') return undefined;
    const [children, epoch, cluster] = await Promise.all([
      session.children(ZNODES.election),
      session.read(ZNODES.leaderEpoch),
      session.read(ZNODES.cluster),
    ]);
    if (children.status !== 'ok' || epoch.status !== 'ok' || cluster.status !== 'ok') {
      return undefined;
    }
    const exists = children.value !== undefined && epoch.value !== undefined;
    const isAnother = cluster.value !== undefined && this.#isAnother(cluster.value.data);
    if (isAnother) return { ...NOBODY, found: 'another' };
    const found = exists ? 'ours' : 'none';
    const inOrder = await readCandidates(session, children.value ?? []);
    const candidates = inOrder.map(({ name, record }, index) => ({
      ...record,
      znode: name,
      watches: inOrder[index - 1]?.name,
    }));
    const first = inOrder[0];
    const record = epoch.value && leaderRecordOf(epoch.value.data);
    // The lowest candidate leads once it holds the leaderEpoch; until then nobody does.
    if (first === undefined || record?.candidate !== first.name) {
      return { leader: undefined, candidates, found };
    }
    const znode = candidateZnode(first.name);
    const leader = { id: first.record.id, znode, leaderEpoch: record.leaderEpoch };
    return { leader, candidates, found };
  }

  /** A record that cannot be read tells nothing. */
  #isAnother(data: Uint8Array): boolean {
    const own = this.#source.clusterUuid();
    try {
      return own !== undefined && decodeClusterConfig(data).clusterUuid !== own;
    } catch (error) {
      if (!(error instanceof BadRecordError)) throw error;
      return false;
    }
  }
}

function leaderRecordOf(data: Buffer) {
  try {
    return decodeLeaderRecord(data);
  } catch (error) {
    if (error instanceof BadRecordError) return undefined;
    throw error;
  }
}
