/**
 * The replicas of one shard on simulated nodes: real cores over streams, disks and a configuration
 * that a test moves by hand or a seed moves at random. Nothing happens by itself: every delivery,
 * every finished batch and every step of the clock is an action of whoever drives it.
 */
import { LOG_START, type Entry, type Position, opsOf } from '../../src/replication/entry.js';
import { decodeDataRecord, type StoredRecord } from '../../src/replication/data-record.js';
import type { Primary } from '../../src/replication/primary.js';
import { CatchUps } from '../../src/replication/catch-ups.js';
import { Installs } from '../../src/replication/installs.js';
import { LeaseClaims, LeaseGrants } from '../../src/replication/lease.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import type { ChangeRequest } from '../../src/model/member-messages.js';
import type { Ready } from '../../src/replication/outbox.js';
import { needsStoredVersion, type Write } from '../../src/replication/proposals.js';
import type { DurableState, Persist } from '../../src/replication/replica-body.js';
import { ReadMemory } from '../../src/replication/read-cache.js';
import { Sessions } from '../../src/replication/sessions.js';
import { type ReplicaInput, ShardReplica } from '../../src/replication/shard-replica.js';
import type { Epoch, Incarnation, MemberId, Seq, ShardId, Uuid } from '../../src/model/ids.js';
import type { ReplicaPlace, ShardConfig, VersionedConfig } from '../../src/model/shard-config.js';
import { configOf, nodeOf, uuidOf } from './configs.js';

export const GROUP_SETTINGS = {
  minIsr: 2,
  windowEntries: 2,
  catchUpEntries: 4,
  catchUpBytes: 4_096,
  catchUpNodeEntries: 8,
  catchUpNodeBytes: 8_192,
  silentMs: 1_000,
  stuckMs: 1_000,
  askAgainMs: 300,
  lateMs: 300,
  handOverMs: 1_000,
  installAgainMs: 5_000,
  keepEntries: 3,
  keepBytes: 1_000_000,
  tailEntries: 1,
  tailBytes: 1_000,
  trimEntries: 2,
  trimMax: 4,
  pinnedBytes: 2_000,
  giveUpMs: 10_000,
};
export type GroupSettings = typeof GROUP_SETTINGS;

export const LEASE = { leaseMs: 600, driftMax: 0.02, marginMs: 50 } as const;

/** Of what was read: so little that it is forgotten again. */
const READ_SETTINGS = { readBytesMax: 2_000 };
const REPLIES: ReadonlySet<string> = new Set([
  ...['attached', 'prepareAck', 'installed', 'refused', 'detached'],
]);
const SHARD = 0 as ShardId;
const SHARD_UUID = uuidOf('shard-0');

/** What survives a crash: whole batches, in order. */
export class GroupDisk {
  state: DurableState | undefined;
  /** Processes that had it, the present one last. */
  readonly lives: Uuid[] = [];
  readonly log = new Map<Seq, Entry>();
  data = new Map<string, { readonly value: string; readonly seq: Seq }>();

  write(persist: Persist, incoming: GroupDisk['data'] | undefined): void {
    const { setsAside, switchTo, truncateAfter, append, apply, trim, state } = persist;
    if (setsAside !== undefined) {
      this.log.clear();
      this.data = new Map();
    }
    if (switchTo !== undefined) {
      this.log.clear();
      this.data = new Map(incoming);
    }
    if (truncateAfter !== undefined) {
      for (const seq of [...this.log.keys()]) if (seq > truncateAfter) this.log.delete(seq);
    }
    for (const entry of append) this.log.set(entry.seq, entry);
    for (const entry of apply) applyTo(this.data, entry);
    for (const seq of trim) this.log.delete(seq);
    if (state !== undefined) this.state = state;
  }

  /** End of the log. */
  get lastSeq(): Seq {
    let last = this.state?.base.seq ?? LOG_START.seq;
    for (const seq of this.log.keys()) if (seq > last) last = seq;
    return last;
  }

  recovered() {
    const { state } = this;
    if (state === undefined) return undefined;
    const entries = [...this.log.values()].sort((left, right) => left.seq - right.seq);
    return { state, entries };
  }
}

function applyTo(data: GroupDisk['data'], entry: Entry): void {
  for (const op of opsOf(entry)) {
    if (op.type === 'barrier') continue;
    const key = op.key.toString();
    if (op.type === 'delete') data.delete(key);
    else {
      const { value, seq } = decodeDataRecord(op.key, op.record);
      data.set(key, { value: value.toString(), seq });
    }
  }
}

