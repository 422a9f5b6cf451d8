/**
 * What the replicas of one shard tell each other. A stream between two nodes delivers messages in
 * order and at most once; when it breaks, both ends forget what they knew from it and the primary
 * begins with `attach` again.
 *
 *   primary                     follower
 *   attach(epoch, after)   ->                      promise epoch, durably
 *                          <-   attached(tail)
 *   resume(match)          ->                      truncate above match
 *   prepare(entry) ...     ->                      append, durably
 *                          <-   prepareAck(position) ...
 *   commit(commitSeq)      ->                      apply
 *
 * or, when the log of the follower ends at `after`, without a `resume`: it follows at once. So the
 * first message of an epoch and its barrier are sent together:
 *   attach(epoch, after)   ->                      promise epoch, durably
 *   prepare(barrier)       ->                      append, durably
 *                          <-   attached(tail, follows)
 *                          <-   prepareAck(barrier)
 *
 * or, when the log of the primary does not reach back to what the follower has:
 *   install                ->                      (the data of the shard follows, then) durably
 *                          <-   installed(base)
 *   resume(base) ...
 *
 * or, when what the follower knows to be committed is not in the log of the primary:
 *   diverged               ->                      set aside, durably; an install follows
 */
import type { Epoch, MemberId, Seq, ShardId } from '../model/ids.js';
import type { Entry, Position } from './entry.js';

/** "I am the primary of this epoch. If your log ends at `after`, you follow; entries come next." */
export interface Attach {
  readonly type: 'attach';
  readonly epoch: Epoch;
  /** Counts what the primary has attached in this epoch: the answer tells which it is to. */
  readonly number: number;
  readonly after: Position;
}

/** "I follow you in this epoch, and this is where my log may differ from yours." */
export interface Attached {
  readonly type: 'attached';
  readonly epoch: Epoch;
  /** Of the `attach` that this answers. */
  readonly number: number;
  /**
   * Ends of entries, ascending: from the last one known to be committed to the end of the log. The
   * first is in every log of an in-sync replica. Empty: this replica's data is unusable.
   */
  readonly tail: readonly Position[];
  /** It ended where the primary said: no `resume` is waited for. */
  readonly follows: boolean;
}

/** "Your log agrees with mine up to `match`; drop what is above." */
export interface Resume {
  readonly type: 'resume';
  readonly epoch: Epoch;
  readonly match: Position;
}

export interface Prepare {
  readonly type: 'prepare';
  readonly epoch: Epoch;
  /** Where the entry ends. Its bytes are {@link PrepareEntry.bytes}. */
  readonly entry: PrepareEntry;
  readonly commitSeq: Seq;
  /** What the log of the primary follows: nobody needs more than it has. */
  readonly baseSeq: Seq;
}

/** An entry on its way: the driver reads its bytes from disk if they are not in memory any more. */
export type PrepareEntry = Entry | (Position & { readonly bytes: undefined });

/** "I hold everything up to here, durably." Cumulative. */
export interface PrepareAck {
  readonly type: 'prepareAck';
  readonly epoch: Epoch;
  readonly position: Position;
}

/** "Everything up to here is committed." */
export interface Commit {
  readonly type: 'commit';
  readonly epoch: Epoch;
  readonly commitSeq: Seq;
  readonly baseSeq: Seq;
}

/** "Your log does not reach mine: here is all my data as of a position instead." */
export interface Install {
  readonly type: 'install';
  readonly epoch: Epoch;
  /** Counts what the process of the primary sends: the data says which of them it belongs to. */
  readonly number: number;
}

/** "You have something else committed than I: set your data aside, and expect mine." */
export interface Diverged {
  readonly type: 'diverged';
  readonly epoch: Epoch;
}

/** "The data is here, durably, as of this position." */
export interface Installed {
  readonly type: 'installed';
  readonly epoch: Epoch;
  readonly base: Position;
}

/** "I promised a higher epoch." Or, with the same epoch: "I cannot follow, I have no replica." */
export interface Refused {
  readonly type: 'refused';
  readonly epoch: Epoch;
  readonly promised: Epoch;
}

/** "From here on my lease does not cover this shard for you." */
export interface Detached {
  readonly type: 'detached';
  readonly epoch: Epoch;
}

export type ToFollower = Attach | Resume | Prepare | Commit | Install | Diverged;
export type ToPrimary = Attached | PrepareAck | Installed | Refused | Detached;
export type ReplicaMessage = ToFollower | ToPrimary;

/** A message with its way: the shard it is about and the node it goes to. */
export interface AddressedMessage {
  readonly to: MemberId;
  readonly shard: ShardId;
  readonly message: ReplicaMessage;
}

const TO_PRIMARY = {
  attached: true,
  prepareAck: true,
  installed: true,
  refused: true,
  detached: true,
} as const satisfies Record<ToPrimary['type'], true>;

export function isToPrimary(message: ReplicaMessage): message is ToPrimary {
  return message.type in TO_PRIMARY;
}
