/** What a node sends of a log of which a record has rotted: nothing that lies behind the gap. */
import { describe, expect, it } from 'vitest';
import type { Epoch, MemberId, Seq, ShardId } from '../../src/model/ids.js';
import { ShardMap } from '../../src/model/shard-map.js';
import type { StreamEvents } from '../../src/ports/network.js';
import { CorruptRecordError } from '../../src/replication/data-record.js';
import { type Entry, LOG_START, type Position, sealEntry } from '../../src/replication/entry.js';
import type { AddressedMessage } from '../../src/replication/messages.js';
import { Replication, type ReplicationDeps } from '../../src/storage/replication.js';
import { decodeFrame, encodeFrame } from '../../src/storage/replication-frame.js';
import { clusterOf, configOf, nodeOf, placeOf, uuidOf } from '../support/configs.js';
import { FakeClock } from '../support/fake-clock.js';
import { putOf } from '../support/replica-parts.js';
import { silentLog } from '../support/silent-log.js';
import { CountingRandom, Recorder, settle } from '../support/storage-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];
const clusterUuid = uuidOf('cluster');
const shard = 0 as ShardId;
const shardUuid = uuidOf('shard-0');
const epoch = 1 as Epoch;

/** Entries 1 to 4, all of them on disk only. */
function logOfFour(): readonly Entry[] {
  const entries: Entry[] = [];
  let last: Position = LOG_START;
  for (const key of ['a', 'b', 'c', 'd']) {
    const entry = sealEntry(last, { epoch, commitSeq: 0 as Seq }, [putOf(key)]);
    entries.push(entry);
    last = entry;
  }
  return entries;
}

function prepareOf({ seq, chain }: Entry, to: MemberId): AddressedMessage {
  const entry = { seq, epoch, chain, bytes: undefined };
  return { to, shard, message: { type: 'prepare', epoch, entry, commitSeq: 0 as Seq } };
}

/** s1 leads shard 0, whose third log record has rotted, and has streams to s2 and s3. */
async function leading(log: readonly Entry[]) {
  const map = new ShardMap();
  map.target = clusterOf({ shards: 6 });
  map.shardCount = 6;
  map.setNodes([s1, s2, s3]);
  map.apply({ config: configOf(0, s1, { replicas: [s1, s2, s3].map(placeOf) }), version: 0 });
  const damaged: (readonly [shard: ShardId, to: MemberId])[] = [];
  const streams = new Map<string, Recorder<Buffer>>();
  const replication = new Replication({
    ...{ map, clock: new FakeClock(), random: new CountingRandom(), log: silentLog },
    self: { node: s1.id, process: s1.process },
    identity: () => ({ node: s1.id, store: s1.store, cluster: 'c', clusterUuid }),
    settings: { beatMs: 200, tickMs: 100 },
    wakefulness: { late: () => undefined },
    failed: (error: unknown) => {
      throw error;
    },
    store: {
      entry: (_: unknown, { seq }: Position) => {
        if (seq === 3) throw new CorruptRecordError('a flipped bit');
        return log.find((entry) => entry.seq === seq)!;
      },
    },
    replicas: { sessions: { up: () => undefined }, of: () => ({ body: { shard } }) },
    rounds: {
      submit: () => undefined,
      damagedLogNow: ({ body }: { body: { shard: ShardId } }, _: Error, to: MemberId) => {
        damaged.push([body.shard, to]);
      },
    },
    dialer: {
      replicate: (address: string, events: StreamEvents<Buffer>) => {
        const stream = new Recorder<Buffer>();
        streams.set(address, stream);
        const { id, store, process } = [s2, s3].find((node) => node.address === address)!;
        const hello = { type: 'hello', node: id, store, process, clusterUuid } as const;
        setImmediate(() => events.message(encodeFrame([hello])));
        return stream;
      },
    },
  } as unknown as ReplicationDeps);
  replication.mapChanged();
  await settle();
  const entriesTo = (address: string) =>
    streams
      .get(address)!
      .messages.flatMap(decodeFrame)
      .flatMap((record) => {
        const message = record.type === 'replica' ? record.message : undefined;
        return message?.type === 'prepare' ? message.entry.seq : [];
      });
  return { replication, damaged, entriesTo };
}

describe('a log record that has rotted', () => {
  it('S8 S20 is not sent, nor is what follows it, to each who was to get it; it is damage', async () => {
    const log = logOfFour();
    const { replication, damaged, entriesTo } = await leading(log);
    const toBoth = [...log.map((entry) => prepareOf(entry, s2.id)), prepareOf(log[3]!, s3.id)];
    replication.send(shardUuid, toBoth);
    await settle();
    expect(entriesTo(s2.address)).toEqual([1, 2]);
    expect(entriesTo(s3.address)).toEqual([4]);
    expect(damaged).toEqual([[shard, s2.id]]);
  });
});
