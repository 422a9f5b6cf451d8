/** Parts of the coordination server that need no clients: frames, records, passwords, words. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteStream } from '../../src/ports/byte-stream.js';
import type { Random } from '../../src/ports/random.js';
import { Connection } from '../../src/zookeeper-server/connection.js';
import { answerWord, type ServerFacts } from '../../src/zookeeper-server/four-letter-words.js';
import {
  BadFrameError,
  FRAME_BYTES_MAX,
  FrameSplitter,
} from '../../src/zookeeper-server/frames.js';
import { Latencies } from '../../src/zookeeper-server/latencies.js';
import { SessionIds } from '../../src/zookeeper-server/session-ids.js';
import {
  CorruptTreeError,
  decodeZnode,
  encodeZnode,
  znodeKey,
} from '../../src/zookeeper-server/tree-records.js';
import { TreeStore } from '../../src/zookeeper-server/tree-store.js';
import { OPEN_ACL } from '../../src/znode-tree/acl.js';
import type { Request } from '../../src/znode-tree/requests.js';
import { ZnodeTree } from '../../src/znode-tree/tree.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { requests } from '../support/tree-commands.js';

const framed = (body: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
};

describe('frames', () => {
  it('come whole, however the bytes are cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 30 })), (list, cuts) => {
        const bytes = Buffer.concat(list.map((body) => framed(Buffer.from(body))));
        const splitter = new FrameSplitter();
        const seen: string[] = [];
        let at = 0;
        for (const size of [...cuts, bytes.length]) {
          for (const taken of splitter.take(bytes.subarray(at, at + size))) {
            seen.push('frame' in taken ? taken.frame.toString('hex') : taken.word);
          }
          at += size;
        }
        expect(seen).toEqual(list.map((body) => Buffer.from(body).toString('hex')));
      }),
    );
  });

  it('may be as large as ZooKeeper takes them, and no larger', () => {
    const [full] = new FrameSplitter().take(framed(Buffer.alloc(FRAME_BYTES_MAX)));
    expect(full).toMatchObject({ frame: { length: FRAME_BYTES_MAX } });
    const over = Buffer.alloc(4);
    for (const length of [FRAME_BYTES_MAX + 1, -1]) {
      over.writeInt32BE(length);
      expect(() => [...new FrameSplitter().take(over)]).toThrow(BadFrameError);
    }
  });

  it('are four letters only where nothing came before', () => {
    expect([...new FrameSplitter().take(Buffer.from('ruok'))]).toEqual([{ word: 'ruok' }]);
    const splitter = new FrameSplitter();
    expect([...splitter.take(framed(Buffer.from('x')))]).toHaveLength(1);
    expect(() => [...splitter.take(Buffer.from('ruok'))]).toThrow(BadFrameError);
  });
});

/** A stream whose other end takes nothing until it is told to. */
class StuckStream implements ByteStream {
  readonly peer = '10.0.0.1';
  waitingBytes = 0;
  isReading = true;
  isDestroyed = false;

  write(bytes: Buffer): void {
    this.waitingBytes += bytes.length;
  }

  setReading(isReading: boolean): void {
    this.isReading = isReading;
  }

