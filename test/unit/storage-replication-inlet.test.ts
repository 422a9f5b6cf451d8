/** Streams of other nodes, without a network: promises before answers, one stream per node. */
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeDataRecord } from '../../src/replication/data-record.js';
import { LOG_START } from '../../src/replication/entry.js';
import type { Epoch, MemberId, Seq, ShardId } from '../../src/model/ids.js';
import { LeaseGrants, promiseMs } from '../../src/replication/lease.js';
import { InstallReceiver } from '../../src/storage/install-receiver.js';
import { ReplicationInlet } from '../../src/storage/replication-inlet.js';
import {
  decodeFrame,
  encodeFrame,
  type Hello,
  type ReplicationRecord,
} from '../../src/storage/replication-frame.js';
import type { Work } from '../../src/storage/rounds.js';
import { uuidOf } from '../support/configs.js';
import { FakeClock } from '../support/fake-clock.js';
import { LEASE } from '../support/replica-group.js';
import { silentLog } from '../support/silent-log.js';
import { Recorder, settle } from '../support/storage-harness.js';

const clusterUuid = uuidOf('cluster');
const hello = (name: string): Hello => {
  return {
    type: 'hello',
    node: name as MemberId,
    store: uuidOf(name),
    process: uuidOf(name),
    clusterUuid,
  };
};
const SHARD = { shard: 0 as ShardId, shardUuid: uuidOf('shard-0') };

describe('streams of other nodes', () => {
  let clock: FakeClock;
  let grants: LeaseGrants;
  let works: Work[];
  let down: string[];
  let inlet: ReplicationInlet;
  beforeEach(() => {
    clock = new FakeClock();
    grants = new LeaseGrants(LEASE, clock.now());
    [works, down] = [[], []];
    const submit = (work: Work) => void works.push(work);
    inlet = new ReplicationInlet({
      ...{ clock, log: silentLog, grants, submit },
      hello: () => hello('s1'),
      installs: new InstallReceiver({ store: undefined as never, submit, isAwaited: () => true }),
      callerDown: (node) => void down.push(node),
    });
  });

  function dialed(from: Hello | undefined) {
    const outgoing = new Recorder<Buffer>();
    const events = inlet.handler(outgoing, 'peer');
    const say = (record: ReplicationRecord) => events.message(encodeFrame([record]));
    if (from !== undefined) say(from);
    return { outgoing, say, events, heard: () => outgoing.messages.flatMap(decodeFrame) };
  }

  it('S14 a beat is a promise, kept from when it came, before it is answered', async () => {
    const stream = dialed(hello('s2'));
    clock.advance(100);
    stream.say({ type: 'beat', number: 9 });
    expect(grants.promisedUntil('s2' as MemberId)).toBe(clock.now() + promiseMs(LEASE));
    await settle(2);
    expect(stream.heard()).toEqual([hello('s1'), { type: 'beatAck', number: 9 }]);
  });

  it('S14 the answer to a beat comes behind what was said before it', async () => {
    const stream = dialed(hello('s2'));
    const message = { type: 'detached', epoch: 3 as Epoch } as const;
    inlet.send('s2' as MemberId, { type: 'replica', ...SHARD, message });
    stream.say({ type: 'beat', number: 1 });
    await settle(2);
    expect(stream.heard().map(({ type }) => type)).toEqual(['hello', 'replica', 'beatAck']);
  });

  it('S3 a node has one stream: a newer one ends the one before, and what is late is stale', () => {
    const [first, second] = [dialed(hello('s2')), hello('s2')];
    const message = { type: 'attach', epoch: 3 as Epoch, number: 1, after: LOG_START } as const;
    first.say({ type: 'replica', ...SHARD, message });
    const [work] = works;
    const isStale = () => work?.type === 'replica' && work.isStale?.();
    expect(isStale()).toBe(false);
    dialed(second);
    expect([first.outgoing.ended, isStale(), down]).toEqual([true, true, ['s2']]);
  });

  it('that this node is about to stop is said once on each, on those that begin later, too', async () => {
    const before = dialed(hello('s2'));
    inlet.leave();
    inlet.leave();
    const after = dialed(hello('s3'));
    await settle(2);
    for (const stream of [before, after]) {
      expect(stream.heard()).toEqual([hello('s1'), { type: 'leaving' }]);
    }
    after.say({ type: 'leaving' });
    expect(after.outgoing.ended).toBe(true);
  });

  it('S20 a part of an install that is not what was written ends the stream, not the node', () => {
    const stream = dialed(hello('s2'));
    const install = { type: 'install', epoch: 1 as Epoch, number: 1 } as const;
    stream.say({ type: 'replica', ...SHARD, message: install });
    const taken = works.length;
    const [key, other] = [Buffer.from('k'), Buffer.from('l')];
    const record = encodeDataRecord(other, Buffer.from('v'), 1 as Seq);
    stream.say({ type: 'data', ...SHARD, number: 1, pairs: [{ key, record }] });
    expect(stream.outgoing.ended).toBe(true);
    expect(down).toEqual(['s2']);
    expect(works).toHaveLength(taken);
  });

  it('who does not say hello first, or is of another cluster, promises and gets nothing', async () => {
    const stranger = dialed({ ...hello('s2'), clusterUuid: uuidOf('other') });
    const rude = dialed(undefined);
    rude.say({ type: 'beat', number: 1 });
    await settle(2);
    for (const { outgoing } of [stranger, rude]) {
      expect([outgoing.ended, outgoing.messages]).toEqual([true, []]);
    }
    expect(grants.promisedUntil('s2' as MemberId)).toBe(-Infinity);
  });
});
