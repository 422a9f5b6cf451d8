/** How a leader finds out that a node died or hangs: over its streams, its pings and its port. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LeaderEpoch, MemberId } from '../../src/model/ids.js';
import type { NodeWord } from '../../src/model/member-messages.js';
import type { Registration } from '../../src/model/registrations.js';
import type { ProbeResult } from '../../src/ports/network.js';
import { BEAT_MS } from '../../src/router/heartbeat.js';
import { SUSPECT_MS } from '../../src/router/liveness.js';
import { MemberLinks } from '../../src/router/member-links.js';
import { nodeOf, uuidOf } from '../support/configs.js';
import { FakeClock } from '../support/fake-clock.js';
import { FollowDialer } from '../support/follow-dialer.js';
import { silentLog } from '../support/silent-log.js';
import { CountingRandom, settle } from '../support/storage-harness.js';

const [s1, s2] = [nodeOf('s1'), nodeOf('s2')];
const LONG_MS = 20_000;
/** A silent node is noticed at a beat. */
const NOTICE_MS = SUSPECT_MS + BEAT_MS;

let clock: FakeClock;
let dialer: FollowDialer;
let links: MemberLinks;
/** "s1 refused", "s1 heard". */
let verdicts: string[];
let words: NodeWord[];
/** Nodes that answer pings. */
let alive: Registration[];

beforeEach(() => {
  clock = new FakeClock();
  dialer = new FollowDialer();
  verdicts = [];
  words = [];
  alive = [s1, s2];
  dialer.processAt = (address) => alive.find((node) => node.address === address)?.process;
  const known = () => ({ shards: [], nodes: [] });
  links = new MemberLinks(
    { clock, random: new CountingRandom(), log: silentLog, dialer, known },
    {
      type: 'hello',
      clusterUuid: uuidOf('cluster'),
      leaderEpoch: 3 as LeaderEpoch,
      leader: 'r1' as MemberId,
    },
    {
      replicas: () => undefined,
      laterLeader: () => undefined,
      said: (_, word) => words.push(word),
      suspected: ({ id }, why) => verdicts.push(`${id} ${why}`),
      replaced: ({ id }) => verdicts.push(`${id} replaced`),
      heardAgain: ({ id }) => verdicts.push(`${id} heard`),
    },
  );
});

/** The stream that a node has now. */
function streamTo({ address }: Registration) {
  const open = dialer.openTo(address);
  expect(open).toHaveLength(1);
  return open[0]!;
}

/** Breaks it; the test dialer keeps it in its list as ended. */
async function breakStream(node: Registration): Promise<void> {
  const stream = streamTo(node);
  stream.ended = true;
  stream.events.closed('reset');
  await settle();
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}

describe('a node that answers', () => {
  it('is asked at every beat, and never suspected', async () => {
    links.setNodes([s1, s2]);
    await pass(LONG_MS);
    expect(verdicts).toEqual([]);
    expect(streamTo(s1).pings).toHaveLength(LONG_MS / BEAT_MS);
    expect(new Set(streamTo(s1).pings).size).toBe(LONG_MS / BEAT_MS);
  });

  it('and whose stream breaks again and again is not suspected while its port accepts', async () => {
    links.setNodes([s1]);
    for (let n = 0; n < 50; n++) {
      await breakStream(s1);
      await pass(BEAT_MS);
    }
    expect(dialer.probed).toHaveLength(50);
    expect(verdicts).toEqual([]);
  });

  it('reads slowly and is not asked more until it reads on; a hello counts as well', async () => {
    links.setNodes([s1]);
    const stream = streamTo(s1);
    stream.takesMore = false;
    links.tell([]);
    await pass(BEAT_MS);
    expect(stream.pings).toEqual([]);
    stream.events.message({ type: 'hello', ...s1, leaderEpoch: 3 as LeaderEpoch });
    await pass(SUSPECT_MS - 2 * BEAT_MS);
    stream.takesMore = true;
    stream.events.drain();
    await pass(LONG_MS);
    expect(verdicts).toEqual([]);
  });
});

