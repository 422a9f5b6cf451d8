/**
 * What should change in the shard map: the leader's decisions, and nothing else.
 *
 * Pure: no clock, no I/O, no randomness. The driver (`router/leadership.ts`) feeds what it saw and
 * carries out what `takeReady()` returns, every write fenced by the leaderEpoch (S17) and compared
 * with the version the decision was based on.
 *
 * It decides from the whole state, not from events: a successor that reads the same map decides the
 * same, and changes nothing that is right. Nothing is decided of a shard before its living replicas
 * have said what they hold, or have had the time to. While ZooKeeper is not trusted, as it may have
 * been set back, to a backup perhaps (`router/trust.ts`): before all registered nodes have, and all
 * that the configuration names, registered or not, as one of them may know a later one. And nothing
 * is decided if anybody has promised an epoch above the configuration's, or if it is only being
 * created although a shard of its number has served, and rule 12 knows no more of it. Then
 * ZooKeeper was set back: whoever serves the shard serves on, and what the configuration should be
 * is for an operator to settle (S1, S19; `portolan recover`).
 *
 * Alive = registered in ZooKeeper, and not suspected by the leader's own connection. The same life
 * = the registration and the process that a place names; a new life = another one with the same
 * store, all its data included (`lives.ts`). Its rules, per shard, the first that applies, in the
 * order 1, 12, 3, 2 and 12, 8, 5 (of a damaged primary), 4, 5, 10, 6, 7, 9, 11:
 *   1. No configuration, and the placement is not complete: create one in state `creating`, once
 *      enough nodes are registered, with all its replicas in sync. Not if a shard of this number is
 *      known to have served, or one of them holds data of it. When every shard has one, the
 *      placement is complete, for ever.
 *   2. `creating`, the placement is complete, and every member reports its replica as durable:
 *      `active`.
 *   3. `creating`, and a member is gone or another life or store: place it anew, in a new epoch.
 *      Nothing can be lost, because a shard serves nothing before it is `active`.
 *   4. `active`, and its primary is alive in a new life, or says that the epoch was an earlier
 *      life's: the same primary in a new epoch (S1).
 *   5. `active`, and its primary is not alive, is damaged or has lost its data: a member of the isr
 *      that lives becomes primary in a new epoch (S6); those that do not live have to catch up, as
 *      far as minIsr members stay. If there is no such member: leave it, and say so once. Starting
 *      empty would lose the data (S19).
 *   6. Its primary asks to drop a member of the isr, to take a learner in that caught up or not to
 *      do so after all, or to give a learner's place to another node: so be it, if it asks in the
 *      present epoch and knows the present configuration (S7, S16).
 *   7. A secondary or learner is alive in a new life: record it. Alive without its data: it has to
 *      catch up, if there is a primary to give it the data.
 *   8. Its primary stepped down: the member it names, or another of the isr, in a new epoch without
 *      waiting for the lease. Primaries are asked to step down when their node is leaving, and to
 *      balance them, one after the other.
 *   9. Fewer replicas than there should be, not counting those of nodes that are gone for long, and
 *      a node without one: add it as a learner.
 *  10. A node says that its replica is damaged, or not there: it leaves the isr, in a new epoch, if
 *      a sound one stays and leads. The last copy stays where it is, and the operator is told.
 *  11. As many sound replicas in sync as there should be, all alive: forget those not in sync.
 *  12. Its primary, or this leader, knows a later configuration of this epoch, in which it is
 *      `active`: ZooKeeper was set back. The same primary in a new epoch, `active` whatever it was;
 *      in sync are those that it says have everything (S6).
 * A configuration that does not parse is never touched, and one that is missing although the
 * placement is complete is never made again: nodes may hold its data (S19). A shard has one write
 * under way at a time (S18).
 */
