/** Keys and values on the command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyBytesOf, textOf, valueBytesOf } from '../../src/cli/bytes.js';
import { type CliError, EXIT } from '../../src/cli/exit.js';
import { table } from '../../src/cli/output.js';

const BOTH = [
  ['a key', keyBytesOf],
  ['a value', valueBytesOf],
] as const;

describe.each(BOTH)('%s on the command line', (what, bytesOf) => {
  it.each([
    ['grüße', 'utf8', Buffer.from('grüße')],
    ['', 'utf8', Buffer.alloc(0)],
    ['00fF', 'hex', Buffer.from([0, 255])],
    ['efbfbd', 'hex', Buffer.from('\ufffd')],
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

  it('that came as something else than UTF-8 is refused, with how to give it', () => {
    const instead =
      what === 'a key' ? /--key-encoding hex$/ : /- and the bytes on stdin, or @FILE$/;
    // As Node hands the byte ff over.
    const argument = Buffer.from([0x61, 0xff]).toString();
    for (const refused of [argument, `@${argument}`, `@@${argument}`]) {
      const error = thrownBy(() => bytesOf(refused, 'utf8')) as CliError;
      expect(error.exitCode).toBe(EXIT.usage);
      expect(error.message).toMatch(/bytes that are not UTF-8/);
      expect(error.message).toMatch(instead);
    }
  });
});

describe('a key', () => {
  it.each(['-', '@alice', '@@at', '@/no/such/file'])('%s is what it says', (key) => {
    expect(keyBytesOf(key, 'utf8')).toEqual(Buffer.from(key));
  });
});

describe('a value', () => {
  it('@@ is an @ of the value', () => {
    expect(valueBytesOf('@@at', 'utf8')).toEqual(Buffer.from('@at'));
  });

  it('@FILE is what the file holds, byte for byte', () => {
    const folder = mkdtempSync(join(tmpdir(), 'portolan-unit-'));
    const file = join(folder, 'bytes');
    writeFileSync(file, Buffer.from([0, 254, 10]));
    expect(valueBytesOf(`@${file}`, 'utf8')).toEqual(Buffer.from([0, 254, 10]));
    rmSync(folder, { recursive: true });
    expect(() => valueBytesOf(`@${file}`, 'utf8')).toThrow(/cannot read .*no such file/);
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

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('it did not throw');
}
