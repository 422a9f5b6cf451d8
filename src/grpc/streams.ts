/**
 * Bidirectional gRPC streams as the ports want them: writing after the end is ignored instead of
 * thrown, and `closed` comes exactly once, last, and never before the caller has its way back.
 *
 * A stream of the library may say that it is over in five ways (`status`, `error`, `end`, `close`,
 * `cancelled`), some of them twice, and a late `error` without a listener would end the process.
 * Here all of them are heard for good and lead to one place.
 */
import type * as grpc from '@grpc/grpc-js';
import type { Outgoing, StreamEvents, StreamHandler } from '../ports/network.js';

/** How long an ended stream waits for its peer to end it too, before it is cut. */
const LINGER_MS = 1_000;

/** Told about errors that no handler should have thrown. */
export type ReportFailure = (error: unknown) => void;

/** Serves one stream; the result ends it, for a server that stops. */
export function serveStream<In, Out>(
  call: grpc.ServerDuplexStream<In, Out>,
  handler: StreamHandler<In, Out>,
  failed: ReportFailure,
): () => void {
  const outgoing = new GuardedOutgoing<Out>(call);
  const events = guardedEvents(handler(outgoing, call.getPeer()), (error) => {
    failed(error);
    outgoing.end();
  });
  const closed = once((reason) => {
    outgoing.end();
    events.closed(reason);
  });
  call.on('data', (message: In) => events.message(message));
  call.on('drain', () => events.drain());
  call.on('end', () => closed('ended by the peer'));
  call.on('error', (error) => closed(error.message));
  call.on('cancelled', () => closed(outgoing.ended ? 'ended' : 'connection lost'));
  call.on('close', () => closed('closed'));
  return () => outgoing.end();
}

/**
 * The caller's end of a stream. Nothing happens on it before this function has returned; messages
 * that came before the end are delivered before `closed`.
 */
export function openStream<In, Out>(
  call: grpc.ClientDuplexStream<Out, In>,
  incoming: StreamEvents<In>,
  failed: ReportFailure,
): Outgoing<Out> {
  const outgoing = new GuardedOutgoing<Out>(call, () => call.cancel());
  const events = guardedEvents(incoming, (error) => {
    failed(error);
    call.cancel();
  });
  const closed = once((reason) => {
    outgoing.dispose();
    events.closed(reason);
  });
  let reason = 'ended by the peer';
  call.on('data', (message: In) => events.message(message));
  call.on('drain', () => events.drain());
  call.on('error', (error) => {
    reason = error.message;
  });
  call.on('status', () => setImmediate(() => closed(reason)));
  return outgoing;
}

class GuardedOutgoing<T> implements Outgoing<T> {
  readonly #stream: { write(message: T): boolean; end(): void };
  readonly #cut: (() => void) | undefined;
  #linger: NodeJS.Timeout | undefined;
  ended = false;

  constructor(stream: { write(message: T): boolean; end(): void }, cut?: () => void) {
    this.#stream = stream;
    this.#cut = cut;
  }

  write(message: T): boolean {
    return this.ended || this.#stream.write(message);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#stream.end();
    if (this.#cut !== undefined) this.#linger = setTimeout(this.#cut, LINGER_MS).unref();
  }

  dispose(): void {
    this.ended = true;
    clearTimeout(this.#linger);
  }
}

/**
 * A handler that throws loses its stream, not the process. It hears nothing more but `closed`: what
 * is behind a message that was not taken must not be taken as if that had never come.
 */
function guardedEvents<T>(events: StreamEvents<T>, failed: ReportFailure): StreamEvents<T> {
  let hasFailed = false;
  const guard = (run: () => void) => {
    try {
      run();
    } catch (error) {
      hasFailed = true;
      failed(error);
    }
  };
  return {
    message: (message: T) => {
      if (!hasFailed) guard(() => events.message(message));
    },
    drain: () => {
      if (!hasFailed) guard(() => events.drain());
    },
    closed: (reason: string) => guard(() => events.closed(reason)),
  };
}

function once(run: (reason: string) => void): (reason: string) => void {
  let done = false;
  return (reason) => {
    if (done) return;
    done = true;
    run(reason);
  };
}
