/**
 * Streams to other members, one connection each: bulk data never delays the leader's words, and a
 * stream that broke takes its channel with it, so no channel is ever stuck in an old state.
 *
 * Whether and when to open a stream again is the caller's to decide.
 */
import type { LeaderMessage, MemberMessage } from '../model/member-messages.js';
import type { Dialer, Outgoing, ProbeResult, StreamEvents } from '../ports/network.js';
import { asIs, MEMBER, REPLICATION, STORAGE } from './definitions.js';
import { type Codec, DialedStream } from './dialed-stream.js';
import type { LeaderMessage as WireLeaderMessage } from './generated/portolan/v1/LeaderMessage.js';
import type { MemberMessage__Output } from './generated/portolan/v1/MemberMessage.js';
import { fromWireMemberMessage, toWireLeaderMessage } from './member-codec.js';
import { ProcessWatch } from './process-watch.js';
import type { ReportFailure } from './streams.js';
import { probeTcp } from './tcp-probe.js';

export interface DialerReports {
  /** Hears errors that no handler should have thrown. */
  readonly failed: ReportFailure;
  /** Hears of parts of messages that do not parse and were left out. */
  readonly garbled: (problem: string) => void;
}

export class GrpcDialer implements Dialer {
  readonly #reports: DialerReports;
  readonly #streams = new Set<{ cut(): void }>();
  readonly #watches = new Set<ProcessWatch>();

  constructor(reports: DialerReports) {
    this.#reports = reports;
  }

  exchange(address: string, events: StreamEvents<Buffer>): Outgoing<Buffer> {
    return this.#open(address, framesOf(STORAGE.Exchange), events);
  }

  replicate(address: string, events: StreamEvents<Buffer>): Outgoing<Buffer> {
    return this.#open(address, framesOf(REPLICATION.Replicate), events);
  }

  follow(address: string, events: StreamEvents<MemberMessage>): Outgoing<LeaderMessage> {
    const { path, requestSerialize, responseDeserialize } = MEMBER.Follow;
    const codec: Codec<MemberMessage__Output, WireLeaderMessage> = {
      path,
      serialize: requestSerialize,
      deserialize: responseDeserialize,
    };
    const outgoing = this.#open(address, codec, {
      message: (message) => {
        const parsed = fromWireMemberMessage(message, this.#reports.garbled);
        if (parsed !== undefined) events.message(parsed);
      },
      drain: () => events.drain(),
      closed: (reason) => events.closed(reason),
    });
    return {
      write: (message) => outgoing.write(toWireLeaderMessage(message)),
      end: () => outgoing.end(),
    };
  }

  watchProcess(address: string, gone: () => void): () => void {
    const watch: ProcessWatch = new ProcessWatch(address, () => {
      this.#watches.delete(watch);
      gone();
    });
    this.#watches.add(watch);
    return () => {
      this.#watches.delete(watch);
      watch.stop();
    };
  }

  probe(address: string): Promise<ProbeResult> {
    return probeTcp(address);
  }

  /** Cuts every stream; each says that it is closed. */
  close(): void {
    for (const watch of this.#watches) watch.stop();
    this.#watches.clear();
    for (const stream of this.#streams) stream.cut();
  }

  #open<In, Out>(address: string, codec: Codec<In, Out>, events: StreamEvents<In>): Outgoing<Out> {
    const stream = new DialedStream(address, codec, {
      events: {
        message: (message) => events.message(message),
        drain: () => events.drain(),
        closed: (reason) => {
          this.#streams.delete(stream);
          events.closed(reason);
        },
      },
      failed: this.#reports.failed,
    });
    this.#streams.add(stream);
    return stream;
  }
}

/** Frames are encoded and decoded by who sends and receives them. */
function framesOf({ path }: { readonly path: string }): Codec<Buffer, Buffer> {
  return { path, serialize: asIs, deserialize: asIs };
}
