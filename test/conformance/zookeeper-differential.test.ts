/**
 * The embedded server beside a real ZooKeeper: the same random requests of several sessions, and
 * the same answers, codes, stats, numbers of transactions and events, in the same order for each
 * session. `DIFFERENTIAL_OPERATIONS=1000000 DIFFERENTIAL_SEED=7` runs more, and others.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedZooKeeper } from '../support/embedded-zookeeper.js';
import type { PlainAnswer, PlainCall } from '../support/protocol-client.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { randomOfSeed } from '../support/random-of-seed.js';
import { ZooKeeperCalls } from '../support/zookeeper-calls.js';
import { startTestZooKeeper, type TestZooKeeper } from '../support/zookeeper-server.js';

const OPERATIONS = Number(process.env['DIFFERENTIAL_OPERATIONS'] ?? 20_000);
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 1);
const SESSIONS = 4;
/** Operations between two looks at what the sessions were told. */
const LOOK_EVERY = 10;
const MS_PER_OPERATION = 20;

/** One session on both servers. */
interface Pair {
  ours: ProtocolClient;
  theirs: ProtocolClient;
}

describe('the embedded server, beside a real one', () => {
  let real: TestZooKeeper;
  let embedded: EmbeddedZooKeeper;

  beforeAll(async () => {
    real = await startTestZooKeeper({ forceSync: false });
    embedded = await EmbeddedZooKeeper.start();
  });
  afterAll(async () => {
    await embedded.stop();
    await real.stop();
  });

  it(
    `answers ${OPERATIONS} random requests of ${SESSIONS} sessions alike, seed ${SEED}`,
    async () => {
      const random = randomOfSeed(SEED);
      const calls = new ZooKeeperCalls(random);
      const pairs: Pair[] = [];
      for (let n = 0; n < SESSIONS; n++) pairs.push(await openBoth());
      const counts = new Map<string, number>();
      for (let n = 0; n < OPERATIONS; n++) {
        const which = Math.floor(random() * SESSIONS);
        const pair = pairs[which]!;
        const roll = random();
        if (roll < 0.002) {
          await look(n, pairs, counts);
          await both(pair, (client) => client.close());
          pairs[which] = await openBoth();
          // Its ephemeral znodes go in no particular order.
          await look(n, pairs, counts, (events) => events.sort());
        } else if (roll < 0.004) {
          pairs[which] = await reconnect(pair);
        } else {
          const call = calls.next();
          const [ours, theirs] = await both(pair, (client) => client.call(call));
          expect(seen(n, call, ours), `seed ${SEED}`).toEqual(seen(n, call, theirs));
          const kind = `${call.op} ${ours.err}`;
          counts.set(kind, (counts.get(kind) ?? 0) + 1);
        }
        if (n % LOOK_EVERY === 0) await look(n, pairs, counts);
      }
      for (const pair of pairs) await both(pair, (client) => client.close());
      // Not only what fails, and not only what succeeds.
      for (const kind of [
        'create 0',
        'create -110',
        'multi 0',
        'setAcl 0',
        'getData -102',
        'events',
      ]) {
        expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(OPERATIONS / 2_000);
      }
    },
    30_000 + OPERATIONS * MS_PER_OPERATION,
  );

  async function openBoth(): Promise<Pair> {
    return {
      ours: await ProtocolClient.open(embedded.connect),
      theirs: await ProtocolClient.open(real.connect),
    };
  }

  /** Over a new connection, with the same session and no watches. */
  async function reconnect({ ours, theirs }: Pair): Promise<Pair> {
    const again = async (client: ProtocolClient, address: string) => {
      const { session, password, lastZxid, timeoutMs } = client;
      await client.takeEvents();
      await client.drop();
      return ProtocolClient.open(address, { session, password, lastZxid, timeoutMs });
    };
    return {
      ours: await again(ours, embedded.connect),
      theirs: await again(theirs, real.connect),
    };
  }
});

/** What each session was told since the last look. */
async function look(
  n: number,
  pairs: readonly Pair[],
  counts: Map<string, number>,
  ordered: (events: string[]) => string[] = (events) => events,
): Promise<void> {
  for (const [session, pair] of pairs.entries()) {
    const [ours, theirs] = await both(pair, (client) => client.takeEvents());
    const told = { n, session, events: ordered(ours) };
    expect(told, `seed ${SEED}`).toEqual({ ...told, events: ordered(theirs) });
    counts.set('events', (counts.get('events') ?? 0) + ours.length);
  }
}

async function both<T>(
  { ours, theirs }: Pair,
  ask: (client: ProtocolClient) => Promise<T>,
): Promise<readonly [T, T]> {
  return [await ask(ours), await ask(theirs)];
}

function seen(n: number, call: PlainCall, answer: PlainAnswer) {
  return { n, call, answer };
}
