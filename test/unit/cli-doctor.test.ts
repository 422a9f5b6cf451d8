/** What `portolan doctor` makes of what it sees. */
import { describe, expect, it } from 'vitest';
import {
  type Check,
  checkClock,
  checkDisk,
  checkJava,
  checkNode,
  checkOpenFiles,
  checkPorts,
  checkVersions,
  checkZooKeeper,
  openFilesIn,
} from '../../src/cli/doctor.js';
import { MissingPrerequisiteError } from '../../src/system/java.js';

/** What is not in order says what to do; what is does not. */
function levelOf({ level, fix }: Check): string {
  if (level !== 'ok') expect(fix).toMatch(/\w/);
  return level;
}

describe('the doctor', () => {
  it.each([
    ['v20.19.0', 'ok'],
    ['v20.18.9', 'err'],
    ['v18.20.0', 'err'],
    ['v24.1.0', 'ok'],
  ])('Node %s: %s', (version, level) => {
    expect(levelOf(checkNode(version))).toBe(level);
  });

  it('needs Java for a real ZooKeeper only, and has the line that installs it', () => {
    expect(levelOf(checkJava(undefined))).toBe('ok');
    const check = checkJava(new MissingPrerequisiteError('no ZooKeeper jars'));
    expect(check).toMatchObject({ level: 'warn', found: 'no ZooKeeper jars' });
    expect(check.fix).toContain('apt-get install -y --no-install-recommends openjdk');
  });

  it.each([
    [{ problem: 'connect ECONNREFUSED' }, 'err', 'ECONNREFUSED'],
    [{ answer: 'Zookeeper version: 3\nMode: leader\n' }, 'ok', 'leader'],
    [{ answer: 'Mode: standalone\n' }, 'warn', 'without a quorum'],
    [
      { answer: 'This ZooKeeper instance is not currently serving requests\n' },
      'err',
      'not serving',
    ],
    [{ answer: '' }, 'err', 'nothing'],
    [{ answer: 'srvr is not executed because it is not in the whitelist.\n' }, 'ok', 'not told'],
  ])('ZooKeeper that says %j: %s', (said, level, found) => {
    const [check] = checkZooKeeper([{ address: { host: 'zk1', port: 2181 }, ...said }]);
    expect(levelOf(check!)).toBe(level);
    expect(check!.name).toBe('zookeeper zk1:2181');
    expect(check!.found).toContain(found);
  });

  it('names the ports that are in use', () => {
    expect(levelOf(checkPorts([]))).toBe('ok');
    expect(checkPorts([7_000, 7_181])).toMatchObject({
      level: 'warn',
      found: 'in use: 7000, 7181',
    });
  });

  it.each([
    [undefined, 'ok'],
    [Infinity, 'ok'],
    [4_096, 'ok'],
    [2_000, 'warn'],
    [256, 'err'],
  ])('%s open files: %s', (soft, level) => {
    expect(levelOf(checkOpenFiles(soft))).toBe(level);
  });

  it('reads the limit as Linux tells it', () => {
    const line = 'Max open files            1024                 524288               files\n';
    expect(openFilesIn(`Limit  Soft\n${line}`)).toBe(1_024);
    expect(openFilesIn('Max open files   unlimited unlimited files')).toBe(Infinity);
    expect(openFilesIn('')).toBeUndefined();
  });

  it.each([
    [0.3, 'ok'],
    [8, 'warn'],
    [150, 'err'],
    [0.001, 'warn'],
  ])('a disk whose fsync takes %d ms: %s', (medianMs, level) => {
    expect(levelOf(checkDisk('/data', { medianMs, maxMs: medianMs * 2 }))).toBe(level);
  });

  it('says why a disk cannot be measured', () => {
    const check = checkDisk('/none', 'ENOENT: no such file or directory');
    expect([levelOf(check), check.found]).toEqual(['err', 'ENOENT: no such file or directory']);
  });

  it.each([
    [{ lateMs: 1, year: 2_026 }, 'ok'],
    [{ lateMs: 50, year: 2_026 }, 'warn'],
    [{ lateMs: 900, year: 2_026 }, 'err'],
    [{ lateMs: 1, year: 1_970 }, 'warn'],
  ])('a clock seen as %j: %s', (seen, level) => {
    expect(levelOf(checkClock(seen))).toBe(level);
  });

  it('tells versions', () => {
    expect(checkVersions({ portolan: '1', node: '2' }).found).toBe('portolan 1, node 2');
  });
});
