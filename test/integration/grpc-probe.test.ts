/** Whether a process lives, asked of the kernel behind its port: one question, and for as long. */
import dns from 'node:dns';
import { isIP } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { formatAddress } from '../../src/model/address.js';
import { Loopback } from '../support/loopback.js';

const loopback = new Loopback();
const { serve, dialer, listen } = loopback;

afterEach(async () => {
  vi.restoreAllMocks();
  await loopback.end();
});

describe('probe', () => {
  it('a port where nobody listens is refused', async () => {
    const server = await serve();
    const address = formatAddress(server.address);
    await server.stop(0);
    expect(await dialer().probe(address)).toBe('refused');
  });

  it('a port that drops a connection and then refuses is refused', async () => {
    const { address } = await listen((_, close) => close());
    expect(await dialer().probe(address)).toBe('refused');
  });

  it('a port that drops every connection is silent', async () => {
    const { address } = await listen((socket) => void socket.destroy());
    expect(await dialer().probe(address)).toBe('silent');
  });

  // A link-local address needs a zone: none can be dialled without, on any machine.
  it.each([
    ['an address that refuses and one that cannot be dialled', ['127.0.0.1', 'fe80::1'], 'refused'],
    ['two that refuse', ['127.0.0.1', '127.0.0.2'], 'refused'],
    ['none that can be dialled', ['fe80::1', 'fe80::2'], 'silent'],
  ])('a name that leads to %s is judged by what can be dialled', async (_, addresses, said) => {
    const server = await serve();
    const { port } = server.address;
    await server.stop(0);
    const found = addresses.map((address) => ({ address, family: isIP(address) }));
    vi.spyOn(dns, 'lookup').mockImplementation((...args: unknown[]) => {
      const answer = args.at(-1) as (error: null, all: typeof found) => void;
      answer(null, found);
    });
    expect(await dialer().probe(`several.test:${port}`)).toBe(said);
  });

  it.each(['nobody.invalid:1', 'no address'])('%s is silent, in bounded time', async (address) => {
    const start = performance.now();
    expect(await dialer().probe(address)).toBe('silent');
    expect(performance.now() - start).toBeLessThan(2_500);
  });
});

describe('watching a process', () => {
  it('a process that is gone is reported, once', async () => {
    const server = await serve();
    let reports = 0;
    const gone = new Promise<void>((resolve) => {
      dialer().watchProcess(formatAddress(server.address), () => {
        reports++;
        resolve();
      });
    });
    await server.stop(0);
    const stopped = performance.now();
    await gone;
    expect(performance.now() - stopped).toBeLessThan(500);
    expect(reports).toBe(1);
  });

  it('a process that listens but never answers is not, however long, until it is gone', async () => {
    let connections = 0;
    let tried: () => void = () => undefined;
    const often = new Promise<void>((resolve) => (tried = resolve));
    // Each try is a stream and a question: with four of each it has been silent for four seconds.
    const mute = await listen(() => {
      if (++connections === 8) tried();
    });
    let isReported = false;
    const gone = new Promise<void>((resolve) => {
      dialer().watchProcess(mute.address, () => {
        isReported = true;
        resolve();
      });
    });
    await often;
    expect(isReported).toBe(false);
    mute.close();
    await gone;
  });
});
