/** What a real ZooKeeper needs, and what is said when it is not there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findClassPath, MissingPrerequisiteError } from '../../src/system/java.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'portolan-unit-'));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

describe('the class path of ZooKeeper', () => {
  it('is all jars of ZOOKEEPER_HOME, or what was given', () => {
    const lib = join(home, 'lib');
    mkdirSync(lib);
    for (const name of ['a.jar', 'b.jar', 'README']) writeFileSync(join(lib, name), '');
    const paths = findClassPath({ ZOOKEEPER_HOME: home }).split(delimiter).sort();
    expect(paths).toEqual([join(lib, 'a.jar'), join(lib, 'b.jar')]);
    expect(findClassPath({ ZOOKEEPER_HOME: home, PORTOLAN_ZK_CLASSPATH: 'mine' })).toBe('mine');
  });

  it('is missing, with what to do, if it cannot be read', () => {
    writeFileSync(join(home, 'lib'), 'no folder');
    const find = () => findClassPath({ ZOOKEEPER_HOME: home });
    expect(find).toThrow(MissingPrerequisiteError);
    expect(find).toThrow(/ZooKeeper jars cannot be read: ENOTDIR[^]*apt-get install/);
  });
});
