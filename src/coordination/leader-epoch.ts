/**
 * Taking office: the lowest candidate raises the leaderEpoch in one multi that also checks that its
 * own candidacy still exists (rule Z2). From then on the znode's version is the fence: whoever
 * raised it before can write nothing any more (rule Z3). Kafka's ZooKeeper controller
 * raised `/controller_epoch` in the same way.
 */
import { isLeaderEpoch, type LeaderEpoch, type MemberId } from '../model/ids.js';
import {
  decodeLeaderRecord,
  encodeLeaderRecord,
  type LeaderRecord,
} from '../model/leader-record.js';
import { BadRecordError } from '../model/records.js';
import { candidateZnode, ZNODES } from '../model/znodes.js';
import type { CoordinatorSession, Outcome, Znode } from '../ports/coordinator.js';
import type { Random } from '../ports/random.js';

/** What a leader holds while it is in office, and loses when another router takes office. */
export interface Fence {
  readonly leaderEpoch: LeaderEpoch;
  /** Version of `/leader/epoch` that every write of this leader checks. */
  readonly version: number;
}

export interface Claim {
  readonly leader: MemberId;
  /** Name of the leader's candidate znode, whose data is never changed. */
  readonly candidate: string;
  /** The highest leaderEpoch heard of; members listen to none below it. */
  readonly above: LeaderEpoch;
  readonly random: Random;
}

/**
 * Raises the leaderEpoch for this candidate. `failed` and `unknown` both mean: look at the election
 * again; taking it twice is harmless, because the second time fences the first.
 */
export async function takeLeaderEpoch(
  session: CoordinatorSession,
  { leader, candidate, above, random }: Claim,
): Promise<Outcome<Fence>> {
  const before = await readFence(session);
  if (before.status !== 'ok') return before;
  const leaderEpoch = Math.max(before.value.record.leaderEpoch, above) + 1;
  if (!isLeaderEpoch(leaderEpoch)) {
    const message = `no leaderEpoch is left above ${leaderEpoch - 1}: nobody counted up to it`;
    return { status: 'failed', code: 'refused', message };
  }
  const record: LeaderRecord = {
    leaderEpoch,
    leader,
    candidate,
    nonce: random.nonce(),
  };
  const fence = { leaderEpoch: record.leaderEpoch, version: before.value.version + 1 };
  const taken = await session.multi([
    { type: 'check', path: candidateZnode(candidate), version: 0 },
    {
      type: 'set',
      path: ZNODES.leaderEpoch,
      data: encodeLeaderRecord(record),
      version: before.value.version,
    },
  ]);
  if (taken.status === 'ok') return { status: 'ok', value: fence };
  if (taken.status === 'failed') return taken;

  // The answer was lost. The nonce tells whose write the znode holds (rule Z5).
  const after = await readFence(session);
  if (after.status !== 'ok') return taken;
  return after.value.record.nonce === record.nonce ? { status: 'ok', value: fence } : taken;
}

interface StoredFence {
  readonly record: LeaderRecord;
  readonly version: number;
}

async function readFence(session: CoordinatorSession): Promise<Outcome<StoredFence>> {
  const barrier = await session.barrier();
  if (barrier.status !== 'ok') return barrier;
  const read = await session.read(ZNODES.leaderEpoch);
  if (read.status !== 'ok') return read;
  if (read.value === undefined) {
    return { status: 'failed', code: 'no-node', message: `${ZNODES.leaderEpoch} does not exist` };
  }
  return decodeFence(read.value);
}

function decodeFence({ data, stat }: Znode): Outcome<StoredFence> {
  try {
    return { status: 'ok', value: { record: decodeLeaderRecord(data), version: stat.version } };
  } catch (error) {
    if (!(error instanceof BadRecordError)) throw error;
    return { status: 'failed', code: 'refused', message: error.message };
  }
}
