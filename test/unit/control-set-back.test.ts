/** ZooKeeper was set back to an earlier state: what a leader leaves alone, and until when. */
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq, ShardId } from '../../src/model/ids.js';
import { clusterOf, nodeOf, placeOf, reportsOf, uuidOf } from '../support/configs.js';
import { ControlHarness, sharedBy } from '../support/control-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];
const all = [s1, s2, s3];
const one = clusterOf({ shards: 1, replicas: 3, minIsr: 2 });
const stored = sharedBy(0, all);
const shard = 0 as ShardId;
/** As replicas on `nodes` report that have followed another primary since, up to epoch 6. */
const later = (...nodes: readonly (typeof s1)[]) => {
  const reports = reportsOf(stored).filter(({ store }) => nodes.some((one) => one.store === store));
  return reports.map((report) => ({ ...report, epoch: 6 as Epoch }));
};
const outdated = { type: 'shard-outdated', shard, epoch: 4, promised: 6 };

/** What another look finds in the znode. */
function lookAgain(harness: ControlHarness): void {
  harness.step({ type: 'shard-read', stored: { type: 'config', ...harness.znodes.get(shard)! } });
}

describe('a configuration that is older than what a replica has promised', () => {
  // Everybody is registered anew, as after any restart of ZooKeeper from a backup.
  const again = all.map((node) => ({ ...node, incarnation: 99 as never }));
  const setBack = () => {
    return new ControlHarness(one, [stored])
      .nodes(...again)
      .settle()
      .step({ type: 'reported', replicas: later(s2, s3) });
  };

  it('S1 S19 is left alone, whoever comes or goes, and whatever is asked for', () => {
    const harness = setBack();
    expect(harness.run()).toEqual([]);
    expect(harness.nodes(s2, s3).run(), 'no fail-over').toEqual([]);
    expect(harness.nodes(s1).suspect(s2).run()).toEqual([]);
    expect(
      harness
        .nodes(...all)
        .request({ type: 'shrink', node: s2.id })
        .run(),
    ).toEqual([]);
    harness.stepDown(0, s3.id);
    harness.step({ type: 'leaving', node: s1.id });
    expect(harness.run()).toEqual([]);
    expect(harness.handOvers).toEqual([]);
    expect(harness.config(0)).toEqual(stored);
  });

  it('is said once, when another look has found it so', () => {
    const harness = setBack();
    harness.run();
    expect(harness.events).toEqual([]);
    expect(harness.controller.broken).toEqual([shard]);
    lookAgain(harness);
    lookAgain(harness);
    const { events, outdated: shards, changed } = harness.controller.takeReady();
    expect(events).toEqual([outdated]);
    expect(shards).toEqual([shard]);
    expect(changed, 'it is no news to anybody').toEqual([]);
  });

  it('is not said if it was only read too early', () => {
    const harness = setBack();
    harness.run();
    const config = { ...stored, epoch: 6 as Epoch, primary: s2.id, nonce: 'later' };
    harness.znodes.set(shard, { config, version: 9 });
    lookAgain(harness);
    expect(harness.controller.broken).toEqual([]);
    expect(harness.runWhy()).toEqual(['new-life']);
    expect(harness.events).toEqual([]);
  });

  it('is led on once an operator has settled it, in an epoch above all of these', () => {
    const harness = setBack();
    harness.run();
    lookAgain(harness);
    const config = { ...stored, epoch: 1_000_001 as Epoch, primary: s2.id, nonce: 'settled' };
    harness.znodes.set(shard, { config, version: 4 });
    lookAgain(harness);
    expect(harness.runWhy()).toEqual(['new-life']);
    expect(harness.events).toEqual([outdated, { type: 'shard-restored', shard }]);
    expect(harness.controller.takeReady().outdated).toEqual([]);
    expect(harness.config(0)).toMatchObject({ epoch: 1_000_002, primary: 's2' });
  });

  it('S1 so it is if only its primary met the replica that has promised more', () => {
    const harness = new ControlHarness(one, [stored]).nodes(...all).settle();
    expect(harness.reportAll().run()).toEqual([]);
    harness.request({ type: 'epoch-used', promised: 6 as Epoch });
    expect(harness.request({ type: 'shrink', node: s2.id }).run()).toEqual([]);
    lookAgain(harness);
    harness.run();
    expect(harness.events).toEqual([outdated]);
  });

  it('S1 nor is one that is being created: it may have been active since', () => {
    const creating = sharedBy(0, all, { state: 'creating' });
    const harness = new ControlHarness(one, [creating]).nodes(s2, s3, nodeOf('s4')).settle();
    expect(harness.step({ type: 'reported', replicas: later(s2) }).run()).toEqual([]);
  });

  it('S19 it was, if anything was written to it, whatever its epoch', () => {
    const creating = sharedBy(0, all, { state: 'creating' });
    const harness = new ControlHarness(one, [creating]).nodes(s2, s3, nodeOf('s4')).settle();
    const written = reportsOf(creating).map((one) => ({ ...one, lastSeq: 1 as Seq }));
    expect(harness.step({ type: 'reported', replicas: written.slice(1) }).run()).toEqual([]);
    lookAgain(harness);
    harness.run();
    expect(harness.events).toEqual([{ ...outdated, promised: 4 }]);
  });
});