import { assert, unreachable } from '../model/assert.js';
import type { ClusterConfig } from '../model/cluster-config.js';
import {
  type Epoch,
  isEpoch,
  type LeaderEpoch,
  type MemberId,
  type ShardId,
  type Uuid,
} from '../model/ids.js';
import type { ChangeRequest, Lead, UsedEpoch } from '../model/member-messages.js';
import type { PlacementState } from '../model/placement-record.js';
import type { Registration } from '../model/registrations.js';
import type { ShardConfig, StoredShard, VersionedConfig } from '../model/shard-config.js';
import { AskedChanges } from './asked-changes.js';
import { AskedHandOvers } from './asked-hand-overs.js';
import { BrokenShards } from './broken-shards.js';
import type {
  ControllerEvent,
  ControllerInput,
  ControllerReady,
  HandOver,
  ProposedWrite,
} from './controller-io.js';
import type { Decision, ShardDraft } from './draft.js';
import {
  failedOver,
  handedOver,
  relieved,
  renewed,
  type StepDown,
  strandings,
} from './failover.js';
import { handOversOfLeaving, handOverToBalance } from './hand-overs.js';
import { type Carried, Loads } from './loads.js';
import { corrected, lifeOfPrimary, requested, takenBack, withoutDamaged } from './membership.js';
import { Memory } from './memory.js';
import { activated, created, isStrayed, placedAnew, widened } from './placing.js';
import { forgotten } from './replacing.js';
import { Reports } from './reports.js';
import { assertTransition } from './transition.js';
import type { ClusterView } from './view.js';

export class Controller {
  readonly #cluster: ClusterConfig;
  readonly #leaderEpoch: LeaderEpoch;
  readonly #stored = new Map<ShardId, StoredShard>();
  readonly #reports = new Reports();
  /** Registered nodes; undefined until they were read. */
  #nodes: ReadonlyMap<MemberId, Registration> | undefined;
  /** Nodes and the process of each that is suspected. */
  readonly #suspected = new Map<MemberId, Uuid>();
  /** Nodes and the process of each in whose place a later one answers. */
  readonly #replaced = new Map<MemberId, Uuid>();
  /** Nodes that are away for long. */
  readonly #gone = new Set<MemberId>();
  /** Nodes and the process of each that is leaving. */
  readonly #leaving = new Map<MemberId, Uuid>();
  /** Shards with a write under way, and what it says: one at a time each (S18). */
  readonly #writing = new Map<ShardId, ShardDraft>();
  /** Processes of nodes that have said what they hold, or have had the time to. */
  readonly #accounted = new Set<Uuid>();
  /** Asked by primaries and not judged yet. */
  readonly #requests = new Map<ShardId, AskedChanges>();
  readonly #stepDowns = new Map<ShardId, StepDown>();
  readonly #asked = new AskedHandOvers();
  /** What was said of each shard in an epoch, so that each is said once. */
  readonly #said = new Map<ShardId, { readonly epoch: Epoch; readonly names: Set<string> }>();
  readonly #broken = new BrokenShards();
  /** Shards that no replica in sync can serve. */
  readonly #stranded = new Set<ShardId>();
  #placement: PlacementState | 'unread' = 'unread';
  /**
   * Nodes of which a registered process has spoken since this leader began. A registration alone
   * may be one that a backup had, of a process that has ended since.
   */
  readonly #spoken = new Set<MemberId>();
  readonly #memory = new Memory();
  /** Whether ZooKeeper can be trusted not to have been set back a moment ago. */
  #isTrusted = false;
  #hasSettled = false;
  #isSettled = false;
  #changed: VersionedConfig[] = [];
  #events: ControllerEvent[] = [];

  constructor(cluster: ClusterConfig, leaderEpoch: LeaderEpoch) {
    this.#cluster = cluster;
    this.#leaderEpoch = leaderEpoch;
  }

