/**
 * What the roles need of the network. Clients' side: dial a member. Servers' side: handlers that
 * the transport calls. Nothing here is delivered more than once or out of order on one stream, and
 * everything may break at any moment; a broken stream says so exactly once.
 */
import type { LeaderMessage, MemberMessage } from '../model/member-messages.js';
import type { CallKind } from '../model/calls.js';
import type { Inventory, ScrubFinding, ScrubQuestion } from '../model/inspection.js';

/** One call of a client, as its handler sees it. */
export interface CallContext {
  /** Milliseconds until the caller gives up, counted from when the call came in. */
  readonly budgetMs: number;
  /** Called once if the caller gives up early. */
  onCancel(listener: () => void): void;
}

/** Serves KV calls: the encoded request in, the encoded response out. */
export interface KvHandler {
  /** @throws RefusedError; any other error is answered as "outcome unknown". */
  call(kind: CallKind, request: Buffer, context: CallContext): Promise<Buffer>;
}

/** One direction of a stream: what may be written to it. */
export interface Outgoing<T> {
  /** False: the stream takes more only after `drain`; what was written is not lost. */
  write(message: T): boolean;
  /** Ends the stream; nothing may be written after. */
  end(): void;
}

/** What happens on a stream. */
export interface StreamEvents<T> {
  message(message: T): void;
  /**
   * The stream takes messages again; on a dialed stream also once when the connection stands. What
   * was not written before that first time has certainly not left this process.
   */
  drain(): void;
  /** The stream is over, whoever ended it. Comes exactly once and is the last. */
  closed(reason: string): void;
}

/** Accepts one stream: gets the way back, returns what to do with what comes. */
export type StreamHandler<In, Out> = (outgoing: Outgoing<Out>, peer: string) => StreamEvents<In>;

/** `Storage.Exchange`: frames of requests in, frames of responses out (`wire/frame.ts`). */
export type ExchangeHandler = StreamHandler<Buffer, Buffer>;

/** `Replication.Replicate`: frames both ways (`storage/replication-frame.ts`). */
export type ReplicateHandler = StreamHandler<Buffer, Buffer>;

/** `Member.Follow`: the leader speaks, the member answers. */
export type FollowHandler = StreamHandler<LeaderMessage, MemberMessage>;

/** `Inspection`: what an operator's commands ask a storage node. */
export interface InspectionHandler {
  inventory(): Inventory;
  /** @throws RefusedError */
  scrub(question: ScrubQuestion): Promise<ScrubFinding>;
}

/**
 * What a process's port says of it. `refused`: nothing listens there any more, so the process is
 * gone, not just slow. `accepted`: the kernel behind it takes connections, which it also does for a
 * process that hangs. `silent`: neither within about a second.
 */
export type ProbeResult = 'accepted' | 'refused' | 'silent';

/** Opens streams to other members. Addresses are HOST:PORT. */
export interface Dialer {
  exchange(address: string, events: StreamEvents<Buffer>): Outgoing<Buffer>;
  /**
   * Over a connection of its own, so that frames wait behind nothing but each other. A process that
   * dies closes it at once, but why it closed proves nothing: {@link probe} tells.
   */
  replicate(address: string, events: StreamEvents<Buffer>): Outgoing<Buffer>;
  follow(address: string, events: StreamEvents<MemberMessage>): Outgoing<LeaderMessage>;
  /**
   * Holds a stream to a process as long as it lives; calls back once, when there is none any more,
   * or none yet, and {@link probe} refused. Of one that hangs or is cut off it says nothing, and
   * tries on. The function returned ends the watch.
   */
  watchProcess(address: string, gone: () => void): () => void;
  /** Asks the kernel behind an address, not the process. Never rejects. */
  probe(address: string): Promise<ProbeResult>;
  close(): void;
}
