/** Exchange streams without a network: the test says when one connects, answers and breaks. */
import type { RefusalOptions } from '../../src/model/refusals.js';
import { type RefusalCode, RefusedError } from '../../src/model/refusals.js';
import type { Dialer, Outgoing, StreamEvents } from '../../src/ports/network.js';
import { encodeErrorDetail } from '../../src/wire/error-detail.js';
import { decodeRequests, encodeResponses, type RequestRecord } from '../../src/wire/frame.js';

export class FakeStream implements Outgoing<Buffer> {
  readonly address: string;
  readonly events: StreamEvents<Buffer>;
  readonly frames: RequestRecord[][] = [];
  /** What `write` returns: false = no more until `drain`. */
  takesMore = true;
  ended = false;

  constructor(address: string, events: StreamEvents<Buffer>) {
    this.address = address;
    this.events = events;
  }

  write(frame: Buffer): boolean {
    this.frames.push(decodeRequests(frame));
    return this.takesMore;
  }

  end(): void {
    this.ended = true;
  }

  get requests(): RequestRecord[] {
    return this.frames.flat();
  }

  connect(): void {
    this.events.drain();
  }

  break(reason = 'reset'): void {
    this.events.closed(reason);
  }

  answer({ call }: RequestRecord, payload: Buffer): void {
    this.events.message(encodeResponses([{ call, status: 'ok', payload }]));
  }

  refuse({ call }: RequestRecord, code: RefusalCode, options?: RefusalOptions): void {
    const refusal = new RefusedError(code, '', options);
    const status = refusal.outcome === 'unknown' ? 'unknown' : 'refused';
    const payload = encodeErrorDetail(refusal);
    this.events.message(encodeResponses([{ call, status, payload }]));
  }
}

export class FakeDialer implements Dialer {
  /** Every stream ever opened, in order. */
  readonly streams: FakeStream[] = [];

  exchange(address: string, events: StreamEvents<Buffer>): Outgoing<Buffer> {
    const stream = new FakeStream(address, events);
    this.streams.push(stream);
    return stream;
  }

  /** The newest. */
  get last(): FakeStream {
    const last = this.streams.at(-1);
    if (last === undefined) throw new Error('no stream was opened');
    return last;
  }

  replicate(): never {
    throw new Error('not in this test');
  }

  probe(): never {
    throw new Error('not in this test');
  }

  follow(): never {
    throw new Error('not in this test');
  }

  readonly watchProcess: Dialer['watchProcess'] = () => {
    throw new Error('not in this test');
  };

  close(): void {
    return;
  }
}