export type Wire =
  | { readonly type: 'replica'; readonly message: ReplicaMessage }
  | { readonly type: 'beat' | 'beatAck'; readonly sentAt: number }
  | {
      readonly type: 'data';
      readonly number: number;
      readonly base: Position;
      readonly data: GroupDisk['data'];
    }
  | { readonly type: 'hello'; readonly store: Uuid; readonly process: Uuid };

export type Direction = 'toCallee' | 'toCaller';

/**
 * A stream between two nodes, opened by the one that is primary of something. Its ends notice by
 * themselves that it broke; until then they read what was on its way and send into the void.
 */
export interface GroupStream {
  readonly caller: GroupNode;
  readonly callee: GroupNode;
  readonly toCallee: Wire[];
  readonly toCaller: Wire[];
  isOpenAtCaller: boolean;
  isOpenAtCallee: boolean;
}

/** One life of a storage node, or none. */
export class GroupNode {
  readonly id: MemberId;
  disk = new GroupDisk();
  /** Identity of the disk. */
  store: Uuid;
  lostDisk: { readonly disk: GroupDisk; readonly store: Uuid } | undefined;
  /** Its clock runs at this rate of true time. */
  rate = 1;
  process = uuidOf('');
  incarnation = 0;
  /** What its replica had promised when it started. */
  openedEpoch = 0 as Epoch;
  sessions = new Sessions();
  grants = new LeaseGrants(LEASE, 0);
  claims = new LeaseClaims(LEASE);
  installs = new Installs({ installsMax: 1 });
  catchUps = new CatchUps(GROUP_SETTINGS);
  replica: ShardReplica | undefined;
  /** The batch that is being written. */
  writing: Persist | undefined;
  /** Data received for an install, to be switched to with the next batch. */
  incoming: GroupDisk['data'] | undefined;
  lastBeatAt = -Infinity;

  constructor(id: string) {
    this.id = id as MemberId;
    this.store = uuidOf(id);
  }

  get isUp(): boolean {
    return this.replica !== undefined;
  }
}

export interface GroupHooks {
  ready(node: GroupNode, ready: Ready): void;
  /** A replica gave these entries to its disk. */
  appended?(entries: readonly Entry[]): void;
  /** Before a message is handled. */
  delivered?(from: GroupNode, to: GroupNode, wire: Wire): void;
  requested(node: GroupNode, request: ChangeRequest): void;
}

export class ReplicaGroup {
  readonly nodes: readonly GroupNode[];
  streams: GroupStream[] = [];
  /** True time in milliseconds. */
  now = 10_000;
  config: VersionedConfig;
  readonly #hooks: GroupHooks;
  readonly settings: GroupSettings;
  /** How many there should be. */
  readonly replicas: number;
  #incarnations = 100;
  #writes = 0;
  #installs = 0;

  /** `spare`: so many of the nodes, the last ones, have no replica at first. */
  constructor(
    ids: readonly string[],
    hooks: GroupHooks,
    settings: GroupSettings = GROUP_SETTINGS,
    spare = 0,
  ) {
    this.#hooks = hooks;
    this.settings = settings;
    this.nodes = ids.map((id) => new GroupNode(id));
    for (const node of this.nodes) this.#boot(node);
    const holders = this.nodes.slice(0, ids.length - spare);
    this.replicas = holders.length;
    this.config = {
      version: 0,
      config: configOf(0, nodeOf(ids[0]!), {
        state: 'creating',
        shardUuid: SHARD_UUID,
        isr: holders.map(({ id }) => id),
        replicas: holders.map((node) => this.placeOf(node)),
      }),
    };
  }

  node(id: string): GroupNode {
    return this.nodes.find((node) => node.id === id)!;
  }

  clockOf(node: GroupNode): number {
    return this.now * node.rate;
  }

  step(node: GroupNode, input: ReplicaInput): void {
    if (node.replica === undefined) return;
    node.replica.step(input, this.clockOf(node));
    this.#round(node);
  }

