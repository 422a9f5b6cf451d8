import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/model/address.js';
import { decodeClusterConfig, encodeClusterConfig } from '../../src/model/cluster-config.js';
import type { Epoch, Seq, ShardId } from '../../src/model/ids.js';
import { EPOCH_MAX, isClusterName, isMemberId } from '../../src/model/ids.js';
import {
  decodeLeaderRecord,
  encodeLeaderRecord,
  NO_LEADER_YET,
} from '../../src/model/leader-record.js';
import { BadRecordError } from '../../src/model/records.js';
import {
  decodeCandidateRecord,
  decodeNodeRecord,
  encodeCandidateRecord,
  encodeNodeRecord,
  type NodeRecord,
  type Registration,
} from '../../src/model/registrations.js';
import { decodeShardConfig, encodeShardConfig } from '../../src/model/shard-config.js';
import { LOG_START, parseEntry, sealEntry } from '../../src/replication/entry.js';
import { decodeState, encodeState } from '../../src/storage/replica-layout.js';
import { decodeRequests, encodeRequests } from '../../src/wire/frame.js';
import { clusterOf, configOf, nodeOf, placeOf } from '../support/configs.js';

const SHARD = 5 as ShardId;

/** What a node writes of itself: all but its incarnation, which it learns by writing. */
function recordOf(registration: Registration): NodeRecord {
  const { id, address, labels, store, process, ancestry } = registration;
  return { id, address, labels, store, process, ancestry };
}

const s1 = nodeOf('s1');

/** The worked example of a file of src/model, as its znode holds it: its uuids are spelled out. */
function exampleOf(file: string) {
  const path = fileURLToPath(new URL(`../../src/model/${file}.ts`, import.meta.url));
  const lines = readFileSync(path, 'utf8').split('*/', 1)[0]!.split('\n');
  const from = lines.findIndex((line) => line.startsWith(' * {'));
  const example = lines.slice(from).map((line) => line.replace(/^ \* */, ''));
  const uuids: string[] = [];
  const text = example
    .join('')
    .trim()
    .replaceAll(/([0-9a-f]{2})\u2026/g, (_, start: string) => {
      const uuid = start.padEnd(32, '0');
      uuids.push(uuid);
      return uuid;
    });
  return { text, uuids };
}

