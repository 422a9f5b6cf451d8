/**
 * The rules of the Compose specification that a file like ours can break, in a few lines: which
 * keys exist, what they hold, and what has to be there for what is referred to. Each finding names
 * its place.
 */

type Problem = string;
type Mapping = Readonly<Record<string, unknown>>;
type Rule = (value: unknown, at: string) => readonly Problem[];

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const DURATION = /^(?:\d+(?:us|ms|s|m|h))+$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const VOLUME = /^(?:(?<source>[^:]+):)?(?<target>\/[^:]*)(?::(?:ro|rw|z|Z))?$/;

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

const is =
  (what: string, test: (value: unknown) => boolean): Rule =>
  (value, at) =>
    test(value) ? [] : [`${at}: expected ${what}, found ${JSON.stringify(value)}`];

const text = is('text', (value) => typeof value === 'string');
const flag = is('true or false', (value) => typeof value === 'boolean');
const count = is('a count', (value) => Number.isInteger(value) && Number(value) >= 0);
const duration = is('a duration like 10s', (value) => {
  return typeof value === 'string' && DURATION.test(value);
});
const oneOf = (...choices: readonly string[]) => {
  return is(choices.join(' or '), (value) => choices.includes(value as string));
};

const listOf =
  (rule: Rule): Rule =>
  (value, at) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => rule(item, `${at}[${index}]`))
      : [`${at}: expected a list`];

const mappingOf =
  (rule: Rule): Rule =>
  (value, at) =>
    isMapping(value)
      ? Object.entries(value).flatMap(([key, item]) => rule(item, `${at}.${key}`))
      : [`${at}: expected a mapping`];

/** Only these keys, or extensions `x-…`. */
const object =
  (keys: Readonly<Record<string, Rule>>): Rule =>
  (value, at) => {
    if (!isMapping(value)) return [`${at}: expected a mapping`];
    return Object.entries(value).flatMap(([key, item]) => {
      const rule = keys[key];
      if (rule !== undefined) return rule(item, `${at}.${key}`);
      return key.startsWith('x-') ? [] : [`${at}.${key}: no such key`];
    });
  };

const command: Rule = (value, at) =>
  Array.isArray(value) ? listOf(text)(value, at) : text(value, at);
const test: Rule = (value, at) => {
  if (typeof value === 'string') return [];
  const [kind] = Array.isArray(value) ? (value as unknown[]) : [];
  return [...listOf(text)(value, at), ...oneOf('CMD', 'CMD-SHELL', 'NONE')(kind, `${at}[0]`)];
};
const port = object({
  target: is('a port', (value) => Number.isInteger(value) && Number(value) < 65_536),
  // A number would be read as octal or as base 60 by some; the specification wants text.
  published: is('a port or a range, as text', (value) => {
    return typeof value === 'string' && /^\d+(?:-\d+)?$/.test(value);
  }),
  host_ip: is('an IPv4 address', (value) => typeof value === 'string' && IPV4.test(value)),
  protocol: oneOf('tcp', 'udp'),
  name: text,
});

const service = object({
  image: text,
  container_name: is('a name', (value) => NAME.test(String(value))),
  build: is('text or a mapping', (value) => typeof value === 'string' || isMapping(value)),
  command,
  entrypoint: command,
  environment: mappingOf(is('a scalar', isScalar)),
  init: flag,
  restart: oneOf('no', 'always', 'on-failure', 'unless-stopped'),
  stop_grace_period: duration,
  stop_signal: text,
  read_only: flag,
  tmpfs: listOf(text),
  cap_drop: listOf(text),
  security_opt: listOf(text),
  depends_on: mappingOf(
    object({
      condition: oneOf('service_started', 'service_healthy', 'service_completed_successfully'),
    }),
  ),
  healthcheck: object({
    test,
    interval: duration,
    timeout: duration,
    start_period: duration,
    retries: count,
  }),
  deploy: object({ replicas: count }),
  ports: listOf(port),
  volumes: listOf(is('[SOURCE:]TARGET', (value) => VOLUME.test(String(value)))),
});

const file = object({ name: text, services: mappingOf(service), volumes: mappingOf(() => []) });

/** What is wrong with the parsed file; empty if nothing is. */
export function composeProblems(document: unknown): readonly Problem[] {
  const shape = file(document, 'compose');
  if (shape.length > 0 || !isMapping(document)) return shape;
  const services = document['services'] as Readonly<Record<string, Mapping>>;
  const volumes = (document['volumes'] ?? {}) as Mapping;
  return Object.entries(services).flatMap(([name, one]) => [
    ...(NAME.test(name) ? [] : [`${name}: not a name`]),
    ...((one['image'] ?? one['build']) ? [] : [`${name}: neither image nor build`]),
    ...dependencyProblems(name, one, services),
    ...volumeProblems(name, one, volumes),
    ...replicaProblems(name, one),
    ...(waitsFor(name, services).has(name) ? [`${name}: waits for itself`] : []),
  ]);
}

/** Everything it depends on, directly or not. */
function waitsFor(
  name: string,
  services: Readonly<Record<string, Mapping>>,
  found = new Set<string>(),
): ReadonlySet<string> {
  for (const other of Object.keys(services[name]?.['depends_on'] ?? {})) {
    if (found.has(other)) continue;
    found.add(other);
    waitsFor(other, services, found);
  }
  return found;
}

function dependencyProblems(
  name: string,
  one: Mapping,
  services: Readonly<Record<string, Mapping>>,
): readonly Problem[] {
  const dependencies = Object.entries((one['depends_on'] ?? {}) as Record<string, Mapping>);
  return dependencies.flatMap(([other, { condition }]) => {
    const found = services[other];
    if (found === undefined) return [`${name}: depends on ${other}, which does not exist`];
    const unchecked = condition === 'service_healthy' && found['healthcheck'] === undefined;
    return unchecked ? [`${name}: ${other} has no health check to wait for`] : [];
  });
}

function volumeProblems(name: string, one: Mapping, volumes: Mapping): readonly Problem[] {
  return ((one['volumes'] ?? []) as string[]).flatMap((volume) => {
    const source = VOLUME.exec(volume)?.groups?.['source'];
    const isName = source !== undefined && !/^[./~]/.test(source);
    return isName && !(source in volumes) ? [`${name}: volume ${source} is not declared`] : [];
  });
}

/** Replicas cannot share a name or a port of the host. */
function replicaProblems(name: string, one: Mapping): readonly Problem[] {
  const replicas = (one['deploy'] as { replicas?: number } | undefined)?.replicas ?? 1;
  const named =
    replicas > 1 && one['container_name'] !== undefined
      ? [`${name}: one name for ${replicas} replicas`]
      : [];
  const ports = (one['ports'] ?? []) as readonly { published?: string }[];
  const crowded = ports.flatMap(({ published }) => {
    if (published === undefined) return [];
    const [from, to = from] = published.split('-').map(Number);
    const room = Number(to) - Number(from) + 1;
    return room < replicas ? [`${name}: ${replicas} replicas, but ports ${published}`] : [];
  });
  return [...named, ...crowded];
}
