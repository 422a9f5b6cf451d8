/** The streams of this node to others, as far as a replica has to know: who is at the other end. */
import type { MemberId, Uuid } from '../model/ids.js';
import type { ReplicaPlace } from '../model/shard-config.js';

export interface PeerIdentity {
  readonly node: MemberId;
  /** Identity of its data directory. */
  readonly store: Uuid;
  /** Minted at the start of its process. */
  readonly process: Uuid;
}

export class Sessions {
  readonly #up = new Map<MemberId, PeerIdentity>();
  /** Nodes at the other end of a stream that are about to stop in order. */
  readonly #leaving = new Set<MemberId>();

  /** A stream to this node stands, and the other end has said who it is. */
  up(identity: PeerIdentity): void {
    this.#up.set(identity.node, identity);
  }

  down(node: MemberId): void {
    this.#up.delete(node);
    this.#leaving.delete(node);
  }

  /** The other end said that it is about to stop: nobody should wait for it when it has. */
  leaving(node: MemberId): void {
    if (this.#up.has(node)) this.#leaving.add(node);
  }

  /** Whether a stream stands to the very replica, and life of it, that a configuration means. */
  reaches({ node, store, process }: ReplicaPlace): boolean {
    const identity = this.#up.get(node);
    return identity?.store === store && identity.process === process;
  }

  /** Whether the replica, and life of it, that a configuration means is about to stop. */
  isLeaving(place: ReplicaPlace): boolean {
    return this.#leaving.has(place.node) && this.reaches(place);
  }
}
