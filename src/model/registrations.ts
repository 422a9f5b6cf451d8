/**
 * What the ephemeral znodes hold: a storage node's registration and a router's candidacy. Both say
 * where the process listens; they live exactly as long as its ZooKeeper session.
 *
 * Worked example of a registration (one line in ZooKeeper; "…" shortens 32 hex digits):
 * {"format":3,"id":"s1","address":"10.0.0.7:7100","labels":{"host":"rack7-3","zone":"a"},
 *  "store":"9c…","process":"41…","ancestry":["70…","c2…"]}
 */
import { isAddressText } from './address.js';
import { type Incarnation, isMemberId, isUuid, type MemberId, type Uuid } from './ids.js';
import { encodeRecord, RecordReader } from './records.js';
import { candidateZnode, nodeZnode } from './znodes.js';

const NODE_FORMAT = 3;
const CANDIDATE_FORMAT = 1;

/** Longest ancestry that is kept: about 1 KiB of a registration. */
export const ANCESTRY_MAX = 32;

/** Operator's labels for placement; empty text = not said. */
export interface Labels {
  readonly host: string;
  readonly zone: string;
}

export interface NodeRecord {
  readonly id: MemberId;
  /** Where its gRPC services listen. */
  readonly address: string;
  readonly labels: Labels;
  /** Identity of its data directory. */
  readonly store: Uuid;
  /** Minted at process start: two processes are never taken for one. */
  readonly process: Uuid;
  /** Processes that had its data directory before, the latest last: those that matter. */
  readonly ancestry: readonly Uuid[];
}

/** A node as the leader sees it: what it said of itself, and which life of it this is. */
export interface Registration extends NodeRecord {
  readonly incarnation: Incarnation;
}

export function encodeNodeRecord(record: NodeRecord): Buffer {
  return encodeRecord({ format: NODE_FORMAT, ...record });
}

/** @throws BadRecordError if the znode holds something else. */
export function decodeNodeRecord(node: MemberId, bytes: Uint8Array): NodeRecord {
  const record = new RecordReader(nodeZnode(node), bytes);
  record.format(NODE_FORMAT);
  const labels = new RecordReader(
    nodeZnode(node),
    record.field('labels', 'an object', (value): value is object => {
      return typeof value === 'object' && value !== null;
    }),
  );
  return {
    id: record.field('id', `"${node}"`, (id): id is MemberId => id === node),
    address: record.field('address', 'HOST:PORT', isAddressText),
    labels: { host: labels.text('host'), zone: labels.text('zone') },
    store: record.field('store', 'a uuid', isUuid),
    process: record.field('process', 'a uuid', isUuid),
    ancestry: record.field('ancestry', `at most ${ANCESTRY_MAX} uuids`, isAncestry),
  };
}

export function isAncestry(value: unknown): value is readonly Uuid[] {
  return Array.isArray(value) && value.length <= ANCESTRY_MAX && value.every(isUuid);
}

export interface CandidateRecord {
  readonly id: MemberId;
  /** Where its gRPC services listen. */
  readonly address: string;
  /** Base URL of its admin HTTP port. */
  readonly admin: string;
}

export function encodeCandidateRecord(record: CandidateRecord): Buffer {
  return encodeRecord({ format: CANDIDATE_FORMAT, ...record });
}

/** @throws BadRecordError if the znode holds something else. */
export function decodeCandidateRecord(name: string, bytes: Uint8Array): CandidateRecord {
  const record = new RecordReader(candidateZnode(name), bytes);
  record.format(CANDIDATE_FORMAT);
  return {
    id: record.field('id', 'a router id', isMemberId),
    address: record.field('address', 'HOST:PORT', isAddressText),
    admin: record.text('admin'),
  };
}
