/**
 * A replica group moved by a seed: deliveries, batches, crashes, broken streams, clocks that drift
 * and a leader that answers late, in random order; every promise is checked after every action.
 */
import type { Epoch, MemberId, Seq } from '../../src/model/ids.js';
import type { ChangeRequest } from '../../src/model/member-messages.js';
import type { Ready } from '../../src/replication/outbox.js';
import { type GroupNode, ReplicaGroup } from './replica-group.js';

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** mulberry32: small, fast, good enough to choose actions. */
function prng(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Open {
  readonly key: string;
  readonly value: string;
  readonly seenBefore: Seq;
}

/** One shard on three nodes, moved by a seed; checks its promises after every action. */
export class Chaos {
  readonly group: ReplicaGroup;
  readonly random: () => number;
  readonly open = new Map<number, Open>();
  readonly refused = new Set<string>();
  readonly valueOf = new Map<Seq, string>();
  /** Highest version of a key that anybody was told, by an answer or a read. */
  readonly seen = new Map<string, Seq>();
  readonly chains = new Map<Seq, string>();
  readonly primaries = new Map<Epoch, MemberId>();
  readonly requests: ChangeRequest[] = [];
  readonly suspects = new Set<MemberId>();
  /** Cut off from everybody until this many actions are done; its clients are with it. */
  isolated: { readonly node: GroupNode; readonly until: number } | undefined;
  actions = 0;
  readonly counts = {
    acked: 0,
    reads: 0,
    failed: 0,
    unknown: 0,
    promotions: 0,
    expands: 0,
    installs: 0,
    truncations: 0,
  };
  calls = 0;

  constructor(seed: number) {
    this.random = prng(seed);
    this.group = new ReplicaGroup(['s1', 's2', 's3'], {
      ready: (node, ready) => this.onReady(node, ready),
      requested: (_, request) => void this.requests.push(request),
    });
    for (const node of this.group.nodes) {
      node.rate = 1 + (this.random() - 0.5) * 0.019;
      this.group.hear(node);
      this.group.persisted(node);
    }
    this.lead();
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.random() * list.length)];
  }

  run(actions: number, faults: number): void {
    for (; this.actions < actions; this.actions++) {
      if (this.isolated !== undefined && this.actions >= this.isolated.until) {
        this.isolated = undefined;
      }
      this.act(faults);
      this.check();
    }
    this.isolated = undefined;
  }

  act(faults: number): void {
    const { group } = this;
    group.now += this.random() < 0.97 ? this.random() : this.random() * 20;
    const dice = this.random();
    const node = this.pick(group.nodes)!;
    if (this.random() < 0.01) return this.burst();
    const stream = this.pick(
      group.streams.filter(({ caller, callee }) => !this.isCut(caller) && !this.isCut(callee)),
    );
    if (this.random() < faults) return this.fault(node);
    if (dice < 0.4) {
      if (stream === undefined) return;
      for (let messages = Math.ceil(this.random() * 6); messages > 0; messages--) {
        group.deliver(stream, this.random() < 0.5 ? 'toCallee' : 'toCaller');
      }
    } else if (dice < 0.6) for (const each of group.nodes) group.persisted(each);
    else if (dice < 0.7) this.write(group.node(group.config.config.primary));
    else if (dice < 0.78) this.read(node);
    else if (dice < 0.86) group.tick(node);
    else if (dice < 0.88) {
      if (this.isolated === undefined) group.dial(node);
    } else if (dice < 0.96) {
      if (!this.isCut(node)) group.hear(node);
    } else this.lead();
  }

  /** Whoever is not cut off does everything that is to be done, in hardly any time. */
  burst(): void {
    const { group } = this;
    for (let round = Math.floor(this.random() * 8); round >= 0; round--) {
      group.now += this.random() * 2;
      this.lead();
      for (const node of group.nodes) {
        if (this.isCut(node)) continue;
        group.hear(node);
        group.tick(node);
        group.persisted(node);
      }
      for (const stream of [...group.streams]) {
        if (this.isCut(stream.caller) || this.isCut(stream.callee)) continue;
        for (let count = stream.toCallee.length; count > 0; count--)
          group.deliver(stream, 'toCallee');
        for (let count = stream.toCaller.length; count > 0; count--)
          group.deliver(stream, 'toCaller');
      }
      this.check();
    }
  }

  fault(node: GroupNode): void {
    const { group } = this;
    const dice = this.random();
    if (dice < 0.15) group.crash(node);
    else if (dice < 0.4) group.restart(node);
    else if (dice < 0.5) {
      const stream = this.pick(group.streams);
      if (stream !== undefined) group.break(stream, false);
    } else if (dice < 0.55) this.suspects.add(node.id);
    else if (dice < 0.6) group.now += 700;
    else if (this.isolated === undefined) {
      const primary = group.node(group.config.config.primary);
      this.isolated = {
        node: this.random() < 0.7 ? primary : node,
        until: this.actions + this.random() * 1_500,
      };
      this.suspects.add(this.isolated.node.id);
    }
  }

  isCut(node: GroupNode): boolean {
    return this.isolated?.node === node;
  }

  write(node: GroupNode): void {
    const key = `k${Math.floor(this.random() * 4)}`;
    const call = ++this.calls;
    const value = `v${call}`;
    const seenBefore = this.seen.get(key) ?? (0 as Seq);
    const write = { type: 'put', key: Buffer.from(key), value: Buffer.from(value) } as const;
    this.open.set(call, { key, value, seenBefore });
    const ifVersion = this.random() < 0.3 ? seenBefore : undefined;
    if (!this.group.write(node, call, write, ifVersion)) this.open.delete(call);
  }

  read(node: GroupNode): void {
    const key = `k${Math.floor(this.random() * 4)}`;
    const found = this.group.read(node, key);
    if (found === undefined) return;
    this.counts.reads++;
    const seq = found === 'absent' ? (0 as Seq) : found.seq;
    must(seq >= (this.seen.get(key) ?? 0), `a stale read of ${key} at ${node.id}`);
    this.seen.set(key, seq);
    if (found === 'absent') return;
    must(!this.refused.has(found.value), `a refused write is read at ${node.id}`);
    this.valueIs(seq, found.value);
  }

  valueIs(seq: Seq, value: string): void {
    must((this.valueOf.get(seq) ?? value) === value, `two values of version ${seq}`);
    this.valueOf.set(seq, value);
  }

  onReady(node: GroupNode, { answers, events }: Ready): void {
    for (const answer of answers) {
      const open = this.open.get(answer.call)!;
      this.open.delete(answer.call);
      if (answer.type === 'unknown') this.counts.unknown++;
      else if (answer.type === 'refused') this.refused.add(open.value);
      else if (answer.applied) {
        this.counts.acked++;
        must(answer.version > open.seenBefore, `version ${answer.version} goes back`);
        this.valueIs(answer.version, open.value);
        const seen = this.seen.get(open.key) ?? 0;
        if (answer.version > seen) this.seen.set(open.key, answer.version);
      } else {
        this.counts.failed++;
        this.refused.add(open.value);
        must(answer.version >= open.seenBefore, `a condition failed on old data`);
        const seen = this.seen.get(open.key) ?? 0;
        if (answer.version > seen) this.seen.set(open.key, answer.version);
      }
    }
    for (const event of events) {
      if (event.type === 'peer-needs-install') this.counts.installs++;
      if (event.type === 'truncated') this.counts.truncations++;
      if (event.type === 'serving') {
        must((this.primaries.get(event.epoch) ?? node.id) === node.id, `S1 epoch ${event.epoch}`);
        this.primaries.set(event.epoch, node.id);
      }
    }
  }

  /** The leader: answers requests, promotes, counts on new lives. */
  lead(): void {
    const { group } = this;
    const { config, version } = group.config;
    const isAlive = (id: MemberId) => group.node(id).isUp && !this.suspects.has(id);
    if (config.state === 'creating') {
      if (group.nodes.every(({ replica }) => replica?.body.durableEpoch === 1)) {
        group.reconfigure({ state: 'active' });
      }
      return;
    }
    const request = this.requests.shift();
    const places = () =>
      group.nodes.map((node) => {
        const before = config.replicas.find((place) => place.node === node.id)!;
        return node.isUp ? group.placeOf(node) : before;
      });
    const isCurrent = (id: MemberId) =>
      config.replicas.some(
        (place) =>
          place.node === id && place.incarnation === group.placeOf(group.node(id)).incarnation,
      );
    if (!isAlive(config.primary) || !isCurrent(config.primary)) {
      const next = config.isr.find((id) => isAlive(id) && (id === config.primary || isCurrent(id)));
      const isr = config.isr.filter((id) => id === next || (isAlive(id) && isCurrent(id)));
      this.suspects.clear();
      if (next === undefined) return;
      this.counts.promotions++;
      return group.reconfigure({
        epoch: (config.epoch + 1) as Epoch,
        primary: next,
        isr,
        learners: group.nodes.map(({ id }) => id).filter((id) => !isr.includes(id)),
        replicas: places(),
      });
    }
    this.suspects.clear();
    if (group.nodes.some(({ id, isUp }) => isUp && !isCurrent(id))) {
      return group.reconfigure({ replicas: places() });
    }
    if (request?.epoch !== config.epoch || request.basedOn !== version) return;
    const { change } = request;
    if (change.type === 'shrink') {
      const isr = config.isr.filter((id) => id !== change.node);
      const learners = config.learners.filter((id) => id !== change.node);
      group.reconfigure({ isr, learners: [...learners, change.node] });
    } else if (change.type === 'expand') {
      const place = config.replicas.find(({ node }) => node === change.node)!;
      if (place.incarnation !== change.incarnation || !isCurrent(change.node))
        return group.reconfigure({});
      this.counts.expands++;
      group.reconfigure({
        isr: [...config.isr, change.node],
        learners: config.learners.filter((id) => id !== change.node),
      });
    } else if (change.type === 'withdraw') group.reconfigure({});
    else group.reconfigure({ epoch: (Math.max(config.epoch, change.promised) + 1) as Epoch });
  }

  check(): void {
    const { group } = this;
    const readers = group.nodes.filter((node) =>
      node.replica?.primary?.mayRead(group.clockOf(node)),
    );
    must(readers.length <= 1, `S14 ${readers.map(({ id }) => id).join()} all read`);
    for (const { replica } of group.nodes) {
      if (replica === undefined || replica.body.isInstalling) continue;
      const { commitSeq, log } = replica.body;
      must(log.appliedSeq <= commitSeq, 'S9 applied beyond what is committed');
      const chain = log.positionAt(commitSeq)?.chain;
      must(chain !== undefined, 'S9 committed beyond the log');
      must((this.chains.get(commitSeq) ?? chain) === chain, `S8 two logs up to ${commitSeq}`);
      this.chains.set(commitSeq, chain);
    }
  }

  /** Everything works again: what was promised must come true. */
  heal(): void {
    const { group } = this;
    for (let round = 0; round < 400; round++) {
      group.now += 50;
      for (const node of group.nodes) if (!node.isUp) group.restart(node);
      for (const node of group.nodes) group.dial(node);
      this.lead();
      for (const node of group.nodes) group.hear(node);
      for (const node of group.nodes) group.tick(node);
      for (let times = 0; times < 6; times++) {
        for (const stream of [...group.streams]) {
          while (stream.toCallee.length > 0) group.deliver(stream, 'toCallee');
          while (stream.toCaller.length > 0) group.deliver(stream, 'toCaller');
        }
        for (const node of group.nodes) group.persisted(node);
      }
      this.check();
      if (this.hasConverged()) return;
    }
    const states = group.nodes.map(({ id, replica }) => {
      const { promisedEpoch, commitSeq, log } = replica!.body;
      return { id, standing: replica!.standing, promisedEpoch, commitSeq, last: log.last.seq };
    });
    throw new Error(`did not converge: ${JSON.stringify({ config: group.config, states })}`);
  }

  hasConverged(): boolean {
    const { group } = this;
    const primary = group.node(group.config.config.primary);
    if (primary.replica?.primary?.mayRead(group.clockOf(primary)) !== true) return false;
    if (group.config.config.isr.length !== 3) return false;
    const states = group.nodes.map(({ replica }) => {
      const { log, commitSeq } = replica!.body;
      return `${log.last.seq} ${log.last.chain} ${commitSeq} ${log.appliedSeq}`;
    });
    return (
      new Set(states).size === 1 &&
      primary.replica.body.log.appliedSeq === primary.replica.body.log.last.seq
    );
  }

  finalChecks(): void {
    const { group } = this;
    const [first, ...others] = group.nodes.map(({ disk }) =>
      Object.fromEntries([...disk.data].sort()),
    );
    for (const other of others) {
      must(JSON.stringify(other) === JSON.stringify(first), 'S9 replicas differ');
    }
    for (const [key, seq] of this.seen) {
      must((first![key]?.seq ?? 0) >= seq, `acknowledged ${key} is lost`);
    }
    for (const { value, seq } of Object.values(first!)) {
      must(!this.refused.has(value), 'a refused write is there');
      this.valueIs(seq, value);
    }
  }
}
