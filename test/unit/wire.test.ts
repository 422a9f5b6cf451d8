/** The hand codecs against protobuf itself: the generated definitions are the independent oracle. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeGetResponse,
  decodeWriteResponse,
  encodeDelete,
  encodeGet,
  encodePut,
} from '../../src/client/messages.js';
import { KV, PACKAGE, STORAGE } from '../../src/grpc/definitions.js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import type { Seq } from '../../src/model/ids.js';
import { type RefusalCode, REFUSALS, RefusedError } from '../../src/model/refusals.js';
import { decodeErrorDetail, encodeErrorDetail } from '../../src/wire/error-detail.js';
import {
  decodeRequests,
  decodeResponses,
  encodeRequests,
  encodeResponses,
  type RequestRecord,
  requestRecordBytes,
  type ResponseRecord,
  responseRecordBytes,
} from '../../src/wire/frame.js';
import { sentMsOf } from '../../src/wire/frame-message.js';
import {
  decodeCall,
  encodeGetResponse,
  encodeWriteResponse,
  keyOf,
} from '../../src/wire/kv-messages.js';
import { WireError } from '../../src/wire/protobuf.js';
import { configOf, nodeOf } from '../support/configs.js';

const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const keys = bytes(1, 1024);
const values = bytes(0, 3_000);
const versions = fc.maxSafeNat();
const garbage = bytes(0, 60);

/** Runs `decode`; the error if it threw one of ours. Anything else fails the test. */
function refusedOrWire(decode: () => unknown): unknown {
  try {
    decode();
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError || error instanceof WireError) return error;
    throw error;
  }
}