describe('rule 12: the primary knows a later configuration of its epoch', () => {
  const setBack = { type: 'set-back', nonce: 'later', inSync: [s1.id, s2.id] } as const;
  const begun = () => new ControlHarness(one, [stored]).nodes(...all);
  const { version } = begun().znodes.get(shard)!;
  const later = { basedOn: version + 1 };

  it('S6 who has left the isr since has to catch up, in a new epoch of the same primary', () => {
    const harness = begun();
    expect(harness.request(setBack, later).runWhy()).toEqual(['set-back']);
    expect(harness.config(0)).toMatchObject({
      ...{ epoch: 5, primary: 's1', isr: ['s1', 's2'], learners: ['s3'], leaseReleased: false },
      replicas: all.map(placeOf),
    });
    expect(harness.run()).toEqual([]);
  });

  it('S16 whoever has joined it since has to catch up once more', () => {
    const members = { isr: [s1.id, s2.id], learners: [s3.id] };
    const harness = new ControlHarness(one, [sharedBy(0, all, members)]).nodes(...all);
    const inSync = [s1.id, s2.id, s3.id];
    expect(harness.request({ ...setBack, inSync }, later).runWhy()).toEqual(['set-back']);
    expect(harness.config(0)).toMatchObject({ epoch: 5, ...members });
  });

  it('or another one of the same version: ZooKeeper has gone on from there', () => {
    expect(begun().request(setBack).runWhy()).toEqual(['set-back']);
  });

  it('S6 what it says counts more than what this leader had heard, unless that is later', () => {
    const reported = { version: version + 2, nonce: 'later', inSync: [s1.id, s2.id] };
    const [own, ...others] = reportsOf(stored);
    const heard = { ...stored, isr: [s1.id, s3.id], learners: [s2.id], nonce: 'heard' };
    const inSyncAfter = (known: number) => {
      const harness = new ControlHarness(one, [], { hasJustBegun: true });
      harness.step({ type: 'remembered', known: { config: heard, version: known } });
      harness.placement = 'complete';
      harness.step({ type: 'placement-read', placement: 'complete' });
      harness.znodes.set(shard, { config: stored, version });
      lookAgain(harness);
      harness.nodes(...all);
      harness.step({ type: 'reported', replicas: [{ ...own!, lead: reported }, ...others] });
      expect(harness.runWhy()).toEqual(['set-back']);
      return harness.config(0).isr;
    };
    expect(inSyncAfter(version + 1), 'earlier').toEqual(['s1', 's2']);
    expect(inSyncAfter(version + 2), 'the same').toEqual(['s1', 's2']);
    expect(inSyncAfter(version + 3), 'later').toEqual(['s1', 's3']);
  });

  it('S6 so it is if it has died since: no other is chosen but of those that have everything', () => {
    const harness = begun().request(setBack, later).nodes(s2, s3);
    expect(harness.runWhy()).toEqual(['set-back']);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ epoch: 6, primary: 's2', isr: ['s2', 's1'].sort() });
  });

  it('S6 and if the shard is being written: that is heard, and judged behind it', () => {
    const harness = begun().request({ type: 'shrink', node: s3.id });
    const [write] = harness.controller.takeReady().writes;
    harness.request(setBack, later);
    const written = { config: { ...stored, ...write!.draft, nonce: 'behind' }, version: 4 };
    harness.znodes.set(shard, written);
    harness.step({ type: 'written', written });
    expect(harness.runWhy()).toEqual(['set-back']);
  });

  it.each([
    ['its own configuration, of which it has heard late', { ...setBack, nonce: stored.nonce }, {}],
    ['one that was outdated before', setBack, { basedOn: version - 1 }],
    ['an earlier epoch', setBack, { ...later, epoch: 3 as Epoch }],
    ['another shard', setBack, { ...later, shardUuid: uuidOf('other') }],
  ])('nothing is changed for the sake of %s', (_, change, as) => {
    expect(begun().request(change, as).run()).toEqual([]);
  });

  it('S6 as it says with what it holds, before it hears what ZooKeeper has', () => {
    const harness = new ControlHarness(one, [stored], { hasJustBegun: true });
    const again = all.map((node) => ({ ...node, incarnation: 99 as never }));
    harness.nodes(...again);
    const lead = { version: version + 1, nonce: 'later', inSync: [s1.id, s2.id] };
    const [own, ...others] = reportsOf(stored);
    harness.step({ type: 'reported', replicas: [{ ...own!, lead }, ...others] });
    expect(harness.runWhy()).toEqual(['set-back']);
    expect(harness.runWhy()).toEqual(['new-life']);
    expect(harness.config(0)).toMatchObject({ epoch: 6, isr: ['s1', 's2'], learners: ['s3'] });
  });

  it('a znode that was made again as it was is an earlier version of the same', () => {
    const harness = begun();
    const change = { ...setBack, nonce: stored.nonce };
    expect(harness.request(change, later).runWhy()).toEqual(['set-back']);
  });

  it('it is told again what it has asked about, if it knows what ZooKeeper does', () => {
    const harness = begun();
    harness.controller.takeReady();
    harness.request({ ...setBack, nonce: stored.nonce });
    const { changed } = harness.controller.takeReady();
    expect(changed).toMatchObject([{ config: stored, version }]);
  });
});