describe('a shard configuration', () => {
  it('survives its znode', () => {
    const config = configOf(SHARD, s1);
    expect(decodeShardConfig(SHARD, encodeShardConfig(config))).toEqual(config);
  });

  it('is one line of JSON with the names of the contract', () => {
    const text = encodeShardConfig(configOf(SHARD, s1)).toString();
    expect(text).not.toContain('\n');
    for (const name of ['slots', 'shardUuid', 'epoch', 'primary', 'isr', 'learners', 'pending']) {
      expect(text).toContain(`"${name}":`);
    }
  });

  it('is read and written as the worked example has it', () => {
    const { text, uuids } = exampleOf('shard-config');
    const config = decodeShardConfig(SHARD, Buffer.from(text));
    expect(config).toMatchObject({ primary: 's2', isr: ['s2'], learners: ['s1'], epoch: 3 });
    expect(config.replicas[0]).toMatchObject({ process: uuids[2] });
    expect(encodeShardConfig(config).toString()).toBe(text);
  });

  const broken: Record<string, unknown> = {
    'of another shard': { shard: 6 },
    'of another format': { format: 1 },
    'with an epoch of 0': { epoch: 0 },
    'with an epoch that is text': { epoch: '3' },
    'L1 with an epoch that no log entry and no frame can hold': { epoch: EPOCH_MAX + 1 },
    'with a leaderEpoch beyond all that can be counted up to': { leaderEpoch: EPOCH_MAX + 1 },
    'whose primary is not in sync': { primary: 's2' },
    'whose replicas are not its members': { replicas: [] },
    'with a member twice': { isr: ['s1', 's1'] },
    'S15 with a learner in the isr': { learners: ['s1'] },
    'with slots out of range': { slots: [0, 16384] },
    'with an unknown state': { state: 'resting' },
    'that does not say whether the lease was given back': { leaseReleased: undefined },
    'with a replica of no process': { replicas: [{ ...placeOf(s1), process: undefined }] },
    'with a pending change this version does not know': { pending: { id: 1 } },
  };
  for (const [what, change] of Object.entries(broken)) {
    it(`${what} is refused, and the znode is named`, () => {
      const record: unknown = JSON.parse(encodeShardConfig(configOf(SHARD, s1)).toString());
      const bytes = Buffer.from(JSON.stringify(Object.assign(record as object, change)));
      expect(() => decodeShardConfig(SHARD, bytes)).toThrow(BadRecordError);
      expect(() => decodeShardConfig(SHARD, bytes)).toThrow('/shards/5');
    });
  }

  it('L1 with the highest epoch has a place for it in a log entry, a frame and a state', () => {
    const config = configOf(SHARD, s1, { epoch: EPOCH_MAX as Epoch });
    const { epoch, shardUuid } = decodeShardConfig(SHARD, encodeShardConfig(config));
    const entry = sealEntry(LOG_START, { epoch, commitSeq: 0 as Seq }, [{ type: 'barrier' }]);
    expect(parseEntry(entry.bytes).epoch).toBe(EPOCH_MAX);
    const request = { call: 1, kind: 'get', shard: SHARD, epoch, budgetMs: 1 } as const;
    const frame = encodeRequests([{ ...request, payload: Buffer.alloc(0) }], 0);
    expect(decodeRequests(frame)[0]?.epoch).toBe(EPOCH_MAX);
    const about = { shard: SHARD, shardUuid, hasServed: false, isInstalling: false };
    const state = { ...about, promisedEpoch: epoch, base: LOG_START, appliedSeq: 0 as Seq };
    expect(decodeState(1, encodeState(1, state))).toEqual(state);
  });

  it('garbage of any kind is refused, never taken for a default', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((json) => Buffer.from(json)),
        ),
        (bytes) => {
          expect(() => decodeShardConfig(SHARD, bytes)).toThrow(BadRecordError);
        },
      ),
    );
  });

  it('with any byte damaged is refused or means something well formed', () => {
    const good = encodeShardConfig(configOf(SHARD, s1));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(good);
        damaged[at] = byte;
        try {
          expect(decodeShardConfig(SHARD, damaged).isr).toHaveLength(1);
        } catch (error) {
          expect(error).toBeInstanceOf(BadRecordError);
        }
      }),
    );
  });
});

