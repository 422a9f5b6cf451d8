/**
 * The dialer port over the simulated network, with the promises of `src/grpc/dialer.ts`: every
 * stream has a connection of its own, one refusal of a port is not believed, and a process is
 * watched by a stream that it holds open as long as it lives (`process-watch.ts`).
 */
import type { Cancel } from '../../../src/ports/clock.js';
import type { LeaderMessage, MemberMessage } from '../../../src/model/member-messages.js';
import type {
  Dialer,
  Outgoing,
  ProbeResult,
  StreamEvents,
  StreamHandler,
} from '../../../src/ports/network.js';
import type { SimNetwork } from '../sim-network.js';
import type { SimProcess } from '../sim-process.js';

/** As `src/grpc/tcp-probe.ts` has them. */
const PROBE_MS = 1_000;
const PROBE_GAP_MS = 10;
/** As `src/grpc/process-watch.ts` has them. */
const AGAIN_MS = { first: 10, last: 1_000 };

/** What a process serves so that others can watch it. */
export const livenessHandler: StreamHandler<unknown, unknown> = (outgoing) => {
  outgoing.write('serving');
  return { message: () => undefined, drain: () => undefined, closed: () => undefined };
};

export class SimDialer implements Dialer {
  readonly #network: SimNetwork;
  readonly #process: SimProcess;
  readonly #streams = new Set<{ breakOff(reason: string): void }>();
  readonly #watches = new Set<ProcessWatch>();

  constructor(network: SimNetwork, process: SimProcess) {
    this.#network = network;
    this.#process = process;
  }

  exchange(address: string, events: StreamEvents<Buffer>): Outgoing<Buffer> {
    return this.#open('exchange', address, events);
  }

  replicate(address: string, events: StreamEvents<Buffer>): Outgoing<Buffer> {
    return this.#open('replicate', address, events);
  }

  follow(address: string, events: StreamEvents<MemberMessage>): Outgoing<LeaderMessage> {
    return this.#open('follow', address, events);
  }

  watchProcess(address: string, gone: () => void): () => void {
    const watch = new ProcessWatch({ network: this.#network, process: this.#process }, address, {
      probe: () => this.probe(address),
      gone: () => {
        this.#watches.delete(watch);
        gone();
      },
    });
    this.#watches.add(watch);
    return () => {
      this.#watches.delete(watch);
      watch.stop();
    };
  }

  /** Refused is what refuses twice. */
  async probe(address: string): Promise<ProbeResult> {
    const startedAt = this.#process.clock.now();
    const first = await this.#probeOnce(address, PROBE_MS);
    if (first !== 'refused') return first;
    await new Promise<void>((resolve) => this.#process.clock.after(PROBE_GAP_MS, resolve));
    const leftMs = startedAt + PROBE_MS - this.#process.clock.now();
    return leftMs > 0 ? this.#probeOnce(address, leftMs) : 'silent';
  }

  close(): void {
    for (const watch of this.#watches) watch.stop();
    this.#watches.clear();
    for (const stream of [...this.#streams]) stream.breakOff('cut');
  }

  #probeOnce(address: string, timeoutMs: number): Promise<ProbeResult> {
    return new Promise((resolve) => {
      this.#network.probe(this.#process, { address, timeoutMs }, resolve);
    });
  }

  #open<In, Out>(service: string, address: string, events: StreamEvents<In>): Outgoing<Out> {
    const stream = this.#network.dial(
      this.#process,
      { address, service },
      {
        message: (message) => events.message(message as In),
        drain: () => events.drain(),
        closed: (reason) => {
          this.#streams.delete(stream);
          events.closed(reason);
        },
      },
    );
    this.#streams.add(stream);
    return stream;
  }
}

interface WatchEvents {
  readonly probe: () => Promise<ProbeResult>;
  readonly gone: () => void;
}

class ProcessWatch {
  readonly #at: { readonly network: SimNetwork; readonly process: SimProcess };
  readonly #address: string;
  readonly #events: WatchEvents;
  #stream: { breakOff(reason: string): void } | undefined;
  #cancelAgain: Cancel = () => undefined;
  #againMs = AGAIN_MS.first;
  #isOver = false;

  constructor(
    at: { readonly network: SimNetwork; readonly process: SimProcess },
    address: string,
    events: WatchEvents,
  ) {
    this.#at = at;
    this.#address = address;
    this.#events = events;
    this.#watch();
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelAgain();
    this.#stream?.breakOff('not needed');
  }

  #watch(): void {
    const { network, process } = this.#at;
    const target = { address: this.#address, service: 'liveness' };
    this.#stream = network.dial(process, target, {
      message: () => void (this.#againMs = AGAIN_MS.first),
      drain: () => undefined,
      closed: () => {
        if (!this.#isOver) void this.#inquire();
      },
    });
  }

  async #inquire(): Promise<void> {
    const { clock } = this.#at.process;
    const result = await this.#events.probe();
    if (this.#isOver) return;
    if (result === 'refused') {
      this.#isOver = true;
      return this.#events.gone();
    }
    this.#cancelAgain = clock.after(this.#againMs, () => this.#watch());
    this.#againMs = Math.min(AGAIN_MS.last, this.#againMs * 2);
  }
}