describe('a leader under whose eyes ZooKeeper is set back', () => {
  it('S1 S19 leaves a shard alone whose znode is of an earlier epoch than it was', () => {
    const harness = new ControlHarness(one, [stored]).nodes(s2, s3);
    expect(harness.runWhy()).toEqual(['fail-over']);
    harness.znodes.set(shard, { config: stored, version: 3 });
    lookAgain(harness);
    expect(harness.run()).toEqual([]);
    lookAgain(harness);
    harness.run();
    expect(harness.events).toEqual([{ ...outdated, promised: 5 }]);
    expect(harness.nodes(...all).run()).toEqual([]);
  });

  it('S6 knows who has left the isr since, as its primary does', () => {
    const known = sharedBy(0, all, { isr: [s1.id, s3.id], learners: [s2.id] });
    const harness = new ControlHarness(one, [{ ...known, nonce: 'newer' }]).nodes(s2, s3);
    harness.znodes.set(shard, { config: stored, version: 2 });
    lookAgain(harness);
    expect(harness.runWhy()).toEqual(['set-back']);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ primary: 's3', learners: ['s2'] });
  });

  it('S6 nor does it forget that while the znode is not there, or garbled', () => {
    const members = { isr: [s1.id, s3.id], learners: [s2.id] };
    const known = sharedBy(0, all, members);
    for (const type of ['absent', 'garbled'] as const) {
      const harness = new ControlHarness(one, [{ ...known, nonce: 'newer' }]).nodes(s2, s3);
      harness.step({ type: 'shard-read', stored: { type, shard } });
      harness.controller.takeReady();
      harness.znodes.set(shard, { config: stored, version: 0 });
      lookAgain(harness);
      expect(harness.runWhy(), type).toEqual(['set-back']);
      expect(harness.config(0)).toMatchObject(members);
    }
  });

  it('S6 nor what its primary has said, when it reads the same once more', () => {
    const harness = new ControlHarness(one, [stored]).nodes(...all);
    const lead = { type: 'set-back', nonce: 'later', inSync: [s1.id, s3.id] } as const;
    harness
      .step({ type: 'zookeeper-doubted' })
      .step({ type: 'nodes', nodes: [...all, nodeOf('s4')] });
    harness.request(lead);
    lookAgain(harness);
    expect(harness.complete().runWhy()).toEqual(['set-back']);
    expect(harness.config(0)).toMatchObject({ isr: ['s1', 's3'] });
  });

  it('counts it', () => {
    const harness = new ControlHarness(one, [stored]).nodes(...all);
    lookAgain(harness);
    expect(harness.controller.setBacks, 'the same').toBe(0);
    harness.znodes.set(shard, { config: { ...stored, nonce: 'other' }, version: 3 });
    lookAgain(harness);
    harness.znodes.set(shard, { config: { ...stored, epoch: 3 as Epoch }, version: 9 });
    lookAgain(harness);
    harness.step({ type: 'shard-read', stored: { type: 'absent', shard } });
    harness.step({ type: 'shard-read', stored: { type: 'absent', shard } });
    expect(harness.controller.setBacks, 'each once').toBe(3);
  });

  it('tells everybody what ZooKeeper has now', () => {
    const harness = new ControlHarness(one, [{ ...stored, nonce: 'newer' }]).nodes(...all);
    harness.controller.takeReady();
    harness.znodes.set(shard, { config: stored, version: 2 });
    lookAgain(harness);
    expect(harness.controller.takeReady().changed).toMatchObject([{ config: stored, version: 2 }]);
    expect(harness.controller.configs).toMatchObject([{ config: stored, version: 2 }]);
  });
});

