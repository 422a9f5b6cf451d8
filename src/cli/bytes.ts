/** Keys and values between the command line and bytes. */
import { readFileSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { CliError, EXIT } from './exit.js';

export const ENCODINGS = ['utf8', 'hex', 'base64'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** The bytes of an argument: as they stand, `-` = stdin, `@FILE` = a file, `@@x` = the text `@x`. */
export function bytesOf(argument: string, encoding: Encoding): Buffer {
  if (argument === '-') return readSource(0, 'stdin');
  if (argument.startsWith('@@')) return decode(argument.slice(1), encoding);
  if (argument.startsWith('@')) return readSource(argument.slice(1), argument.slice(1));
  return decode(argument, encoding);
}

/** Bytes for people: utf8 falls back to hex for what is no text. */
export function textOf(bytes: Uint8Array, encoding: Encoding): string {
  const buffer = Buffer.from(bytes);
  if (encoding === 'utf8' && !isUtf8(buffer)) return buffer.toString('hex');
  return buffer.toString(encoding);
}

function decode(text: string, encoding: Encoding): Buffer {
  const bytes = Buffer.from(text, encoding);
  const roundTrip = encoding === 'hex' ? bytes.toString('hex') === text.toLowerCase() : true;
  const base64 = encoding !== 'base64' || /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  if (!roundTrip || !base64) throw new CliError(EXIT.usage, `"${text}" is not ${encoding}`);
  return bytes;
}

function readSource(source: string | 0, name: string): Buffer {
  try {
    return readFileSync(source);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.usage, `cannot read ${name}: ${why}`, { cause: error });
  }
}
