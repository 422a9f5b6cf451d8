/**
 * `Storage.Exchange`: frames of requests in, frames of responses out.
 *
 * Responses that are ready in one turn of the event loop share a frame, because a stream message
 * costs more than what is in it. When the stream takes no more, responses wait; when too many wait,
 * the stream is congested and its reads are refused, so a caller that does not listen cannot fill
 * the memory. A malformed frame ends its own stream and nothing else.
 */
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { ExchangeHandler, Outgoing, StreamEvents } from '../ports/network.js';
import { RefusedError } from '../model/refusals.js';
import { encodeErrorDetail } from '../wire/error-detail.js';
import {
  decodeRequests,
  encodeResponses,
  type RequestRecord,
  type ResponseRecord,
  responseRecordBytes,
} from '../wire/frame.js';
import { sentMsOf } from '../wire/frame-message.js';
import { WireError } from '../wire/protobuf.js';
import type { Caller, CallResult } from './calls.js';
import { FrameAge } from './frame-age.js';
import { FrameWriter } from './frame-writer.js';
import type { Intake } from './intake.js';

/** Bytes of responses that may wait before the stream counts as congested. */
const BACKLOG_BYTES_MAX = 8 * 1024 * 1024;

export function exchangeHandler(intake: Intake, clock: Clock, log: Log): ExchangeHandler {
  return (outgoing, peer) =>
    new ExchangeStream(intake, clock, outgoing, (problem) => {
      log.warn('closed a stream of requests', { peer, problem });
    });
}

class ExchangeStream implements StreamEvents<Buffer> {
  readonly #intake: Intake;
  readonly #clock: Clock;
  readonly #age = new FrameAge();
  readonly #outgoing: Outgoing<Buffer>;
  readonly #malformed: (problem: string) => void;
  readonly #responses: FrameWriter<ResponseRecord>;
  #isOver = false;

  constructor(
    intake: Intake,
    clock: Clock,
    outgoing: Outgoing<Buffer>,
    malformed: (problem: string) => void,
  ) {
    this.#intake = intake;
    this.#clock = clock;
    this.#outgoing = outgoing;
    this.#responses = new FrameWriter(outgoing, {
      bytesOf: ({ payload }) => responseRecordBytes(payload.length),
      encode: encodeResponses,
    });
    this.#malformed = malformed;
  }

  message(frame: Buffer): void {
    if (this.#isOver) return;
    let requests;
    let lateMs = 0;
    try {
      requests = decodeRequests(frame);
      const sentMs = sentMsOf(frame);
      if (sentMs !== undefined) lateMs = this.#age.of(sentMs, this.#clock.now());
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#malformed(error.message);
      this.closed();
      this.#outgoing.end();
      return;
    }
    for (const request of requests) this.#submit(request, lateMs);
  }

  respond(response: ResponseRecord): void {
    this.#responses.add(response);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isCongested(): boolean {
    return this.#responses.backlogBytes > BACKLOG_BYTES_MAX;
  }

  drain(): void {
    this.#responses.drained();
  }

  closed(): void {
    this.#isOver = true;
    this.#responses.close();
  }

  /** What the frame was late is gone from the budget: no write is applied after its deadline. */
  #submit(request: RequestRecord, lateMs: number): void {
    const { call, kind, payload } = request;
    const budgetMs = Math.max(0, request.budgetMs - lateMs);
    const caller = new ExchangeCaller(this, call);
    this.#intake.submit({ kind, request: payload, routed: request, budgetMs, caller });
  }
}

class ExchangeCaller implements Caller {
  readonly #stream: ExchangeStream;
  readonly #call: number;

  constructor(stream: ExchangeStream, call: number) {
    this.#stream = stream;
    this.#call = call;
  }

  respond(result: CallResult): void {
    this.#stream.respond(responseOf(this.#call, result));
  }

  isGone(): boolean {
    return this.#stream.isOver;
  }

  isCongested(): boolean {
    return this.#stream.isCongested;
  }
}

function responseOf(call: number, result: CallResult): ResponseRecord {
  if (!(result instanceof RefusedError)) return { call, status: 'ok', payload: result };
  const status = result.outcome === 'unknown' ? 'unknown' : 'refused';
  return { call, status, payload: encodeErrorDetail(result) };
}
