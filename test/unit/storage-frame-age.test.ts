/** How late a frame is, told without comparing clocks. */
import { expect, it } from 'vitest';
import { FrameAge } from '../../src/storage/frame-age.js';

/** The sender's clock began so much earlier than ours. */
const APART_MS = 1_000_000;

it('counts from the frame that travelled fastest', () => {
  const age = new FrameAge();
  const arrives = (sentAt: number, takes: number) => age.of(APART_MS + sentAt, sentAt + takes);
  expect(arrives(0, 30)).toBe(0); // Nothing to compare with.
  expect(arrives(10, 2)).toBe(0);
  expect(arrives(20, 2)).toBe(0);
  expect(arrives(30, 5_002)).toBe(5_000);
  expect(arrives(6_000, 3)).toBe(1);
});

it('remembers the fastest frame through a long stall', () => {
  const age = new FrameAge();
  const hour = 60 * 60 * 1_000;
  age.of(APART_MS, 2);
  expect(age.of(APART_MS + 10, hour)).toBe(hour - 12);
});

it('forgets it after some minutes of frames, because clocks drift apart', () => {
  const age = new FrameAge();
  let last = 0;
  for (let at = 0; at < 60 * 60 * 1_000; at += 1_000) last = age.of(APART_MS + at, at * 1.0001);
  expect(last).toBeGreaterThan(0);
  expect(last).toBeLessThan(20);
});

it('a clock that stood still while its machine was suspended is forgiven within ten seconds', () => {
  const age = new FrameAge();
  const late: number[] = [];
  for (let at = 0; at < 60_000; at += 100) {
    const stoodStill = at < 20_000 ? 0 : 6_000;
    if (age.of(APART_MS + at - stoodStill, at + 1) > 0) late.push(at);
  }
  expect(late[0]).toBe(20_000);
  expect(late.at(-1)! - late[0]!).toBeLessThan(10_000);
});

it('frames that queue up behind a stall are late by what they waited, all of them', () => {
  const age = new FrameAge();
  for (let at = 0; at < 20_000; at += 100) age.of(APART_MS + at, at + 1);
  // Nothing arrives for 30 s; then everything at once.
  for (let sentAt = 20_000; sentAt < 50_000; sentAt += 100) {
    expect(age.of(APART_MS + sentAt, 50_001)).toBe(50_000 - sentAt);
  }
});
