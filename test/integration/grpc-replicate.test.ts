/** Replication streams on loopback: order, back-pressure, and what becomes of them when one dies. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { GrpcDialer } from '../../src/grpc/dialer.js';
import { formatAddress, parseAddress } from '../../src/model/address.js';
import type { Outgoing, ReplicateHandler } from '../../src/ports/network.js';
import {
  decodeFrame,
  encodeFrame,
  type ReplicationRecord,
} from '../../src/storage/replication-frame.js';
import { spawnWithParent } from '../../src/system/child.js';
import { WireError } from '../../src/wire/protobuf.js';
import { Loopback } from '../support/loopback.js';

const loopback = new Loopback();
const { serve, dialer, failures } = loopback;

afterEach(loopback.end);

const ECHO = fileURLToPath(new URL('../support/frame-echo.ts', import.meta.url));
const beat = (number: number) => encodeFrame([{ type: 'beat', number }]);

/** Answers each beat, ends the stream at the first frame that is none, and takes nothing behind. */
function answering(taken: ReplicationRecord[] = [], ended: string[] = []): ReplicateHandler {
  return (outgoing) => {
    let isOver = false;
    return {
      message: (frame) => {
        if (isOver) return;
        try {
          for (const record of decodeFrame(frame)) {
            taken.push(record);
            if (record.type === 'beat') {
              outgoing.write(encodeFrame([{ type: 'beatAck', number: record.number }]));
            }
          }
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          isOver = true;
          outgoing.end();
        }
      },
      drain: () => undefined,
      closed: (reason) => void ended.push(reason),
    };
  };
}

/** A dialed stream whose events can be awaited. */
class Dialed {
  readonly frames: Buffer[] = [];
  readonly outgoing: Outgoing<Buffer>;
  readonly closed: Promise<string>;
  closings = 0;
  #heard: () => void = () => undefined;
  #drained: () => void = () => undefined;

  constructor(from: GrpcDialer, address: string) {
    let close: (reason: string) => void = () => undefined;
    this.closed = new Promise((resolve) => (close = resolve));
    this.outgoing = from.replicate(address, {
      message: (frame) => {
        this.frames.push(frame);
        this.#heard();
      },
      drain: () => this.#drained(),
      closed: (reason) => {
        this.closings++;
        close(reason);
      },
    });
  }

