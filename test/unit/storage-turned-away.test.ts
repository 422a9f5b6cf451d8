/** A follower that turns away: heard at once, and nothing that it said before counts any more. */
import { describe, expect, it } from 'vitest';
import type { Epoch, ShardId, Uuid } from '../../src/model/ids.js';
import type { ToPrimary } from '../../src/replication/messages.js';
import type { Work } from '../../src/storage/rounds.js';
import { nodeOf, uuidOf } from '../support/configs.js';
import { ReplicationUnderTest } from '../support/replication-harness.js';

const s2 = nodeOf('s2').id;
const { epoch, shardUuid } = ReplicationUnderTest;
const later = (epoch + 1) as Epoch;
const ATTACHED: ToPrimary = { type: 'attached', epoch, number: 1, tail: [], follows: false };
const DETACHED: ToPrimary = { type: 'detached', epoch };

/** The primary's end of the stream to s2: what its rounds got, and what they heard at once. */
function listen() {
  const mailbox: Extract<Work, { type: 'replica' }>[] = [];
  const atOnce: Uuid[] = [];
  const test = new ReplicationUnderTest({
    rounds: {
      submit: (work: Work) => work.type === 'replica' && mailbox.push(work),
      turnedAwayNow: (_: ShardId, uuid: Uuid) => atOnce.push(uuid),
    },
  });
  const says = test.says.bind(test, s2);
  return { says, atOnce, areVoid: () => mailbox.map(({ isStale }) => isStale?.()) };
}

describe('a follower that turns away', () => {
  it('S14 is heard at once, before what waits for its round; and that is void', () => {
    const { says, atOnce, areVoid } = listen();
    says(ATTACHED);
    expect(areVoid()).toEqual([false]);
    says(DETACHED);
    expect(atOnce).toEqual([shardUuid]);
    expect(areVoid()).toEqual([true]);
  });

  it('S14 may come back: what it says after that counts, and so does what others say', () => {
    const { says, areVoid } = listen();
    says(ATTACHED, { shardUuid: uuidOf('shard-1'), shard: 1 as ShardId });
    says(DETACHED);
    says(ATTACHED);
    expect(areVoid()).toEqual([false, false]);
    says(DETACHED);
    expect(areVoid()).toEqual([false, true]);
  });

  it('from an epoch, has refused a later one all the same', () => {
    const { says, areVoid } = listen();
    says({ type: 'refused', epoch: later, promised: epoch });
    says(DETACHED);
    expect(areVoid()).toEqual([false]);
    says({ ...DETACHED, epoch: later });
    expect(areVoid()).toEqual([true]);
  });
});
