/**
 * The leader's streams to every other member: it tells them the map, and hears from the storage
 * nodes what they hold, what their primaries ask for, and whether they live. One stream per member,
 * opened again after a pause while the leader leads.
 *
 * A member is always told the whole map first, then the changes; both ends ignore what they already
 * know, so telling twice is harmless and nothing has to be remembered per member.
 */
import type { LeaderEpoch, MemberId, Uuid } from '../model/ids.js';
import type {
  HandOverOrder,
  LeaderHello,
  MapUpdate,
  NodeWord,
  ProgressReport,
  ReplicaEntry,
} from '../model/member-messages.js';
import type { CandidateRecord, Registration } from '../model/registrations.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Dialer } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import { Heartbeat } from './heartbeat.js';
import type { Suspicion } from './liveness.js';
import { MemberLink, type MemberTarget } from './member-link.js';
import type { NodeWatchEvents } from './node-watch.js';

export interface MemberLinksDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dialer: Dialer;
  /** The map as this leader has read and written it, which is what ZooKeeper knows. */
  readonly known: () => KnownMap;
}

export interface KnownMap {
  readonly shards: readonly VersionedConfig[];
  readonly nodes: readonly Registration[];
}

/** A registered process of a storage node. */
export interface NodeProcess {
  readonly id: MemberId;
  readonly address: string;
  readonly process: Uuid;
}

/** What the leader hears. Nothing comes before the first member is added, or after `close`. */
export interface MemberEvents {
  /**
   * What a storage node holds durably: all of it first, later what changed. Said by the registered
   * process, or by a later one in its place.
   */
  replicas(node: NodeProcess, replicas: readonly ReplicaEntry[], isRegistered: boolean): void;
  /** The registered process of this node says something of its own accord. */
  said(node: MemberId, word: NodeWord): void;
  /** This process is taken for dead, although it is registered. Once, until `heardAgain`. */
  suspected(node: NodeProcess, why: Suspicion): void;
  /** A later process of its node answers in its place, and may register soon. The same. */
  replaced(node: NodeProcess): void;
  heardAgain(node: NodeProcess): void;
  /** A member has heard of a later leader, and listens to us no more. */
  laterLeader(leaderEpoch: LeaderEpoch): void;
}

export class MemberLinks {
  readonly #deps: MemberLinksDeps;
  readonly #hello: LeaderHello;
  readonly #events: MemberEvents;
  readonly #nodes = new Map<MemberId, MemberLink>();
  readonly #routers = new Map<MemberId, MemberLink>();
  /** One for all: it tells when we were held up, and then nobody was silent. */
  readonly #heartbeat: Heartbeat;

  constructor(deps: MemberLinksDeps, hello: LeaderHello, events: MemberEvents) {
    this.#deps = deps;
    this.#hello = hello;
    this.#events = events;
    this.#heartbeat = new Heartbeat(deps.clock, (number, lateMs) => {
      for (const link of this.#nodes.values()) link.beat(number, lateMs);
    });
  }

  /** The registered nodes: all are told, and all members hear the new table. */
  setNodes(nodes: readonly Registration[]): void {
    // A node that restarted is another process, even at the same address.
    this.#sync(
      this.#nodes,
      nodes.map(({ id, address, process }) => ({ id, address, process })),
    );
    this.#broadcast({ type: 'map', shards: [], nodes });
  }

  /** The other routers that stand for election. */
  setRouters(routers: readonly CandidateRecord[]): void {
    this.#sync(
      this.#routers,
      routers.map(({ id, address }) => ({ id, address, process: undefined })),
    );
  }

  /** Tells every member what changed. */
  tell(changed: readonly VersionedConfig[]): void {
    this.#broadcast({ type: 'map', shards: changed, nodes: undefined });
  }

  /** Asks a primary to hand a shard over; lost if its node cannot be told now. */
  order(primary: MemberId, order: HandOverOrder): void {
    this.#nodes.get(primary)?.order(order);
  }

  /** Tells the other routers how far learners are; lost if one cannot be told now. */
  tellRouters(report: ProgressReport): void {
    for (const link of this.#routers.values()) link.say(report);
  }

  close(): void {
    this.#heartbeat.stop();
    for (const link of [...this.#nodes.values(), ...this.#routers.values()]) link.close();
    this.#nodes.clear();
    this.#routers.clear();
  }

  #broadcast(update: MapUpdate): void {
    for (const link of [...this.#nodes.values(), ...this.#routers.values()]) link.tell(update);
  }

  #sync(links: Map<MemberId, MemberLink>, wanted: readonly MemberTarget[]): void {
    const targets = new Map(wanted.map((target) => [target.id, target]));
    for (const [id, link] of links) {
      const target = targets.get(id);
      if (target?.address === link.address && target.process === link.process) continue;
      link.close();
      links.delete(id);
    }
    for (const [id, target] of targets) {
      if (!links.has(id)) links.set(id, this.#open(target));
    }
  }

  #open(target: MemberTarget): MemberLink {
    const { id, address, process } = target;
    const events = this.#events;
    return new MemberLink(this.#deps, target, {
      hello: this.#hello,
      wholeMap: () => wholeMap(this.#deps.known()),
      heard: (message, isRegistered) => {
        if (message.type === 'replicas') {
          // Of a router there is nothing to say it of.
          if (process === undefined) return;
          events.replicas({ id, address, process }, message.replicas, isRegistered);
        } else if (message.type !== 'hello') {
          if (isRegistered) events.said(id, message);
        } else if (message.leaderEpoch > this.#hello.leaderEpoch) {
          events.laterLeader(message.leaderEpoch);
        }
      },
      life: this.#lifeOf(target),
    });
  }

  #lifeOf({ id, address, process }: MemberTarget): NodeWatchEvents | undefined {
    if (process === undefined) return undefined;
    const node = { id, address, process };
    return {
      suspected: (why) => this.#events.suspected(node, why),
      replaced: () => this.#events.replaced(node),
      heardAgain: () => this.#events.heardAgain(node),
    };
  }
}

/** Configurations in one message: far below the message limit even with long records. */
const CONFIGS_PER_MESSAGE = 256;

/** The map as it is now, in messages of bounded size. */
function wholeMap({ shards, nodes }: KnownMap): readonly MapUpdate[] {
  const updates: MapUpdate[] = [{ type: 'map', shards: [], nodes }];
  for (let at = 0; at < shards.length; at += CONFIGS_PER_MESSAGE) {
    const page = shards.slice(at, at + CONFIGS_PER_MESSAGE);
    updates.push({ type: 'map', shards: page, nodes: undefined });
  }
  return updates;
}
