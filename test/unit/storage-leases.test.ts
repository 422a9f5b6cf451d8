/** What a storage node takes from the lease of its cluster, and when. */
import { describe, expect, it } from 'vitest';
import type { MemberId } from '../../src/model/ids.js';
import { ShardMap } from '../../src/model/shard-map.js';
import { LeaseClaims, LeaseGrants, promiseMs } from '../../src/replication/lease.js';
import { nodeSettings } from '../../src/storage/replica-settings.js';
import { decodeFrame, encodeFrame } from '../../src/storage/replication-frame.js';
import { clusterOf, uuidOf } from '../support/configs.js';
import { NodeUnderTest, Recorder, SHARDS } from '../support/storage-harness.js';

const s2 = 's2' as MemberId;

describe('the lease of a cluster', () => {
  it.each([100, 600, 60_000])('S14 of %d ms: every time that depends on it follows', (leaseMs) => {
    const map = new ShardMap();
    map.target = clusterOf({ leaseMs });
    const settings = nodeSettings(map);
    expect(promiseMs(settings)).toBeCloseTo(leaseMs * 1.02 + 50, 6);
    // Two beats may be lost, and reads do not wait.
    expect(settings.beatMs * 3).toBeLessThanOrEqual(leaseMs);
    expect(settings.tickMs * 2).toBeLessThanOrEqual(settings.beatMs);
    // A replica that is asked to be removed has lost its lease long before.
    expect(settings.silentMs).toBe(leaseMs * 2.5);
    expect(settings.stuckMs).toBe(leaseMs * 2.5);
  });

  it('S14 is known once the node has joined: what was made before counts by it', () => {
    const map = new ShardMap();
    const settings = nodeSettings(map);
    const grants = new LeaseGrants(settings, 1_000);
    const claims = new LeaseClaims(settings);
    map.target = clusterOf({ leaseMs: 5_000 });
    expect(grants.earlierLifeUntil).toBe(1_000 + 5_150);
    grants.grant(s2, 2_000);
    expect(grants.promisedUntil(s2)).toBe(2_000 + 5_150);
    claims.answered(s2, 2_000);
    expect(claims.until(s2)).toBe(7_000);
  });

  it('S14 a process that does not know it promises nothing, though its store has a cluster', async () => {
    const before = await NodeUnderTest.serving();
    const test = await NodeUnderTest.open(before.disk.afterCrash(), 2);
    expect(test.store.identity.clusterUuid).toBe(uuidOf('cluster'));
    const ids = { node: s2, process: uuidOf('p2'), store: uuidOf('s2') };
    const hello = { type: 'hello', ...ids, clusterUuid: uuidOf('cluster') } as const;
    const greet = () => {
      const out = new Recorder<Buffer>();
      const events = test.node.replicate(out, 'peer');
      events.message(encodeFrame([hello]));
      events.message(encodeFrame([{ type: 'beat', number: 7 }]));
      return out;
    };
    const early = greet();
    expect(early).toMatchObject({ ended: true, messages: [] });

    await test.node.join(clusterOf({ shards: SHARDS, leaseMs: 5_000 }));
    const late = greet();
    await new Promise((resolve) => setImmediate(resolve));
    const said = late.messages.flatMap((frame) => decodeFrame(frame));
    expect(said).toMatchObject([{ type: 'hello' }, { type: 'beatAck', number: 7 }]);
  });
});
