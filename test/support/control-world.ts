/**
 * A cluster in the small, for the controller's property test: nodes with disks, znodes that accept
 * a write or do not, and replicas that keep only what the rules are about, namely which writes each
 * copy holds. The test does whatever it likes to it, in any order; `check` says what may never be.
 *
 * A primary believes the configuration it was told last, however old, and commits a write when all
 * members it counts hold it: its isr, and every learner it has asked to take in. That is the other
 * half of what the controller relies on (S4, S7).
 *
 * Disks are set back only as far as the ancestry can tell (`control/lives.ts`): to an image from
 * before the life that some configuration counts on. They may be opened again and again then.
 */
import { expect } from 'vitest';
import type { HandOver, ProposedWrite } from '../../src/control/controller-io.js';
import { Controller } from '../../src/control/controller.js';
import type { ClusterConfig } from '../../src/model/cluster-config.js';
import type { Epoch, Incarnation, LeaderEpoch, MemberId } from '../../src/model/ids.js';
import type { Seq, ShardId, Uuid } from '../../src/model/ids.js';
import type { ChangeRequest, ReplicaEntry } from '../../src/model/member-messages.js';
import type { Registration } from '../../src/model/registrations.js';
import { replicaOn } from '../../src/model/shard-config.js';
import type { ReplicaPlace, ShardConfig, VersionedConfig } from '../../src/model/shard-config.js';
import { clusterOf, nodeOf, uuidOf } from './configs.js';
import { expectReplacedWell, LeaderSight } from './replacing-rules.js';

interface Copy {
  promised: Epoch;
  writes: ReadonlySet<number>;
}

interface Disk {
  store: Uuid;
  /** Processes that opened it, the latest last. */
  lives: readonly Uuid[];
  /** By shardUuid. */
  readonly copies: Map<Uuid, Copy>;
}

interface Process {
  registration: Registration;
  isLeaving: boolean;
  readonly lives: Set<Incarnation>;
  /** Epochs promised before it began, by shardUuid. */
  readonly opened: ReadonlyMap<Uuid, Epoch>;
  readonly told: Map<ShardId, VersionedConfig>;
  /** Learners it asked to take in, since it was told the configuration it knows. */
  readonly asked: Map<ShardId, Set<MemberId>>;
  readonly steppedDown: Map<ShardId, { readonly epoch: Epoch; readonly to: MemberId | undefined }>;
}

interface WorldNode {
  readonly id: MemberId;
  disk: Disk;
  images: Disk[];
  process: Process | undefined;
}

export type WriteFate = 'ok' | 'not-written' | 'answer-lost' | 'conflict';

export class ControlWorld {
  readonly cluster: ClusterConfig;
  readonly nodes: readonly WorldNode[];
  readonly znodes = new Map<ShardId, VersionedConfig>();
  /** Of each shard, the writes that were acknowledged. */
  readonly committed = new Map<ShardId, Set<number>>();
  readonly requests: ChangeRequest[] = [];
  handOvers: HandOver[] = [];
  /** Those that failed, until the next is answered. */
  readonly #resting: HandOver[] = [];
  inFlight: ProposedWrite[] = [];
  #controller: Controller;
  /** What the leader has seen. */
  #sight = new LeaderSight();
  #leaderEpoch = 0;
  #isPlaced = false;
  /** By shard and version, each configuration that ever was. */
  readonly #past = new Map<string, ShardConfig>();
  /** Shards that were given more replicas than they should have, because some were gone. */
  readonly #grown = new Set<ShardId>();
  /** Whose each epoch is. */
  readonly #epochs = new Map<string, string>();
  /** What primaries asked to take in: shard, version, node and store. */
  readonly #everAsked = new Set<string>();
  #count = 0;

