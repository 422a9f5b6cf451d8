/** What command lines mean, without running them: flags, variables, ids, addresses, mistakes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CliError, EXIT } from '../../src/cli/exit.js';
import { keepNodeId, nodeIdIn } from '../../src/cli/node-id-file.js';
import { type PlaygroundFlags, playgroundRunOf } from '../../src/cli/playground-command.js';
import { parseCommand } from '../../src/cli/parse-command.js';
import { buildProgram } from '../../src/cli/program.js';
import type { MemberId } from '../../src/model/ids.js';

const flagsOf = (line: string) => parseCommand(line.split(' ')).flags;
const configOf = (line: string) => parseCommand(line.split(' ')).config;

beforeEach(() => {
  const ours = Object.keys(process.env).filter((name) => name.startsWith('PORTOLAN_'));
  for (const name of ours) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('flags', () => {
  it('each has an environment variable that is named in the help', () => {
    const options = buildProgram().commands.flatMap((command) => [...command.options]);
    expect(options.length).toBeGreaterThan(40);
    for (const option of options) {
      const expected = `PORTOLAN_${option.name().replaceAll('-', '_').toUpperCase()}`;
      expect(option.envVar).toBe(expected);
    }
  });

  it('every command says what it does and gives an example', () => {
    for (const command of buildProgram().commands) {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      expect(help).toContain(command.description().slice(0, 20));
      expect(help).toMatch(/Examples?:\n/);
    }
  });

  it('a variable counts when the flag is not given, and the flag wins', () => {
    vi.stubEnv('PORTOLAN_TIMEOUT_MS', '1234');
    expect(flagsOf('get k')['timeoutMs']).toBe(1234);
    expect(flagsOf('get k --timeout-ms 99')['timeoutMs']).toBe(99);
  });

  it('a variable is checked like the flag', () => {
    vi.stubEnv('PORTOLAN_ZK', 'nowhere:port');
    expect(() => parseCommand(['get', 'k'])).toThrow(/'PORTOLAN_ZK' is invalid.*HOST:PORT/);
  });

  it.each(['', '0', 'false', 'no', 'off', 'FALSE'])('PORTOLAN_JSON=%s asks for nothing', (text) => {
    vi.stubEnv('PORTOLAN_JSON', text);
    expect(flagsOf('status')['json']).toBe(false);
  });

  it('PORTOLAN_JSON=1 asks for JSON', () => {
    vi.stubEnv('PORTOLAN_JSON', '1');
    expect(flagsOf('status')['json']).toBe(true);
  });

  it('an empty variable is none', () => {
    vi.stubEnv('PORTOLAN_TIMEOUT_MS', '');
    expect(flagsOf('get k')['timeoutMs']).toBe(5_000);
  });

  it('PORTOLAN_ROUTERS names routers for clients and does not count them for the playground', () => {
    vi.stubEnv('PORTOLAN_ROUTERS', '127.0.0.1:7000,[::1]:7001');
    expect(flagsOf('get k')['routers']).toEqual(['127.0.0.1:7000', '[::1]:7001']);
    expect(flagsOf('playground')['routers']).toBe(3);
    vi.stubEnv('PORTOLAN_ROUTERS', '5');
    expect(flagsOf('playground')['routers']).toBe(5);
  });
});

describe('a key that begins with -', () => {
  it.each(['get', 'put', 'del'])('%s: is one behind --, as the help says', (name) => {
    const value = name === 'put' ? ['v'] : [];
    const { args } = parseCommand([name, '--', '-x', ...value]);
    expect(args).toEqual(['-x', ...value]);
    expect(() => parseCommand([name, '-x', ...value])).toThrow(/unknown option '-x'/);
    const help = buildProgram().commands.find((command) => command.name() === name)!;
    const [key] = help.registeredArguments;
    expect(key!.description).toContain('write -- before one that begins with -');
  });
});

describe('mistakes', () => {
  it.each([
    ['sttus', /unknown command 'sttus'\s.*Did you mean status\?/],
    ['get k --timout-ms 5', /unknown option '--timout-ms'\s.*Did you mean --timeout-ms\?/],
    ['router --zkk a:1', /unknown option '--zkk'\s.*Did you mean --zk\?/],
    ['get', /missing required argument 'key'/],
    ['get a b', /too many arguments/],
    ['put a', /missing required argument 'value'/],
    ['get k --timeout-ms 0', /expected a whole number from 1 to 60000/],
    ['get k --timeout-ms 1e3', /expected a whole number/],
    ['get k --zk a:b', /expected HOST:PORT\[,HOST:PORT...\]\[\/chroot\]/],
    ['get k --routers a', /expected HOST:PORT/],
    ['get k --routers a:1,', /expected HOST:PORT/],
    ['get k --cluster A', /lower-case/],
    ['get k --key-encoding hexx', /Allowed choices are utf8, hex, base64/],
    ['put k v --if-absent --if-version 3', /cannot be used with/],
    ['del k --if-version 0', /whole number from 1/],
    ['playground --replicas 8', /whole number from 1 to 7/],
    ['playground --routers 0', /whole number from 1/],
    ['playground --shards 4097', /from 1 to 4096/],
    ['router --zk a:1 --id R1', /lower-case/],
    ['router --zk a:1 --listen 7000', /expected HOST:PORT/],
    ['storage --zk a:1 --data d --log-level loud', /Allowed choices/],
    ['helth', /unknown command 'helth'\s.*Did you mean health\?/],
    ['health', /required option '--address <address>' not specified/],
    ['health --address 127.0.0.1', /expected HOST:PORT/],
    ['storage --zk a:1 --dta d', /unknown option '--dta'\s.*Did you mean --data\?/],
    ['playground --shard 3', /unknown option '--shard'\s.*Did you mean --shards\?/],
    ['status now', /too many arguments/],
    ['get k --zk a:0', /expected HOST:PORT\[/],
    ['get k --zk a:1/x//y', /expected HOST:PORT\[/],
    ['get k --zk a:1,,b:2', /expected HOST:PORT\[/],
    ['get k --routers a:65536', /expected HOST:PORT/],
    ['get k --routers :7000', /expected HOST:PORT/],
    ['get k --routers ::1:7000', /expected HOST:PORT/],
    ['get k --routers http://a:7000', /expected HOST:PORT/],
    ['router --zk a:1 --listen a:-1', /expected HOST:PORT/],
    [`router --zk a:1 --id ${'r'.repeat(33)}`, /1 to 32 lower-case/],
    ['router --zk a:1 --id -r', /1 to 32 lower-case/],
    ['storage --zk a:1 --data d --id s_1', /1 to 32 lower-case/],
    ['storage --zk a:1 --data d --disk-reserve-mb -1', /whole number from 0/],
    ['router --zk a:1 --session-timeout-ms 99', /whole number from 100 to 600000/],
    ['router --zk a:1 --shards 0', /whole number from 1 to 4096/],
    ['router --zk a:1 --drain-ms 1.5', /whole number/],
    ['put k v --if-version 9007199254740992', /whole number from 0 to 9007199254740991/],
    ['put k v --if-version -1', /whole number from 0/],
  ])('%s', (line, message) => {
    expect(() => flagsOf(line)).toThrow(message);
  });

  it.each([
    ['router', /where is ZooKeeper\? Give --zk/],
    ['storage --zk a:1', /where is the data\? Give --data/],
    ['router --zk a:1 --listen 0.0.0.0:0', /others cannot know the port/],
    ['router --zk a:1 --advertise 0.0.0.0:7000', /nobody can dial 0\.0\.0\.0:7000/],
    ['router --zk a:1 --advertise here:0', /nobody can dial here:0/],
  ])('%s: refused as usage, with what to do', (line, message) => {
    const error = thrownBy(() => configOf(line));
    expect(error).toBeInstanceOf(CliError);
    expect((error as CliError).exitCode).toBe(EXIT.usage);
    expect((error as CliError).message).toMatch(message);
  });
});

describe('whatever is typed', () => {
  const flags = buildProgram().commands.flatMap(({ options }) => options.map(({ long }) => long!));
  const words = ['get', 'put', 'del', 'status', 'health', 'router', 'storage', 'playground'];
  const values = ['a:1', '[::1]:1', '0.0.0.0:0', '', '-', '--', '-1', '1', '1e9', 'utf8', '\u0000'];
  const word = fc.oneof(
    fc.constantFrom(...words, ...flags, ...values),
    fc.tuple(fc.constantFrom(...flags), fc.string()).map(([name, value]) => `${name}=${value}`),
    fc.string(),
  );

  it('is a command or a mistake with a message, never a crash', () => {
    let understood = 0;
    const lines = fc.tuple(fc.constantFrom(...words), fc.array(word, { maxLength: 5 }));
    fc.assert(
      fc.property(lines, ([first, rest]) => {
        try {
          parseCommand([first, ...rest]);
          understood++;
        } catch (error) {
          const isOurs = error instanceof CommanderError || error instanceof CliError;
          if (!isOurs || error.message === '') throw error;
        }
      }),
      { numRuns: 800 },
    );
    expect(understood).toBeGreaterThan(20);
  });
});

it('exit codes are those of the contract, each with one meaning', () => {
  expect(EXIT).toEqual({
    ok: 0,
    unexpected: 1,
    usage: 2,
    notFound: 3,
    unavailable: 4,
    unhealthy: 5,
    conditionFailed: 6,
    notPermitted: 7,
    interrupted: 130,
    terminated: 143,
  });
  expect(new Set(Object.values(EXIT)).size).toBe(Object.keys(EXIT).length);
});

describe('what a role is started with', () => {
  it('a router on loopback, unless told otherwise', () => {
    expect(configOf('router --id r1 --zk a:1,b:2/chroot')).toEqual({
      id: 'r1',
      zk: 'a:1,b:2/chroot',
      cluster: 'default',
      listen: { host: '127.0.0.1', port: 0 },
      advertise: undefined,
      admin: { host: '127.0.0.1', port: 0 },
      sessionTimeoutMs: 6_000,
      drainMs: 5_000,
      create: {
        ...{ shards: 64, replicas: 3, minIsr: 2, initialStorage: 3 },
        ...{ leaseMs: 600, replaceAfterMs: 300_000 },
      },
    });
  });

  it.each([
    ['--replicas 1', { replicas: 1, minIsr: 1, initialStorage: 1 }],
    ['--replicas 2', { replicas: 2, minIsr: 1, initialStorage: 2 }],
    ['--replicas 5 --min-isr 3', { replicas: 5, minIsr: 3, initialStorage: 5 }],
    ['--initial-storage 1', { replicas: 3, minIsr: 2, initialStorage: 1 }],
    ['--initial-storage 9', { replicas: 3, minIsr: 2, initialStorage: 9 }],
  ])('a new cluster with %s', (flags, create) => {
    expect(configOf(`router --id r1 --zk a:1 ${flags}`)).toMatchObject({ create });
  });

  it('S4 a new cluster cannot need more replicas in sync than it has', () => {
    const line = 'router --id r1 --zk a:1 --replicas 2 --min-isr 3';
    expect(() => configOf(line)).toThrow('--min-isr 3 is more than --replicas 2');
  });

  it.each([
    [[], { storage: 3, replicas: 3 }],
    [['--storage', '1'], { storage: 1, replicas: 1 }],
    [['--storage', '5'], { storage: 5, replicas: 3 }],
    [['--storage', '5', '--replicas', '4'], { storage: 5, replicas: 4 }],
  ])('a playground with %j', (flags, expected) => {
    const parsed = parseCommand(['playground', ...flags]).flags as unknown as PlaygroundFlags;
    expect(playgroundRunOf(parsed)).toMatchObject(expected);
  });

  it('a playground of fewer nodes than replicas is a mistake, and says the way out', () => {
    const flags = parseCommand(['playground', '--storage', '2', '--replicas', '3']).flags;
    expect(() => playgroundRunOf(flags as unknown as PlaygroundFlags)).toThrow(
      '3 replicas of each shard need as many storage nodes: give --storage 3 or more',
    );
  });

  it('a router says which leases the cluster gets that it may create, within bounds', () => {
    const create = { leaseMs: 2_000 };
    expect(configOf('router --id r1 --zk a:1 --lease-ms 2000')).toMatchObject({ create });
    const bounds = /'--lease-ms <ms>'.*a whole number from 100 to 60000/;
    expect(() => parseCommand('router --zk a:1 --lease-ms 99'.split(' '))).toThrow(bounds);
    expect(() => parseCommand('storage --zk a:1 --lease-ms 900'.split(' '))).toThrow('--lease-ms');
  });

  it('a storage node with its labels and its reserve in bytes', () => {
    const line = 'storage --id s1 --zk a:1 --data d --host h1 --zone z1 --disk-reserve-mb 2';
    expect(configOf(line)).toMatchObject({
      id: 's1',
      data: 'd',
      admin: undefined,
      labels: { host: 'h1', zone: 'z1' },
      diskReserveBytes: 2 * 1024 * 1024,
    });
  });

  it.each(['0.0.0.0', '[::]'])('listening on %s advertises the host by its name', (everywhere) => {
    const config = configOf(`router --id r1 --zk a:1 --listen ${everywhere}:7000`);
    expect(config?.advertise).toEqual({ host: hostname(), port: 7000 });
  });

  it('what is advertised can be said', () => {
    const config = configOf(
      'router --zk a:1 --id r1 --listen 0.0.0.0:7000 --advertise r1.example:9',
    );
    expect(config?.advertise).toEqual({ host: 'r1.example', port: 9 });
  });
});

describe('the id of a storage node that was given none', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'portolan-unit-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('stays with its data when the host gets another name', async () => {
    const data = join(folder, 'data');
    await keepNodeId(data, 'container-1' as MemberId);
    expect(configOf(`storage --zk a:1 --data ${data}`)?.id).toBe('container-1');
    expect(configOf(`storage --zk a:1 --data ${data} --id s7`)?.id).toBe('s7');
    await keepNodeId(data, 'container-2' as MemberId);
    expect(nodeIdIn(data)).toBe('container-1');
  });

  it('is not written into a directory that holds something', async () => {
    writeFileSync(join(folder, 'CURRENT'), '');
    await keepNodeId(folder, 'container-1' as MemberId);
    expect(nodeIdIn(folder)).toBeUndefined();
  });

  it('does not wait for ever where no directory can be made', async () => {
    await keepNodeId('/proc/portolan/data', 'container-1' as MemberId);
    expect(nodeIdIn('/proc/portolan/data')).toBeUndefined();
  });

  it('is ignored if it is none', () => {
    writeFileSync(join(folder, 'node-id'), 'Not An Id');
    expect(nodeIdIn(folder)).toBeUndefined();
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('it did not throw');
}
