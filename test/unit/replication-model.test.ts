/** A replica under any order of writes, batches and crashes, against a plain Map. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq } from '../../src/model/ids.js';
import { Replica } from '../../src/replication/replica.js';
import type { Ready, Write } from '../../src/replication/replica-io.js';
import type { ReplicaState } from '../../src/replication/replica-state.js';
import { configOf, nodeOf } from '../support/configs.js';

type Step =
  | { readonly do: 'put' | 'delete'; readonly key: string; readonly ifVersion: number | undefined }
  /** A batch is taken; it becomes durable, or the node crashes first. */
  | { readonly do: 'round' }
  | { readonly do: 'crash' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('put' as const, 'delete' as const),
        key: fc.constantFrom('a', 'b', 'c'),
        ifVersion: fc.option(fc.nat(6), { nil: undefined }),
      }),
    },
    { weight: 2, arbitrary: fc.constant<Step>({ do: 'round' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'crash' }) },
  ),
  { maxLength: 60 },
);

/** A disk and a replica over it; a crash forgets everything but the disk. */
class World {
  readonly stored = new Map<string, Seq>();
  state: ReplicaState | undefined;
  life = 1;
  replica: Replica;

  constructor() {
    const config = configOf(0, nodeOf('s1'), { state: 'creating' });
    this.replica = this.#start();
    this.replica.step({ type: 'config', update: { config, version: 0 } });
    this.persist(this.replica.takeReady());
    this.#activate();
  }

  /** The answers, by call. */
  persist(ready: Ready) {
    for (const op of ready.data) {
      if (op.type === 'put') this.stored.set(op.key.toString(), op.seq);
      else this.stored.delete(op.key.toString());
    }
    if (ready.state === undefined) return ready.answers;
    this.state = ready.state;
    const { promisedEpoch, lastSeq } = ready.state;
    this.replica.step({ type: 'persisted', epoch: promisedEpoch, lastSeq });
    return [...ready.answers, ...this.replica.takeReady().answers];
  }

  crash(): void {
    this.life++;
    this.replica = this.#start();
    this.#activate();
  }

  #start(): Replica {
    const { id, store, incarnation } = nodeOf('s1', this.life);
    const { shard, shardUuid } = configOf(0, nodeOf('s1'));
    const lives = [incarnation];
    const openedEpoch = this.state?.promisedEpoch ?? (0 as Epoch);
    const self = { node: id, store };
    return new Replica({ shard, shardUuid, lives, self, stored: this.state, openedEpoch });
  }

  #activate(): void {
    const config = configOf(0, nodeOf('s1', this.life), { epoch: this.life as Epoch });
    this.replica.step({ type: 'config', update: { config, version: this.life } });
    this.persist(this.replica.takeReady());
  }
}

/** What a call should say, decided by a map that knows nothing of rounds. */
function expected(versions: Map<string, number>, step: Step, nextSeq: number) {
  if (step.do !== 'put' && step.do !== 'delete') throw new Error('not a write');
  const version = versions.get(step.key) ?? 0;
  if (step.ifVersion !== undefined && step.ifVersion !== version) {
    return { applied: false, version };
  }
  if (step.do === 'put') {
    versions.set(step.key, nextSeq);
    return { applied: true, version: nextSeq };
  }
  versions.delete(step.key);
  return { applied: true, version };
}

describe('a replica against a plain map', () => {
  it('S5 S12 S22 answers what one copy would, loses nothing answered, reuses no version', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const world = new World();
        let model = new Map<string, number>();
        let open = new Map<number, { key: string; applied: boolean; version: number }>();
        const assigned = new Set<number>();
        let lastSeq = 0;
        let call = 0;
        for (const step of script) {
          if (step.do === 'crash') {
            // What leaves without waiting must be true of what a crash leaves behind.
            for (const answer of world.replica.takeReady().answers) {
              const { key, version } = open.get(answer.call)!;
              expect(version).toBe(world.stored.get(key) ?? 0);
            }
            world.crash();
            // Only what was durable is left; whatever was not answered may be gone.
            model = new Map(world.stored);
            lastSeq = world.state?.lastSeq ?? 0;
            open = new Map();
          } else if (step.do === 'round') {
            for (const answer of world.persist(world.replica.takeReady())) {
              const { applied, version } = open.get(answer.call)!;
              expect(answer).toMatchObject({ applied, version });
              open.delete(answer.call);
            }
            expect(open.size).toBe(0);
            expect(new Map(world.stored)).toEqual(model);
          } else {
            const seqBefore = lastSeq;
            const answer = expected(model, step, lastSeq + 1);
            open.set(++call, { key: step.key, ...answer });
            const key = Buffer.from(step.key);
            const write: Write =
              step.do === 'put' ? { type: 'put', key, value: key } : { type: 'delete', key };
            const deletedNothing = step.do === 'delete' && answer.version === 0;
            if (answer.applied && !deletedNothing) lastSeq = seqBefore + 1;
            world.replica.step({
              type: 'write',
              call,
              epoch: undefined,
              write,
              ifVersion: step.ifVersion,
              storedVersion: world.stored.get(step.key) ?? (0 as Seq),
            });
          }
          for (const seq of world.stored.values()) assigned.add(seq);
          expect(world.state!.lastSeq).toBeGreaterThanOrEqual(Math.max(0, ...assigned));
        }
      }),
      { numRuns: 500 },
    );
  });
});