  step(input: ControllerInput): void {
    switch (input.type) {
      case 'shard-read':
        return this.#onShardRead(input.stored);
      case 'placement-read':
        this.#placement = input.placement;
        return;
      case 'written':
        return this.#onWritten(input.written);
      case 'not-written':
        this.#writing.delete(input.shard);
        return;
      case 'nodes':
        return this.#onNodes(input.nodes);
      case 'nodes-settled':
        this.#hasSettled = true;
        this.#isSettled = true;
        return;
      case 'zookeeper-trusted':
        this.#isTrusted = true;
        return;
      case 'zookeeper-doubted':
        this.#isTrusted = false;
        return;
      case 'remembered':
        return this.#memory.add(input.known);
      case 'met':
        return this.#reports.met(input.shardUuid, input.epoch);
      case 'reported':
        for (const entry of input.replicas) this.#reports.add(entry);
        return;
      case 'accounted':
        this.#accounted.add(input.process);
        return;
      case 'spoken':
        this.#spoken.add(input.node);
        return;
      case 'suspected':
        this.#suspected.set(input.node, input.process);
        return;
      case 'replaced':
        this.#replaced.set(input.node, input.process);
        return;
      case 'heard':
        for (const doubted of [this.#suspected, this.#replaced]) {
          if (doubted.get(input.node) === input.process) doubted.delete(input.node);
        }
        return;
      case 'requested':
        return this.#onRequested(input.request);
      case 'stepped-down':
        return this.#onSteppedDown(input.shard, { epoch: input.epoch, to: input.to });
      case 'gone':
        if (this.#nodes?.has(input.node) === false) this.#gone.add(input.node);
        return;
      case 'leaving':
        return this.#onLeaving(input.node);
      case 'hand-over-failed':
        return this.#asked.failed(input.shard, input.epoch);
      case 'hand-over-rested':
        return this.#asked.rested(input.shard, input.epoch);
      default:
        return unreachable(input);
    }
  }

  /** Everything decided since the last call. Proposes nothing for a shard being written. */
  takeReady(): ControllerReady {
    const view = this.#view();
    const isKnown = this.#nodes !== undefined; // Else everybody would look dead.
    const ready = {
      writes: isKnown ? this.#decide(view) : [],
      handOvers: isKnown ? this.#handOvers(view) : [],
      completesPlacement: this.#placement === 'open' && this.#isEveryShardThere(),
      changed: this.#changed,
      outdated: this.#broken.outdated,
      used: this.#used(),
      events: this.#events,
    };
    this.#changed = [];
    this.#events = [];
    return ready;
  }

  /** Every configuration that there is, as it was read or written last. */
  get configs(): readonly VersionedConfig[] {
    const stored = [...this.#stored.values()];
    return stored.flatMap((shard) => (shard.type === 'config' ? [shard] : []));
  }

  /** How often ZooKeeper knew less of a shard than we did. */
  get setBacks(): number {
    return this.#memory.setBacks;
  }

  /** Nodes with replicas that have not spoken, while ZooKeeper is not trusted. */
  get notSpoken(): readonly MemberId[] {
    if (this.#isTrusted) return [];
    const nodes = [...this.#stored.values()].flatMap((stored) => {
      if (stored.type !== 'config') return this.#memory.nodesOf(stored.shard);
      return stored.config.replicas.map(({ node }) => node);
    });
    return [...new Set(nodes)].filter((node) => !this.#spoken.has(node)).sort();
  }

  /** What ZooKeeper knows less of than replicas. */
  #used(): readonly UsedEpoch[] {
    return this.#broken.all.flatMap((shard): readonly UsedEpoch[] => {
      const stored = this.#stored.get(shard);
      if (stored?.type !== 'config') return [];
      const epoch = this.#reports.highestEpoch(stored.config) as Epoch;
      return epoch > stored.config.epoch ? [{ shardUuid: stored.config.shardUuid, epoch }] : [];
    });
  }

  /** Whether a write of it is under way: what it says is more than what is read meanwhile. */
  isWriting(shard: ShardId): boolean {
    return this.#writing.has(shard);
  }

  /** Shards that an operator may restore, or decide about: worth another look now and then. */
  get broken(): readonly ShardId[] {
    return [...new Set([...this.#broken.all, ...this.#stranded])];
  }

  #onShardRead(stored: StoredShard): void {
    const shard = stored.type === 'config' ? stored.config.shard : stored.shard;
    const before = this.#stored.get(shard);
    this.#writing.delete(shard);
    this.#stored.set(shard, stored);
    const known = this.#memory.compare(stored, before);
    // Whoever promised the later one may not have said so yet.
    if (known !== undefined) this.#reports.met(known.config.shardUuid, known.config.epoch);
    if (stored.type === 'garbled') {
      this.#events.push(...this.#broken.found({ type: 'shard-garbled', shard }));
    }
    if (stored.type !== 'config') return;
    const { config } = stored;
    const read = before?.type === 'config' ? before : undefined;
    const isSame = read?.config.nonce === config.nonce && read.version === stored.version;
    if (!isSame) this.#changed.push(stored);
    if (!this.#isOutdated(config)) {
      this.#events.push(...this.#broken.restored(shard));
    } else if (this.#broken.isDoubted(shard)) {
      const { epoch } = config;
      const promised = this.#reports.highestEpoch(config);
      const found = { type: 'shard-outdated', shard, epoch, promised } as const;
      this.#events.push(...this.#broken.found(found));
    }
  }

  #onWritten({ config, version }: VersionedConfig): void {
    const before = this.#stored.get(config.shard);
    if (before?.type === 'config') {
      assert(config.epoch >= before.config.epoch, 'S1', () => ({ before, config }));
    }
    this.#writing.delete(config.shard);
    this.#stored.set(config.shard, { type: 'config', config, version });
    this.#changed.push({ config, version });
  }

  #onNodes(nodes: readonly Registration[]): void {
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
    this.#isSettled = false;
    for (const { id } of nodes) {
      this.#gone.delete(id);
    }
    const processes = new Set(nodes.map(({ process }) => process));
    for (const process of this.#accounted) {
      if (!processes.has(process)) this.#accounted.delete(process);
    }
    // One that registers again is heard anew, even if it is the same process.
    for (const known of [this.#leaving, this.#suspected, this.#replaced]) {
      for (const [id, process] of known) {
        if (this.#nodes.get(id)?.process !== process) known.delete(id);
      }
    }
  }

  /** Dropped if the shard is being written: then it knows an older configuration (S18). */
  #onRequested(request: ChangeRequest): void {
    const { shard, shardUuid, change } = request;
    if (change.type === 'epoch-used') return this.#reports.met(shardUuid, change.promised);
    if (change.type === 'set-back') return this.#onSetBack(request, change);
    if (this.#writing.has(shard)) return;
    const asked = this.#requests.get(shard) ?? new AskedChanges();
    this.#requests.set(shard, asked);
    asked.add(request);
  }

  /** What a primary knows to be later counts whenever it comes. */
  #onSetBack(request: ChangeRequest, { nonce, inSync }: Omit<Lead, 'version'>): void {
    const { shard, shardUuid, epoch, basedOn: version } = request;
    this.#memory.said({ shard, shardUuid, epoch }, { version, nonce, inSync });
    const stored = this.#stored.get(shard);
    if (stored?.type !== 'config' || stored.config.nonce !== nonce) return;
    // It has heard of another one, late, and asks until it hears this one.
    if (stored.version === version) this.#changed.push(stored);
  }

  /** Replicas have come further than the configuration knows, as yet or any more. */
  #isOutdated(config: ShardConfig): boolean {
    const { state, shard } = config;
    // Rule 12 settles what is known of this epoch.
    const hasServed = this.#hasAnyServed(shard) && this.#leadOf(config) === undefined;
    const isBeingCreated = state === 'creating' && hasServed;
    return isBeingCreated || this.#reports.highestEpoch(config) > config.epoch;
  }

  /** Whether any shard of this number is known to have been active, this one or one before it. */
  #hasAnyServed(shard: ShardId): boolean {
    return this.#reports.hasAnyServed(shard) || this.#memory.hasAnyServed(shard);
  }

