/**
 * The leader's streams to every other member: it tells them the map and hears which replicas the
 * storage nodes hold. One stream per member, opened again after a pause while the leader leads.
 *
 * A member is always told the whole map first, then the changes; both ends ignore what they already
 * know, so telling twice is harmless and nothing has to be remembered per member.
 */
import type { LeaderEpoch, MemberId } from '../model/ids.js';
import type {
  LeaderHello,
  MapUpdate,
  MemberMessage,
  ReplicaEntry,
} from '../model/member-messages.js';
import type { CandidateRecord, Registration } from '../model/registrations.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Dialer } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import type { MapHolder } from './map-holder.js';
import { MemberLink } from './member-link.js';

export interface MemberLinksDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dialer: Dialer;
  readonly map: MapHolder;
}

export class MemberLinks {
  readonly #deps: MemberLinksDeps;
  readonly #hello: LeaderHello;
  readonly #nodes = new Map<MemberId, MemberLink>();
  readonly #routers = new Map<MemberId, MemberLink>();

  /** What a storage node holds durably. Set once, before any member is added. */
  onReplicas: (replicas: readonly ReplicaEntry[]) => void = () => undefined;
  /** A member has heard of a later leader, and listens to us no more. Set as above. */
  onLaterLeader: (leaderEpoch: LeaderEpoch) => void = () => undefined;

  constructor(deps: MemberLinksDeps, hello: LeaderHello) {
    this.#deps = deps;
    this.#hello = hello;
  }

  /** The registered nodes: all are told, and all members hear the new table. */
  setNodes(nodes: readonly Registration[]): void {
    // A node that restarted is another process, even at the same address.
    this.#sync(
      this.#nodes,
      nodes.map(({ id, address, process }) => ({ id, address, life: process })),
    );
    this.#broadcast({ type: 'map', shards: [], nodes });
  }

  /** The other routers that stand for election. */
  setRouters(routers: readonly CandidateRecord[]): void {
    this.#sync(
      this.#routers,
      routers.map(({ id, address }) => ({ id, address, life: '' })),
    );
  }

  /** Tells every member what changed. */
  tell(changed: readonly VersionedConfig[]): void {
    this.#broadcast({ type: 'map', shards: changed, nodes: undefined });
  }

  close(): void {
    for (const link of [...this.#nodes.values(), ...this.#routers.values()]) link.close();
    this.#nodes.clear();
    this.#routers.clear();
  }

  #broadcast(update: MapUpdate): void {
    for (const link of [...this.#nodes.values(), ...this.#routers.values()]) link.tell(update);
  }

  #sync(
    links: Map<MemberId, MemberLink>,
    wanted: readonly { id: MemberId; address: string; life: string }[],
  ): void {
    const targets = new Map(wanted.map((target) => [target.id, target]));
    for (const [id, link] of links) {
      const target = targets.get(id);
      if (target?.address === link.address && target.life === link.life) continue;
      link.close();
      links.delete(id);
    }
    for (const [id, target] of targets) {
      if (!links.has(id)) links.set(id, this.#open(target));
    }
  }

  #open(target: { id: MemberId; address: string; life: string }): MemberLink {
    return new MemberLink(this.#deps, target, {
      hello: this.#hello,
      wholeMap: () => wholeMap(this.#deps.map),
      heard: (message: MemberMessage) => {
        if (message.type === 'replicas') this.onReplicas(message.replicas);
        else if (message.leaderEpoch > this.#hello.leaderEpoch) {
          this.onLaterLeader(message.leaderEpoch);
        }
      },
    });
  }
}

/** Configurations in one message: far below the message limit even with long records. */
const CONFIGS_PER_MESSAGE = 256;

/** The map as it is now, in messages of bounded size. */
function wholeMap({ map }: MapHolder): readonly MapUpdate[] {
  const shards = [...map.shards.values()];
  const updates: MapUpdate[] = [{ type: 'map', shards: [], nodes: [...map.nodes.values()] }];
  for (let at = 0; at < shards.length; at += CONFIGS_PER_MESSAGE) {
    const page = shards.slice(at, at + CONFIGS_PER_MESSAGE);
    updates.push({ type: 'map', shards: page, nodes: undefined });
  }
  return updates;
}
