/**
 * What a crash leaves of replicas, against the disk of the replication tests as the model: whole
 * batches, in order. Driven by a real group of replicas, and by one that crashes all the time.
 */
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq } from '../../src/model/ids.js';
import type { Disk } from '../../src/ports/disk.js';
import { encodeDataRecord } from '../../src/replication/data-record.js';
import type { Chain, Draft, Position } from '../../src/replication/entry.js';
import type { Persist } from '../../src/replication/replica-body.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import type { Pair } from '../../src/storage/shard-snapshot.js';
import { Prng } from '../simulation/prng.js';
import { SimDisk } from '../simulation/sim-disk.js';
import { Chaos } from '../support/group-chaos.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { GroupDisk } from '../support/replica-group.js';
import { del, idOf, NO_PERSIST, pairsOf, put, StoredBody, write } from '../support/stored-body.js';

const ID = idOf(0);

/** Everything that a replica has on disk, for comparing. */
interface Content {
  readonly state: unknown;
  readonly chains: readonly Chain[];
  readonly pairs: readonly string[];
}

function modelContent(disk: Pick<GroupDisk, 'data' | 'recovered'>): Content {
  const pairs = pairsIn(disk.data).map(
    ([key, record]) => `${key.toString()}=${record.toString('hex')}`,
  );
  const { state, entries } = disk.recovered() ?? { state: undefined, entries: [] };
  return { state, chains: entries.map(({ chain }) => chain), pairs };
}

async function storedContent(store: ReplicaStore, disk: Disk): Promise<Content> {
  // Others may have been set aside before it.
  expect(store.damaged().filter(({ at }) => at === undefined)).toEqual([]);
  const { state, entries } = (await ReplicaStore.open(disk)).recovered(ID.shardUuid) ?? {};
  const chains = entries?.map(({ chain }) => chain) ?? [];
  return { state, chains, pairs: await pairsOf(store.snapshot(ID.shardUuid)) };
}

function pairsIn(data: GroupDisk['data']): Pair[] {
  return [...data]
    .map(([key, { value, seq }]): Pair => {
      const bytes = Buffer.from(key);
      return [bytes, encodeDataRecord(bytes, Buffer.from(value), seq)];
    })
    .sort(([left], [right]) => Buffer.compare(left, right));
}

describe('a group of replicas on real stores', () => {
  /** What one node did with its disk: a batch, or a restart. */
  interface Step {
    readonly persist: Persist;
    readonly incoming: readonly Pair[];
    readonly after: Content;
  }

  function record(seed: number): readonly (Step | 'restart')[][] {
    const chaos = new Chaos(seed);
    const steps = chaos.group.nodes.map(({ disk }) => {
      const list: (Step | 'restart')[] = [];
      // Before the recording began: the batch that created it.
      const { state } = disk;
      if (state !== undefined) {
        const created = { ...NO_PERSIST, state };
        list.push({ persist: created, incoming: [], after: modelContent(disk) });
      }
      const [model, recovered] = [disk.write.bind(disk), disk.recovered.bind(disk)];
      disk.write = (persist, incoming) => {
        model(persist, incoming);
        const after = modelContent({ data: disk.data, recovered });
        list.push({ persist, incoming: incoming === undefined ? [] : pairsIn(incoming), after });
      };
      disk.recovered = () => {
        list.push('restart');
        return recovered();
      };
      return list;
    });
    chaos.run(600, 0.01);
    chaos.heal();
    // Damaged while others are in sync, so it is set aside.
    const { nodes, config } = chaos.group;
    chaos.damage(nodes.find(({ id }) => id !== config.config.primary)!);
    chaos.heal();
    for (let times = 0; times < 2; times++) {
      // Away for long enough that only an install brings it back.
      chaos.group.crash(chaos.group.nodes[(seed + times) % chaos.group.nodes.length]!);
      chaos.run(600 * (times + 2), 0);
      chaos.heal();
    }
    return steps;
  }

  it('S4 S10 S15 after every batch a restart finds exactly what the cores wanted there', async () => {
    const counts = { batches: 0, installs: 0, truncations: 0, trims: 0, restarts: 0, setAside: 0 };
    for (let seed = 1; seed <= 12; seed++) {
      for (const steps of record(seed)) {
        const disk = new MemoryDisk();
        let store = await ReplicaStore.open(disk);
        for (const step of steps) {
          if (step === 'restart') {
            counts.restarts++;
            store = await ReplicaStore.open(disk);
            continue;
          }
          const { persist, incoming, after } = step;
          counts.batches++;
          counts.setAside += persist.setsAside === undefined ? 0 : 1;
          counts.truncations += persist.truncateAfter === undefined ? 0 : 1;
          counts.trims += persist.trim.length;
          if (persist.switchTo !== undefined) {
            counts.installs++;
            await write(disk, (batch) => store.beginInstall(batch, ID.shardUuid));
            await write(disk, (batch) => store.install(batch, ID.shardUuid, incoming));
          }
          await write(disk, (batch) => store.persist(batch, ID, persist));
          const crashed = disk.afterCrash();
          expect(await storedContent(await ReplicaStore.open(crashed), crashed)).toEqual(after);
        }
      }
    }
    for (const [name, count] of Object.entries(counts)) {
      expect({ name, isTested: count > 0 }).toEqual({ name, isTested: true });
    }
  });
});

/** One replica on a disk whose process dies again and again, with a batch under way. */
class Mortal {
  readonly prng: Prng;
  readonly medium: SimDisk;
  disk!: Disk;
  store!: ReplicaStore;
  replica!: StoredBody;
  /** What is durable. */
  model = new GroupDisk();
  /** What nobody may truncate, whether or not the replica remembers. */
  committedSeq = 0 as Seq;
  incoming: GroupDisk['data'] | undefined;
  readonly counts = { crashes: 0, lost: 0, kept: 0, installs: 0, truncations: 0 };