  end(): void {
    this.isDestroyed = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}

describe('a connection', () => {
  const MIB = 1024 * 1024;
  const ping = framed(Buffer.from('fffffffe0000000b', 'hex'));

  function connected() {
    const stream = new StuckStream();
    const asked: number[] = [];
    const nothing = () => undefined;
    const connection = new Connection('1', stream, {
      ...{ greeted: nothing, malformed: nothing, heard: nothing, word: nothing, closed: nothing },
      asked: (_, { xid }) => asked.push(xid),
    });
    connection.data(framed(Buffer.alloc(44)));
    return { stream, asked, connection };
  }

  it('hands on some requests at a time, and the others when those are answered', () => {
    const { asked, connection } = connected();
    connection.data(Buffer.concat(Array.from({ length: 40 }, () => ping)));
    expect([asked.length, connection.outstanding]).toEqual([16, 40]);
    for (let n = 0; n < 10; n++) connection.send(Buffer.alloc(1), 1);
    expect([asked.length, connection.outstanding]).toEqual([26, 30]);
  });

  it('does nothing for a client that does not read, until it does', () => {
    const { stream, asked, connection } = connected();
    connection.data(ping);
    connection.send(Buffer.alloc(2 * MIB), 1);
    expect(stream.isReading).toBe(false);
    connection.data(ping);
    expect(asked).toHaveLength(1);
    stream.waitingBytes = 0;
    connection.drained();
    expect([asked.length, stream.isReading]).toEqual([2, true]);
  });

  it('is not read from while too much is held for its turn', () => {
    const { stream, connection } = connected();
    connection.data(Buffer.concat(Array.from({ length: 1_100 }, () => ping)));
    expect(stream.isReading).toBe(false);
    for (let n = 0; n < 200; n++) connection.send(Buffer.alloc(1), 1);
    expect(stream.isReading).toBe(true);
  });

  it('ends when what it is told of, unasked, is too much', () => {
    const { stream, connection } = connected();
    for (let n = 0; n < 32; n++) connection.send(Buffer.alloc(MIB));
    expect(stream.isDestroyed).toBe(false);
    connection.send(Buffer.alloc(MIB));
    expect(stream.isDestroyed).toBe(true);
  });

  it('does not end for answers, however large: no more than those under way come', () => {
    const { stream, asked, connection } = connected();
    connection.data(Buffer.concat(Array.from({ length: 40 }, () => ping)));
    for (let n = 0; n < 16; n++) connection.send(Buffer.alloc(3 * MIB), 1);
    expect([asked.length, stream.isDestroyed]).toEqual([16, false]);
    connection.send(Buffer.alloc(1));
    expect(stream.isDestroyed).toBe(true);
  });
});

describe('the record of a znode', () => {
  const born = { czxid: 3, mzxid: 3, pzxid: 3, ctimeMs: 5, mtimeMs: 5 };
  const counts = { version: 0, aversion: 0, childrenCreated: 0 };
  const fields = { data: Buffer.from('hi'), owner: undefined, acl: OPEN_ACL, ...born, ...counts };

  it('is the one of the worked example', () => {
    expect(znodeKey('/a').toString('hex')).toBe('7a2f61');
    const three = '0000000000000003';
    const five = '0000000000000005';
    const rest =
      `${three}${three}${three}${five}${five}` +
      `${'00000000'.repeat(3)}${'00'.repeat(8)}` +
      '00011f0005776f726c640006616e796f6e656869';
    const record = encodeZnode('/a', fields).toString('hex');
    expect(record.slice(8)).toBe(rest);
    expect(record.slice(0, 8)).toBe('fdb92829');
  });

  it('holds everything, and is not believed when a bit of it differs', () => {
    const acl = [{ perms: 3, scheme: 'digest', id: 'a:b' }];
    const rich = {
      ...fields,
      acl,
      owner: '0f'.repeat(8),
      aversion: -1,
      version: 2,
      childrenCreated: 7,
    };
    const record = encodeZnode('/a', rich);
    expect(decodeZnode(znodeKey('/a'), record)).toEqual(rich);
    for (let bit = 0; bit < record.length * 8; bit += 3) {
      const other = Buffer.from(record);
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeZnode(znodeKey('/a'), other), `bit ${bit}`).toThrow(CorruptTreeError);
    }
    // Nor under another path.
    expect(() => decodeZnode(znodeKey('/b'), record)).toThrow(CorruptTreeError);
  });
});

const random: Random = {
  uuid: () => 'ab'.repeat(16) as never,
  nonce: () => '0'.repeat(16),
  fraction: () => 0,
};

