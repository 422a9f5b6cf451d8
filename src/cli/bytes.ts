/** Keys and values between the command line and bytes. */
import { readFileSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { CliError, EXIT } from './exit.js';

export const ENCODINGS = ['utf8', 'hex', 'base64'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** What Node makes of bytes of an argument that are not UTF-8: which they were is lost. */
const REPLACEMENT = '\ufffd';

/** The bytes of a key: as it stands, whatever it begins with. @throws CliError */
export function keyBytesOf(argument: string, encoding: Encoding): Buffer {
  refuseReplaced('key', argument, 'give it in hex, with --key-encoding hex');
  return decode(argument, encoding);
}

/**
 * The bytes of a value: as it stands, `-` = stdin, `@FILE` = a file, `@@x` = the text `@x`.
 *
 * @throws CliError
 */
export function valueBytesOf(argument: string, encoding: Encoding): Buffer {
  refuseReplaced('value', argument, 'give - and the bytes on stdin, or @FILE');
  if (argument === '-') return readSource(0, 'stdin');
  if (argument.startsWith('@@')) return decode(argument.slice(1), encoding);
  if (argument.startsWith('@')) return readSource(argument.slice(1), argument.slice(1));
  return decode(argument, encoding);
}

/** Storing the replacement would be storing something that nobody gave us. */
function refuseReplaced(what: string, argument: string, instead: string): void {
  if (!argument.includes(REPLACEMENT)) return;
  throw new CliError(
    EXIT.usage,
    `the ${what} holds bytes that are not UTF-8, or U+FFFD, which stands for such: ${instead}`,
  );
}

export interface EncodedValue {
  readonly value: string;
  readonly encoding: Encoding;
}

/** Bytes as text, and in which encoding: what is no UTF-8 is shown as hex instead. */
export function textOf(bytes: Uint8Array, wanted: Encoding): EncodedValue {
  const buffer = Buffer.from(bytes);
  const encoding = wanted === 'utf8' && !isUtf8(buffer) ? 'hex' : wanted;
  return { value: buffer.toString(encoding), encoding };
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
