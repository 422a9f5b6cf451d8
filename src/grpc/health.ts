/**
 * `grpc.health.v1` over a table of statuses. The order matters at shutdown: readiness goes first,
 * so that load balancers and smart clients leave before anything stops working.
 */
import type { EventEmitter } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import type { HealthHandlers } from './generated/grpc/health/v1/Health.js';

/** "" and "readiness": this process serves; "liveness": it runs; the KV service: it has keys. */
export type HealthService = '' | 'liveness' | 'readiness' | 'portolan.v1.KV';
export type HealthStatus = 'SERVING' | 'NOT_SERVING';

type Listener = (status: HealthStatus) => void;

export class Health {
  readonly #statuses = new Map<string, HealthStatus>([
    ['', 'NOT_SERVING'],
    ['liveness', 'SERVING'],
    ['readiness', 'NOT_SERVING'],
    ['portolan.v1.KV', 'NOT_SERVING'],
  ]);
  readonly #listeners = new Map<string, Set<Listener>>();

  /** Undefined for a service that is not known. */
  status(service: string): HealthStatus | undefined {
    return this.#statuses.get(service);
  }

  setStatus(service: HealthService, status: HealthStatus): void {
    if (this.#statuses.get(service) === status) return;
    this.#statuses.set(service, status);
    for (const listener of this.#listeners.get(service) ?? []) listener(status);
  }

  /** All but liveness at once. */
  setReady(ready: boolean): void {
    const status = ready ? 'SERVING' : 'NOT_SERVING';
    for (const service of ['', 'readiness', 'portolan.v1.KV'] as const) {
      this.setStatus(service, status);
    }
  }

  get ready(): boolean {
    return this.#statuses.get('readiness') === 'SERVING';
  }

  /** Calls back at every change until the result is called. */
  onChange(service: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(service) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(service, listeners);
    return () => listeners.delete(listener);
  }
}

/** The gRPC service; `opened` hears how to end each watch, for a server that stops. */
export function healthHandlers(
  health: Health,
  opened: (call: EventEmitter, end: () => void) => void,
): Pick<HealthHandlers, 'Check' | 'Watch'> {
  return {
    Check: (call, callback) => {
      const status = health.status(call.request.service);
      if (status !== undefined) return callback(null, { status });
      callback({ code: grpc.status.NOT_FOUND, details: 'unknown service' });
    },
    Watch: (call) => {
      const { service } = call.request;
      const say = (status: HealthStatus | 'SERVICE_UNKNOWN') => {
        if (!call.cancelled && !call.writableEnded) call.write({ status });
      };
      const forget = health.onChange(service, say);
      const emitter: EventEmitter = call;
      for (const over of ['cancelled', 'close', 'error']) emitter.on(over, forget);
      opened(emitter, () => call.end());
      say(health.status(service) ?? 'SERVICE_UNKNOWN');
    },
  };
}
