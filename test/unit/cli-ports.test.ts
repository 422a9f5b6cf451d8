/** Ports on the command line: taken ones are named, and a playground has usual ones. */
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type CliError, EXIT } from '../../src/cli/exit.js';
import { checkPorts } from '../../src/cli/listening.js';
import { MemberProcess } from '../../src/cli/member-process.js';
import { choosePorts, type UsualPorts } from '../../src/cli/playground-ports.js';
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
    const ports = await choosePorts(counts, usual);
    expect(membersOf(ports)).toEqual(inOrder(usual));
    await ports.release();
  });

  it('are all others if one is taken', async () => {
    const usual = await somePorts();
    await take(usual.storage.admin);
    const ports = await choosePorts(counts, usual);
    const addresses = membersOf(ports).flatMap(({ listen, admin }) => [listen, admin]);
    expect(new Set(addresses).size).toBe(4);
    const refused = inOrder(usual).flatMap(({ listen, admin }) => [listen, admin]);
    expect(addresses.filter((address) => refused.includes(address))).toEqual([]);
  });

  it('belong to one playground at a time, also before its processes listen', async () => {
    const usual = await somePorts();
    const first = await choosePorts(counts, usual);
    const second = await choosePorts(counts, usual);
    expect(membersOf(second)).not.toEqual(inOrder(usual));
    await second.release();
    await first.release();
    const third = await choosePorts(counts, usual);
    expect(membersOf(third)).toEqual(inOrder(usual));
    await third.release();
  });

  it('are others for so many members that one kind would run into the next', async () => {
    const usual = await somePorts();
    const overlapping = { ...usual, storage: usual.router };
    const ports = await choosePorts(counts, overlapping);
    expect(membersOf(ports)).not.toEqual(inOrder(overlapping));
    expect(new Set(membersOf(ports).map(({ listen }) => listen)).size).toBe(2);
  });
});

it('the line that starts a member again is what a shell reads back', () => {
  const args = ['storage', '--id', 's1', '--listen', '127.0.0.1:7100', '--data', "/it's here/s1"];
  const member = new MemberProcess('s1', args, { line: () => undefined, died: () => undefined });
  expect(member.commandLine).toBe(
    "npx portolan storage --id s1 --listen 127.0.0.1:7100 --data '/it'\\''s here/s1'",
  );
});