  constructor(nodeCount: number, change: Partial<ClusterConfig>) {
    this.cluster = clusterOf(change);
    this.nodes = Array.from({ length: nodeCount }, (_, index): WorldNode => {
      const id = `s${index + 1}` as MemberId;
      return { id, disk: this.#newDisk(id), images: [], process: undefined };
    });
    for (const { shard } of this.#shards()) this.committed.set(shard, new Set());
    this.#controller = this.#lead();
  }

  node(index: number): WorldNode {
    return this.nodes[index % this.nodes.length]!;
  }

  primaryOf(shard: ShardId): WorldNode | undefined {
    const primary = this.znodes.get(shard)?.config.primary;
    return this.nodes.find(({ id }) => id === primary);
  }

  // Nodes.

  start(node: WorldNode): void {
    if (node.process !== undefined) return;
    const { disk } = node;
    const process = uuidOf(`p${++this.#count}`);
    const { store, lives: ancestry } = disk;
    disk.lives = [...ancestry, process];
    const incarnation = ++this.#count as Incarnation;
    node.process = {
      registration: { ...nodeOf(node.id), store, process, incarnation, ancestry },
      isLeaving: false,
      lives: new Set([incarnation]),
      opened: new Map([...disk.copies].map(([uuid, { promised }]) => [uuid, promised])),
      told: new Map(),
      asked: new Map(),
      steppedDown: new Map(),
    };
  }

  stop(node: WorldNode): void {
    if (node.process === undefined) return;
    this.saveImage(node);
    node.process = undefined;
  }

  /** A new ZooKeeper session of the same process. */
  registerAgain({ process }: WorldNode): void {
    if (process === undefined) return;
    const incarnation = ++this.#count as Incarnation;
    process.lives.add(incarnation);
    process.registration = { ...process.registration, incarnation };
  }

  wipe(node: WorldNode): void {
    if (node.process !== undefined) return;
    node.disk = this.#newDisk(node.id);
    node.images = [];
  }

  saveImage({ disk, images }: WorldNode): void {
    images.push(clone(disk));
  }

  setBack(node: WorldNode): void {
    const places = [...this.znodes.values()]
      .flatMap(({ config }) => replicaOn(config, node.id) ?? [])
      .filter(({ store }) => store === node.disk.store);
    const image = node.images.find(({ lives }) => {
      return places.every(({ process }) => !lives.includes(process));
    });
    if (node.process !== undefined || image === undefined) return;
    node.disk = clone(image);
  }

  // The leader.

  /** Another leader: it knows the znodes, and what nodes repeat to it. */
  changeLeader(): void {
    this.inFlight = []; // Fenced.
    this.handOvers = [];
    this.#resting.length = 0;
    this.#controller = this.#lead();
  }

  seeNodes(): void {
    const nodes = this.nodes.flatMap(({ process }) => process?.registration ?? []);
    this.#sight.seesNodes(nodes);
    this.#controller.step({ type: 'nodes', nodes });
  }

  /** The leader has not seen the node for long, as far as it knows. */
  giveUp({ id }: WorldNode): void {
    this.#sight.givesUp(id);
    this.#controller.step({ type: 'gone', node: id });
  }

  seeSettled(): void {
    this.#controller.step({ type: 'nodes-settled' });
  }

  suspect({ id, process }: WorldNode, type: 'suspected' | 'heard'): void {
    if (process === undefined) return;
    this.#sight.hears(id, process.registration.process, type);
    this.#controller.step({ type, node: id, process: process.registration.process });
  }

  leave(node: WorldNode): void {
    if (node.process === undefined) return;
    node.process.isLeaving = true;
    this.#report(node);
  }

  /** Lets the leader decide; its writes are then under way. Whether there was anything to do. */
  decide(): boolean {
    const ready = this.#controller.takeReady();
    for (const write of ready.writes) {
      const isUnderWay = this.inFlight.some(({ draft }) => draft.shard === write.draft.shard);
      expect(isUnderWay, 'S18').toBe(false);
      this.#checkReplacing(write);
    }
    this.inFlight.push(...ready.writes);
    this.handOvers.push(...ready.handOvers);
    if (ready.completesPlacement) {
      this.#isPlaced = true;
      this.#controller.step({ type: 'placement-read', placement: 'complete' });
    }
    return ready.writes.length + ready.handOvers.length > 0 || ready.completesPlacement;
  }

  endWrite(index: number, fate: WriteFate): void {
    const [write] = this.inFlight.splice(index % Math.max(1, this.inFlight.length), 1);
    if (write === undefined) return;
    const { shard } = write.draft;
    if (fate === 'not-written') return this.#controller.step({ type: fate, shard });
    if (fate !== 'conflict') this.#apply(write);
    const stored = this.#read(shard);
    if (fate === 'ok' && stored.type === 'config') {
      return this.#controller.step({ type: 'written', written: stored });
    }
    this.#controller.step({ type: 'shard-read', stored });
  }

  deliver(request: ChangeRequest | undefined): void {
    if (request !== undefined) this.#controller.step({ type: 'requested', request });
  }

  // Replicas.

  /** The node hears every configuration as it is now, and says what it holds. */
  tell(node: WorldNode): void {
    const { process, disk } = node;
    if (process === undefined) return;
    for (const [shard, stored] of this.znodes) {
      const { config, version } = stored;
      if (process.told.get(shard)?.version !== version) process.asked.delete(shard);
      process.told.set(shard, stored);
      if (!isHere(node, replicaOn(config, node.id))) continue;
      const isNew = config.state === 'creating' || config.learners.includes(node.id);
      const copy = disk.copies.get(config.shardUuid);
      if (copy === undefined && isNew) {
        disk.copies.set(config.shardUuid, { promised: config.epoch, writes: new Set() });
      } else if (copy !== undefined && copy.promised < config.epoch) copy.promised = config.epoch;
    }
    this.#report(node);
  }

  /** The node that believes to be the primary writes; `reach` says who gets it. */
  write(shard: ShardId, node: WorldNode, reach: (id: MemberId) => boolean): void {
    const config = this.#served(shard, node);
    if (config === undefined) return;
    const copy = node.disk.copies.get(config.shardUuid)!;
    copy.writes = new Set([...copy.writes, ++this.#count]);
    const counted = [...config.isr, ...(node.process!.asked.get(shard) ?? [])];
    const others = config.replicas.filter((place) => place.node !== node.id && reach(place.node));
    const holders = others.filter((place) => this.#copyTo(place, config, copy));
    const held = new Set([node.id, ...holders.map((place) => place.node)]);
    const isCommitted =
      config.isr.length >= this.cluster.minIsr && counted.every((member) => held.has(member));
    if (!isCommitted) return;
    for (const write of copy.writes) this.committed.get(shard)!.add(write);
    this.#checkCopies(this.znodes.get(shard)!.config);
  }

  /** The primary asks for a learner that it has brought up to date. Whether there was one. */
  expand(shard: ShardId, node: WorldNode, pick = 0): boolean {
    const config = this.#served(shard, node);
    if (config === undefined || config.learners.length === 0) return false;
    const place = replicaOn(config, config.learners[pick % config.learners.length]!)!;
    const copy = node.disk.copies.get(config.shardUuid)!;
    if (!this.#copyTo(place, config, copy)) return false;
    const { asked } = node.process!;
    asked.set(shard, new Set([...(asked.get(shard) ?? []), place.node]));
    const { store, incarnation } = place;
    this.#request(node, config, { type: 'expand', node: place.node, store, incarnation });
    return true;
  }

  shrink(shard: ShardId, node: WorldNode, member: MemberId): void {
    const config = this.#served(shard, node);
    if (config !== undefined) this.#request(node, config, { type: 'shrink', node: member });
  }

  /** The primary steps down, if it is one. */
  stepDown(shard: ShardId, node: WorldNode, to: MemberId | undefined): void {
    const config = this.#served(shard, node);
    if (config === undefined) return;
    node.process!.steppedDown.set(shard, { epoch: config.epoch, to });
    this.#report(node);
  }

  /** Hand-overs that failed may be asked for again. */
  restHandOvers(): void {
    for (const { shard, epoch } of this.#resting.splice(0)) {
      this.#controller.step({ type: 'hand-over-rested', shard, epoch });
    }
  }

  answerHandOver(index: number, isDone: boolean): void {
    this.restHandOvers();
    const [asked] = this.handOvers.splice(index % Math.max(1, this.handOvers.length), 1);
    if (asked === undefined) return;
    const { shard, epoch, from, to } = asked;
    const node = this.nodes.find(({ id }) => id === from)!;
    const isServed = this.#served(shard, node)?.epoch === epoch;
    if (isDone && isServed) this.stepDown(shard, node, to);
    else {
      this.#controller.step({ type: 'hand-over-failed', shard, epoch });
      this.#resting.push(asked);
    }
  }

  /** What is decided now is written, and everybody hears of it. Whether there was anything. */
  proceed(): boolean {
    const isBusy = this.decide() || this.inFlight.length > 0;
    while (this.inFlight.length > 0) this.endWrite(0, 'ok');
    for (const node of this.nodes) this.tell(node);
    return isBusy;
  }

  /**
   * Everything works from here on: nodes are up and heard, requests and answers arrive.
   * @returns whether nothing was left to do within so many rounds
   */
  heal(roundsMax: number): boolean {
    this.requests.length = 0;
    for (const node of this.nodes) {
      if (node.process?.isLeaving === true) this.stop(node);
      this.start(node);
    }
    this.seeNodes();
    for (const node of this.nodes) this.suspect(node, 'heard');
    this.#controller.step({ type: 'zookeeper-trusted' });
    this.seeSettled();
    this.restHandOvers();
    for (let round = 0, atRest = 0; round < roundsMax; round++) {
      const isBusy = this.proceed();
      while (this.handOvers.length > 0) this.answerHandOver(0, true);
      const isAsking = this.nodes.flatMap((node) => {
        return [...this.znodes.keys()].map((shard) => this.expand(shard, node));
      });
      for (const request of this.requests.splice(0)) this.deliver(request);
      // What was told in the last busy round may be answered in the next.
      atRest = isBusy || isAsking.includes(true) ? 0 : atRest + 1;
      if (atRest === 2) return true;
    }
    return false;
  }

  /** Shards of which every member of the isr has lost its data: only an operator can help. */
  isStranded({ isr, replicas }: ShardConfig): boolean {
    return replicas.every((place) => !isr.includes(place.node) || this.#isDestroyed(place));
  }

  /** Whether a shard may have more replicas in sync than it should: those that were gone are back. */
  hasGrown(shard: ShardId): boolean {
    return this.#grown.has(shard);
  }

  #lead(): Controller {
    this.#sight = new LeaderSight();
    const controller = new Controller(this.cluster, ++this.#leaderEpoch as LeaderEpoch);
    this.#controller = controller;
    const placement = this.#isPlaced ? 'complete' : 'open';
    controller.step({ type: 'placement-read', placement });
    // Every other one has been connected for long when it begins; the others wait for all nodes.
    if (this.#leaderEpoch % 2 === 0) controller.step({ type: 'zookeeper-trusted' });
    for (const { shard } of this.#shards()) {
      controller.step({ type: 'shard-read', stored: this.#read(shard) });
    }
    for (const node of this.nodes) this.#report(node);
    return controller;
  }

  #shards(): readonly { readonly shard: ShardId }[] {
    return Array.from({ length: this.cluster.shards }, (_, id) => ({ shard: id as ShardId }));
  }

  #read(shard: ShardId) {
    const znode = this.znodes.get(shard);
    return znode ? ({ type: 'config', ...znode } as const) : ({ type: 'absent', shard } as const);
  }

  #newDisk(id: MemberId): Disk {
    const store = uuidOf(`${id}-${++this.#count}`);
    return { store, lives: [], copies: new Map() };
  }

  /** What a node says to a leader, again and again. */
  #report({ id, process, disk }: WorldNode): void {
    if (process === undefined) return;
    if (process.isLeaving) this.#controller.step({ type: 'leaving', node: id });
    const replicas = [...disk.copies].flatMap(([shardUuid, { promised }]): ReplicaEntry[] => {
      const stored = [...this.znodes.values()].find(({ config }) => config.shardUuid === shardUuid);
      if (stored === undefined) return [];
      const openedEpoch = process.opened.get(shardUuid) ?? (0 as Epoch);
      const { shard } = stored.config;
      const { store } = disk;
      return [{ shard, shardUuid, store, epoch: promised, openedEpoch, lastSeq: 0 as Seq }];
    });
    this.#controller.step({ type: 'reported', replicas });
    this.#controller.step({ type: 'spoken', node: id });
    this.#controller.step({ type: 'accounted', process: process.registration.process });
    for (const [shard, { epoch, to }] of process.steppedDown) {
      this.#controller.step({ type: 'stepped-down', shard, epoch, to });
    }
  }

  #request({ process }: WorldNode, config: ShardConfig, change: ChangeRequest['change']): void {
    const { shard, shardUuid, epoch } = config;
    const basedOn = process!.told.get(shard)!.version;
    this.requests.push({ shard, shardUuid, epoch, basedOn, change });
    if (change.type === 'expand') {
      this.#everAsked.add(`${shard}/${basedOn}/${change.node}/${change.store}`);
    }
  }

  /** The configuration in which the node serves the shard, as far as it knows. */
  #served(shard: ShardId, node: WorldNode): ShardConfig | undefined {
    const config = node.process?.told.get(shard)?.config;
    if (config?.state !== 'active' || config.primary !== node.id) return undefined;
    const copy = node.disk.copies.get(config.shardUuid);
    const opened = node.process!.opened.get(config.shardUuid) ?? 0;
    const mayServe =
      isHere(node, replicaOn(config, node.id)) &&
      copy?.promised === config.epoch &&
      opened < config.epoch &&
      node.process!.steppedDown.get(shard)?.epoch !== config.epoch;
    return mayServe ? config : undefined;
  }

  /** Whether the replica takes everything the primary holds, in the primary's epoch. */
  #copyTo(place: ReplicaPlace, { shardUuid, epoch }: ShardConfig, from: Copy): boolean {
    const node = this.nodes.find(({ id }) => id === place.node)!;
    const copy = node.disk.copies.get(shardUuid);
    if (!isHere(node, place) || copy === undefined || copy.promised > epoch) return false;
    copy.promised = epoch;
    copy.writes = new Set(from.writes);
    return true;
  }

  #apply({ draft, basedOn, shardUuid }: ProposedWrite): void {
    const before = this.znodes.get(draft.shard);
    expect(before?.version).toBe(basedOn);
    const uuid = shardUuid ?? uuidOf(`shard-${draft.shard}`);
    const config = { ...draft, shardUuid: uuid, nonce: `${++this.#count}` };
    if (before !== undefined) this.#checkChange(before, config);
    const version = basedOn === undefined ? 0 : basedOn + 1;
    this.znodes.set(draft.shard, { config, version });
    this.#past.set(`${draft.shard}/${version}`, config);
    this.#checkEpoch(config);
    this.#checkCopies(config);
  }

  #checkReplacing(write: ProposedWrite): void {
    const { draft, basedOn, why } = write;
    const before = this.#past.get(`${draft.shard}/${basedOn}`);
    if (before === undefined) return;
    expectReplacedWell(before, write, this.cluster, this.#sight);
    const isMore = why === 'add-learner' && before.replicas.length >= this.cluster.replicas;
    if (isMore) this.#grown.add(draft.shard);
  }

  #checkEpoch(config: ShardConfig): void {
    const key = `${config.shard}/${config.epoch}`;
    const owner = `${config.primary}/${replicaOn(config, config.primary)!.incarnation}`;
    expect(this.#epochs.get(key) ?? owner, `S1 ${key}`).toBe(owner);
    this.#epochs.set(key, owner);
  }

  #checkChange({ config: before, version }: VersionedConfig, config: ShardConfig): void {
    expect({ ...config, nonce: '', leaderEpoch: 0 }, 'changes something').not.toEqual({
      ...before,
      nonce: '',
      leaderEpoch: 0,
    });
    expect(config.epoch, 'S1').toBeGreaterThanOrEqual(before.epoch);
    if (before.state === 'creating') return;
    for (const node of config.isr) {
      const { store } = replicaOn(config, node)!;
      const wasIn = before.isr.includes(node) && replicaOn(before, node)!.store === store;
      const wasAsked = this.#everAsked.has(`${before.shard}/${version}/${node}/${store}`);
      expect(wasIn || wasAsked, `S7 S16 ${node}`).toBe(true);
    }
    const wasPrimaryEligible = before.isr.includes(config.primary);
    expect(wasPrimaryEligible, 'S6 S15').toBe(true);
  }

  /** S6: whoever is in sync and has not lost its disk holds everything that was committed. */
  #checkCopies(config: ShardConfig): void {
    if (config.state !== 'active') return;
    const committed = [...this.committed.get(config.shard)!];
    for (const place of config.replicas) {
      if (!config.isr.includes(place.node) || this.#isDestroyed(place)) continue;
      const node = this.nodes.find(({ id }) => id === place.node)!;
      const held = node.disk.copies.get(config.shardUuid)?.writes;
      const missing = committed.filter((write) => held?.has(write) !== true);
      expect(missing, `S6 shard ${config.shard} on ${place.node}`).toEqual([]);
    }
  }

  #isDestroyed({ node: id, store, process }: ReplicaPlace): boolean {
    const { disk } = this.nodes.find((node) => node.id === id)!;
    return disk.store !== store || !disk.lives.includes(process);
  }
}

/** Whether a place is this very process on this very disk. */
function isHere({ disk, process }: WorldNode, place: ReplicaPlace | undefined): boolean {
  return place?.store === disk.store && (process?.lives.has(place.incarnation) ?? false);
}

function clone(disk: Disk): Disk {
  const copies = [...disk.copies].map(([uuid, copy]): [Uuid, Copy] => [uuid, { ...copy }]);
  return { ...disk, copies: new Map(copies) };
}