describe('requests', () => {
  it('a get that protobuf encoded is read', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const request = KV.Get.requestSerialize({ key });
        expect(keyOf(request)).toEqual(key);
        expect(decodeCall('get', request)).toEqual({ kind: 'get', key });
        expect(encodeGet(key)).toEqual(request);
      }),
    );
  });

  it('a put that protobuf encoded is read, and ours is the same', () => {
    fc.assert(
      fc.property(
        keys,
        values,
        fc.option(versions, { nil: undefined }),
        (key, value, ifVersion) => {
          const condition = ifVersion === undefined ? {} : { ifVersion: String(ifVersion) };
          const request = KV.Put.requestSerialize({ key, value, ...condition });
          const expected =
            ifVersion === undefined ? { type: 'always' } : { type: 'version', is: ifVersion };
          expect(decodeCall('put', request)).toEqual({
            kind: 'put',
            key,
            value,
            condition: expected,
          });
          const ours = KV.Put.requestDeserialize(encodePut(key, value, ifVersion));
          expect(ours).toEqual(KV.Put.requestDeserialize(request));
        },
      ),
    );
  });

  it('if_absent means version 0, and false means no condition', () => {
    const key = Buffer.from('k');
    const put = (condition: object) =>
      decodeCall('put', KV.Put.requestSerialize({ key, ...condition }));
    expect(put({ ifAbsent: true })).toMatchObject({ condition: { type: 'version', is: 0 } });
    expect(put({ ifAbsent: false })).toMatchObject({ condition: { type: 'always' } });
    expect(put({ ifVersion: 0 })).toMatchObject({ condition: { type: 'version', is: 0 } });
  });

  it('a delete that protobuf encoded is read, and ours is the same', () => {
    fc.assert(
      fc.property(keys, versions, (key, ifVersion) => {
        const request = KV.Delete.requestSerialize({ key, ifVersion: String(ifVersion) });
        const condition = ifVersion === 0 ? { type: 'always' } : { type: 'version', is: ifVersion };
        expect(decodeCall('delete', request)).toEqual({ kind: 'delete', key, condition });
        const ours = KV.Delete.requestDeserialize(encodeDelete(key, ifVersion));
        expect(ours).toEqual(KV.Delete.requestDeserialize(request));
      }),
    );
  });

  it.each([
    ['put', KV.Put.requestSerialize({ key: Buffer.from('k'), ttlMs: 5 }), 'NOT_SUPPORTED'],
    [
      'put',
      KV.Put.requestSerialize({ key: Buffer.from('k'), requestId: { seq: 1 } }),
      'NOT_SUPPORTED',
    ],
    [
      'delete',
      KV.Delete.requestSerialize({ key: Buffer.from('k'), requestId: {} }),
      'NOT_SUPPORTED',
    ],
    ['get', KV.Get.requestSerialize({}), 'INVALID_REQUEST'],
    ['get', KV.Get.requestSerialize({ key: Buffer.alloc(1025) }), 'INVALID_REQUEST'],
    [
      'put',
      KV.Put.requestSerialize({ key: Buffer.from('k'), value: Buffer.alloc(1024 * 1024 + 1) }),
      'INVALID_REQUEST',
    ],
  ] as const)(
    '%s: a promise that cannot be kept is refused, not ignored (%#)',
    (kind, request, code) => {
      expect(refusedOrWire(() => decodeCall(kind, request))).toMatchObject({ code });
    },
  );

  it('garbage is refused as INVALID_REQUEST or understood, never anything else', () => {
    fc.assert(
      fc.property(fc.constantFrom('get', 'put', 'delete'), garbage, (kind, junk) => {
        const error = refusedOrWire(() => decodeCall(kind, junk));
        if (error !== undefined) expect(error).toBeInstanceOf(RefusedError);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a request with one byte changed is refused or understood, never anything else', () => {
    const request = KV.Put.requestSerialize({
      key: Buffer.from('key'),
      value: Buffer.from('value'),
      ifVersion: 300,
    });
    fc.assert(
      fc.property(fc.nat(request.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(request);
        changed[at] = byte;
        const error = refusedOrWire(() => decodeCall('put', changed));
        if (error !== undefined) expect(error).toBeInstanceOf(RefusedError);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('responses', () => {
  it('a get response is what protobuf reads, and ours reads what protobuf wrote', () => {
    fc.assert(
      fc.property(
        values,
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        (value, version) => {
          const ours = encodeGetResponse({ value, version: version as Seq });
          expect(KV.Get.responseDeserialize(ours)).toEqual({
            found: true,
            value,
            version: String(version),
          });
          const theirs = KV.Get.responseSerialize({ found: true, value, version: String(version) });
          expect(decodeGetResponse(theirs)).toEqual({ value, version });
          expect(decodeGetResponse(ours)).toEqual({ value, version });
        },
      ),
    );
    expect(KV.Get.responseDeserialize(encodeGetResponse(undefined))).toMatchObject({
      found: false,
    });
    expect(decodeGetResponse(encodeGetResponse(undefined))).toBeUndefined();
  });

  it('put and delete responses are what protobuf reads', () => {
    fc.assert(
      fc.property(fc.boolean(), versions, (applied, version) => {
        const ours = encodeWriteResponse(applied, version);
        const expected = { applied, version: String(version) };
        expect(KV.Put.responseDeserialize(ours)).toEqual(expected);
        expect(KV.Delete.responseDeserialize(ours)).toEqual(expected);
        expect(decodeWriteResponse(KV.Put.responseSerialize(expected))).toEqual({
          applied,
          version,
        });
        expect(decodeWriteResponse(ours)).toEqual({ applied, version });
      }),
    );
  });
});

describe('error details', () => {
  const oracle = PACKAGE['portolan.v1.ErrorDetail'] as unknown as MessageTypeDefinition<
    object,
    object
  >;

  it('every refusal is what protobuf reads, and comes back as it was', () => {
    for (const code of Object.keys(REFUSALS) as RefusalCode[]) {
      const node = nodeOf('s3');
      const hint = { config: configOf(4, node), version: 12, address: node.address };
      const message = `about ${code}`;
      const refusal = new RefusedError(code, message, { hint });
      const encoded = encodeErrorDetail(refusal);
      const { retry, outcome } = refusal;
      expect(decodeErrorDetail(encoded)).toEqual({ code, retry, outcome, hint, message });
      expect(oracle.deserialize(encoded)).toMatchObject({
        code,
        message,
        retry: `RETRY_${retry.replace('-', '_').toUpperCase()}`,
        outcome: outcome === 'not-applied' ? 'OUTCOME_NOT_APPLIED' : 'OUTCOME_UNSPECIFIED',
        hint: { shard: 4, epoch: '1', primary: 's3', address: node.address, configVersion: 12 },
      });
    }
  });

  it('a hint that does not parse is left out, the rest counts', () => {
    const encoded = oracle.serialize({ code: 'X', retry: 3, outcome: 1, hint: { shard: 1 } });
    expect(decodeErrorDetail(encoded)).toEqual({
      code: 'X',
      retry: 'backoff',
      outcome: 'not-applied',
      hint: undefined,
      message: '',
    });
  });

  it('a long message is cut, not refused', () => {
    const refusal = new RefusedError('OVERLOADED', 'x'.repeat(10_000));
    expect(decodeErrorDetail(encodeErrorDetail(refusal)).message).toBe('x'.repeat(512));
  });

  it('garbage throws nothing but WireError', () => {
    fc.assert(
      fc.property(garbage, (junk) => {
        const error = refusedOrWire(() => decodeErrorDetail(junk));
        if (error !== undefined) expect(error).toBeInstanceOf(WireError);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('frames', () => {
  const requests: fc.Arbitrary<RequestRecord> = fc.record({
    call: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    kind: fc.constantFrom('get', 'put', 'delete'),
    shard: fc.integer({ min: 0, max: 4_095 }) as fc.Arbitrary<never>,
    epoch: fc.integer({ min: 0, max: 2 ** 48 - 1 }) as fc.Arbitrary<never>,
    budgetMs: fc.integer({ min: 0, max: 60_000 }),
    payload: bytes(0, 300),
  });
  const responses: fc.Arbitrary<ResponseRecord> = fc.record({
    call: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    status: fc.constantFrom('ok', 'refused', 'unknown'),
    payload: bytes(0, 300),
  });

  it('the worked example of frame.ts, byte for byte', () => {
    const frame = encodeRequests(
      [
        {
          call: 7,
          kind: 'get',
          shard: 5 as never,
          epoch: 3 as never,
          budgetMs: 1_000,
          payload: Buffer.from('0a016b', 'hex'),
        },
      ],
      1.5,
    );
    const record = '00000014 00000007 01 0005 000000000003 000003e8 0a016b'.replaceAll(' ', '');
    expect(frame.toString('hex')).toBe(`0a18${record}11000000000000f83f`);
    expect(sentMsOf(frame)).toBe(1.5);
  });

  it('requests come back as they were, and are the protobuf message Frame', () => {
    fc.assert(
      fc.property(fc.array(requests, { maxLength: 20 }), fc.double({ min: 0 }), (batch, at) => {
        const frame = encodeRequests(batch, at);
        expect(decodeRequests(frame)).toEqual(batch);
        expect(sentMsOf(frame)).toBe(at);
        const { records, sentMs } = STORAGE.Exchange.requestDeserialize(frame);
        expect(sentMs).toBe(at);
        const size = batch.reduce(
          (sum, { payload }) => sum + requestRecordBytes(payload.length),
          0,
        );
        expect(records.length).toBe(size);
        const untimed = STORAGE.Exchange.requestSerialize({ records });
        expect(decodeRequests(untimed)).toEqual(batch);
        expect(sentMsOf(untimed)).toBeUndefined();
        const timed = STORAGE.Exchange.requestSerialize({ records, sentMs: at });
        expect([decodeRequests(timed), sentMsOf(timed)]).toEqual([batch, at]);
      }),
    );
  });

  it('responses come back as they were, and are the protobuf message Frame', () => {
    fc.assert(
      fc.property(fc.array(responses, { maxLength: 20 }), (batch) => {
        const frame = encodeResponses(batch);
        expect(decodeResponses(frame)).toEqual(batch);
        const { records } = STORAGE.Exchange.responseDeserialize(frame);
        const size = batch.reduce(
          (sum, { payload }) => sum + responseRecordBytes(payload.length),
          0,
        );
        expect(records.length).toBe(size);
      }),
    );
  });

  it('garbage, cut and changed frames throw nothing but WireError', () => {
    const good = encodeRequests(fc.sample(requests, { numRuns: 3, seed: 1 }), 1_000);
    const cut = fc.nat(good.length).map((end) => good.subarray(0, end));
    const changed = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
      const copy = Buffer.from(good);
      copy[at] = byte;
      return copy;
    });
    fc.assert(
      fc.property(fc.oneof(garbage, cut, changed), (junk) => {
        for (const decode of [decodeRequests, decodeResponses, sentMsOf]) {
          const error = refusedOrWire(() => decode(junk));
          if (error !== undefined) expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
