/** ZooKeeper's records as bytes: the worked examples, and what is no record. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAnswer, encodeError, encodeEvent } from '../../src/jute/answers.js';
import { ERR, OP } from '../../src/jute/codes.js';
import { decodeGreeting, encodeWelcome, NO_SESSION } from '../../src/jute/greeting.js';
import { JuteReader, MalformedRecordError } from '../../src/jute/reader.js';
import { decodeRequest, MalformedRequestError } from '../../src/jute/requests.js';
import { JuteWriter } from '../../src/jute/writer.js';
import type { Stat } from '../../src/znode-tree/stat.js';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const zeros = '00'.repeat(16);

describe('the worked examples', () => {
  it('of a field', () => {
    expect(new JuteWriter().string('/a').bool(true).done()).toEqual(hex('00000002 2f61 01'));
    const reader = new JuteReader(hex('00000002 2f61 01'));
    expect([reader.string(), reader.bool(), reader.left]).toEqual(['/a', true, 0]);
  });

  it('of text, whatever it begins with', () => {
    const bytes = new JuteWriter().string('\ufeff/a').done();
    expect(new JuteReader(bytes).string()).toBe('\ufeff/a');
  });

  it('of a greeting', () => {
    const asked = hex(`00000000 0000000000000000 00001770 0000000000000000 00000010 ${zeros} 00`);
    expect(decodeGreeting(asked)).toEqual({
      ...{ lastZxidSeen: 0, timeoutMs: 6_000, session: NO_SESSION, saysReadOnly: true },
      password: Buffer.alloc(16),
    });
    const words = { session: '0100000000000001', timeoutMs: 6_000, password: Buffer.alloc(16) };
    const given = hex(`00000000 00001770 0100000000000001 00000010 ${zeros} 00`);
    expect(encodeWelcome(words, true)).toEqual(Buffer.concat([hex('00000025'), given]));
    expect(encodeWelcome(words, false)).toHaveLength(4 + 36);
  });

  it('of a request', () => {
    expect(decodeRequest(hex('00000005 00000002 00000002 2f61 ffffffff'))).toEqual({
      ...{ xid: 5, op: OP.delete },
      call: {
        type: 'step',
        step: { type: 'delete', path: '/a', version: -1 },
        isCreate2: false,
      },
    });
  });

  it('of an answer', () => {
    const expected = hex('00000010 00000005 0000000000000009 ffffff9b');
    expect(encodeError({ xid: 5, zxid: 9 }, ERR.noNode)).toEqual(expected);
  });

  it('of an event', () => {
    const expected = hex(
      '0000001e ffffffff ffffffffffffffff 00000000 00000001 00000003 00000002 2f61',
    );
    expect(encodeEvent({ type: 'NodeCreated', path: '/a' })).toEqual(expected);
  });
});

const stat: Stat = {
  ...{ czxid: 1, mzxid: 2, pzxid: 3, ctimeMs: 4, mtimeMs: 5, version: 6, cversion: 7, aversion: 8 },
  ...{ ephemeralOwner: '0a'.repeat(8), dataLength: 9, numChildren: 10 },
};
const STAT =
  '0000000000000001 0000000000000002 0000000000000004 0000000000000005 00000006 00000007 ' +
  '00000008 0a0a0a0a0a0a0a0a 00000009 0000000a 0000000000000003';

describe('an answer', () => {
  const bodyOf = (frame: Buffer) => frame.subarray(20).toString('hex');
  const header = { xid: 1, zxid: 2 };

  it('has its stat in the order of ZooKeeper', () => {
    expect(bodyOf(encodeAnswer(header, { type: 'stat', stat }))).toBe(hex(STAT).toString('hex'));
  });

  it('to a multi says of each step what became of it, and ends with a mark', () => {
    const end = 'ffffffff 01 ffffffff';
    const done = {
      ok: true,
      steps: [{ type: 'create', path: '/a', stat }, { type: 'check' }],
    } as const;
    const did = `00000001 00 00000000 00000002 2f61  0000000d 00 00000000 ${end}`;
    expect(bodyOf(encodeAnswer(header, { type: 'multi', result: done }))).toBe(
      hex(did).toString('hex'),
    );
    const steps = ['ok', 'no-node', 'runtime-inconsistency'] as const;
    const failed = { ok: false, code: 'no-node', steps } as const;
    const codes = ['00000000', 'ffffff9b', 'fffffffe'];
    const not = codes.map((code) => `ffffffff 00 ${code} ${code}`).join(' ');
    expect(bodyOf(encodeAnswer(header, { type: 'multi', result: failed }))).toBe(
      hex(`${not} ${end}`).toString('hex'),
    );
  });
});

describe('what is no record', () => {
  const create = (flags: number) =>
    new JuteWriter()
      .int(7)
      .int(OP.create)
      .string('/a')
      .buffer(Buffer.from('x'))
      .vector([0], () => new JuteWriter())
      .int(flags);

  it('names the request, if its header can be read', () => {
    const broken = create(99).done();
    expect(() => decodeRequest(broken)).toThrow(MalformedRequestError);
    try {
      decodeRequest(broken);
    } catch (error) {
      expect((error as MalformedRequestError).xid).toBe(7);
    }
  });

  it.each([
    ['a length below -1', '00000001 00000004 fffffffe'],
    ['a length beyond its end', '00000001 00000004 7fffffff 2f61'],
    ['a vector of more than could be there', `00000001 00000065 ${'00'.repeat(8)} 7fffffff`],
    ['text that is not UTF-8', '00000001 00000009 00000002 c328'],
    ['a request that is cut off', '00000001 00000004'],
    ['a watch of an unknown mode', '00000001 0000006a 00000002 2f61 00000002'],
    ['a multi that sets an access list', '00000001 0000000e 00000007 00 ffffffff'],
  ])('%s', (_, text) => {
    expect(() => decodeRequest(hex(text))).toThrow(MalformedRequestError);
  });

  it('a frame too short for a header', () => {
    expect(() => decodeRequest(hex('000000'))).toThrow(MalformedRecordError);
  });

  it('whatever the bytes are, nothing else is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          decodeRequest(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedRecordError);
        }
      }),
      { numRuns: 2_000 },
    );
    for (const op of Object.values(OP)) {
      for (let length = 0; length < 40; length++) {
        const request = new JuteWriter().int(1).int(op).buffer(Buffer.alloc(length, 1)).done();
        try {
          decodeRequest(request);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedRecordError);
        }
      }
    }
  });

  it('an unknown type is no mistake of the record', () => {
    expect(decodeRequest(hex('00000001 000003e7'))).toEqual({ xid: 1, op: 999, call: undefined });
  });
});
