/**
 * A replica group moved by a seed: deliveries, batches, crashes, lost disks, streams whose ends
 * break apart, clocks that drift, configurations and requests that arrive late, and leaders that
 * come and go, in random order. Every promise is checked after every action.
 */
import { replicaOn, type VersionedConfig } from '../../src/model/shard-config.js';
import type { Epoch, MemberId, Seq, Uuid } from '../../src/model/ids.js';
import type { ChangeRequest } from '../../src/model/member-messages.js';
import type { Entry } from '../../src/replication/entry.js';
import type { Ready } from '../../src/replication/outbox.js';
import { GroupHistory, must, type OpenCall } from './group-history.js';
import { GroupLeader } from './group-leader.js';
import { GROUP_SETTINGS, type GroupNode, type GroupStream, ReplicaGroup } from './replica-group.js';

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

/** How far the rate of a clock may be from that of true time: two are never 2 % apart. */
const RATES_APART_MAX = 0.0095;
/** Configurations that may still be heard. */
const HEARD_LATE_MAX = 4;
/** Short: a run is over in some seconds. */
const GIVE_UP_MS = 1_200;

/** Cut off from the leader, and from everybody but its friends, until so many actions are done. */
interface Isolation {
  readonly node: GroupNode;
  readonly friends: readonly GroupNode[];
  /** Whether its friends reach it only on the streams that it opened itself. */
  readonly isDeaf: boolean;
  /** Whether the leader gets what it asks for, all the same. */
  readonly isHeard: boolean;
  readonly until: number;
}

const ACTIONS = 3_000;
/** How often something breaks instead, per action: seeds take turns. */
const FAULTS = [0, 0.001, 0.003, 0.01, 0.03] as const;

/** A group that was moved by a seed and healed. @throws Error if a promise was broken. */
export function moved(seed: number): Chaos {
  const chaos = new Chaos(seed);
  chaos.run(ACTIONS, FAULTS[seed % FAULTS.length]!);
  chaos.heal();
  return chaos;
}

/** One shard on three nodes or four, and whoever leads. */
export class Chaos {
  readonly group: ReplicaGroup;
  readonly leader: GroupLeader;
  readonly history = new GroupHistory();
  readonly random: () => number;
  readonly #minIsr: number;
  readonly #open = new Map<number, OpenCall & { readonly process: Uuid }>();
  readonly #primaries = new Map<Epoch, MemberId>();
  readonly #requests: ChangeRequest[] = [];
  readonly #configs: VersionedConfig[] = [];
  /** Its clients are with it. */
  #isolated: Isolation | undefined;
  /** Its disk takes its time. */
  #stalled: { readonly node: GroupNode; readonly until: number } | undefined;
  #faults = 0;
  #actions = 0;
  #calls = 0;
  readonly counts = {
    acked: 0,
    deleted: 0,
    failed: 0,
    refused: 0,
    unknown: 0,
    reads: 0,
    installs: 0,
    truncations: 0,
    lostDisks: 0,
    damaged: 0,
    setAside: 0,
    handOvers: 0,
    handOversFailed: 0,
    lastStanding: 0,
  };

