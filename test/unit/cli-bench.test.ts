/** The benchmark's command line: what it means, and mistakes that are said before anything runs. */
import { CommanderError } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Gauge } from '../../bench/gauge.js';
import { parseOptions } from '../../bench/options.js';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('npm run bench', () => {
  it('has a default for everything', () => {
    expect(parseOptions([])).toMatchObject({ op: 'put', inFlight: 64, seconds: 10, json: false });
    expect(parseOptions([])).toMatchObject({ kill: undefined, routers: undefined });
    expect(parseOptions([])).toMatchObject({ via: 'router', signal: 'SIGKILL' });
  });

  it('takes the routers of a running cluster', () => {
    const { routers } = parseOptions(['--routers', '127.0.0.1:7000,[::1]:7001']);
    expect(routers).toEqual(['127.0.0.1:7000', '[::1]:7001']);
  });

  it('leaves a node dead long enough to miss entries, or to be taken for dead', () => {
    const restOf = (line: string) => parseOptions(line.split(' ')).restartAfterMs;
    expect(restOf('--kill storage')).toBeUndefined();
    expect(restOf('--kill storage --miss 10000')).toBe(15_000);
    expect(restOf('--kill storage --signal SIGSTOP')).toBe(3_000);
    expect(restOf('--kill storage --miss 10000 --restart-after-ms 20000')).toBe(20_000);
  });

  it.each([
    ['--nope', /unknown option '--nope'/],
    ['now', /too many arguments/],
    ['--op fly', /Allowed choices are get, put, mixed/],
    ['--via pigeon', /Allowed choices are router, direct/],
    ['--seconds 0', /whole number from 1/],
    ['--seconds 1e3', /whole number from 1/],
    ['--in-flight -1', /whole number from 1/],
    ['--value-bytes 23', /whole number from 24 to 1048576/],
    ['--routers 7000', /expected HOST:PORT/],
    ['--kill leader --routers 127.0.0.1:7000', /leave out --routers/],
    ['--kill leader --miss 10', /add --kill storage/],
    ['--miss 10', /add --kill storage/],
  ])('%s: a mistake, said once', (line, message) => {
    let said = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
    expect(() => parseOptions(line.split(' '))).toThrow(CommanderError);
    expect(said).toMatch(message);
    expect(said).toContain('--help shows what there is');
  });
});

describe('the gauge of a benchmark', () => {
  it('tells the slowest operation, and the longest time without any, around a moment', () => {
    const gauge = new Gauge(0);
    gauge.success(7, 0, 10);
    gauge.success(7, 5, 400);
    gauge.success(8, 300, 420);
    gauge.finish(1_000);
    expect(gauge.ops).toBe(3);
    expect(gauge.slowestWithin(200, 500)).toBe(395);
    expect(gauge.slowestWithin(410, 500)).toBe(120);
    expect(gauge.slowestWithin(200, 500, (key) => key === 8)).toBe(120);
    expect(gauge.slowestWithin(500, 900)).toBe(0);
    expect(gauge.longestGapWithin(100, 410)).toBe(390);
    expect(gauge.longestGapMs).toBe(580);
  });

  it('does not take the rest of a load for a silence', () => {
    const gauge = new Gauge(0);
    gauge.success(7, 0, 10);
    gauge.finish(50);
    gauge.goOn(9_000);
    gauge.success(7, 9_000, 9_020);
    expect(gauge.longestGapMs).toBe(40);
    expect(gauge.longestGapWithin(40, 9_100)).toBe(40);
  });
});
