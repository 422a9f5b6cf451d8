/** Whom the next hand-over waits for. */
import { describe, expect, it } from 'vitest';
import { AskedHandOvers } from '../../src/control/asked-hand-overs.js';
import { Reports } from '../../src/control/reports.js';
import type { Epoch, MemberId } from '../../src/model/ids.js';
import type { ReplicaEntry } from '../../src/model/member-messages.js';
import type { Registration } from '../../src/model/registrations.js';
import { nodeOf, reportsOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';

const [s1, s2] = [nodeOf('s1'), nodeOf('s2')];
const before = sharedBy(0, [s1, s2]);
const after = { ...before, epoch: (before.epoch + 1) as Epoch, primary: s2.id };

interface Situation {
  readonly config?: typeof after;
  readonly alive?: readonly Registration[];
  /** What s2 says of its replica. */
  readonly said?: Partial<ReplicaEntry>;
  /** What s1 says of its own. */
  readonly saidByOther?: Partial<ReplicaEntry>;
}

/** s1 was asked to hand over to s2. */
function isAwaited({ config = after, alive = [s1, s2], said, saidByOther }: Situation): boolean {
  const asked = new AskedHandOvers();
  const { shard, shardUuid, epoch } = before;
  asked.add({ shard, shardUuid, epoch, from: s1.id, to: s2.id });
  const reports = new Reports();
  const [other, successor] = reportsOf(before);
  reports.add({ ...other!, ...saidByOther });
  reports.add({ ...successor!, ...said });
  const living = new Map<MemberId, Registration>(alive.map((node) => [node.id, node]));
  return asked.awaitsSuccessor(config, { alive: living, reports });
}

describe('a successor', () => {
  it('is waited for from when the map names it until it says that it promised the epoch', () => {
    expect(isAwaited({ config: before })).toBe(false);
    expect(isAwaited({})).toBe(true);
    expect(isAwaited({ saidByOther: { epoch: after.epoch } })).toBe(true);
    expect(isAwaited({ said: { epoch: after.epoch } })).toBe(false);
  });

  it('is not waited for in later epochs, however it comes to lead in them', () => {
    const config = { ...after, epoch: (after.epoch + 5) as Epoch };
    expect(isAwaited({ config, said: { epoch: after.epoch } })).toBe(false);
  });

  it('is not waited for when it is another one than was asked for', () => {
    expect(isAwaited({ config: { ...after, primary: s1.id } })).toBe(false);
  });

  it('is not waited for when it is away, in another life, or damaged', () => {
    expect(isAwaited({ alive: [s1] })).toBe(false);
    expect(isAwaited({ alive: [s1, nodeOf('s2', 2)] })).toBe(false);
    expect(isAwaited({ said: { problem: 'a record is damaged' } })).toBe(false);
  });
});
