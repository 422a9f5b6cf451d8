/** A learner that gets all data, and has no more of it: when it is asked again, and what follows. */
import { describe, expect, it } from 'vitest';
import type { Ready } from '../../src/replication/outbox.js';
import { GROUP_SETTINGS } from '../support/replica-group.js';
import { LoneReplica, s1, s2, s3, threeOf } from '../support/replica-parts.js';

const { installAgainMs, giveUpMs } = GROUP_SETTINGS;

/** s2 gets all data; s3 is away. */
function installing(settings: Partial<typeof GROUP_SETTINGS> = {}): LoneReplica {
  const lone = LoneReplica.leading(settings);
  for (const { id } of [s2, s3]) lone.step({ type: 'session-down', node: id, gone: true });
  lone.config(threeOf({ isr: [s1.id], learners: [s2.id, s3.id] }), 2);
  expect(lone.attachEmpty(s2.id).installs).toEqual([s2.id]);
  return lone;
}

const progress = (lone: LoneReplica) => lone.step({ type: 'install-progress', node: s2.id });
const phase = (lone: LoneReplica) => lone.replica.primary!.peer(s2.id)!.phase;
/** Whom it asks what they hold. */
const asked = ({ send }: Ready) => {
  return send.flatMap(({ to, message }) => (message.type === 'attach' ? [to] : []));
};
const baseOf = ({ replica }: LoneReplica) => {
  const { seq, epoch, chain } = replica.body.log.positionAt(replica.body.log.appliedSeq)!;
  return { seq, epoch, chain };
};

describe('a learner to which no more of all data comes', () => {
  it('L2 is asked again what it holds, and gets everything once more', () => {
    const lone = installing();
    expect(asked(lone.pass(installAgainMs - 100, s2.id))).toEqual([]);
    const ready = lone.pass(100, s2.id);
    expect(asked(ready)).toEqual([s2.id]);
    expect(ready.events).toMatchObject([{ type: 'install-stalled', peer: s2.id }]);
    expect(lone.installs.mayBegin).toBe(true);
    expect(lone.answerAttach(s2.id, []).installs).toEqual([s2.id]);
    expect(lone.installs.mayBegin).toBe(false);
  });

  it('waits for its turn then, as others do', () => {
    const lone = installing();
    lone.pass(installAgainMs, s2.id);
    expect(lone.attachEmpty(s3.id).installs).toEqual([s3.id]);
    expect(lone.answerAttach(s2.id, []).installs).toEqual([]);
    lone.message(s3.id, { type: 'installed', epoch: lone.epoch, base: baseOf(lone) });
    expect(lone.pass(100, s2.id, s3.id).installs).toEqual([s2.id]);
  });

  it('follows at once if all of it is there by then, and not by what it said before', () => {
    const lone = installing();
    const base = baseOf(lone);
    lone.pass(installAgainMs, s2.id);
    lone.message(s2.id, { type: 'installed', epoch: lone.epoch, base });
    expect(phase(lone)).toBe('attaching');
    expect(lone.answerAttach(s2.id, [base]).installs).toEqual([]);
    expect(phase(lone)).toBe('following');
  });

  it('is left alone while some comes, however little', () => {
    const lone = installing();
    for (let parts = 0; parts < 5; parts++) {
      expect(asked(lone.pass(installAgainMs - 100, s2.id))).toEqual([]);
      progress(lone);
    }
    expect(phase(lone)).toBe('installing');
  });

  it('and for as long as some came', () => {
    const lone = installing();
    for (let passed = 0; passed < 3 * installAgainMs; passed += 500) {
      lone.pass(500, s2.id);
      progress(lone);
    }
    expect(asked(lone.pass(3 * installAgainMs - 100, s2.id))).toEqual([]);
    expect(asked(lone.pass(100, s2.id))).toEqual([s2.id]);
  });

  it('and for what this process did not hear, because it was stopped', () => {
    const lone = installing();
    expect(asked(lone.stand(2 * installAgainMs, s2.id))).toEqual([]);
  });

  /** It has nothing for so long, and not longer, before it is asked again; then it begins anew. */
  const stall = (lone: LoneReplica, boundMs: number) => {
    expect(asked(lone.pass(boundMs - 100, s2.id))).toEqual([]);
    expect(asked(lone.pass(100, s2.id))).toEqual([s2.id]);
    expect(lone.answerAttach(s2.id, []).installs).toEqual([s2.id]);
  };

  it('L2 is given longer each time, and so gets it over a link that needs longer', () => {
    const lone = installing({ giveUpMs: Infinity });
    for (const times of [1, 1, 2, 4]) stall(lone, times * installAgainMs);
    expect(asked(lone.pass(7 * installAgainMs, s2.id))).toEqual([]);
    progress(lone);
    expect(asked(lone.pass(7 * installAgainMs - 100, s2.id))).toEqual([]);
    lone.message(s2.id, { type: 'installed', epoch: lone.epoch, base: baseOf(lone) });
    expect(phase(lone)).toBe('following');
  });

  it('and no longer than at first, once some came', () => {
    const lone = installing({ giveUpMs: Infinity });
    for (const times of [1, 1, 2]) stall(lone, times * installAgainMs);
    progress(lone);
    for (const times of [1, 1, 2]) stall(lone, times * installAgainMs);
  });

  it('L2 is given up after a while all the same, if nothing ever comes', () => {
    const lone = installing();
    const requested = ({ requests }: Ready) => requests.map(({ change }) => change);
    const replace = { type: 'replace', node: s2.id };
    for (let passed = 100; passed < giveUpMs; passed += 100) {
      const ready = lone.pass(100, s2.id);
      expect(requested(ready)).not.toContainEqual(replace);
      if (asked(ready).includes(s2.id)) lone.answerAttach(s2.id, []);
    }
    expect(requested(lone.pass(100, s2.id))).toContainEqual(replace);
  });
});
