/** What every {@link Disk} must do. Run on the real one and on the fake, so that the fake is true. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Disk } from '../../src/ports/disk.js';

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

async function keysOf(disk: Disk, from: string, to: string): Promise<string[]> {
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

    it('tells how much of the disk is free', async () => {
      expect(await disk.freeBytes()).toBeGreaterThan(0);
    });
  });
}