describe('a shard that is not in ZooKeeper, although not all of them were created', () => {
  const harnessOf = () => new ControlHarness(one).nodes(...all).settle();
  const held = (lastSeq: number) =>
    reportsOf(stored).map((one) => ({ ...one, lastSeq: lastSeq as Seq }));

  it('S19 is not created while a node holds data of it, and that is said once', () => {
    const harness = harnessOf();
    harness.step({ type: 'reported', replicas: held(500).slice(2) });
    expect(harness.run()).toEqual([]);
    harness.run();
    expect(harness.events).toEqual([{ type: 'shard-missing', shard }]);
    expect(harness.controller.broken).toEqual([shard]);
    harness.znodes.set(shard, { config: { ...stored, nonce: 'settled' }, version: 0 });
    lookAgain(harness);
    harness.run();
    expect(harness.events.at(-1)).toEqual({ type: 'shard-restored', shard });
    expect(harness.placement).toBe('complete');
  });

  describe('and this leader knows that it has served', () => {
    const others = [nodeOf('s4'), nodeOf('s5'), nodeOf('s6')];
    const remembering = (state: 'active' | 'creating') => {
      const known = { config: { ...stored, state }, version: 20 };
      const harness = new ControlHarness(one, [], { hasJustBegun: true });
      return harness.step({ type: 'remembered', known });
    };

    it('S19 is not created, whoever is there', () => {
      const harness = remembering('active').complete();
      harness.nodes(...others, ...all).settle();
      expect(harness.run()).toEqual([]);
      expect(harness.events).toEqual([{ type: 'shard-missing', shard }]);
    });

    it('S1 S19 its replicas are waited for', () => {
      expect(remembering('active').controller.notSpoken).toEqual(['s1', 's2', 's3']);
    });

    it('is created if it was only about to be', () => {
      const harness = remembering('creating').complete();
      expect(
        harness
          .nodes(...others)
          .settle()
          .runWhy(),
      ).toEqual(['create']);
    });
  });

  it('S19 nor while a node leads it, although nothing was written to it yet', () => {
    const lead = { version: 3, nonce: 'led', inSync: [s1.id] };
    const harness = harnessOf();
    harness.step({ type: 'reported', replicas: held(0).map((one) => ({ ...one, lead })) });
    expect(harness.run()).toEqual([]);
    expect(harness.events).toEqual([{ type: 'shard-missing', shard }]);
  });

  it('is created if they only prepared for it before', () => {
    const harness = harnessOf();
    expect(harness.step({ type: 'reported', replicas: held(0) }).runWhy()).toEqual(['create']);
  });

  it('S19 is not created before all nodes have said what they hold', () => {
    const harness = new ControlHarness(one).nodes(...all).settle();
    const s4 = nodeOf('s4');
    harness.step({ type: 'nodes', nodes: [...all, s4] }).settle();
    expect(harness.run()).toEqual([]);
    harness.step({ type: 'accounted', process: s4.process });
    expect(harness.runWhy()).toEqual(['create']);
  });
});

