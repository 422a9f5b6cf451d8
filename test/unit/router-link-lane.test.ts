/** What waits for a frame: order, room, and requests that are cancelled while they wait. */
import { describe, expect, it } from 'vitest';
import type { Epoch, ShardId } from '../../src/model/ids.js';
import { LinkCall } from '../../src/router/link-call.js';
import { LinkLane } from '../../src/router/link-lane.js';
import { requestRecordBytes } from '../../src/wire/frame.js';

const NOBODY = () => expect.unreachable('a cancelled request has no result');

function callOf(bytes: number): LinkCall {
  return new LinkCall({
    kind: 'get',
    shard: 0 as ShardId,
    epoch: 1 as Epoch,
    payload: Buffer.alloc(bytes),
    deadline: Infinity,
    done: NOBODY,
  });
}

function laneOf(sizes: readonly number[]): { lane: LinkLane; calls: LinkCall[] } {
  const lane = new LinkLane();
  const calls = sizes.map(callOf);
  for (const call of calls) lane.add(call);
  return { lane, calls };
}

describe('a frame takes', () => {
  it('what came first, as much as fits, and at least one', () => {
    const { lane, calls } = laneOf([10, 10, 10, 500, 10]);
    expect(lane.take(3 * requestRecordBytes(10))).toEqual(calls.slice(0, 3));
    expect(lane.take(100)).toEqual([calls[3]]);
    expect(lane.size).toBe(1);
    expect(lane.take(100)).toEqual([calls[4]]);
    expect([lane.size, lane.takeAll()]).toEqual([0, []]);
  });

  it('nothing that was cancelled, wherever it stood', () => {
    const { lane, calls } = laneOf([1, 1, 1, 1, 1]);
    for (const at of [0, 2, 4]) lane.cancel(calls[at]!);
    expect(lane.size).toBe(2);
    expect(lane.takeAll()).toEqual([calls[1], calls[3]]);
    expect(lane.size).toBe(0);
  });
});

it('requests that were cancelled hold no bytes, and do not pile up while nothing is sent', () => {
  const { lane, calls } = laneOf([1]);
  for (let count = 0; count < 10_000; count++) {
    const call = callOf(1_000);
    lane.add(call);
    lane.cancel(call);
    expect([call.state, call.payload.length]).toEqual(['over', 0]);
  }
  expect(lane.size).toBe(1);
  expect(lane.kept).toBeLessThan(200);
  expect(lane.takeAll()).toEqual(calls);
});
