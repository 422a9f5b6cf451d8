/** Values that tell whether they arrived whole: a name, and padding that follows from the name. */
import { crc32 } from 'node:zlib';

const SMALL_BYTES = 100;
const LARGE_BYTES = 8_192;

export function encodeValue(name: string): Buffer {
  const hash = crc32(name);
  const bytes = hash % 10 === 0 ? hash % LARGE_BYTES : hash % SMALL_BYTES;
  return Buffer.from(`${name}|${'.'.repeat(bytes)}`);
}

/** The name; anything that no client can have written as it is, so that nobody's name equals it. */
export function decodeValue(value: Buffer): string {
  const name = value.subarray(0, Math.max(0, value.indexOf('|'))).toString();
  return encodeValue(name).equals(value) ? name : value.toString('latin1');
}