  /** The leader writes a configuration that differs from the one before in `change`. */
  reconfigure(change: Partial<ShardConfig>): void {
    const { config, version } = this.config;
    const nonce = (++this.#writes).toString(16).padStart(2, '0');
    this.config = { config: { ...config, ...change, nonce }, version: version + 1 };
  }

  /** A node hears a configuration: the newest, unless said otherwise. */
  hear(node: GroupNode, update = this.config): void {
    this.step(node, { type: 'config', update });
  }

  /** Opens the streams to `callees` that the node does not have. */
  dial(node: GroupNode, callees: readonly GroupNode[] = this.nodes): void {
    if (!node.isUp) return;
    for (const callee of callees) {
      if (callee === node || !callee.isUp) continue;
      const between = this.streams.filter((stream) => {
        return stream.caller === node && stream.callee === callee;
      });
      if (between.some(({ isOpenAtCaller }) => isOpenAtCaller)) continue;
      // A node that is called anew knows that the old stream is gone.
      for (const old of between) this.breakAtCallee(old);
      const { store, process } = callee;
      this.streams.push({
        caller: node,
        callee,
        toCallee: [],
        toCaller: [{ type: 'hello', store, process }],
        isOpenAtCaller: true,
        isOpenAtCallee: true,
      });
    }
  }

  /** Delivers the next message of one direction. */
  deliver(stream: GroupStream, direction: Direction): void {
    const wire = stream[direction].shift();
    if (wire === undefined) return;
    const isToCallee = direction === 'toCallee';
    if (!(isToCallee ? stream.isOpenAtCallee : stream.isOpenAtCaller)) return;
    const { caller, callee } = stream;
    const [from, to] = isToCallee ? [caller, callee] : [callee, caller];
    this.#hooks.delivered?.(from, to, wire);
    switch (wire.type) {
      case 'hello':
        to.sessions.up({ node: from.id, store: wire.store, process: wire.process });
        return this.step(to, { type: 'session-up', node: from.id });
      case 'beat':
        to.grants.grant(from.id, this.clockOf(to));
        stream.toCaller.push({ type: 'beatAck', sentAt: wire.sentAt });
        return;
      case 'beatAck':
        return to.claims.answered(from.id, wire.sentAt);
      case 'data':
        if (to.replica?.awaitsInstall(from.id, wire.number)) to.incoming = wire.data;
        return this.step(to, {
          ...{ type: 'installed', from: from.id },
          ...{ number: wire.number, base: wire.base },
        });
      case 'replica':
        return this.step(to, { type: 'message', from: from.id, message: wire.message });
    }
  }

  /** Breaks a stream; what was on its way is lost. `gone`: one end has ended. */
  break(stream: GroupStream, gone: boolean): void {
    this.breakAtCaller(stream, gone);
    this.breakAtCallee(stream);
  }

  /** The caller notices that it broke. */
  breakAtCaller(stream: GroupStream, gone = false): void {
    if (!stream.isOpenAtCaller) return;
    stream.isOpenAtCaller = false;
    this.#forgetClosed();
    stream.caller.sessions.down(stream.callee.id);
    this.step(stream.caller, { type: 'session-down', node: stream.callee.id, gone });
  }

  /** The callee notices that it broke. */
  breakAtCallee(stream: GroupStream): void {
    if (!stream.isOpenAtCallee) return;
    stream.isOpenAtCallee = false;
    this.#forgetClosed();
    this.step(stream.callee, { type: 'caller-down', node: stream.caller.id });
  }

  /** Whoever is left at one end of a stream notices. */
  noticeBroken(): void {
    for (const stream of [...this.streams]) {
      if (!stream.isOpenAtCaller || !stream.isOpenAtCallee) this.break(stream, false);
    }
  }

  #forgetClosed(): void {
    this.streams = this.streams.filter(({ isOpenAtCaller, isOpenAtCallee }) => {
      return isOpenAtCaller || isOpenAtCallee;
    });
  }

  /** The batch under way is durable. */
  persisted(node: GroupNode): void {
    if (node.writing === undefined) return;
    node.disk.write(node.writing, node.incoming);
    if (node.writing.switchTo !== undefined) node.incoming = undefined;
    node.writing = undefined;
    this.step(node, { type: 'persisted' });
  }

  crash(node: GroupNode): void {
    node.replica = undefined;
    node.writing = undefined;
    node.incoming = undefined;
    for (const stream of [...this.streams]) {
      if (stream.caller === node || stream.callee === node) this.break(stream, true);
    }
  }

  restart(node: GroupNode): void {
    this.crash(node);
    this.#boot(node);
  }

  /** The node starts with an empty disk in place of the one it had. */
  loseDisk(node: GroupNode): void {
    this.crash(node);
    node.lostDisk = { disk: node.disk, store: node.store };
    node.disk = new GroupDisk();
    node.store = uuidOf(`${node.id}/${this.#incarnations}`);
    this.#boot(node);
  }

  /** The node starts with the disk that it lost last. */
  findDisk(node: GroupNode): void {
    this.crash(node);
    Object.assign(node, node.lostDisk);
    this.#boot(node);
  }

  tick(node: GroupNode): void {
    if (!node.isUp) return;
    for (const stream of this.streams) {
      if (stream.caller === node && stream.isOpenAtCaller) {
        stream.toCallee.push({ type: 'beat', sentAt: this.clockOf(node) });
      }
    }
    this.step(node, { type: 'tick' });
  }

