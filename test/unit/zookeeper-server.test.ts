/** The coordination server without sockets: how long it waits for clients, and how it ends. */
import { describe, expect, it } from 'vitest';
import { encodeWelcome, NO_SESSION } from '../../src/jute/greeting.js';
import { JuteWriter } from '../../src/jute/writer.js';
import type { ByteStream, ByteStreamEvents } from '../../src/ports/byte-stream.js';
import { systemRandom } from '../../src/system/random.js';
import { ZooKeeperServer } from '../../src/zookeeper-server/server.js';
import { TreeStore } from '../../src/zookeeper-server/tree-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { silentLog } from '../support/silent-log.js';
import { settle } from '../support/storage-harness.js';

/** The server's end of a client's connection. */
class Stream implements ByteStream {
  readonly peer = '10.0.0.1';
  readonly waitingBytes = 0;
  readonly written: Buffer[] = [];
  state: 'open' | 'ended' | 'destroyed' = 'open';

  write(bytes: Buffer): void {
    this.written.push(bytes);
  }

  setReading(): void {
    // Everything is read.
  }

  end(): void {
    this.state = 'ended';
  }

  destroy(): void {
    this.state = 'destroyed';
  }
}

const GREETING = new JuteWriter()
  .int(0)
  .long(0)
  .int(6_000)
  .longBits(NO_SESSION)
  .buffer(Buffer.alloc(16))
  .framed();
const WELCOME_BYTES = encodeWelcome(
  { session: NO_SESSION, timeoutMs: 0, password: Buffer.alloc(16) },
  false,
).length;

async function started({ wrote = () => Promise.resolve() } = {}) {
  const clock = new FakeClock();
  const failures: unknown[] = [];
  const { store, snapshot } = await TreeStore.open(new MemoryDisk(), systemRandom);
  const server = new ZooKeeperServer(
    {
      clock,
      store,
      wrote,
      log: silentLog,
      wallMs: () => 7,
      afterReading: () => Promise.resolve(),
      tickMs: 500,
      version: 'test',
      isFull: () => false,
      failed: (reason) => failures.push(reason),
    },
    snapshot,
  );
  const call = (): { readonly stream: Stream; readonly client: ByteStreamEvents } => {
    const stream = new Stream();
    return { stream, client: server.accept(stream) };
  };
  return { clock, server, failures, call };
}

describe('a client that calls', () => {
  it('has 10 s to greet', async () => {
    const { clock, call } = await started();
    const [silent, polite] = [call(), call()];
    polite.client.data(GREETING);
    await settle();
    expect(polite.stream.written.map(({ length }) => length)).toEqual([WELCOME_BYTES]);
    clock.advance(9_999);
    expect(silent.stream.state).toBe('open');
    polite.client.data(Buffer.from('00000008fffffffe0000000b', 'hex')); // A ping.
    clock.advance(1);
    expect([silent.stream.state, polite.stream.state]).toEqual(['destroyed', 'open']);
  });

  it('has 2 s to close its end when it was told all it asked', async () => {
    const { clock, call } = await started();
    const { stream, client } = call();
    client.data(Buffer.from('ruok'));
    expect([stream.written.join(), stream.state]).toEqual(['imok', 'ended']);
    clock.advance(1_999);
    expect(stream.state).toBe('ended');
    clock.advance(1);
    expect(stream.state).toBe('destroyed');
  });
});

describe('a bug of the server', () => {
  it('ends it with a stack, before anything of that round is answered', async () => {
    const bug = new TypeError('nobody expected this');
    const { failures, call } = await started({ wrote: () => Promise.reject(bug) });
    const { stream, client } = call();
    client.data(GREETING);
    await settle();
    expect(stream).toMatchObject({ written: [], state: 'destroyed' });
    expect(failures).toEqual([
      expect.objectContaining({ message: `a bug of ours: ${bug.stack}`, cause: bug }),
    ]);
  });
});
