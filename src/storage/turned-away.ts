/**
 * What followers said before they turned away from a primary here, and what waits for its round: it
 * does not count any more. That one turned away is heard at once (`Rounds.turnedAwayNow`), so an
 * `attached` of before would come behind it, and the primary would take the beats of that node for
 * leases again, although the follower has promised itself to somebody else (S14).
 */
import type { MemberId, Uuid } from '../model/ids.js';

export class TurnedAway {
  /** What was heard so far, in order. */
  #heard = 0;
  /** By follower, then shard: the number of the message that said so last. */
  readonly #last = new Map<MemberId, Map<Uuid, number>>();

  /** Something came from a follower; the result: whether it has turned away since. */
  heard(node: MemberId, shardUuid: Uuid): () => boolean {
    const number = ++this.#heard;
    return () => (this.#last.get(node)?.get(shardUuid) ?? 0) > number;
  }

  turned(node: MemberId, shardUuid: Uuid): void {
    let shards = this.#last.get(node);
    if (shards === undefined) this.#last.set(node, (shards = new Map<Uuid, number>()));
    shards.set(shardUuid, ++this.#heard);
  }
}
