/** A follower that turns away: heard at once, and nothing that it said before counts any more. */
import { describe, expect, it } from 'vitest';
import type { ShardId, Uuid } from '../../src/model/ids.js';
import { ShardMap } from '../../src/model/shard-map.js';
import type { StreamEvents } from '../../src/ports/network.js';
import type { ToPrimary } from '../../src/replication/messages.js';
import { nodeSettings } from '../../src/storage/replica-settings.js';
import { encodeFrame, type ReplicationRecord } from '../../src/storage/replication-frame.js';
import { Replication } from '../../src/storage/replication.js';
import type { Work } from '../../src/storage/rounds.js';
import { nodeOf, uuidOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';
import { FakeClock } from '../support/fake-clock.js';
import { silentLog } from '../support/silent-log.js';
import { CountingRandom, Recorder } from '../support/storage-harness.js';

const [s1, s2] = [nodeOf('s1'), nodeOf('s2')];
const clusterUuid = uuidOf('cluster');
const { epoch, shardUuid } = sharedBy(0, [s1, s2]);
const ATTACHED: ToPrimary = { type: 'attached', epoch, tail: [] };
const DETACHED: ToPrimary = { type: 'detached', epoch };

/** The primary's end of the stream to s2: what its rounds got, and what they heard at once. */
function listen() {
  const mailbox: Extract<Work, { type: 'replica' }>[] = [];
  const atOnce: Uuid[] = [];
  const map = new ShardMap();
  map.apply({ config: sharedBy(0, [s1, s2]), version: 0 });
  map.setNodes([s1, s2]);
  map.shardCount = 2;
  const streams: StreamEvents<Buffer>[] = [];
  const replication = new Replication({
    ...{
      self: { node: s1.id, process: s1.process },
      map,
      log: silentLog,
      settings: nodeSettings(map),
    },
    identity: () => ({ store: s1.store, clusterUuid }),
    rounds: {
      submit: (work: Work) => work.type === 'replica' && mailbox.push(work),
      turnedAwayNow: (_: ShardId, uuid: Uuid) => atOnce.push(uuid),
      stepNow: () => undefined,
    },
    replicas: { sessions: { up: () => undefined, down: () => undefined } },
    dialer: {
      replicate: (_: string, events: StreamEvents<Buffer>) => {
        streams.push(events);
        return new Recorder<Buffer>();
      },
    },
    ...{ clock: new FakeClock(), random: new CountingRandom() },
  } as never);
  replication.mapChanged();
  const say = (...records: ReplicationRecord[]) => streams[0]!.message(encodeFrame(records));
  const { id: node, store, process } = s2;
  say({ type: 'hello', node, store, process, clusterUuid });
  const says = (message: ToPrimary, uuid = shardUuid, shard = 0 as ShardId) => {
    say({ type: 'replica', shard, shardUuid: uuid, message });
  };
  return { says, mailbox, atOnce };
}

describe('a follower that turns away', () => {
  it('S14 is heard at once, before what waits for its round; and that is void', () => {
    const { says, mailbox, atOnce } = listen();
    says(ATTACHED);
    expect(mailbox.map(({ isStale }) => isStale?.())).toEqual([false]);
    says(DETACHED);
    expect(atOnce).toEqual([shardUuid]);
    expect(mailbox.map(({ isStale }) => isStale?.())).toEqual([true]);
  });

  it('S14 may come back: what it says after that counts, and so does what others say', () => {
    const { says, mailbox } = listen();
    says(ATTACHED, uuidOf('shard-1'), 1 as ShardId);
    says(DETACHED);
    says(ATTACHED);
    expect(mailbox.map(({ isStale }) => isStale?.())).toEqual([false, false]);
    says(DETACHED);
    expect(mailbox.map(({ isStale }) => isStale?.())).toEqual([false, true]);
  });
});
