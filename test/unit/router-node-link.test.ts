/** One link, whose callers do as they like when they hear a result. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Epoch, ShardId } from '../../src/model/ids.js';
import type { LinkCall, LinkResult } from '../../src/router/link-call.js';
import { NodeLink } from '../../src/router/node-link.js';
import { nodeOf } from '../support/configs.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeDialer } from '../support/fake-dialer.js';
import { silentLog } from '../support/silent-log.js';

let dialer: FakeDialer;
let link: NodeLink;
let deferred: (() => void)[];
/** Results in the order in which they came. */
let heard: string[];

beforeEach(() => {
  const clock = new FakeClock();
  dialer = new FakeDialer();
  deferred = [];
  heard = [];
  const random = { fraction: () => 0.5, uuid: () => expect.unreachable(), nonce: () => '' };
  const defer = (task: () => void) => void deferred.push(task);
  const { id: node, address } = nodeOf('s1');
  link = new NodeLink({ clock, random, log: silentLog, dialer, defer }, { node, address });
});

function send(name: string, then: (result: LinkResult) => void = () => undefined): LinkCall {
  return link.send({
    kind: 'get',
    shard: 0 as ShardId,
    epoch: 1 as Epoch,
    payload: Buffer.from(name),
    deadline: 1_000,
    done: (result) => {
      heard.push(`${name} ${result.type}`);
      then(result);
    },
  });
}

function tick(): void {
  for (const task of deferred.splice(0)) task();
}

describe('S21 a caller that cancels another request when it hears of its own', () => {
  it('which is given back: the other one is not sent, hears nothing, and holds up nobody', () => {
    const results: string[] = [];
    send('a', () => results.push(link.cancel(second)));
    const second = send('b');
    link.bounce('the map changed');
    expect([results, heard]).toEqual([['not-sent'], ['a not-sent']]);
    send('c');
    dialer.last.connect();
    expect(dialer.last.requests.map(({ payload }) => payload.toString())).toEqual(['c']);
  });

  it('which is lost: the other one was sent and hears nothing, the rest hear of theirs', () => {
    const results: string[] = [];
    send('a', () => results.push(link.cancel(second)));
    const second = send('b');
    send('c');
    dialer.last.connect();
    dialer.last.break();
    expect([results, heard]).toEqual([['sent'], ['a lost', 'c lost']]);
  });

  it('which is answered: the other one was sent and hears nothing', () => {
    const results: string[] = [];
    send('a', () => results.push(link.cancel(second)));
    const second = send('b');
    dialer.last.connect();
    for (const request of dialer.last.requests) dialer.last.answer(request, Buffer.from('v'));
    expect([results, heard]).toEqual([['sent'], ['a answered']]);
  });
});

it('S21 a second answer to a request is not the answer to another one', () => {
  send('a');
  dialer.last.connect();
  const [first] = dialer.last.requests;
  dialer.last.answer(first!, Buffer.from('v'));
  send('b');
  tick();
  dialer.last.answer(first!, Buffer.from('v'));
  expect(heard).toEqual(['a answered']);
  dialer.last.answer(dialer.last.requests[1]!, Buffer.from('v'));
  expect(heard).toEqual(['a answered', 'b answered']);
});
