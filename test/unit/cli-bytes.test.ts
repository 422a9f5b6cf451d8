/** Keys and values on the command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOf, textOf } from '../../src/cli/bytes.js';
import { table } from '../../src/cli/output.js';

describe('bytes of an argument', () => {
  it.each([
    ['grüße', 'utf8', Buffer.from('grüße')],
    ['', 'utf8', Buffer.alloc(0)],
    ['@@at', 'utf8', Buffer.from('@at')],
    ['00fF', 'hex', Buffer.from([0, 255])],
    ['AP8=', 'base64', Buffer.from([0, 255])],
  ] as const)('%s as %s', (argument, encoding, bytes) => {
    expect(bytesOf(argument, encoding)).toEqual(bytes);
  });

  it.each([
    ['0', 'hex'],
    ['zz', 'hex'],
    ['a b', 'base64'],
    ['====', 'base64'],
  ] as const)('"%s" is not %s', (argument, encoding) => {
    expect(() => bytesOf(argument, encoding)).toThrow(`is not ${encoding}`);
  });

  it('@FILE is what the file holds, byte for byte', () => {
    const folder = mkdtempSync(join(tmpdir(), 'portolan-unit-'));
    const file = join(folder, 'bytes');
    writeFileSync(file, Buffer.from([0, 254, 10]));
    expect(bytesOf(`@${file}`, 'utf8')).toEqual(Buffer.from([0, 254, 10]));
    rmSync(folder, { recursive: true });
    expect(() => bytesOf(`@${file}`, 'utf8')).toThrow(/cannot read .*no such file/);
  });
});

it('bytes that are no text are shown as hex, and it is said', () => {
  expect(textOf(Buffer.from('hello'), 'utf8')).toEqual({ value: 'hello', encoding: 'utf8' });
  expect(textOf(Buffer.from([255]), 'utf8')).toEqual({ value: 'ff', encoding: 'hex' });
  expect(textOf(Buffer.from([255]), 'base64')).toEqual({ value: '/w==', encoding: 'base64' });
});

it('a table lines its columns up, numbers to the right', () => {
  const rows = [
    ['s1', '7', 'up'],
    ['long-one', '1,234', ''],
  ];
  expect(table(['id', 'shards', 'state'], rows).split('\n')).toEqual([
    '  id        shards  state',
    '  s1             7  up',
    '  long-one   1,234',
  ]);
});