  /** Proposes a write if the primary takes it; whether it did. */
  write(node: GroupNode, call: number, write: Write, ifVersion?: number): boolean {
    const primary = node.replica?.primary;
    if (primary?.mayWrite(this.clockOf(node)) !== true) return false;
    const storedVersion = needsStoredVersion(write, ifVersion)
      ? (this.#committed(node, primary, write.key)?.seq ?? (0 as Seq))
      : undefined;
    this.step(node, { type: 'write', proposal: { call, write, ifVersion, storedVersion } });
    return true;
  }

  /** What a read of a key answers; undefined if it may not be answered now. */
  read(
    node: GroupNode,
    key: string,
  ): { readonly value: string; readonly seq: Seq } | 'absent' | undefined {
    const primary = node.replica?.primary;
    if (primary === undefined) return undefined;
    const found = this.#committed(node, primary, Buffer.from(key));
    if (!primary.mayRead(this.clockOf(node))) return undefined;
    return found === undefined ? 'absent' : { value: found.value.toString(), seq: found.seq };
  }

  #committed(node: GroupNode, primary: Primary, key: Buffer): StoredRecord | undefined {
    return primary.read(key, () => {
      const stored = node.disk.data.get(key.toString());
      return stored && { value: Buffer.from(stored.value), seq: stored.seq };
    });
  }

  /** The place of a node in its present life. */
  placeOf({ id, store, process, incarnation }: GroupNode): ReplicaPlace {
    return { node: id, store, process, incarnation: incarnation as Incarnation };
  }

  #boot(node: GroupNode): void {
    node.incarnation = ++this.#incarnations;
    node.process = uuidOf(`${node.id}-${node.incarnation}`);
    node.disk.lives.push(node.process);
    node.sessions = new Sessions();
    node.grants = new LeaseGrants(LEASE, this.clockOf(node));
    node.claims = new LeaseClaims(LEASE);
    node.installs = new Installs({ installsMax: 1 });
    node.catchUps = new CatchUps(GROUP_SETTINGS);
    node.openedEpoch = node.disk.state?.promisedEpoch ?? (0 as Epoch);
    node.replica = new ShardReplica(
      { shard: SHARD, shardUuid: SHARD_UUID },
      {
        self: node.id,
        store: node.store,
        process: node.process,
        sessions: node.sessions,
        grants: node.grants,
        claims: node.claims,
        installs: node.installs,
        catchUps: node.catchUps,
        readMemory: new ReadMemory(READ_SETTINGS),
        settings: this.settings,
      },
      node.disk.recovered(),
    );
  }

  /** Takes what the replica decided, once no batch is under way. */
  #round(node: GroupNode): void {
    const { replica } = node;
    if (replica === undefined) return;
    if (node.writing === undefined) {
      node.writing = replica.takePersist();
      if (node.writing !== undefined) this.#hooks.appended?.(node.writing.append);
    }
    const ready = replica.takeReady();
    for (const { to, message } of ready.send) this.#send(node, to, message);
    for (const to of ready.installs) this.#install(node, to);
    for (const request of ready.requests) this.#hooks.requested(node, request);
    this.#hooks.ready(node, ready);
  }

  #send(node: GroupNode, to: MemberId, message: ReplicaMessage): void {
    const sent = this.#withBytes(node, message);
    const isReply = REPLIES.has(message.type);
    for (const { caller, callee, toCaller, toCallee, ...open } of this.streams) {
      if (isReply && open.isOpenAtCallee && callee === node && caller.id === to) {
        toCaller.push({ type: 'replica', message: sent });
      } else if (!isReply && open.isOpenAtCaller && caller === node && callee.id === to) {
        toCallee.push({ type: 'replica', message: sent });
      }
    }
  }

  #withBytes(node: GroupNode, message: ReplicaMessage): ReplicaMessage {
    if (message.type !== 'prepare' || message.entry.bytes !== undefined) return message;
    const entry = node.disk.log.get(message.entry.seq);
    if (entry === undefined) throw new Error(`log record ${message.entry.seq} is gone`);
    return { ...message, entry };
  }

  /** Sends the data as it is on disk, which is that of the applied position. */
  #install(node: GroupNode, to: MemberId): void {
    const { log, promisedEpoch } = node.replica!.body;
    const base = log.positionAt(log.appliedSeq) ?? LOG_START;
    const { seq, epoch, chain } = base;
    const number = ++this.#installs;
    this.#send(node, to, { type: 'install', epoch: promisedEpoch, number });
    const stream = this.streams.find(({ caller, callee, isOpenAtCaller }) => {
      return caller === node && callee.id === to && isOpenAtCaller;
    });
    stream?.toCallee.push({
      type: 'data',
      number,
      base: { seq, epoch, chain },
      data: new Map(node.disk.data),
    });
  }
}
