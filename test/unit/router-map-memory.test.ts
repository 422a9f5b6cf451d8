/** Whether a router may compare what it knows with what it finds (S1, S6). */
import { beforeEach, expect, it } from 'vitest';
import { MapMemory } from '../../src/router/map-memory.js';
import { oldAfterMs } from '../../src/router/trust.js';
import { FakeClock } from '../support/fake-clock.js';

const TIMEOUT_MS = 4_000;
const OLD_MS = oldAfterMs(TIMEOUT_MS);

let clock: FakeClock;
let memory: MapMemory;

beforeEach(() => {
  clock = new FakeClock();
  memory = new MapMemory(clock);
  memory.connected(TIMEOUT_MS);
});

it('what was read can be compared once the connection is older than any set-back', () => {
  expect(memory.connectedAt).toBe(clock.now());
  memory.read();
  clock.advance(OLD_MS - 1);
  expect(memory.isTrusted).toBe(false);
  clock.advance(1);
  expect(memory.isTrusted).toBe(true);
});

it('S1 S6 nothing can before the map was read, however old the connection is', () => {
  clock.advance(2 * OLD_MS);
  expect(memory.isTrusted).toBe(false);
  memory.read();
  expect(memory.isTrusted).toBe(true);
});

it('S1 S6 each connection has to be as old by itself', () => {
  memory.read();
  for (let breaks = 0; breaks < 5; breaks++) {
    clock.advance(OLD_MS - 1);
    memory.disconnected();
    clock.advance(OLD_MS);
    memory.connected(TIMEOUT_MS);
  }
  expect(memory.isTrusted).toBe(false);
  clock.advance(OLD_MS);
  memory.disconnected();
  expect(memory.isTrusted, 'and stays so').toBe(true);
});

it('S1 S6 the map is not read over a connection that is over', () => {
  clock.advance(OLD_MS);
  memory.disconnected();
  memory.read();
  expect(memory.isTrusted).toBe(false);
});

it('or once a leader has heard whoever may know more', () => {
  memory.read();
  memory.trusted();
  memory.connected(TIMEOUT_MS);
  expect(memory.isTrusted).toBe(true);
});

it('L5 one of a router that stops leaves no timer behind', () => {
  memory.disconnected();
  expect(clock.pending).toBe(0);
});
