/**
 * Channels: always one connection of our own, never the library's shared pool.
 *
 * Stories behind the options. A half-open connection hangs every call until TCP gives up, which
 * takes minutes: keepalive (grpc-node #1907). The library waits up to 120 s between attempts to
 * connect: bounded here. A channel may be stuck in CONNECTING after a server restarted (#2785): a
 * channel that is not ready in time, or that failed, is thrown away and never repaired. Proxy
 * variables of the environment are for the web, not for the processes of a cluster.
 */
import * as grpc from '@grpc/grpc-js';
import { MESSAGE_LIMITS } from './message-limits.js';

const CHANNEL_OPTIONS: grpc.ClientOptions = {
  ...MESSAGE_LIMITS,
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
  // Only we know what may be sent twice.
  'grpc.enable_retries': 0,
};

/** A channel to HOST:PORT that has not begun to connect. */
export function openChannel(address: string): grpc.Client {
  return new grpc.Client(address, grpc.credentials.createInsecure(), CHANNEL_OPTIONS);
}

export function isReady(client: grpc.Client): boolean {
  return client.getChannel().getConnectivityState(false) === grpc.connectivityState.READY;
}

/**
 * Connects. Calls back exactly once and not at once: undefined, or why there is no connection. Both
 * a refused connection and silence until the deadline are failures; the channel is then of no use.
 */
export function connectChannel(
  client: grpc.Client,
  timeoutMs: number,
  done: (problem: string | undefined) => void,
): void {
  const channel = client.getChannel();
  const deadline = Date.now() + timeoutMs;
  const look = (error?: Error) => {
    if (error !== undefined) return done(`no connection within ${Math.round(timeoutMs)} ms`);
    let state: grpc.connectivityState;
    try {
      state = channel.getConnectivityState(true);
    } catch {
      return done('the channel was closed');
    }
    if (state === grpc.connectivityState.READY) return done(undefined);
    if (state === grpc.connectivityState.TRANSIENT_FAILURE) return done('connection refused');
    if (state === grpc.connectivityState.SHUTDOWN) return done('the channel was closed');
    try {
      channel.watchConnectivityState(state, deadline, look);
    } catch {
      done('the channel was closed');
    }
  };
  setImmediate(look);
}