describe('a node that was killed', () => {
  it('is suspected within milliseconds after its stream broke, and once', async () => {
    links.setNodes([s1, s2]);
    alive = [s2];
    dialer.portOf = (address) => (address === s1.address ? 'refused' : 'accepted');
    await breakStream(s1);
    expect(verdicts).toEqual(['s1 refused']);
    for (let n = 0; n < 20; n++) {
      await pass(1_000);
      for (const stream of dialer.openTo(s1.address)) stream.events.closed('refused');
    }
    expect(verdicts).toEqual(['s1 refused']);
  });

  it('before the leader had reached it once is suspected just so', async () => {
    dialer.portOf = () => 'refused';
    alive = [];
    links.setNodes([s1]);
    await breakStream(s1);
    expect(verdicts).toEqual(['s1 refused']);
  });

  it('while its port was still closing is found by the next attempt to reach it', async () => {
    links.setNodes([s1]);
    alive = [];
    await breakStream(s1);
    expect(verdicts).toEqual([]);
    dialer.portOf = () => 'refused';
    await pass(50);
    await breakStream(s1);
    expect(verdicts).toEqual(['s1 refused']);
  });

  it('is asked once at a time, and not believed dead by what was asked before it spoke', async () => {
    const answers: ((result: ProbeResult) => void)[] = [];
    dialer.probe = () => new Promise((resolve) => answers.push(resolve));
    links.setNodes([s1]);
    alive = [];
    for (const times of [1, 2, 3]) {
      await breakStream(s1);
      expect(answers, `broke ${times} times`).toHaveLength(1);
      await pass(100);
    }
    alive = [s1];
    await pass(BEAT_MS);
    await breakStream(s1);
    expect(answers, 'it has spoken since').toHaveLength(2);
    answers[0]!('refused');
    await settle();
    expect(verdicts).toEqual([]);
    answers[1]!('refused');
    await settle();
    expect(verdicts).toEqual(['s1 refused']);
  });

  it('and restarts is suspected until its new process has registered', async () => {
    const reborn = nodeOf('s1', 2);
    links.setNodes([s1]);
    dialer.portOf = () => 'refused';
    await breakStream(s1);
    dialer.portOf = () => 'accepted';
    alive = [reborn];
    await pass(LONG_MS);
    streamTo(s1).events.message({ type: 'hello', ...reborn, leaderEpoch: 3 as LeaderEpoch });
    streamTo(s1).events.message({ type: 'leaving' });
    const known = ['s1 refused', 's1 replaced'];
    expect(verdicts, 'the next process is no sign of life of this one').toEqual(known);
    expect(words).toEqual([]);
    links.setNodes([reborn]);
    await pass(LONG_MS);
    expect(verdicts).toEqual(known);
  });
});

describe('a node that was started again before its port was asked', () => {
  const reborn = nodeOf('s1', 2);
  const greeting = { type: 'hello', ...reborn, leaderEpoch: 0 as LeaderEpoch } as const;

  beforeEach(async () => {
    links.setNodes([s1]);
    await pass(BEAT_MS);
    alive = [];
    await breakStream(s1);
    await pass(50);
    expect(verdicts, 'its port accepts').toEqual([]);
  });

  it('is known as such when its next process turns us away, and is suspected in time', async () => {
    streamTo(s1).events.message(greeting);
    expect(verdicts).toEqual(['s1 replaced']);
    await breakStream(s1);
    await pass(100);
    streamTo(s1).events.message(greeting);
    expect(verdicts).toEqual(['s1 replaced']);
    await pass(SUSPECT_MS);
    expect(verdicts).toEqual(['s1 replaced', 's1 silent']);
  });

  it('or answers pings; it is not once it has registered', async () => {
    alive = [reborn];
    await pass(BEAT_MS);
    expect(verdicts).toEqual(['s1 replaced']);
    links.setNodes([reborn]);
    await pass(LONG_MS);
    expect(verdicts).toEqual(['s1 replaced']);
  });

  it('is heard again if it speaks after all', async () => {
    streamTo(s1).events.message(greeting);
    alive = [s1];
    await pass(BEAT_MS);
    await pass(LONG_MS);
    expect(verdicts).toEqual(['s1 replaced', 's1 heard']);
  });

  it('is looked for less and less often until it registers', async () => {
    const before = dialer.streams.length;
    for (let ms = 0; ms < LONG_MS; ms += 50) {
      for (const stream of dialer.openTo(s1.address)) {
        stream.events.message(greeting);
        await breakStream(s1);
      }
      await pass(50);
    }
    expect(dialer.streams.length - before).toBeGreaterThan(10);
    expect(dialer.streams.length - before).toBeLessThan(30);
  });
});

