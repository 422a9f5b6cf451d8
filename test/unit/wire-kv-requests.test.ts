/** The callers' side of the data path says and reads what the nodes' side reads and says. */
import { describe, expect, it } from 'vitest';
import type { Seq } from '../../src/model/ids.js';
import { decodeCall, encodeGetResponse, encodeWriteResponse } from '../../src/wire/kv-messages.js';
import {
  decodeGetResponse,
  decodeWriteResponse,
  encodeKeyRequest,
  encodePutRequest,
} from '../../src/wire/kv-requests.js';
import { WireError } from '../../src/wire/protobuf.js';

const KEY = Buffer.from('a key');
const LONG = Buffer.alloc(300, 'x');

describe('requests', () => {
  it('of a read', () => {
    expect(decodeCall('get', encodeKeyRequest(KEY))).toEqual({ kind: 'get', key: KEY });
  });

  it.each([Buffer.alloc(0), Buffer.from('v'), LONG])('of a write of %s', (value) => {
    const call = decodeCall('put', encodePutRequest(KEY, value));
    expect(call).toEqual({ kind: 'put', key: KEY, value, condition: { type: 'always' } });
  });

  it('of a deletion', () => {
    const call = decodeCall('delete', encodeKeyRequest(LONG));
    expect(call).toEqual({ kind: 'delete', key: LONG, condition: { type: 'always' } });
  });
});

describe('responses', () => {
  it.each([Buffer.alloc(0), LONG])('of a read that found %s', (value) => {
    const record = { value, version: (2 ** 40) as Seq };
    expect(decodeGetResponse(encodeGetResponse(record))).toEqual(record);
  });

  it('of a read that found nothing', () => {
    expect(decodeGetResponse(encodeGetResponse(undefined))).toBeUndefined();
  });

  it.each([
    { applied: true, version: 300 },
    { applied: false, version: 1 },
    { applied: false, version: 0 },
  ])('of a write: %o', (result) => {
    const response = encodeWriteResponse(result.applied, result.version);
    expect(decodeWriteResponse(response)).toEqual(result);
  });

  it('that are cut off, or hold what cannot be, are no responses', () => {
    const whole = encodeGetResponse({ value: LONG, version: 300 as Seq });
    expect(() => decodeGetResponse(whole.subarray(0, 20))).toThrow(WireError);
    expect(() => decodeGetResponse(Buffer.from([0x08, 1]))).toThrow(/without a version/);
    expect(() => decodeWriteResponse(Buffer.from([0x0a]))).toThrow(WireError);
  });
});
