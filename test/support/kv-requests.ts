/** Requests and responses of the data path, encoded and decoded without the code under test. */
import type { CallKind } from '../../src/model/calls.js';
import { FieldReader } from '../../src/wire/protobuf.js';

export interface CallAnswer {
  readonly code?: string;
  readonly value?: string | undefined;
  readonly applied?: boolean;
  readonly version?: number;
}

export function getRequest(key: string | Buffer): Buffer {
  return field(1, key);
}

export function putRequest(
  key: string | Buffer,
  value: string | Buffer,
  ifVersion?: number,
): Buffer {
  const condition = ifVersion === undefined ? [] : [number(3, ifVersion)];
  return Buffer.concat([field(1, key), field(2, value), ...condition]);
}

export function deleteRequest(key: string | Buffer, ifVersion = 0): Buffer {
  return Buffer.concat([field(1, key), number(2, ifVersion)]);
}

function field(id: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([id * 8 + 2]), varint(bytes.length), bytes]);
}

function number(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([id * 8]), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

export function answerOf(kind: CallKind, response: Buffer): CallAnswer {
  const fields = new FieldReader(response);
  let flag = false;
  let value = '';
  let version = 0;
  while (fields.next()) {
    if (fields.number === 1) flag = fields.varint() !== 0;
    else if (fields.wireType === 2) value = fields.bytes().toString();
    else version = fields.varint();
  }
  if (kind !== 'get') return { applied: flag, version };
  return { value: flag ? value : undefined, version };
}
