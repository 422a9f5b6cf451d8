/**
 * This node's streams to all others that hold replicas of shards whose primary is here: one per
 * node, as long as a configuration asks for it, to the process that is registered there now.
 */
import type { MemberId } from '../model/ids.js';
import type { Registration } from '../model/registrations.js';
import type { ShardMap } from '../model/shard-map.js';
import { ReplicationPeer, type PeerTarget, type ReplicationPeerDeps } from './replication-peer.js';
import type { ReplicationRecord } from './replication-frame.js';

export class ReplicationLinks {
  readonly #deps: ReplicationPeerDeps;
  readonly #self: MemberId;
  readonly #map: ShardMap;
  readonly #peers = new Map<MemberId, ReplicationPeer>();

  constructor(deps: ReplicationPeerDeps, self: MemberId, map: ShardMap) {
    this.#deps = deps;
    this.#self = self;
    this.#map = map;
  }

  /** Opens and closes streams after what the map says now. */
  sync(): void {
    const wanted = this.#wanted();
    for (const [node, peer] of this.#peers) {
      const registered = this.#map.nodes.get(node);
      // One that is not registered at this moment may live all the same.
      const isSame = registered === undefined || isTarget(peer.target, registered);
      if (wanted.has(node) && isSame) continue;
      this.#peers.delete(node);
      peer.close();
    }
    for (const node of wanted) {
      const registered = this.#map.nodes.get(node);
      if (registered === undefined || this.#peers.has(node)) continue;
      const { address, store, process } = registered;
      this.#peers.set(node, new ReplicationPeer(this.#deps, { node, address, store, process }));
    }
  }

  /** Lost if there is no stream. */
  send(to: MemberId, record: ReplicationRecord): void {
    this.#peers.get(to)?.send(record);
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
  }

  #wanted(): ReadonlySet<MemberId> {
    const wanted = new Set<MemberId>();
    for (const { config } of this.#map.shards.values()) {
      if (config.primary !== this.#self) continue;
      for (const { node } of config.replicas) if (node !== this.#self) wanted.add(node);
    }
    return wanted;
  }
}

function isTarget(target: PeerTarget, { address, store, process }: Registration): boolean {
  return target.address === address && target.store === store && target.process === process;
}
