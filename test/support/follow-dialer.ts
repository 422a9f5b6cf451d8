/** A leader's streams to its members without a network: the test answers for the members. */
import type { Uuid } from '../../src/model/ids.js';
import type {
  LeaderMessage,
  MapUpdate,
  MemberMessage,
  Ping,
} from '../../src/model/member-messages.js';
import type { Dialer, Outgoing, ProbeResult, StreamEvents } from '../../src/ports/network.js';

export class FollowStream implements Outgoing<LeaderMessage> {
  readonly address: string;
  /** The member's end: what it says, and what becomes of the stream. */
  readonly events: StreamEvents<MemberMessage>;
  /** All but pings. */
  readonly told: LeaderMessage[] = [];
  /** Their numbers. */
  readonly pings: number[] = [];
  /** What `write` returns: false = no more until `drain`. */
  takesMore = true;
  ended = false;
  readonly #dialer: Pick<FollowDialer, 'processAt' | 'holdsNothing'>;

  constructor(
    address: string,
    events: StreamEvents<MemberMessage>,
    dialer: Pick<FollowDialer, 'processAt' | 'holdsNothing'>,
  ) {
    this.address = address;
    this.events = events;
    this.#dialer = dialer;
  }

  write(message: LeaderMessage): boolean {
    if (message.type === 'ping') this.#answer(message);
    else this.told.push(message);
    if (message.type === 'hello' && this.#dialer.holdsNothing(this.address)) {
      this.events.message({ type: 'replicas', replicas: [] });
    }
    return this.takesMore;
  }

  #answer({ number }: Ping): void {
    this.pings.push(number);
    const process = this.#dialer.processAt(this.address);
    if (process !== undefined) this.events.message({ type: 'pong', number, process });
  }

  end(): void {
    this.ended = true;
  }

  /** Every update told so far, in order. */
  get updates(): MapUpdate[] {
    return this.told.filter((message) => message.type === 'map');
  }
}

export class FollowDialer implements Dialer {
  /** Every stream ever opened to a member, in order. */
  readonly streams: FollowStream[] = [];
  /** Of streams that are opened from now on. */
  takesMore = true;

  follow(address: string, events: StreamEvents<MemberMessage>): Outgoing<LeaderMessage> {
    const stream = new FollowStream(address, events, this);
    stream.takesMore = this.takesMore;
    this.streams.push(stream);
    return stream;
  }

  /** The streams to this member that were not ended. */
  openTo(address: string): FollowStream[] {
    return this.streams.filter((stream) => stream.address === address && !stream.ended);
  }

  exchange(): never {
    throw new Error('not in this test');
  }

  replicate(): never {
    throw new Error('not in this test');
  }

  /** The process that answers pings there, in the same moment; undefined: nobody does. */
  processAt: (address: string) => Uuid | undefined = () => undefined;
  /** Whether the member says at once that it holds nothing, or nothing that was not said. */
  holdsNothing: (address: string) => boolean = () => false;
  /** The port of every member is as this says, and answers in the same moment. */
  portOf: (address: string) => ProbeResult = () => 'accepted';
  /** Addresses whose port was asked, in order. */
  readonly probed: string[] = [];

  probe(address: string): Promise<ProbeResult> {
    this.probed.push(address);
    return Promise.resolve(this.portOf(address));
  }

  watchProcess(): never {
    throw new Error('not in this test');
  }

  close(): void {
    return;
  }
}