  #leadOf(config: ShardConfig): Lead | undefined {
    return this.#memory.leadOf(config, this.#reports.leadOf(config));
  }

  /** Whether nothing is to be decided of it now. */
  #isLeftAlone(config: ShardConfig, { awaited }: ClusterView): boolean {
    const nodes = config.replicas.map(({ node }) => node);
    const isAwaited = this.#isTrusted
      ? nodes.some((node) => awaited.has(node))
      : awaited.size > 0 || nodes.some((node) => !this.#spoken.has(node));
    return isAwaited || this.#isOutdated(config);
  }

  /** What an earlier primary repeats does not hide what a later one said. */
  #onSteppedDown(shard: ShardId, stepDown: StepDown): void {
    const known = this.#stepDowns.get(shard);
    if (known === undefined || known.epoch <= stepDown.epoch) this.#stepDowns.set(shard, stepDown);
  }

  #onLeaving(node: MemberId): void {
    const registration = this.#nodes?.get(node);
    if (registration !== undefined) this.#leaving.set(node, registration.process);
  }

  #view(): ClusterView {
    const nodes = [...(this.#nodes?.values() ?? [])];
    const alive = new Map(
      nodes
        .filter(({ id, process }) => this.#suspected.get(id) !== process)
        .map((node) => [node.id, node]),
    );
    const awaited = [...alive.values()].filter(({ process }) => !this.#accounted.has(process));
    const leaving = new Set(this.#leaving.keys());
    const loads = new Loads(alive, leaving);
    for (const carried of this.#carried(alive)) loads.carry(carried);
    return {
      cluster: this.#cluster,
      alive,
      registered: this.#nodes ?? new Map(),
      leaving,
      awaited: new Set(awaited.map(({ id }) => id)),
      isReplaced: ({ node, process }) => this.#replaced.get(node) === process,
      gone: this.#gone,
      placement: this.#placement,
      hasSettled: this.#hasSettled,
      isSettled: this.#isSettled,
      reports: this.#reports,
      loads,
    };
  }

  /** What the nodes carry once everything that is under way is done. */
  *#carried(alive: ClusterView['alive']): Iterable<Carried> {
    for (const [shard, stored] of this.#stored) {
      const draft = this.#writing.get(shard);
      if (draft !== undefined) yield draft;
      if (draft !== undefined || stored.type !== 'config') continue;
      const { config } = stored;
      const successor = this.#asked.successorOf(config);
      if (successor !== undefined) yield { ...config, primary: successor };
      else if (!isStrayed(config, alive)) yield config;
    }
  }

  #decide(view: ClusterView): readonly ProposedWrite[] {
    const writes: ProposedWrite[] = [];
    for (let id = 0; id < this.#cluster.shards; id++) {
      const shard = id as ShardId;
      if (this.#writing.has(shard)) continue;
      const stored = this.#stored.get(shard);
      if (stored === undefined || stored.type === 'garbled') continue; // Unread, or not ours.
      const isAbsent = stored.type === 'absent';
      // Nodes may hold its data (S19).
      if (isAbsent && (this.#placement === 'complete' || this.#hasAnyServed(shard))) {
        this.#events.push(...this.#broken.found({ type: 'shard-missing', shard }));
        continue;
      }
      if (!isAbsent && this.#isOutdated(stored.config)) this.#broken.doubt(shard);
      if (!isAbsent && this.#isLeftAlone(stored.config, view)) continue;
      const decision = isAbsent ? created(shard, view) : this.#revise(stored, view);
      this.#requests.delete(shard); // Granted, refused or outdated: the primary asks again.
      if (decision === undefined) continue;
      const hasEpoch = isEpoch(decision.draft.epoch); // Nobody could read any other.
      if (hasEpoch) writes.push(this.#propose(shard, stored, decision, view));
      else if (!isAbsent) this.#sayOnce(stored.config, { type: 'no-epoch-left', shard });
    }
    return writes;
  }

  /** Rules 2 to 12. */
  #revise(stored: VersionedConfig, view: ClusterView): Decision | undefined {
    const { config } = stored;
    const { shard } = config;
    const lead = this.#leadOf(config);
    const asLed = lead && corrected(stored, lead);
    if (asLed !== undefined) return asLed;
    if (config.state === 'creating') return placedAnew(config, view) ?? activated(config, view);
    const stepDown = this.#stepDowns.get(shard);
    if (stepDown !== undefined && stepDown.epoch < config.epoch) this.#stepDowns.delete(shard);
    const primary =
      (stepDown && handedOver(config, view, stepDown)) ??
      relieved(config, view) ??
      renewed(config, view) ??
      failedOver(config, view) ??
      withoutDamaged(config, view);
    if (primary !== undefined) return primary;
    const strands = strandings(config, view);
    for (const event of strands) this.#sayOnce(config, event);
    if (strands.length > 0) this.#stranded.add(shard);
    else this.#stranded.delete(shard);
    const asked = this.#requests.get(shard);
    return (
      asked?.firstGranted((request) => requested(stored, view, request)) ??
      takenBack(config, view) ??
      (lifeOfPrimary(config, view) === 'same'
        ? (widened(config, view) ?? forgotten(config, view))
        : undefined)
    );
  }

  #propose(
    shard: ShardId,
    stored: StoredShard,
    decision: Decision,
    view: ClusterView,
  ): ProposedWrite {
    const before = stored.type === 'config' ? stored : undefined;
    assert((before?.config.leaderEpoch ?? 0) <= this.#leaderEpoch, 'S17', () => ({ before }));
    assertTransition(before?.config, decision, view);
    assert(!this.#writing.has(shard), 'S18', () => ({ shard }));
    const { why, draft } = decision;
    this.#writing.set(shard, draft);
    view.loads.carry(draft);
    return {
      basedOn: before?.version,
      draft: { ...draft, leaderEpoch: this.#leaderEpoch },
      shardUuid: before?.config.shardUuid,
      why,
    };
  }

  /**
   * The asking half of rule 8. A hand-over is under way until the map has it, or it has failed.
   * What is only for balance waits for the successors too, lest pauses pile up on a node that has
   * just begun and is slowest then. A courtesy: a new leader does not know of them.
   */
  #handOvers(view: ClusterView): readonly HandOver[] {
    const quiet: ShardConfig[] = [];
    const doubtful = new Set<MemberId>();
    let underWay = 0;
    let awaited = 0;
    for (const [shard, stored] of this.#stored) {
      if (stored.type !== 'config' || this.#isLeftAlone(stored.config, view)) continue;
      const asked = this.#asked.of(stored.config);
      const isWriting = this.#writing.has(shard);
      // Not written although it stepped down: nobody can take over, and no other waits for that.
      const hasSteppedDown = this.#stepDowns.get(shard)?.epoch === stored.config.epoch;
      if (this.#asked.awaitsSuccessor(stored.config, view)) awaited++;
      if (asked?.hasFailed === true) doubtful.add(asked.to);
      else if (asked !== undefined && (isWriting || !hasSteppedDown)) underWay++;
      else if (asked === undefined && !isWriting && !hasSteppedDown) quiet.push(stored.config);
    }
    const inTurn = this.#asked.inTurn(quiet);
    const leaving = handOversOfLeaving(inTurn, { underWay, doubtful }, view);
    const busy = underWay + awaited + leaving.length;
    const balancing = handOverToBalance(inTurn, { underWay: busy, doubtful }, view);
    const handOvers = balancing === undefined ? leaving : [...leaving, balancing];
    for (const handOver of handOvers) this.#asked.add(handOver);
    return handOvers;
  }

  /** A znode that does not parse is there too. */
  #isEveryShardThere(): boolean {
    const there = [...this.#stored.values()].filter(({ type }) => type !== 'absent');
    return there.length === this.#cluster.shards;
  }

  /** Once in the epoch: a new one is a new situation. */
  #sayOnce({ shard, epoch }: ShardConfig, event: ControllerEvent): void {
    const name = 'node' in event ? `${event.type} ${event.node}` : event.type;
    const known = this.#said.get(shard);
    const said = known?.epoch === epoch ? known : { epoch, names: new Set<string>() };
    this.#said.set(shard, said);
    if (said.names.has(name)) return;
    said.names.add(name);
    this.#events.push(event);
  }
}
