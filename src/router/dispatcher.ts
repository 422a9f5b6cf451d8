/**
 * A router's data path: from the key of a call to the node that answers it.
 *
 * One deadline covers everything, waiting included. While a shard has no primary the call waits for
 * the map to change; nothing polls. Payload bytes pass through undecoded.
 *
 * What is sent again, and what is not (S21): a request that never left this process, or that a node
 * definitely refused, is sent again. A read is also sent again after its connection broke. A write
 * that was handed to the transport is not: it may have been applied, so its caller hears
 * PRIMARY_LOST, whose outcome is unknown and which therefore carries no trailer.
 */
import { unreachable } from '../model/assert.js';
import type { CallOutcome } from '../model/call-metrics.js';
import type { CallKind } from '../model/calls.js';
import type { ShardId } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { RefusedError } from '../model/refusals.js';
import type { CallContext, KvHandler } from '../ports/network.js';
import { type Route, routeOf, type WaitReason } from '../routing/route.js';
import { afterRefusal } from '../routing/after-refusal.js';
import { RoutedCall } from './call.js';
import type { MapHolder } from './map-holder.js';
import type { RouterCounters } from './metrics.js';
import type { LinkResult } from './link-call.js';
import type { LinkDeps } from './node-link.js';
import type { NodeLinks } from './node-links.js';
import { refusalOfResponse } from './refused-response.js';

/** Pause after a node said "not now": doubles from the first to the last, with jitter. */
const PAUSE_MS = { first: 5, last: 200 };

const WAITING_FOR: Record<WaitReason, string> = {
  'no-map': 'this router does not know the shard map yet',
  'no-config': 'it has not been placed yet',
  creating: 'it is being created',
  'primary-away': 'its primary is not registered',
  'primary-restarted': 'its primary restarted and has no epoch yet',
};

export interface DispatcherDeps extends Pick<LinkDeps, 'clock' | 'random'> {
  readonly map: MapHolder;
  readonly links: NodeLinks;
  readonly counters: RouterCounters;
}

type PlaceAtLink = Extract<RoutedCall['place'], { at: 'link' }>;
type SendRoute = Extract<Route, { type: 'send' }>;

