/** The log: one line per event, for people or for machines, that nobody else can forge. */
import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../src/ports/log.js';
import { createLog, type LogFormat } from '../../src/system/log.js';

function written(format: LogFormat, level: LogLevel = 'info') {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  return { lines, log: createLog({ member: 'r1', level, format, write }) };
}

describe('the log', () => {
  it('is one readable line per event', () => {
    const { log, lines } = written('text');
    log.info('I am the leader', { leaderEpoch: 7, why: 'first in line', none: undefined });
    expect(lines).toHaveLength(1);
    const [time, ...rest] = lines[0]!.split(' ');
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(rest.join(' ')).toBe('info  r1 I am the leader leaderEpoch=7 why="first in line"\n');
  });

  it('is one JSON object per event', () => {
    const { log, lines } = written('json');
    log.warn('slow "disk"', { ms: 12 });
    const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(rest).toEqual({ level: 'warn', member: 'r1', msg: 'slow "disk"', ms: 12 });
    expect(Date.parse(String(time))).not.toBeNaN();
  });

  it('leaves out what is less important than asked for', () => {
    const { log, lines } = written('text', 'warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['warn', 'error']);
  });

  it('what others said cannot begin a line of its own', () => {
    const { log, lines } = written('text');
    log.error('refused: bad\n2026-01-01T00:00:00.000Z info r9 I am the leader', { field: 'a\nb' });
    expect(lines[0]!.trimEnd()).not.toContain('\n');
    expect(lines[0]).toContain('field="a\\nb"');
  });

  it.each(['text', 'json'] as const)('%s: is one line whatever others said', (format) => {
    const { log, lines } = written(format);
    const evil = 'a\r\nb\u2028c\u2029d\u001b[2K\u009b1Ae\u0000\u007f';
    log.error(evil, { field: evil, other: `plain${evil.slice(-2)}` });
    expect(lines).toHaveLength(1);
    const raw = format === 'text' ? /[\p{Cc}\u2028\u2029]/u : /[\u0000-\u001f]/;
    expect(lines[0]!.slice(0, -1)).not.toMatch(raw);
    if (format === 'json') expect(JSON.parse(lines[0]!)).toMatchObject({ msg: evil, field: evil });
  });
});