  constructor(seed: number) {
    this.random = prng(seed);
    const nodes = ['s1', 's2', 's3', ...(this.#chance(0.3) ? ['s4'] : [])];
    const hooks = {
      ready: (node: GroupNode, ready: Ready) => this.#onReady(node, ready),
      requested: (node: GroupNode, request: ChangeRequest) => {
        if (!this.#isCut(node) || this.#isolated?.isHeard === true) this.#requests.push(request);
      },
      appended: (entries: readonly Entry[]) => this.history.seal(entries),
    };
    this.#minIsr = this.#chance(0.3) ? 1 : GROUP_SETTINGS.minIsr;
    const settings = { ...GROUP_SETTINGS, minIsr: this.#minIsr, giveUpMs: GIVE_UP_MS };
    const spare = nodes.length > 3 && this.#chance(0.5) ? 1 : 0;
    this.group = new ReplicaGroup(nodes, hooks, settings, spare);
    for (const node of this.group.nodes) {
      node.rate = 1 + this.#pick([-1, this.random() * 2 - 1, 1])! * RATES_APART_MAX;
    }
    this.leader = new GroupLeader(this.group);
  }

  run(actions: number, faults: number): void {
    this.#faults = faults;
    for (; this.#actions < actions; this.#actions++) {
      if (this.#isolated !== undefined && this.#actions >= this.#isolated.until) {
        this.#isolated = undefined;
      }
      if (this.#stalled !== undefined && this.#actions >= this.#stalled.until) {
        this.#stalled = undefined;
      }
      this.#act();
      this.#check();
    }
    this.#faults = 0;
    this.#isolated = undefined;
    this.#stalled = undefined;
  }

  /** Everything works again: what was promised must come true. */
  heal(): void {
    const { group } = this;
    const hanging = this.#pick(group.nodes)!;
    if (this.#chance(0.3)) this.#healWithout(hanging);
    for (let round = 0; round < 400; round++) {
      this.#healthyRound();
      if (this.#hasConverged()) return this.#finalChecks();
    }
    const states = group.nodes.map(({ id, replica }) => {
      const { promisedEpoch, commitSeq, log } = replica!.body;
      return { id, standing: replica!.standing, promisedEpoch, commitSeq, last: log.last.seq };
    });
    const { epoch, primary, isr } = group.config.config;
    const where = { states, open: this.#open.size, epoch, primary, isr };
    throw new Error(`L1 L2 L3 did not converge: ${JSON.stringify(where)}`);
  }

  /** One node hangs, with all its streams open: the others serve, and go on serving. */
  #healWithout(hanging: GroupNode): void {
    const { group } = this;
    let servedRounds = 0;
    for (let round = 0; round < 400 && servedRounds < 60; round++) {
      const { primary, state, replicas } = group.config.config;
      // One learner is added at a time: none, while the one that hangs is the one.
      const isWide = replicas.length === group.replicas;
      if (state !== 'active' || !isWide || !this.#hasData(hanging)) break;
      this.#isolated = {
        node: hanging,
        friends: [],
        isDeaf: true,
        isHeard: false,
        until: Infinity,
      };
      if (primary === hanging.id) this.leader.suspect(hanging);
      this.#healthyRound();
      servedRounds = this.#isServing() ? servedRounds + 1 : 0;
      must(round < 399, `L1 the others do not serve without ${hanging.id}`);
    }
    this.#isolated = undefined;
  }

  #healthyRound(): void {
    const { group } = this;
    group.now += 50;
    for (const node of group.nodes) if (!node.isUp) group.restart(node);
    group.noticeBroken();
    for (const node of group.nodes) if (!this.#isCut(node)) group.dial(node);
    this.#lead(false);
    this.#everybodyActs((node) => this.#isCut(node));
    for (let times = 0; times < 6; times++) {
      for (const stream of [...group.streams]) {
        if (this.#isStreamCut(stream)) continue;
        while (stream.toCallee.length > 0) group.deliver(stream, 'toCallee');
        while (stream.toCaller.length > 0) group.deliver(stream, 'toCaller');
      }
      for (const node of group.nodes) if (!this.#isCut(node)) group.persisted(node);
    }
    this.#check();
  }

  #isServing(): boolean {
    const node = this.#primary();
    const primary = node.replica?.primary;
    const now = this.group.clockOf(node);
    return primary?.mayWrite(now) === true && primary.mayRead(now);
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.random() * list.length)];
  }

  #chance(share: number): boolean {
    return this.random() < share;
  }

  #isCut(node: GroupNode): boolean {
    return this.#isolated?.node === node;
  }

  #act(): void {
    const { group } = this;
    group.now += this.#chance(0.97) ? this.random() : this.random() * 20;
    const dice = this.random();
    const node = this.#pick(group.nodes)!;
    if (this.#chance(0.01)) return this.#burst(Math.ceil(this.random() * 8));
    if (this.#chance(this.#faults)) return this.#fault(node);
    if (dice < 0.4) this.#deliverSome();
    else if (dice < 0.6) {
      for (const each of group.nodes) if (this.#chance(0.8)) this.#persisted(each);
    } else if (dice < 0.7) this.#write(this.#chance(0.8) ? this.#primary() : this.#cutOr(node));
    else if (dice < 0.78) this.#read(this.#cutOr(node));
    else if (dice < 0.86) group.tick(node);
    else if (dice < 0.88) {
      group.noticeBroken();
      if (this.#isolated === undefined) group.dial(node);
    } else if (dice < 0.96) {
      if (!this.#isCut(node))
        group.hear(node, this.#chance(0.2) ? this.#pick(this.#configs) : undefined);
    } else this.#lead(this.#faults > 0);
  }

  #deliverSome(): void {
    const stream = this.#pick(this.group.streams.filter((each) => !this.#isStreamCut(each)));
    if (stream === undefined) return;
    for (let messages = Math.ceil(this.random() * 6); messages > 0; messages--) {
      this.group.deliver(stream, this.#chance(0.5) ? 'toCallee' : 'toCaller');
    }
  }

  #isStreamCut({ caller, callee }: GroupStream): boolean {
    const { friends = [], isDeaf = false } = this.#isolated ?? {};
    if (this.#isCut(caller)) return !friends.includes(callee);
    return this.#isCut(callee) && (isDeaf || !friends.includes(caller));
  }

  /** Most clients of a node that is cut off do not know that it is. */
  #cutOr(node: GroupNode): GroupNode {
    return this.#isolated !== undefined && this.#chance(0.5) ? this.#isolated.node : node;
  }

  #persisted(node: GroupNode): void {
    if (this.#stalled?.node !== node) this.group.persisted(node);
  }

  /** Everybody does everything that is to be done, in hardly any time. */
  #burst(rounds: number): void {
    const { group } = this;
    for (let round = 0; round < rounds; round++) {
      group.now += this.random() * 2;
      this.#lead(false);
      this.#everybodyActs((node) => this.#isCut(node));
      if (this.#isolated !== undefined) group.tick(this.#isolated.node);
      for (const node of group.nodes) this.#persisted(node);
      for (const stream of [...group.streams]) {
        if (this.#isStreamCut(stream)) continue;
        const { toCallee, toCaller } = stream;
        for (let count = toCallee.length; count > 0; count--) group.deliver(stream, 'toCallee');
        for (let count = toCaller.length; count > 0; count--) group.deliver(stream, 'toCaller');
      }
      this.#check();
    }
  }

  #everybodyActs(isLeftOut: (node: GroupNode) => boolean): void {
    for (const node of this.group.nodes) {
      if (isLeftOut(node)) continue;
      this.group.hear(node);
      this.group.tick(node);
    }
  }

  #fault(node: GroupNode): void {
    const { group } = this;
    const dice = this.random();
    if (dice < 0.1) group.crash(node);
    else if (dice < 0.28) group.restart(node);
    else if (dice < 0.31) for (const each of group.nodes) group.restart(each);
    else if (dice < 0.33) this.#standAlone();
    else if (dice < 0.36) this.#loseDisk(node);
    else if (dice < 0.4) this.damage(node);
    else if (dice < 0.49) this.#breakStream();
    else if (dice < 0.53) this.leader.suspect(node);
    else if (dice < 0.56) group.now += 700;
    else if (dice < 0.61) this.leader.elect();
    else if (dice < 0.69) this.#handOver(node);
    else if (dice < 0.75) {
      this.#stalled = { node, until: this.#actions + this.random() * 300 };
    } else if (dice < 0.87) this.#coup();
    else if (this.#isolated === undefined) {
      this.#isolate(this.#chance(0.7) ? this.#primary() : node, this.random() * 1_500);
    }
  }

  #isolate(node: GroupNode, actions: number): void {
    const { nodes } = this.group;
    const dice = this.random();
    const friends = dice < 0.6 ? [] : dice < 0.8 ? [this.#pick(nodes)!] : nodes;
    const until = this.#actions + actions;
    const [isDeaf, isHeard] = [this.#chance(0.5), this.#chance(0.3)];
    this.#isolated = { node, friends, isDeaf, isHeard, until };
    this.leader.suspect(node);
  }

  /**
   * The primary is cut off at the worst moment, with all its leases fresh, and the others take over
   * as fast as they can, some of them in a new life: whatever has to wait for it has to wait now.
   */
  #coup(): void {
    if (this.#isolated !== undefined) return;
    const { group } = this;
    const primary = this.#primary();
    this.#burst(2);
    this.#isolate(primary, this.random() * this.#pick([300, 2_000])!);
    const restarts = this.#pick([0, 0, 0.3, 1])!;
    for (const node of group.nodes) {
      if (node !== primary && this.#chance(restarts)) group.restart(node);
    }
    const others = group.nodes.filter((node) => node !== primary);
    for (let times = 0; times < 3; times++) {
      for (const node of others) group.dial(node, others);
      this.#burst(4);
      for (let calls = 0; calls < 4; calls++) {
        this.#write(this.#pick(group.nodes)!);
        this.#read(this.#pick(group.nodes)!);
      }
    }
  }

  /** Everybody but the primary dies, then the primary; the others come back without it (KIP-966). */
  #standAlone(): void {
    const { group } = this;
    const primary = this.#primary();
    if (group.config.config.state !== 'active' || this.#isolated !== undefined) return;
    const others = group.nodes.filter((node) => node !== primary);
    for (const node of others) group.crash(node);
    for (let round = 0; round < 60 && group.config.config.isr.length > 1; round++) {
      group.now += 50;
      this.#lead(false);
      group.hear(primary);
      group.tick(primary);
      group.persisted(primary);
      this.#check();
    }
    if (group.config.config.isr.length === 1) this.counts.lastStanding++;
    group.crash(primary);
    for (const node of others) group.restart(node);
  }

  /** At both ends, or at one that notices first. */
  #breakStream(): void {
    const { group } = this;
    const stream = this.#pick(group.streams);
    if (stream === undefined) return;
    const dice = this.random();
    if (dice < 0.4) group.break(stream, false);
    else if (dice < 0.7) group.breakAtCaller(stream);
    else group.breakAtCallee(stream);
  }

  /**
   * Only where another member of the isr has all data: else it would be gone, and rightly so. For
   * the same reason the leader sees it at once: it would drop the others if it suspected them.
   */
  #loseDisk(node: GroupNode): void {
    if (this.group.config.config.state !== 'active' || !this.#hasData(node)) return;
    this.counts.lostDisks++;
    this.group.loseDisk(node);
    this.leader.notice(node);
  }

  /** Whether the isr has all data without this node. */
  #hasData(without: GroupNode): boolean {
    const { config } = this.group.config;
    return this.group.nodes.some((other) => {
      const isMember = replicaOn(config, other.id)?.store === other.store;
      const isSound = other.replica?.problem === undefined;
      return other !== without && config.isr.includes(other.id) && isMember && isSound;
    });
  }

  /** Only where a sound member of the isr stays: else nothing is done, and an operator is told. */
  damage(node: GroupNode): void {
    if (this.group.config.config.state !== 'active' || !this.#hasData(node)) return;
    this.group.step(node, { type: 'damaged', problem: 'a flipped bit' });
  }

  /** Mostly to somebody who can take over. */
  #handOver(node: GroupNode): void {
    const { epoch, isr, primary } = this.group.config.config;
    const others = isr.filter((id) => id !== primary);
    const to = this.#chance(0.8) ? (this.#pick(others) ?? node.id) : node.id;
    this.group.step(this.#primary(), { type: 'hand-over', epoch, to });
    if (this.#chance(0.5)) this.#burst(3);
  }

  #primary(): GroupNode {
    return this.group.node(this.group.config.config.primary);
  }

  /** The leader notices some of what there is to notice, and decides. */
  #lead(isLossy: boolean): void {
    const { group, leader } = this;
    for (const node of group.nodes) {
      if (isLossy && this.#chance(0.3)) continue;
      leader.notice(node);
      if (!this.#isCut(node)) leader.hear(node);
    }
    if (!isLossy) leader.settle();
    while (this.#requests.length > 0) {
      const index = Math.floor(this.random() * this.#requests.length);
      // Some come twice, some late, some never.
      const [request] =
        isLossy && this.#chance(0.2) ? [this.#requests[index]] : this.#requests.splice(index, 1);
      if (request !== undefined && !(isLossy && this.#chance(0.2))) leader.request(request);
      if (isLossy) break;
    }
    const before = group.config;
    leader.decide(
      isLossy ? this.#pick(['written', 'written', 'not-written', 'answer-lost']) : 'written',
    );
    if (group.config === before) return;
    this.#configs.push(before);
    if (this.#configs.length > HEARD_LATE_MAX) this.#configs.shift();
    // Before its primary has heard of it.
    if (isLossy && this.#chance(0.08)) this.#coup();
  }

  #write(node: GroupNode): void {
    const key = `k${Math.floor(this.random() * 4)}`;
    const call = ++this.#calls;
    const isPut = this.#chance(0.8);
    const value = isPut ? `v${call}` : undefined;
    const floor = this.history.floorOf(key);
    const ifVersion = this.#condition(node, key, floor);
    const bytes = Buffer.from(key);
    this.#open.set(call, { key, value, ifVersion, floor, process: node.process });
    const isTaken = this.group.write(
      node,
      call,
      value === undefined
        ? { type: 'delete', key: bytes }
        : { type: 'put', key: bytes, value: Buffer.from(value) },
      ifVersion,
    );
    if (!isTaken) this.#open.delete(call);
  }

  #condition(node: GroupNode, key: string, floor: Seq): number | undefined {
    const { last } = this.history;
    // One that cannot hold is a read, and may be answered where nothing can be written.
    if (this.#isCut(node) && this.#chance(0.8)) return last.seq + 1_000;
    if (!this.#chance(0.3)) return undefined;
    return this.history.stateAt(key, this.#chance(0.7) ? last.seq : floor).version;
  }

  #read(node: GroupNode): void {
    const key = `k${Math.floor(this.random() * 4)}`;
    const found = this.group.read(node, key);
    if (found === undefined) return;
    this.counts.reads++;
    this.#learn(node);
    this.history.wasRead(key, found, node.replica!.body.commitSeq);
  }

  #onReady(node: GroupNode, { answers, events, handOvers }: Ready): void {
    if (answers.length > 0) this.#learn(node);
    for (const answer of answers) {
      const call = this.#open.get(answer.call)!;
      must(this.#open.delete(answer.call), `call ${answer.call} was answered twice`);
      this.history.answered(call, answer);
      const isChange = answer.type === 'written' && answer.applied && answer.version > 0;
      const inSync = node.replica?.config?.isr.length ?? 0;
      must(!isChange || inSync >= this.#minIsr, `S4 ${inSync} in sync are enough`);
      if (answer.type !== 'written') this.counts[answer.type]++;
      else if (!answer.applied) this.counts.failed++;
      else this.counts[call.value === undefined ? 'deleted' : 'acked']++;
    }
    for (const outcome of handOvers) {
      if (outcome.type === 'hand-over-failed') this.counts.handOversFailed++;
      else if (!this.#isCut(node)) {
        this.counts.handOvers++;
        this.leader.steppedDown(outcome.epoch, outcome.to);
        // Gone before it hears who follows.
        if (this.#faults > 0 && this.#chance(0.3)) this.#isolate(node, this.random() * 300);
      }
    }
    for (const event of events) {
      if (event.type === 'peer-needs-install') this.counts.installs++;
      must(event.type !== 'peer-knows-more', 'S6 a learner has more than its primary');
      if (event.type === 'truncated') this.counts.truncations++;
      if (event.type === 'damaged') this.counts.damaged++;
      if (event.type === 'set-aside') this.counts.setAside++;
      if (event.type !== 'serving') continue;
      const known = this.#primaries.get(event.epoch) ?? node.id;
      must(known === node.id, `S1 epoch ${event.epoch} of ${known} and ${node.id}`);
      this.#primaries.set(event.epoch, node.id);
    }
  }

  /** What this node knows to be committed is. */
  #learn({ replica }: GroupNode): void {
    if (replica === undefined || replica.body.isInstalling) return;
    const { commitSeq, log } = replica.body;
    must(log.appliedSeq <= commitSeq, 'S9 applied beyond what is committed');
    const position = log.positionAt(commitSeq);
    must(position !== undefined, 'S9 committed beyond the log');
    this.history.committed(position);
  }

  #check(): void {
    const { nodes } = this.group;
    const readers = nodes.filter((node) => {
      return node.replica?.primary?.mayRead(this.group.clockOf(node));
    });
    must(readers.length <= 1, `S14 ${readers.map(({ id }) => id).join()} all read`);
    for (const node of nodes) this.#learn(node);
    this.#checkIsr();
  }

  /** Whoever could become primary has every committed entry on its disk, whatever happens now. */
  #checkIsr(): void {
    const { config } = this.group.config;
    if (config.state !== 'active') return;
    for (const { id, store, disk } of this.group.nodes) {
      const place = replicaOn(config, id);
      if (!config.isr.includes(id) || place?.store !== store) continue;
      must(disk.state !== undefined && !disk.state.isInstalling, `S15 ${id} in sync without data`);
      const { seq } = this.history.last;
      const { base } = disk.state;
      must(disk.lastSeq >= seq, `S6 ${id} has ${disk.lastSeq} of ${seq} committed`);
      const chain = disk.log.get(seq)?.chain ?? (base.seq === seq ? base.chain : undefined);
      const isOld = seq < base.seq || chain === this.history.last.chain;
      must(isOld, `S6 ${id} has another entry ${seq}`);
    }
  }

  #hasConverged(): boolean {
    const primary = this.#primary();
    if (primary.replica === undefined || !this.#isServing()) return false;
    const { isr } = this.group.config.config;
    if (isr.length !== this.group.replicas) return false;
    const states = isr
      .map((id) => this.group.node(id))
      .map(({ replica }) => {
        const { log, commitSeq } = replica!.body;
        return `${log.last.seq} ${log.last.chain} ${commitSeq} ${log.appliedSeq}`;
      });
    const { log } = primary.replica.body;
    const isOpen = [...this.#open.values()].some(({ process }) => {
      return this.group.nodes.some((node) => node.process === process);
    });
    return new Set(states).size === 1 && log.appliedSeq === log.last.seq && !isOpen;
  }

  #finalChecks(): void {
    const { isr } = this.group.config.config;
    for (const { id, disk } of isr.map((member) => this.group.node(member))) {
      for (const key of ['k0', 'k1', 'k2', 'k3']) {
        const { value } = this.history.stateAt(key, this.history.last.seq);
        must(disk.data.get(key)?.value === value, `S9 ${key} differs at ${id}`);
      }
    }
  }
}