export class Dispatcher implements KvHandler {
  readonly #deps: DispatcherDeps;
  readonly #waiting = new Set<RoutedCall>();
  readonly #unsubscribe: () => void;
  #stopping = false;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.map.onChange(() => this.#onMapChanged());
  }

  call(kind: CallKind, payload: Buffer, context: CallContext): Promise<Buffer> {
    const { clock, counters } = this.#deps;
    return new Promise((resolve, reject) => {
      let call: RoutedCall;
      try {
        this.#checkRoom(payload.length);
        const { budgetMs } = context;
        call = new RoutedCall({ kind, payload, startedAt: clock.now(), budgetMs }, resolve, reject);
      } catch (error) {
        if (error instanceof RefusedError) counters.calls.ended(kind, error.code, 0);
        throw error;
      }
      counters.heldCalls++;
      counters.heldBytes += payload.length;
      call.cancelDeadline = clock.after(context.budgetMs, () => this.#onDeadline(call));
      context.onCancel(() => this.#onCancelled(call));
      this.#route(call);
    });
  }

  /** Refuses what comes from now on and what was not sent. What was sent is still answered. */
  stop(): void {
    this.#stopping = true;
    this.#unsubscribe();
    for (const call of [...this.#waiting]) this.#refuse(call, stopping());
    this.#deps.links.bounce('this router is stopping');
  }

  #checkRoom(bytes: number): void {
    const { heldCalls, heldBytes } = this.#deps.counters;
    if (this.#stopping) throw stopping();
    if (heldCalls >= LIMITS.queuedCallsMax || heldBytes + bytes > LIMITS.queuedBytesMax) {
      throw new RefusedError(
        'OVERLOADED',
        `this router holds ${heldCalls} calls of ${heldBytes} bytes and takes no more for now`,
      );
    }
  }

  #route(call: RoutedCall): void {
    if (this.#stopping) return this.#refuse(call, stopping());
    const { map, links } = this.#deps;
    const route = routeOf(map, call.key);
    if (route.type === 'wait') {
      const problem = call.linkProblem === undefined ? '' : ` (${call.linkProblem})`;
      const message = `${shardText(route.shard)}${WAITING_FOR[route.why]}${problem}`;
      return this.#wait(call, new RefusedError('NO_PRIMARY', message));
    }
    const { node, address, shard, epoch } = route;
    const { kind, payload, deadline } = call;
    const link = links.to(node, address);
    const done = (result: LinkResult) => this.#onResult(call, route, result);
    const sent = link.send({ kind, shard, epoch, payload, deadline, done });
    call.place = { at: 'link', link, sent };
  }

  /** Until the map changes; `pauseMs` bounds it. */
  #wait(call: RoutedCall, refusal: RefusedError, pauseMs?: number): void {
    if (this.#stopping) return this.#refuse(call, stopping());
    const { clock, counters } = this.#deps;
    const cancelPause =
      pauseMs === undefined ? () => undefined : clock.after(pauseMs, () => this.#wake(call));
    call.place = { at: 'waiting', refusal, cancelPause };
    this.#waiting.add(call);
    counters.waitingCalls = this.#waiting.size;
  }

  #wake(call: RoutedCall): void {
    this.#leave(call);
    this.#route(call);
  }

  #onMapChanged(): void {
    for (const call of [...this.#waiting]) if (call.place.at === 'waiting') this.#wake(call);
  }

  #onResult(call: RoutedCall, route: SendRoute, result: LinkResult): void {
    if (call.place.at !== 'link') return;
    const { counters } = this.#deps;
    switch (result.type) {
      case 'answered':
        if (result.response.status === 'ok') return this.#answer(call, result.response.payload);
        return this.#onRefused(
          call,
          route,
          refusalOfResponse(route, call.isWrite, result.response),
        );
      case 'not-sent':
        call.linkProblem = `${route.node}: ${result.reason}`;
        return this.#route(call);
      case 'lost':
        call.linkProblem = `${route.node}: ${result.reason}`;
        if (call.isWrite) {
          const message = `shard ${route.shard}: lost the connection to its primary ${route.node}`;
          return this.#refuse(call, new RefusedError('PRIMARY_LOST', message));
        }
        counters.retries++;
        return this.#route(call);
      default:
        return unreachable(result);
    }
  }

  #onRefused(call: RoutedCall, route: SendRoute, refusal: RefusedError): void {
    const { map, counters, random } = this.#deps;
    if (refusal.hint !== undefined) map.applyHint(refusal.hint);
    const now = routeOf(map, call.key);
    const mapIsNewer =
      now.type === 'wait' || now.epoch !== route.epoch || now.address !== route.address;
    const next = afterRefusal(refusal, mapIsNewer);
    if (next === 'give-up') return this.#refuse(call, refusal);
    counters.retries++;
    if (next === 'reroute') return this.#route(call);
    const ceiling = Math.min(PAUSE_MS.last, PAUSE_MS.first * 2 ** call.pauses++);
    this.#wait(call, refusal, ceiling * (0.5 + random.fraction() / 2));
  }

  #onDeadline(call: RoutedCall): void {
    switch (call.place.at) {
      case 'waiting':
        return this.#refuse(call, call.place.refusal);
      case 'link':
        return this.#onDeadlineAtLink(call, call.place);
      case 'new':
      case 'end':
        return;
      default:
        return unreachable(call.place);
    }
  }

  #onDeadlineAtLink(call: RoutedCall, { link, sent }: PlaceAtLink): void {
    if (link.cancel(sent) === 'not-sent') {
      const why = call.linkProblem ?? link.problem ?? 'no connection yet';
      const message = `shard ${sent.shard}: its primary cannot be reached: ${why}`;
      return this.#refuse(call, new RefusedError('NO_PRIMARY', message));
    }
    // A read changes nothing, whether the node serves it or not.
    const code = call.isWrite ? 'PRIMARY_LOST' : 'DEADLINE_PASSED';
    this.#refuse(call, new RefusedError(code, 'the primary did not answer before the deadline'));
  }

  #onCancelled(call: RoutedCall): void {
    if (call.place.at === 'end') return;
    if (call.place.at === 'link') call.place.link.cancel(call.place.sent);
    this.#end(call, 'cancelled');
    call.reject(new RefusedError('DEADLINE_PASSED', 'the caller gave up'));
  }

  #answer(call: RoutedCall, response: Buffer): void {
    this.#end(call, 'ok');
    call.resolve(response);
  }

  #refuse(call: RoutedCall, refusal: RefusedError): void {
    this.#end(call, refusal.code);
    call.reject(refusal);
  }

  #end(call: RoutedCall, outcome: CallOutcome): void {
    const { counters, clock } = this.#deps;
    counters.calls.ended(call.kind, outcome, (clock.now() - call.startedAt) / 1000);
    this.#leave(call);
    call.place = { at: 'end' };
    call.cancelDeadline();
    counters.heldCalls--;
    counters.heldBytes -= call.payload.length;
  }

  /** Takes a call out of those that wait, if it does. */
  #leave(call: RoutedCall): void {
    if (call.place.at === 'waiting') call.place.cancelPause();
    this.#waiting.delete(call);
    this.#deps.counters.waitingCalls = this.#waiting.size;
    call.place = { at: 'new' };
  }
}

function stopping(): RefusedError {
  return new RefusedError('STOPPING', 'this router is stopping');
}

function shardText(shard: ShardId | undefined): string {
  return shard === undefined ? '' : `shard ${shard}: `;
}