describe('the other records', () => {
  it('survive their znodes', () => {
    const cluster = clusterOf({ shards: 64 });
    expect(decodeClusterConfig(encodeClusterConfig(cluster))).toEqual(cluster);
    expect(decodeLeaderRecord(encodeLeaderRecord(NO_LEADER_YET))).toEqual(NO_LEADER_YET);
    const node = recordOf(s1);
    expect(decodeNodeRecord(s1.id, encodeNodeRecord(node))).toEqual(node);
    const candidate = { id: s1.id, address: '10.0.0.1:7000', admin: 'http://10.0.0.1:7001' };
    expect(decodeCandidateRecord('x', encodeCandidateRecord(candidate))).toEqual(candidate);
  });

  it('are read and written as the worked examples have them', () => {
    const cluster = exampleOf('cluster-config').text;
    expect(decodeClusterConfig(Buffer.from(cluster))).toMatchObject({ replicas: 3, minIsr: 2 });
    expect(encodeClusterConfig(decodeClusterConfig(Buffer.from(cluster))).toString()).toBe(cluster);
    const node = exampleOf('registrations').text;
    expect(encodeNodeRecord(decodeNodeRecord(s1.id, Buffer.from(node))).toString()).toBe(node);
  });

  it.each([0, 4, 1.5, '2', undefined])(
    'S4 a cluster of 3 replicas cannot ask for %j in sync',
    (minIsr) => {
      const record = { ...clusterOf({ replicas: 3 }), minIsr } as never;
      expect(() => decodeClusterConfig(encodeClusterConfig(record))).toThrow('field "minIsr"');
    },
  );

  it.each([99, 60_001, 600.5, '600', null])('S14 a lease of %j ms is refused', (leaseMs) => {
    const record = { ...clusterOf(), leaseMs } as never;
    expect(() => decodeClusterConfig(encodeClusterConfig(record))).toThrow(
      'field "leaseMs" is not a count from 100 to 60000',
    );
  });

  it.each([-1, 1.5, '300000', 604_800_001])('replicas are not replaced after %j ms', (after) => {
    const record = { ...clusterOf(), replaceAfterMs: after } as never;
    expect(() => decodeClusterConfig(encodeClusterConfig(record))).toThrow(
      'field "replaceAfterMs"',
    );
    const never = clusterOf({ replaceAfterMs: 0 });
    expect(decodeClusterConfig(encodeClusterConfig(never)).replaceAfterMs).toBe(0);
  });

  it('S14 a cluster made before leases could be chosen has those of its time', () => {
    const older = { ...clusterOf(), leaseMs: undefined };
    const bytes = encodeClusterConfig(older as never);
    expect(bytes.toString()).not.toContain('leaseMs');
    expect(decodeClusterConfig(bytes).leaseMs).toBe(600);
    const chosen = clusterOf({ leaseMs: 2_000 });
    expect(decodeClusterConfig(encodeClusterConfig(chosen)).leaseMs).toBe(2_000);
  });

  it.each([
    ['none', undefined],
    ['one that names nobody', ['s1']],
    ['one longer than is kept', nodeOf('s1', 67).ancestry.concat(s1.process)],
  ])('of a node with an ancestry that is %s is refused', (_, ancestry) => {
    const bytes = encodeNodeRecord({ ...recordOf(s1), ancestry: ancestry as never });
    expect(() => decodeNodeRecord(s1.id, bytes)).toThrow('field "ancestry"');
  });

  it('of another name, or that are garbage, are refused', () => {
    const node = recordOf(s1);
    const bytes = encodeNodeRecord(node);
    expect(() => decodeNodeRecord(nodeOf('s2').id, bytes)).toThrow('znode /nodes/s2');
    expect(() => decodeClusterConfig(Buffer.from('{}'))).toThrow(BadRecordError);
    expect(() => decodeClusterConfig(encodeClusterConfig(clusterOf({ shards: 4097 })))).toThrow(
      'field "shards"',
    );
    expect(() => decodeLeaderRecord(Buffer.from('[]'))).toThrow(BadRecordError);
    expect(() => decodeCandidateRecord('x', Buffer.from('{"format":1}'))).toThrow(BadRecordError);
  });
});

describe('names', () => {
  it('of members and clusters never reach beyond their znode', () => {
    for (const id of ['s1', 'storage-7f', 'a']) expect(isMemberId(id)).toBe(true);
    for (const id of ['', '-a', 'a-', 'A', 'a/b', 'a.b', '..', 'a\0', 'x'.repeat(33), 7, null]) {
      expect(isMemberId(id)).toBe(false);
    }
    for (const name of ['default', 'a_b-2']) expect(isClusterName(name)).toBe(true);
    for (const name of ['', '2a', 'a/b', '..', 'a b', 'x'.repeat(64)]) {
      expect(isClusterName(name)).toBe(false);
    }
  });

  it('of addresses are HOST:PORT or [IPv6]:PORT', () => {
    for (const text of ['localhost:0', '127.0.0.1:65535', '[::1]:80', 'a-b.c_d:1']) {
      expect(formatAddress(parseAddress(text)!)).toBe(text);
    }
    for (const text of ['', 'host', ':1', 'h:', 'h:65536', 'h:1x', '::1:80', 'a b:1', 'h:-1']) {
      expect(parseAddress(text)).toBeUndefined();
    }
  });
});