  /** The next time the stream says that it takes messages. */
  async drained(): Promise<void> {
    await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  async received(count: number): Promise<readonly Buffer[]> {
    while (this.frames.length < count) {
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
    return this.frames;
  }

  numbers(): number[] {
    return this.frames.flatMap(decodeFrame).flatMap((record) => {
      return record.type === 'beatAck' || record.type === 'beat' ? [record.number] : [];
    });
  }
}

/** A process that echoes frames. */
async function startEcho(): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const child = spawnWithParent(process.execPath, ['--import', 'tsx', ECHO], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  loopback.atEnd(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, address: line.toString().trim() };
}

/** Whether the kernel has a listener at an IPv4 address; asked without a turn of our event loop. */
function isListening(address: string): boolean {
  const port = parseAddress(address)!.port.toString(16).toUpperCase().padStart(4, '0');
  const LISTEN = '0A';
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .some(([, local, , state]) => state === LISTEN && local!.endsWith(`:${port}`));
}

describe('a replication stream', () => {
  it('carries frames both ways, whole and in order; closed comes once at each end', async () => {
    const taken: ReplicationRecord[] = [];
    const ended: string[] = [];
    const server = await serve({ replicate: answering(taken, ended) });
    const stream = new Dialed(dialer(), formatAddress(server.address));
    const numbers = Array.from({ length: 200 }, (_each, number) => number);
    for (const number of numbers) stream.outgoing.write(beat(number));
    await stream.received(200);
    stream.outgoing.end();
    expect(await stream.closed).toBe('ended by the peer');
    expect(stream.numbers()).toEqual(numbers);
    expect(taken).toEqual(numbers.map((number) => ({ type: 'beat', number })));
    expect([stream.closings, ended.length]).toEqual([1, 1]);
  });

  it('says when it takes no more, and again when it does; nothing is lost', async () => {
    const taken: ReplicationRecord[] = [];
    const server = await serve({ replicate: answering(taken) });
    const stream = new Dialed(dialer(), formatAddress(server.address));
    await stream.drained();
    const pair = { key: Buffer.from('k'), record: Buffer.alloc(256 * 1024) };
    const name = { shard: 1 as never, shardUuid: '5e'.repeat(16) as never };
    let waits = 0;
    for (let number = 0; number < 40; number++) {
      const part = encodeFrame([
        { type: 'data', ...name, number: 1, pairs: [pair] },
        { type: 'beat', number },
      ]);
      if (!stream.outgoing.write(part)) {
        waits++;
        await stream.drained();
      }
    }
    await stream.received(40);
    expect(waits).toBeGreaterThan(0);
    expect(stream.numbers()).toEqual(Array.from({ length: 40 }, (_each, number) => number));
    expect(taken.filter(({ type }) => type === 'data')).toHaveLength(40);
  });

  it('a malformed frame ends its stream and nothing else', async () => {
    const taken: ReplicationRecord[] = [];
    const server = await serve({ replicate: answering(taken) });
    const address = formatAddress(server.address);
    const from = dialer();
    const [good, bad] = [new Dialed(from, address), new Dialed(from, address)];
    good.outgoing.write(beat(1));
    await good.received(1);
    bad.outgoing.write(beat(2));
    bad.outgoing.write(Buffer.from('garbage'));
    bad.outgoing.write(beat(3));
    expect(await bad.closed).toBe('ended by the peer');
    good.outgoing.write(beat(4));
    await good.received(2);
    expect(bad.numbers()).toEqual([2]);
    expect(taken).toEqual([1, 2, 4].map((number) => ({ type: 'beat', number })));
    expect(failures).toEqual([]);
  });

  it('to a process that does not replicate is closed as UNIMPLEMENTED', async () => {
    const server = await serve({ exchange: answering() });
    const stream = new Dialed(dialer(), formatAddress(server.address));
    stream.outgoing.write(beat(1));
    expect(await stream.closed).toContain('UNIMPLEMENTED');
  });
});

describe('the process at the other end', () => {
  it('is killed: the stream closes at once, and its port refuses', async () => {
    const { child, address } = await startEcho();
    const from = dialer();
    const stream = new Dialed(from, address);
    stream.outgoing.write(beat(1));
    await stream.received(1);
    expect(await from.probe(address)).toBe('accepted');
    const killed = performance.now();
    child.kill('SIGKILL');
    await stream.closed;
    const closedMs = performance.now() - killed;
    expect(await from.probe(address)).toBe('refused');
    const certainMs = performance.now() - killed;
    // Milliseconds; a busy machine may need more.
    expect(closedMs).toBeLessThan(200);
    expect(certainMs).toBeLessThan(300);
    expect(stream.closings).toBe(1);
  });

  it.each([
    ['before we saw the connection taken', (next: () => void) => process.nextTick(next)],
    ['right after', (next: () => void) => setImmediate(() => setImmediate(next))],
  ])('is killed as its port is asked, %s: it refuses', async (_, turn) => {
    const { child, address } = await startEcho();
    // So that nobody accepts: the connection waits in the queue of the listener, and ends with it.
    child.kill('SIGSTOP');
    const answer = dialer().probe(address);
    await new Promise<void>(turn);
    expect(isListening(address)).toBe(true);
    child.kill('SIGKILL');
    // We are held up for longer than a connection has to last.
    const start = performance.now();
    while (isListening(address)) expect(performance.now()).toBeLessThan(start + 5_000);
    while (performance.now() < start + 50);
    expect(await answer).toBe('refused');
  });

  it('stands still: the stream takes no more and stays, its port accepts, and later all comes', async () => {
    const { child, address } = await startEcho();
    const from = dialer();
    const stream = new Dialed(from, address);
    await stream.drained();
    child.kill('SIGSTOP');
    const frame = encodeFrame([
      {
        type: 'data',
        shard: 1 as never,
        shardUuid: '5e'.repeat(16) as never,
        number: 1,
        pairs: [{ key: Buffer.from('k'), record: Buffer.alloc(1024 * 1024) }],
      },
    ]);
    let sent = 1;
    while (stream.outgoing.write(frame)) sent++;
    expect(await from.probe(address)).toBe('accepted');
    expect(stream.closings).toBe(0);
    child.kill('SIGCONT');
    const received = await stream.received(sent);
    expect(received.every((echo) => echo.equals(frame))).toBe(true);
  });
});