describe('the tree on disk', () => {
  it('is after a start what it was, whatever was done to it and wherever it stopped', async () => {
    const sessions = ['0a', '0b'].map((byte) => byte.repeat(8));
    const open: Request = { type: 'open-session', timeoutMs: 6_000 };
    const commands = fc.array(fc.tuple(fc.nat(1), requests), { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(commands, fc.boolean(), async (list, closes) => {
        const disk = new MemoryDisk();
        const { store, snapshot } = await TreeStore.open(disk, random);
        expect(snapshot).toBeUndefined();
        const tree = new ZnodeTree();
        const apply = async (session: string, request: Request): Promise<void> => {
          const { changes } = tree.apply({ session, timeMs: 7, request });
          store.changed(changes);
          if (request.type.endsWith('-session')) store.sessionChanged(session);
          expect(store.isBehind(tree)).toBe(true);
          await store.write(tree);
          expect(store.isBehind(tree)).toBe(false);
        };
        for (const session of sessions) await apply(session, open);
        for (const [which, request] of list) await apply(sessions[which]!, request);
        if (closes) await apply(sessions[0]!, { type: 'close-session' });
        const again = await TreeStore.open(disk, random);
        const read = new ZnodeTree(again.snapshot);
        const byPath = (tree: ZnodeTree) => {
          const { znodes, ...rest } = tree.snapshot();
          return { ...rest, znodes: new Map(znodes) };
        };
        expect(byPath(read)).toEqual(byPath(tree));
        expect(again.store.secret).toEqual(store.secret);
        read.assertInvariants();
      }),
      { numRuns: 40 },
    );
  });

  it('refuses a directory that is not its own', async () => {
    const disk = new MemoryDisk();
    const batch = disk.batch();
    batch.put(Buffer.from('x'), Buffer.from('y'));
    await batch.writeDurably();
    await expect(TreeStore.open(disk, random)).rejects.toThrow('holds something else');
  });

  it.each([
    ['of a znode', 'z/zookeeper', 'damaged'],
    ['of the last transaction', 'm', 'damaged'],
  ])('refuses to start with a damaged record %s', async (_, key, problem) => {
    const disk = new MemoryDisk();
    await TreeStore.open(disk, random);
    const record = Buffer.from(disk.get(Buffer.from(key))!);
    record[record.length - 1]! ^= 1;
    const batch = disk.batch();
    batch.put(Buffer.from(key), record);
    await batch.writeDurably();
    await expect(TreeStore.open(disk, random)).rejects.toThrow(problem);
  });

  it.each(['z/', 'z/zookeeper', 'm'])('refuses to start without the record %s', async (key) => {
    const disk = new MemoryDisk();
    await TreeStore.open(disk, random);
    const batch = disk.batch();
    batch.remove(Buffer.from(key));
    await batch.writeDurably();
    await expect(TreeStore.open(disk, random)).rejects.toThrow('is gone');
  });
});

describe('ids of sessions', () => {
  it('are new, and only who was told its password may go on', () => {
    const ids = new SessionIds(Buffer.alloc(32, 1), 1_000);
    const [first, second] = [ids.mint(() => false), ids.mint(() => false)];
    expect(first).toMatch(/^01[0-9a-f]{14}$/);
    expect(second > first).toBe(true);
    expect(ids.mint((id) => !id.endsWith('9'))).toMatch(/9$/);
    const password = ids.passwordOf(first);
    expect(password).toHaveLength(16);
    expect(ids.isPassword(first, password)).toBe(true);
    expect(ids.isPassword(second, password)).toBe(false);
    expect(ids.isPassword(first, Buffer.alloc(0))).toBe(false);
    const later = new SessionIds(Buffer.alloc(32, 1), 2_000);
    expect(later.isPassword(first, password), 'also after a restart').toBe(true);
    expect(later.mint(() => false) > second).toBe(true);
  });
});

describe('four letters', () => {
  const facts = (): ServerFacts => ({
    ...{ version: 'test', address: '127.0.0.1:1', received: 5, sent: 6, outstanding: 0 },
    clients: [{ peer: '127.0.0.1', received: 1, sent: 2, outstanding: 0 }],
    latencyMs: { min: 0, mean: 0.5, max: 2 },
    ...{ zxid: 255, znodes: 4, ephemerals: 0, watches: 3, dataBytes: 30 },
    watchers: new Map([['/a', ['0100000000000001', '0100000000000002']]]),
  });

  it('are answered in the form of ZooKeeper', () => {
    expect(answerWord('ruok', facts)).toBe('imok');
    expect(answerWord('srvr', facts)).toContain('Latency min/avg/max: 0/0.5/2\n');
    expect(answerWord('srvr', facts)).toContain('Zxid: 0xff\nMode: standalone\nNode count: 4\n');
    expect(answerWord('stat', facts)).toContain(
      'Clients:\n /127.0.0.1[1](queued=0,recved=1,sent=2)\n',
    );
    expect(answerWord('mntr', facts)).toContain('zk_server_state\tstandalone\n');
    expect(answerWord('mntr', facts)).toContain('zk_watch_count\t3\n');
    expect(answerWord('wchp', facts)).toBe('/a\n\t0x100000000000001\n\t0x100000000000002\n');
    expect(answerWord('kill', facts)).toContain('not in the whitelist');
    expect(answerWord('xxxx', facts)).toContain('not in the whitelist');
  });

  it('tell latencies of nothing as 0', () => {
    const latencies = new Latencies();
    expect(latencies.read()).toEqual({ min: 0, mean: 0, max: 0 });
    for (const ms of [0.4, 1.6]) latencies.add(ms);
    expect(latencies.read()).toEqual({ min: 0, mean: 1, max: 2 });
  });
});
