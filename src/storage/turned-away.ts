/**
 * What followers said before they turned away from a primary here, and what waits for its round: it
 * does not count any more. That one turned away is heard at once (`Rounds.turnedAwayNow`), so an
 * `attached` of before would come behind it, and the primary would take the beats of that node for
 * leases again, although the follower has promised itself to somebody else (S14).
 *
 * It turns away from an epoch, and says nothing of a later one: that it refused the same node in
 * that epoch, a moment before, has to be heard, or it is never asked again.
 */
import type { Epoch, MemberId, Uuid } from '../model/ids.js';
import type { ReplicaMessage } from '../replication/messages.js';

interface TurnedFrom {
  readonly epoch: Epoch;
  /** Of the message that said so. */
  readonly number: number;
}

export class TurnedAway {
  /** What was heard so far, in order. */
  #heard = 0;
  /** By follower, then shard: where it turned away last. */
  readonly #last = new Map<MemberId, Map<Uuid, TurnedFrom>>();

  /** Something came from a follower; the result: whether it has turned away from that since. */
  heard(node: MemberId, shardUuid: Uuid, { epoch }: ReplicaMessage): () => boolean {
    const number = ++this.#heard;
    return () => {
      const last = this.#last.get(node)?.get(shardUuid);
      return last !== undefined && last.number > number && last.epoch >= epoch;
    };
  }

  turned(node: MemberId, shardUuid: Uuid, { epoch }: ReplicaMessage): void {
    let shards = this.#last.get(node);
    if (shards === undefined) this.#last.set(node, (shards = new Map<Uuid, TurnedFrom>()));
    shards.set(shardUuid, { epoch, number: ++this.#heard });
  }
}