describe('a shard that ZooKeeper knows as being created, and this leader as having served', () => {
  const creating = { ...stored, state: 'creating' } as const;
  const others = [nodeOf('s4'), nodeOf('s5'), nodeOf('s6')];
  const empty = reportsOf(stored).map((one) => ({ ...one, lastSeq: 0 as Seq }));
  /** Of the znode that this leader finds, after it had known this. */
  const finding = (found: typeof stored, known = stored) => {
    const harness = new ControlHarness(one, [known]).nodes(...all).settle();
    // It may have been written to since, and nobody has said so.
    harness.step({ type: 'reported', replicas: empty });
    harness.znodes.set(shard, { config: found, version: 0 });
    lookAgain(harness);
    return harness;
  };

  it('S6 S19 is active again in a new epoch, with those in sync that were, if it is the same', () => {
    const members = { isr: [s1.id, s3.id], learners: [s2.id] };
    for (const there of [all, [s2, s3, ...others], others]) {
      const harness = finding(creating, { ...stored, ...members }).nodes(...there);
      expect(harness.runWhy()).toEqual(['set-back']);
      const active = { state: 'active', epoch: 5, primary: 's1', ...members };
      expect(harness.config(0)).toMatchObject({ ...active, leaseReleased: false });
    }
  });

  it('S6 as its primary says, if this leader has heard nothing of it', () => {
    const harness = new ControlHarness(one, [creating], { hasJustBegun: true }).nodes(...all);
    const lead = { version: 9, nonce: 'later', inSync: [s1.id, s2.id] };
    const [own, ...rest] = reportsOf(stored);
    harness.step({ type: 'reported', replicas: [{ ...own!, lead }, ...rest] });
    expect(harness.runWhy()).toEqual(['set-back']);
    expect(harness.config(0)).toMatchObject({ state: 'active', isr: ['s1', 's2'] });
  });

  it('S6 S19 is not, if another led in that epoch: then it was used twice', () => {
    const other = sharedBy(0, others, { state: 'creating' });
    const harness = finding(other).nodes(...all, ...others);
    harness.request({ type: 'set-back', nonce: 'later', inSync: [s1.id] }, { basedOn: 9 });
    for (let looks = 0; looks < 3; looks++) {
      expect(harness.run()).toEqual([]);
      lookAgain(harness);
    }
    harness.run();
    expect(harness.events).toMatchObject([{ type: 'shard-outdated' }]);
  });

  it.each([
    ['another', { ...creating, shardUuid: uuidOf('other') }],
    ['one that was placed anew', { ...creating, epoch: 5 as Epoch }],
  ])('S19 is left alone if it is %s, and said to be outdated', (_, found) => {
    const harness = finding(found);
    for (let looks = 0; looks < 3; looks++) {
      expect(harness.nodes(...others, ...all).run()).toEqual([]);
      expect(harness.nodes(...others).run()).toEqual([]);
      lookAgain(harness);
    }
    harness.run();
    expect(harness.events).toMatchObject([{ type: 'shard-outdated', epoch: found.epoch }]);
  });

  it('S19 so it is if only the replicas of another one hold data', () => {
    const found = { ...creating, shardUuid: uuidOf('other') };
    const harness = new ControlHarness(one, [found]).nodes(...all).settle();
    harness.step({ type: 'reported', replicas: reportsOf(found) });
    const written = reportsOf(stored).map((one) => ({ ...one, lastSeq: 500 as Seq }));
    expect(harness.step({ type: 'reported', replicas: written.slice(2) }).run()).toEqual([]);
  });

  it('goes on being created if it was only that', () => {
    const harness = finding({ ...creating, nonce: 'other' }, creating);
    expect(harness.nodes(...others).runWhy()).toEqual(['place-anew']);
  });
});

