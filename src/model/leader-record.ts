/**
 * The znode `/leader/epoch`: the fence. A leader writes only inside a multi that checks this
 * znode's version, so whoever was leader before can change nothing any more (D2, S17).
 */
import { isLeaderEpoch, isMemberId, type LeaderEpoch, type MemberId } from './ids.js';
import { encodeRecord, RecordReader } from './records.js';
import { ZNODES } from './znodes.js';

const FORMAT = 1;

export interface LeaderRecord {
  /** 0 in a cluster that never had a leader. */
  readonly leaderEpoch: LeaderEpoch;
  readonly leader: MemberId | null;
  /** Name of the leader's candidate znode, below `/election`. */
  readonly candidate: string | null;
  /** Random, fresh in every write. */
  readonly nonce: string;
}

export const NO_LEADER_YET: LeaderRecord = {
  leaderEpoch: 0 as LeaderEpoch,
  leader: null,
  candidate: null,
  nonce: '',
};

export function encodeLeaderRecord(record: LeaderRecord): Buffer {
  return encodeRecord({ format: FORMAT, ...record });
}

/** @throws BadRecordError if the znode holds something else. */
export function decodeLeaderRecord(bytes: Uint8Array): LeaderRecord {
  const record = new RecordReader(ZNODES.leaderEpoch, bytes);
  record.format(FORMAT);
  const orNull = <T>(is: (value: unknown) => value is T) => {
    return (value: unknown): value is T | null => value === null || is(value);
  };
  return {
    leaderEpoch: record.field(
      'leaderEpoch',
      'a leader epoch or 0',
      (epoch): epoch is LeaderEpoch => {
        return isLeaderEpoch(epoch, 0);
      },
    ),
    leader: record.field('leader', 'a router id or null', orNull(isMemberId)),
    candidate: record.field(
      'candidate',
      'a znode name or null',
      orNull((name): name is string => typeof name === 'string'),
    ),
    nonce: record.text('nonce', 64),
  };
}