  constructor(seed: number) {
    this.prng = Prng.of(seed);
    this.medium = new SimDisk(Prng.of(seed + 1_000_000));
  }

  async start(): Promise<void> {
    this.disk = this.medium.open({ latencyMs: () => 0, after: (_, task) => setImmediate(task) });
    this.store = await ReplicaStore.open(this.disk);
    this.incoming = undefined;
  }

  revive(): void {
    this.replica = new StoredBody(this.disk, this.store);
  }

  async act(): Promise<void> {
    const { body } = this.replica;
    switch (this.prng.int(9)) {
      case 0:
        return body.promise((body.promisedEpoch + 1) as Epoch);
      case 1:
        if (!body.isInstalling) this.commit();
        return;
      case 2:
        if (!body.isInstalling) this.truncate();
        return;
      case 3:
        return this.install();
      case 4:
      case 5:
        return this.batch();
      default:
        if (!body.isInstalling) this.replica.append(...this.drafts());
    }
  }

  /** Everything that may be written; or the process dies meanwhile. */
  async batch(): Promise<void> {
    const { body } = this.replica;
    const persist = body.takePersist();
    if (persist === undefined) return;
    const before = modelContent(this.model);
    const after = copyOf(this.model);
    after.write(persist, this.incoming);
    const batch = this.disk.batch();
    this.store.persist(batch, ID, persist);
    const written = batch.writeDurably();
    if (this.prng.int(3) > 0) {
      await written;
      body.onPersisted();
      this.model = after;
      if (persist.switchTo !== undefined) this.incoming = undefined;
      return;
    }
    await this.start();
    const found = await storedContent(this.store, this.disk);
    const isThere = JSON.stringify(found) === JSON.stringify(modelContent(after));
    if (isThere) this.model = after;
    else expect(found).toEqual(before);
    this.counts.crashes++;
    this.counts[isThere ? 'kept' : 'lost']++;
    this.revive();
  }

  drafts(): Draft[] {
    return Array.from({ length: 1 + this.prng.int(3) }, (): Draft => {
      const key = `k${this.prng.int(5)}`;
      const kind = this.prng.int(5);
      if (kind === 0) return { type: 'barrier' };
      return kind === 1 ? del(key) : put(key, `v${this.prng.int(1e6)}`);
    });
  }

  /** Only what is durable, as the protocol does; it may be ahead of what entries say. */
  commit(): void {
    const { body } = this.replica;
    const ends = body.log.positionsBetween(body.commitSeq, body.durableSeq);
    if (ends.length === 0) return;
    const { seq } = this.prng.pick(ends);
    body.commitTo(seq);
    if (seq > this.committedSeq) this.committedSeq = seq;
    if (this.prng.int(2) === 0) body.applySoon();
  }

  truncate(): void {
    const { body } = this.replica;
    const ends = body.log.positionsFrom(this.committedSeq);
    if (ends.length < 2) return;
    this.counts.truncations++;
    body.truncateAfter(this.prng.pick(ends).seq);
  }

  /** Some step of an install, each with a batch of its own. */
  async install(): Promise<void> {
    const { body } = this.replica;
    const { shardUuid } = ID;
    if (!body.isInstalling) {
      if (this.prng.int(3) === 0) body.beginInstall();
      return;
    }
    await write(this.disk, (batch) => this.store.beginInstall(batch, shardUuid));
    const { last } = body.log;
    const base: Position = {
      seq: (last.seq + 1 + this.prng.int(20)) as Seq,
      epoch: last.epoch,
      chain: Array.from({ length: 32 }, () => this.prng.int(16).toString(16)).join('') as Chain,
    };
    const data: GroupDisk['data'] = new Map();
    for (let count = this.prng.int(6); count > 0; count--) {
      const seq = (1 + this.prng.int(base.seq)) as Seq;
      data.set(`k${this.prng.int(9)}`, { value: `installed ${seq}`, seq });
    }
    await write(this.disk, (batch) => this.store.install(batch, shardUuid, pairsIn(data)));
    if (this.prng.int(3) === 0) return; // Given up, or begun anew.
    this.counts.installs++;
    this.incoming = data;
    body.installed(base);
    this.committedSeq = base.seq;
    await this.batch();
  }
}

function copyOf(disk: GroupDisk): GroupDisk {
  const copy = new GroupDisk();
  copy.state = disk.state;
  for (const [seq, entry] of disk.log) copy.log.set(seq, entry);
  copy.data = new Map(disk.data);
  return copy;
}

describe('a replica that dies with a batch under way', () => {
  it('S2 S4 S20 comes back with all that was durable, and that batch whole or not at all', async () => {
    const counts = { crashes: 0, lost: 0, kept: 0, installs: 0, truncations: 0 };
    for (let seed = 1; seed <= 40; seed++) {
      const mortal = new Mortal(seed);
      await mortal.start();
      mortal.revive();
      for (let action = 0; action < 150; action++) {
        try {
          await mortal.act();
        } catch (error) {
          throw new Error(`seed ${seed}, action ${action}`, { cause: error });
        }
      }
      for (const name of ['crashes', 'lost', 'kept', 'installs', 'truncations'] as const) {
        counts[name] += mortal.counts[name];
      }
    }
    for (const [name, count] of Object.entries(counts)) {
      expect({ name, isTested: count > 20 }).toEqual({ name, isTested: true });
    }
  });
});