describe('a node that hangs', () => {
  it('is suspected when it said nothing for the time, once, and heard again when it wakes', async () => {
    links.setNodes([s1, s2]);
    await pass(LONG_MS);
    alive = [s2];
    await pass(SUSPECT_MS - BEAT_MS);
    expect(verdicts).toEqual([]);
    await pass(2 * BEAT_MS);
    expect(verdicts).toEqual(['s1 silent']);
    await pass(LONG_MS);
    expect(verdicts).toEqual(['s1 silent']);
    alive = [s1, s2];
    await pass(BEAT_MS);
    expect(verdicts).toEqual(['s1 silent', 's1 heard']);
  });

  it('and keeps its port is not reported once more because its stream breaks', async () => {
    links.setNodes([s1]);
    alive = [];
    await pass(NOTICE_MS);
    await breakStream(s1);
    await pass(LONG_MS);
    expect(verdicts).toEqual(['s1 silent']);
  });

  it('since before the leader took office has the whole time from the first attempt', async () => {
    alive = [];
    await pass(LONG_MS);
    links.setNodes([s1]);
    await pass(SUSPECT_MS - 1);
    expect(verdicts).toEqual([]);
    await pass(BEAT_MS);
    expect(verdicts).toEqual(['s1 silent']);
  });

  it('and is not registered any more is none of our business', async () => {
    links.setNodes([s1]);
    alive = [];
    await pass(BEAT_MS);
    dialer.portOf = () => 'refused';
    streamTo(s1).events.closed('reset');
    links.setNodes([]);
    await settle();
    await pass(LONG_MS);
    expect(verdicts).toEqual([]);
    expect(clock.pending, 'only the heartbeat').toBe(1);
    links.close();
    expect(clock.pending).toBe(0);
  });
});

describe('a leader that was held up', () => {
  it('suspects nobody for that silence, however long it was', async () => {
    links.setNodes([s1, s2]);
    for (const ms of [SUSPECT_MS, 3 * SUSPECT_MS, 100 * SUSPECT_MS]) {
      await pass(1_000);
      alive = []; // Nothing is heard while nothing runs, and the answers are read only afterwards.
      clock.holdUp(ms);
      alive = [s1, s2];
    }
    await pass(LONG_MS);
    expect(verdicts).toEqual([]);
  });

  it('suspects those who stay silent after that', async () => {
    links.setNodes([s1, s2]);
    clock.holdUp(5 * SUSPECT_MS);
    alive = [s2];
    await pass(NOTICE_MS);
    expect(verdicts).toEqual(['s1 silent']);
  });
});

it('a router is not watched: nothing follows from its death', async () => {
  links.setRouters([{ id: 'r2' as MemberId, address: 'r2:1', admin: '' }]);
  dialer.portOf = () => 'refused';
  dialer.streams[0]!.events.closed('reset');
  await pass(LONG_MS);
  expect(verdicts).toEqual([]);
  expect(dialer.probed).toEqual([]);
  expect(dialer.streams.flatMap(({ pings }) => pings)).toEqual([]);
});
