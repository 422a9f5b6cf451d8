/** A leader's streams to its members without a network: the test answers for the members. */
import type { LeaderMessage, MapUpdate, MemberMessage } from '../../src/model/member-messages.js';
import type { Dialer, Outgoing, StreamEvents } from '../../src/ports/network.js';

export class FollowStream implements Outgoing<LeaderMessage> {
  readonly address: string;
  /** The member's end: what it says, and what becomes of the stream. */
  readonly events: StreamEvents<MemberMessage>;
  readonly told: LeaderMessage[] = [];
  /** What `write` returns: false = no more until `drain`. */
  takesMore = true;
  ended = false;

  constructor(address: string, events: StreamEvents<MemberMessage>) {
    this.address = address;
    this.events = events;
  }

  write(message: LeaderMessage): boolean {
    this.told.push(message);
    return this.takesMore;
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
    const stream = new FollowStream(address, events);
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

  probe(): never {
    throw new Error('not in this test');
  }

  watchProcess(): never {
    throw new Error('not in this test');
  }

  close(): void {
    return;
  }
}
