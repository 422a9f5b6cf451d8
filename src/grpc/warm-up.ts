/**
 * The library makes the codec of a message when the first one comes, by writing code: some
 * milliseconds each. What the first hand-over of a process says would wait for a dozen of them,
 * while nobody may write to the shard. They are made before they are needed instead.
 */
import { setImmediate } from 'node:timers/promises';
import type { MethodDefinition } from '@grpc/proto-loader';
import { varintBytes, WIRE_BYTES, writeVarint } from '../wire/protobuf.js';
import { PACKAGE } from './definitions.js';

interface MessageType {
  readonly name: string;
  readonly field: readonly {
    readonly number: number;
    readonly type: string;
    readonly typeName: string;
  }[];
}

/** Makes the codecs of what a method takes and gives, and of all that these may hold. */
export async function warmUp(method: MethodDefinition<object, object>): Promise<void> {
  const request = sampleOf(method.requestType.type as MessageType);
  const response = sampleOf(method.responseType.type as MessageType);
  await setImmediate(); // Others are waiting, too.
  method.requestSerialize(method.requestDeserialize(request));
  await setImmediate();
  method.responseSerialize(method.responseDeserialize(response));
}

/** An encoded message with an empty one of each kind that it may hold, and so on. */
export function sampleOf({ field }: MessageType): Buffer {
  const parts = field
    .filter(({ type }) => type === 'TYPE_MESSAGE')
    .map(({ number, typeName }) => {
      const inner = sampleOf(typeNamed(typeName));
      return Buffer.concat([varint(number * 8 + WIRE_BYTES), varint(inner.length), inner]);
    });
  return Buffer.concat(parts);
}

function typeNamed(name: string): MessageType {
  const found = PACKAGE[`portolan.v1.${name}`];
  if (found === undefined) throw new Error(`proto/ has no message ${name}`);
  return found.type as MessageType;
}

function varint(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(varintBytes(value));
  writeVarint(bytes, 0, value);
  return bytes;
}