describe('a living replica that has not said what it holds', () => {
  const accounted = (node: typeof s1) => ({ type: 'accounted', process: node.process }) as const;

  it('S1 S19 is waited for', () => {
    const harness = new ControlHarness(one, [stored]);
    harness.step({ type: 'nodes', nodes: [s2, s3] });
    expect(harness.run(), 's1 is dead: somebody has to follow').toEqual([]);
    expect(harness.step(accounted(s2)).run()).toEqual([]);
    expect(harness.step(accounted(s3)).runWhy()).toEqual(['fail-over']);
  });

  it('not once it is suspected', () => {
    const harness = new ControlHarness(one, [stored]);
    harness.step({ type: 'nodes', nodes: [s2, s3] }).step(accounted(s2));
    expect(harness.run()).toEqual([]);
    expect(harness.suspect(s3).runWhy()).toEqual(['fail-over']);
  });

  it('S1 S19 nor one that has no part in the shard, but at the beginning: it may have moved', () => {
    const again = all.map((node) => ({ ...node, incarnation: 99 as never }));
    const s4 = nodeOf('s4');
    const begun = () => {
      const harness = new ControlHarness(one, [stored], { hasJustBegun: true });
      harness.nodes(...again).reportAll();
      return harness.step({ type: 'nodes', nodes: [...again, s4] });
    };
    const moved = begun();
    expect(moved.run()).toEqual([]);
    const [report] = later(s3);
    moved.step({ type: 'reported', replicas: [{ ...report!, store: s4.store }] });
    expect(moved.step(accounted(s4)).run(), 's4 has promised more').toEqual([]);
    expect(begun().step(accounted(s4)).runWhy()).toEqual(['new-life']);
    expect(begun().complete().runWhy(), 'later its shards are others').toEqual(['new-life']);
  });

  it('says it again in another process, and when it comes back', () => {
    const harness = new ControlHarness(one, [stored]).nodes(...all).reportAll();
    expect(harness.run()).toEqual([]);
    const restarted = nodeOf('s2', 2);
    harness.step({ type: 'nodes', nodes: [s1, restarted, s3] });
    expect(harness.run()).toEqual([]);
    expect(harness.step(accounted(restarted)).runWhy()).toEqual(['members-came-back']);
    harness.nodes(s1, s3).run();
    harness.step({ type: 'nodes', nodes: [s1, restarted, s3] });
    expect(harness.request({ type: 'shrink', node: s3.id }).run()).toEqual([]);
    expect(harness.step(accounted(restarted)).runWhy()).toEqual(['shrink']);
  });
});
