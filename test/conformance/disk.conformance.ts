/** What every {@link Disk} must do. Run on the real one and on the fake, so that the fake is true. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Disk, StorageFailure } from '../../src/ports/disk.js';

export interface DiskUnderTest {
  readonly disk: Disk;
  /** Closes this disk and opens the same contents again. */
  reopen(): Promise<Disk>;
  dispose(): Promise<void>;
}

const bytes = (text: string) => Buffer.from(text);

async function put(disk: Disk, entries: Readonly<Record<string, string>>): Promise<void> {
  const batch = disk.batch();
  for (const [key, value] of Object.entries(entries)) batch.put(bytes(key), bytes(value));
  await batch.writeDurably();
}

async function keysOf(disk: Pick<Disk, 'scan'>, from: string, to: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const [key] of disk.scan(bytes(from), bytes(to))) keys.push(key.toString());
  return keys;
}

export function describeDisk(name: string, open: () => Promise<DiskUnderTest>): void {
  describe(`disk: ${name}`, () => {
    let test: DiskUnderTest;
    let disk: Disk;

    beforeEach(async () => {
      test = await open();
      disk = test.disk;
    });
    afterEach(() => test.dispose());

    it('a key that was never written has no value', () => {
      expect(disk.get(bytes('a'))).toBeUndefined();
    });

    it('a batch is visible once it resolved, and not before it was written', async () => {
      const batch = disk.batch();
      batch.put(bytes('a'), bytes('1'));
      expect(disk.get(bytes('a'))).toBeUndefined();
      await batch.writeDurably();
      expect(disk.get(bytes('a'))).toEqual(bytes('1'));
    });

    it('a batch is applied in its order: the last change of a key wins', async () => {
      await put(disk, { b: '1' });
      const batch = disk.batch();
      batch.put(bytes('a'), bytes('1'));
      batch.put(bytes('a'), bytes('2'));
      batch.remove(bytes('b'));
      batch.put(bytes('c'), bytes('3'));
      batch.remove(bytes('c'));
      await batch.writeDurably();
      expect(disk.get(bytes('a'))).toEqual(bytes('2'));
      expect(disk.get(bytes('b'))).toBeUndefined();
      expect(disk.get(bytes('c'))).toBeUndefined();
    });

    it('an empty value is a value', async () => {
      await put(disk, { a: '' });
      expect(disk.get(bytes('a'))).toEqual(Buffer.alloc(0));
    });

    it('keys and values are bytes, not text', async () => {
      const key = Buffer.from([0, 0xff, 0x80, 0]);
      const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const batch = disk.batch();
      batch.put(key, value);
      await batch.writeDurably();
      expect(disk.get(key)).toEqual(value);
    });

    it('a scan has its first key and not its last, in byte order', async () => {
      await put(disk, { b: '', a: '', d: '', c: '', '\u007f': '' });
      expect(await keysOf(disk, 'a', 'd')).toEqual(['a', 'b', 'c']);
      expect(await keysOf(disk, 'e', 'f')).toEqual([]);
      const high = Buffer.from([0xfe]);
      const batch = disk.batch();
      batch.put(high, bytes('high'));
      await batch.writeDurably();
      const found: Buffer[] = [];
      for await (const [key] of disk.scan(Buffer.from([0x70]), Buffer.from([0xff]))) {
        found.push(key);
      }
      expect(found).toEqual([bytes('\u007f'), high]);
    });

    it('what resolved is there after closing and opening again', async () => {
      await put(disk, { a: '1', b: '2' });
      const batch = disk.batch();
      batch.remove(bytes('a'));
      await batch.writeDurably();
      disk = await test.reopen();
      expect(disk.get(bytes('a'))).toBeUndefined();
      expect(disk.get(bytes('b'))).toEqual(bytes('2'));
    });

    it('closing waits for the batch under way', async () => {
      const batch = disk.batch();
      batch.put(bytes('a'), Buffer.alloc(1024 * 1024, 1));
      const written = batch.writeDurably();
      const again = await test.reopen();
      await written;
      expect(again.get(bytes('a'))?.length).toBe(1024 * 1024);
    });

    it('a snapshot sees what resolved before it, and nothing of what came later', async () => {
      await put(disk, { a: '1', b: '2' });
      const snapshot = disk.snapshot();
      const batch = disk.batch();
      batch.put(bytes('a'), bytes('new'));
      batch.remove(bytes('b'));
      batch.put(bytes('c'), bytes('3'));
      await batch.writeDurably();
      for (let times = 0; times < 2; times++) {
        const found: string[] = [];
        for await (const [key, value] of snapshot.scan(bytes('a'), bytes('z'))) {
          found.push(`${key.toString()}=${value.toString()}`);
        }
        expect(found).toEqual(['a=1', 'b=2']);
      }
      await snapshot.close();
    });

    it('a scan of a snapshot has its first key and not its last, however many there are', async () => {
      const keys = Array.from({ length: 2_500 }, (_, index) => `k${10_000 + index}`);
      await put(disk, Object.fromEntries(keys.map((key) => [key, 'x'.repeat(200)])));
      const snapshot = disk.snapshot();
      expect(await keysOf(snapshot, 'k', 'l')).toEqual(keys);
      expect(await keysOf(snapshot, keys[1]!, keys[3]!)).toEqual(keys.slice(1, 3));
      expect(await keysOf(snapshot, 'l', 'm')).toEqual([]);
      await snapshot.close();
    });

    it('a scan of a snapshot may be left before its end', async () => {
      await put(disk, { a: '', b: '' });
      const snapshot = disk.snapshot();
      for await (const [key] of snapshot.scan(bytes('a'), bytes('z'))) {
        expect(key).toEqual(bytes('a'));
        break;
      }
      expect(await keysOf(snapshot, 'a', 'z')).toEqual(['a', 'b']);
      await snapshot.close();
    });

    it('a snapshot may be closed twice; then it cannot be read', async () => {
      await put(disk, { a: '' });
      const snapshot = disk.snapshot();
      await Promise.all([snapshot.close(), snapshot.close()]);
      await snapshot.close();
      await expect(keysOf(snapshot, 'a', 'z')).rejects.toBeInstanceOf(StorageFailure);
      expect(await keysOf(disk, 'a', 'z')).toEqual(['a']);
    });

    it('a disk closes with a snapshot that is open, and being read', async () => {
      await put(disk, { a: '', b: '' });
      const snapshot = disk.snapshot();
      const rows = snapshot.scan(bytes('a'), bytes('z'))[Symbol.asyncIterator]();
      await rows.next();
      disk = await test.reopen();
      await expect(keysOf(snapshot, 'a', 'z')).rejects.toBeInstanceOf(StorageFailure);
      await rows.return?.();
      await snapshot.close();
      expect(await keysOf(disk, 'a', 'z')).toEqual(['a', 'b']);
    });

    it('tells how much of the disk is free', async () => {
      expect(await disk.freeBytes()).toBeGreaterThan(0);
    });
  });
}
