/**
 * docker-compose.yml and the Dockerfile, checked without an engine: the file against the rules of
 * the Compose specification, each command line against our own parser, and the promises that the
 * two files make to each other.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { parseCommand } from '../../src/cli/parse-command.js';
import type { RouterConfig } from '../../src/router/config.js';
import type { StorageConfig } from '../../src/storage/config.js';
import { composeProblems } from '../support/compose-rules.js';

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly stop_grace_period: string;
  readonly init: boolean;
  readonly healthcheck: { readonly test: readonly string[]; readonly timeout: string };
  readonly deploy: { readonly replicas: number };
  readonly volumes: readonly string[];
  readonly ports?: readonly { readonly target: number }[];
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
}

const read = (name: string) => {
  return readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');
};
const readCompose = () => parse(read('docker-compose.yml'), { merge: true }) as ComposeFile;

/** `${NAME:-default}` as Compose replaces it when the variable is not set. */
const interpolated = (argument: string) => argument.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

function configOf(name: string): RouterConfig & StorageConfig {
  const { command, environment } = readCompose().services[name]!;
  for (const [variable, value] of Object.entries(environment)) vi.stubEnv(variable, value);
  return parseCommand(command.map(interpolated)).config as RouterConfig & StorageConfig;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('docker-compose.yml', () => {
  it('keeps the rules of the Compose specification', () => {
    expect(composeProblems(readCompose())).toEqual([]);
  });

  it.each<[string, (file: { services: Record<string, Record<string, unknown>> }) => void, RegExp]>([
    ['an unknown key', ({ services }) => (services['router']!['replicas'] = 3), /no such key/],
    [
      'a bad duration',
      ({ services }) => (services['zk1']!['stop_grace_period'] = '20'),
      /duration/,
    ],
    ['a missing service', ({ services }) => delete services['zk2'], /zk2, which does not exist/],
    [
      'no health check',
      ({ services }) => delete services['zk3']!['healthcheck'],
      /no health check/,
    ],
    [
      'an unknown volume',
      ({ services }) => (services['zk1']!['volumes'] = ['x:/x']),
      /not declared/,
    ],
    [
      'a fixed name for replicas',
      ({ services }) => (services['storage']!['container_name'] = 'storage'),
      /one name for 3 replicas/,
    ],
    [
      'one port of the host for replicas',
      ({ services }) => (services['storage']!['ports'] = [{ target: 7100, published: '7100' }]),
      /3 replicas, but ports 7100/,
    ],
    [
      'one port of the host for replicas, in short',
      ({ services }) => (services['storage']!['ports'] = ['127.0.0.1:7100:7100']),
      /ports\[0\]: expected a mapping/,
    ],
    [
      'a health check that is no command',
      ({ services }) => (services['zk1']!['healthcheck'] = { test: ['zkServer.sh', 'status'] }),
      /CMD or CMD-SHELL or NONE/,
    ],
    [
      'a service that waits for itself',
      ({ services }) => {
        services['zk1']!['depends_on'] = { router: { condition: 'service_started' } };
      },
      /waits for itself/,
    ],
    [
      'more replicas than ports',
      ({ services }) => (services['router']!['deploy'] = { replicas: 11 }),
      /11 replicas/,
    ],
  ])('its check finds %s', (_, damage, finding) => {
    const file = structuredClone(readCompose()) as never;
    damage(file);
    expect(composeProblems(file).join('\n')).toMatch(finding);
  });

  it('has three ZooKeeper servers that name each other, and three of each role', () => {
    const { services } = readCompose();
    expect(Object.keys(services)).toEqual(['zk1', 'zk2', 'zk3', 'router', 'storage']);
    for (const n of [1, 2, 3]) {
      const { ZOO_MY_ID, ZOO_SERVERS } = services[`zk${n}`]!.environment;
      expect(ZOO_MY_ID).toBe(String(n));
      expect(ZOO_SERVERS).toContain(`server.${n}=zk${n}:2888:3888;2181`);
    }
    expect(services['router']!.deploy.replicas).toBe(3);
    expect(services['storage']!.deploy.replicas).toBe(3);
  });

  it('every command line is accepted by our own parser', () => {
    const zk = 'zk1:2181,zk2:2181,zk3:2181';
    expect(configOf('router')).toMatchObject({ zk, listen: { host: '0.0.0.0', port: 7000 } });
    expect(configOf('storage')).toMatchObject({ zk, data: '/var/lib/portolan' });
  });

  it('members have ids and addresses of their own, however many replicas there are', () => {
    for (const name of ['router', 'storage']) {
      const { command } = readCompose().services[name]!;
      expect(command.join(' ')).not.toMatch(/--id|--advertise/);
      const { advertise, listen } = configOf(name);
      expect(advertise).toEqual({
        host: expect.stringMatching(/^[^.]/) as string,
        port: listen.port,
      });
      expect(advertise!.host).not.toBe('0.0.0.0');
    }
  });

  it('is given more time to stop than the drain takes', () => {
    for (const name of ['router', 'storage']) {
      const { stop_grace_period: grace, init } = readCompose().services[name]!;
      expect(Number.parseInt(grace, 10) * 1_000).toBeGreaterThan(configOf(name).drainMs * 2);
      expect(init).toBe(true);
    }
  });

  it('asks and publishes only ports that are listened on', () => {
    for (const name of ['router', 'storage']) {
      const { healthcheck, ports = [] } = readCompose().services[name]!;
      const { listen, admin } = configOf(name);
      const [how, program, ...question] = healthcheck.test;
      expect([how, program]).toEqual(['CMD', 'portolan']);
      expect(parseCommand(question)).toMatchObject({
        command: 'health',
        flags: { address: { host: '127.0.0.1', port: listen.port } },
      });
      for (const { target } of ports) expect([listen.port, admin.port]).toContain(target);
    }
  });

  it('a health check has its answer before it is taken for hanging', () => {
    for (const name of ['router', 'storage']) {
      const { test, timeout } = readCompose().services[name]!.healthcheck;
      const { timeoutMs } = parseCommand(test.slice(2)).flags as { timeoutMs: number };
      expect(Number.parseInt(timeout, 10) * 1_000).toBeGreaterThan(timeoutMs * 2);
    }
  });

  it('its ZooKeeper allows sessions as long as ours', () => {
    const { services } = readCompose();
    for (const name of ['zk1', 'zk2', 'zk3']) {
      const tickMs = Number(services[name]!.environment['ZOO_TICK_TIME']);
      for (const role of ['router', 'storage']) {
        const { sessionTimeoutMs } = configOf(role);
        expect(sessionTimeoutMs).toBeGreaterThanOrEqual(tickMs * 2);
        expect(sessionTimeoutMs).toBeLessThanOrEqual(tickMs * 20);
      }
    }
  });

  it('its ZooKeeper is asked what its image allows: srvr is what zkServer.sh status sends', () => {
    for (const name of ['zk1', 'zk2', 'zk3']) {
      const { environment, healthcheck } = readCompose().services[name]!;
      expect(healthcheck.test).toEqual(['CMD', 'zkServer.sh', 'status']);
      expect(environment['ZOO_4LW_COMMANDS_WHITELIST']!.split(',')).toContain('srvr');
    }
  });

  it('keeps the data in a volume that the image lets its user write to', () => {
    const { data } = configOf('storage');
    expect(readCompose().services['storage']!.volumes).toEqual([data]);
    expect(read('Dockerfile')).toContain(`install -d -o node -g node -m 700 ${data}`);
  });
});

describe('Dockerfile', () => {
  it('copies nothing from the clone that .dockerignore leaves out', () => {
    const allowed = new Set(
      read('.dockerignore')
        .split('\n')
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1)),
    );
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
    expect(copied.length).toBeGreaterThan(3);
    for (const source of copied.flatMap((match) => match[1]!.split(' '))) {
      expect(allowed).toContain(source);
    }
  });

  it('copies only what the clone has', () => {
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
    for (const source of copied.flatMap((match) => match[1]!.split(' '))) {
      expect(existsSync(new URL(`../../${source}`, import.meta.url)), source).toBe(true);
    }
  });

  it('the image that runs has an ordinary user and no tools to build with', () => {
    const stages = read('Dockerfile').split(/^(?=FROM )/m);
    const last = stages.at(-1)!;
    expect(stages.filter((stage) => stage.startsWith('FROM '))).toHaveLength(2);
    expect(last).toMatch(/^USER node$/m);
    expect(last.slice(last.indexOf('USER node'))).not.toMatch(/^(?:RUN|COPY|USER root)/m);
    expect(last).not.toMatch(/npm|tsc/);
  });
});
