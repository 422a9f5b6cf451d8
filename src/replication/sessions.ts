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

  /** A stream to this node stands, and the other end has said who it is. */
  up(identity: PeerIdentity): void {
    this.#up.set(identity.node, identity);
  }

  down(node: MemberId): void {
    this.#up.delete(node);
  }

  /** Whether a stream stands to the very replica, and life of it, that a configuration means. */
  reaches({ node, store, process }: ReplicaPlace): boolean {
    const identity = this.#up.get(node);
    return identity?.store === store && identity.process === process;
  }
}
