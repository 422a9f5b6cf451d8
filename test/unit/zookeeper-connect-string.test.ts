import { describe, expect, it } from 'vitest';
import { formatServers, parseConnectString } from '../../src/zookeeper/connect-string.js';

describe('a ZooKeeper address', () => {
  it.each([
    ['zk1:2181', 'zk1:2181', ''],
    ['zk1', 'zk1:2181', ''],
    ['10.0.0.1:2182,zk-2.example.org,zk_3:1', '10.0.0.1:2182,zk-2.example.org:2181,zk_3:1', ''],
    ['zk1:2181/', 'zk1:2181', ''],
    ['zk1:2181,zk2:2181/a/b.c', 'zk1:2181,zk2:2181', '/a/b.c'],
  ])('%s is understood', (text, servers, chroot) => {
    const parsed = parseConnectString(text)!;
    expect(formatServers(parsed)).toBe(servers);
    expect(parsed.chroot).toBe(chroot);
  });

  it.each([
    '',
    ',',
    'zk1:2181,',
    'zk1:2181,,zk2:2181',
    'zk1:0',
    'zk1:65536',
    'zk1:port',
    ':2181',
    '/chroot',
    'http://zk1:2181',
    'zk 1:2181',
    'zk1;zk2',
    'zk1:2181/a//b',
    'zk1:2181/a/',
    'zk1:2181/../a',
    'zk1:2181/ä',
  ])('%j is none', (text) => {
    expect(parseConnectString(text)).toBeUndefined();
  });

  it.each(['[::1]:2181', '[::1]', 'zk1:2181,[2001:db8::1]:2181'])(
    '%s is refused at once, not looked up for ever: the library knows no IPv6 addresses (N10)',
    (text) => {
      expect(parseConnectString(text)).toBeUndefined();
    },
  );
});
