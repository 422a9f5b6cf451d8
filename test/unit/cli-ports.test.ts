/** Ports on the command line: taken ones are named, and a playground has usual ones. */
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CliError, EXIT } from '../../src/cli/exit.js';
import { checkPorts } from '../../src/cli/listening.js';
import { MemberProcess } from '../../src/cli/member-process.js';
import { choosePorts, type UsualPorts } from '../../src/cli/playground-ports.js';
import { startedByHand } from '../../src/cli/started-by-hand.js';
import { freePort, freePorts } from '../../src/system/free-port.js';

const HOST = '127.0.0.1';
const servers: Server[] = [];

async function take(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, HOST, resolve));
}

afterEach(async () => {
  const closing = servers.splice(0);
  await Promise.all(closing.map((server) => new Promise((resolve) => server.close(resolve))));
});

it('a port is given once, although nobody listens there yet', async () => {
  const ports = new Set<number>();
  // Drawn from 12,000: that 600 are different by chance happens once in ten million times.
  for (let count = 0; count < 600; count++) ports.add(await freePort());
  expect(ports.size).toBe(600);
});

describe('where a role is to listen', () => {
  it.each(['--listen', '--admin'] as const)('%s in use: usage, with what to do', async (flag) => {
    const port = await freePort();
    await take(port);
    const wanted = { '--listen': { host: HOST, port: 0 }, [flag]: { host: HOST, port } };
    const error = (await checkPorts(wanted).catch((reason: unknown) => reason)) as CliError;
    expect(error.exitCode).toBe(EXIT.usage);
    expect(error.message).toBe(`127.0.0.1:${port} is in use: choose another with ${flag}`);
  });

  it('one port cannot be both', async () => {
    const address = { host: HOST, port: await freePort() };
    await expect(checkPorts({ '--listen': address, '--admin': address })).rejects.toThrow(
      `127.0.0.1:${address.port} is in use: choose another with --admin`,
    );
  });

  it('an address of another machine is named', async () => {
    const elsewhere = { host: '192.0.2.1', port: 7000 };
    await expect(checkPorts({ '--listen': elsewhere })).rejects.toThrow(
      '192.0.2.1:7000 is no address of this machine: give one that is with --listen',
    );
  });

  it('a free port and port 0 are fine, and free again', async () => {
    const address = { host: HOST, port: await freePort() };
    const wanted = { '--listen': address, '--admin': { host: HOST, port: 0 } };
    await checkPorts(wanted);
    await checkPorts({ ...wanted, '--admin': undefined });
  });
});

describe('the ports of a playground', () => {
  const counts = { routers: 1, storage: 1 };
  let told: string[];
  beforeEach(() => {
    told = [];
  });
  const choose = (usual: UsualPorts) => choosePorts(counts, (why) => told.push(why), usual);

  async function somePorts(): Promise<UsualPorts> {
    const [claim = 0, r = 0, rAdmin = 0, s = 0, sAdmin = 0] = await freePorts(5);
    return {
      claim,
      router: { listen: r, admin: rAdmin },
      storage: { listen: s, admin: sAdmin },
    };
  }

  const inOrder = ({ router, storage }: UsualPorts) =>
    [router, storage].map(({ listen, admin }) => ({
      listen: `${HOST}:${listen}`,
      admin: `${HOST}:${admin}`,
    }));
  const membersOf = ({ routers, storage }: Awaited<ReturnType<typeof choosePorts>>) => [
    ...routers,
    ...storage,
  ];

  it('are the usual ones if all are free', async () => {
    const usual = await somePorts();
    const ports = await choose(usual);
    expect(membersOf(ports)).toEqual(inOrder(usual));
    expect(told).toEqual([]);
    await ports.release();
  });

  it('are all others if one is taken, and that is said', async () => {
    const usual = await somePorts();
    await take(usual.storage.admin);
    const ports = await choose(usual);
    const addresses = membersOf(ports).flatMap(({ listen, admin }) => [listen, admin]);
    expect(new Set(addresses).size).toBe(4);
    const refused = inOrder(usual).flatMap(({ listen, admin }) => [listen, admin]);
    expect(addresses.filter((address) => refused.includes(address))).toEqual([]);
    expect(told).toEqual([`usual ports are taken (${HOST}:${usual.storage.admin}): using others`]);
  });

  it('that are taken are counted, and the first is named', async () => {
    const usual = await somePorts();
    for (const port of [usual.router.listen, usual.router.admin, usual.storage.listen]) {
      await take(port);
    }
    await choose(usual);
    const first = `${HOST}:${usual.router.listen}`;
    expect(told).toEqual([`usual ports are taken (${first} and 2 more): using others`]);
  });

  it('belong to one playground at a time, also before its processes listen', async () => {
    const usual = await somePorts();
    const first = await choose(usual);
    const second = await choose(usual);
    expect(membersOf(second)).not.toEqual(inOrder(usual));
    expect(told).toEqual([`usual ports are taken (${HOST}:${usual.claim}): using others`]);
    await second.release();
    await first.release();
    const third = await choose(usual);
    expect(membersOf(third)).toEqual(inOrder(usual));
    await third.release();
  });

  it('are others for so many members that one kind would run into the next', async () => {
    const usual = await somePorts();
    const overlapping = { ...usual, storage: usual.router };
    const ports = await choose(overlapping);
    expect(membersOf(ports)).not.toEqual(inOrder(overlapping));
    expect(new Set(membersOf(ports).map(({ listen }) => listen)).size).toBe(2);
  });
});

describe('the line that starts a member again', () => {
  const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
  const args = ['storage', '--id', 's1', '--listen', '127.0.0.1:7100', '--data', "/it's here/s1"];
  const words = "storage --id s1 --listen 127.0.0.1:7100 --data '/it'\\''s here/s1'";
  const lineIn = (folder: string, shell?: string) => {
    vi.stubEnv('INIT_CWD', shell);
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    const events = { line: () => undefined, died: () => undefined };
    return new MemberProcess('s1', args, events).commandLine;
  };
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  it('is what a shell reads back, and its process is the member', () => {
    expect(lineIn(ROOT)).toBe(`node src/cli/main.js ${words}`);
    expect(lineIn(`${ROOT}/src/cli`, `${ROOT}/src/cli`)).toBe(`node main.js ${words}`);
  });

  it('works in the folder of whoever reads it, also above, aside and under npm', () => {
    const everywhere = `node ${ROOT}/src/cli/main.js ${words}`;
    expect(lineIn(`${ROOT}/test`)).toBe(everywhere);
    expect(lineIn('/nowhere')).toBe(everywhere);
    expect(lineIn(ROOT, `${ROOT}/test`)).toBe(everywhere);
  });
});

it('a dead member whose address is listened on again was started by hand', async () => {
  const [revived = 0, silent = 0] = await freePorts(2);
  await take(revived);
  const dead = [revived, silent].map((port) => ({ id: port, address: `${HOST}:${port}` }));
  expect(await startedByHand(dead)).toEqual([dead[0]]);
  expect(await startedByHand([])).toEqual([]);
});
