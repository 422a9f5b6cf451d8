/** Who may do what with a znode. The rest of the rules is compared with a real server. */
import { describe, expect, it } from 'vitest';
import {
  type Acl,
  allows,
  maskedAcl,
  OPEN_ACL,
  PERMS,
  settledAcl,
} from '../../src/znode-tree/acl.js';
import type { Request } from '../../src/znode-tree/requests.js';
import { WatchedTree } from '../../src/znode-tree/watched-tree.js';

const here = { scheme: 'ip', id: '10.1.2.3' };
const ann = { scheme: 'digest', id: 'ann:hash' };
const all = (scheme: string, id: string): Acl => [{ perms: 31, scheme, id }];

describe('an access list', () => {
  it.each([
    ['10.1.2.3', true],
    ['10.1.2.4', false],
    ['10.1.0.0/16', true],
    ['10.2.0.0/16', false],
    ['0.0.0.0/0', true],
    ['10.1.2.2/31', true],
    ['10.1.2.4/31', false],
  ])('of ip:%s is for 10.1.2.3: %s', (range, isFor) => {
    expect(allows(all('ip', range), PERMS.read, [here])).toBe(isFor);
  });

  it('allows what any entry allows to any identity', () => {
    const acl: Acl = [
      { perms: PERMS.read, scheme: 'world', id: 'anyone' },
      { perms: PERMS.write, ...ann },
    ];
    expect(allows(acl, PERMS.read, [])).toBe(true);
    expect(allows(acl, PERMS.write, [here])).toBe(false);
    expect(allows(acl, PERMS.write, [here, ann])).toBe(true);
    expect(allows(acl, PERMS.admin | PERMS.read, [])).toBe(true);
  });

  it('is kept with each entry once, and with names instead of auth', () => {
    const twice = [...OPEN_ACL, ...OPEN_ACL];
    expect(settledAcl(twice, [])).toEqual(OPEN_ACL);
    expect(settledAcl(all('auth', ''), [here, ann])).toEqual(all('digest', 'ann:hash'));
  });

  it.each([
    ['nothing', []],
    ['auth of nobody', all('auth', '')],
    ['a name without a password', all('digest', 'ann')],
    ['no address', all('ip', '10.1.2')],
    ['too many bits', all('ip', '10.1.2.3/33')],
    ['an unknown scheme', all('x509', 'CN=a')],
    ['somebody of the world', all('world', 'me')],
  ])('%s is none', (_, acl) => {
    expect(settledAcl(acl, [here])).toBeUndefined();
  });

  it('hides what passwords were turned into', () => {
    expect(maskedAcl(all('digest', 'ann:hash:more'))).toEqual(all('digest', 'ann:x'));
  });
});

describe('a tree with access lists', () => {
  function treeOf(...requests: readonly Request[]) {
    const watched = new WatchedTree();
    const apply = (request: Request, ...identities: { scheme: string; id: string }[]) =>
      watched.apply({ session: 's', timeMs: 1, request, identities }).result;
    watched.apply({ session: 's', timeMs: 1, request: { type: 'open-session', timeoutMs: 1 } });
    for (const request of requests) expect(apply(request, ann)).toMatchObject({ ok: true });
    return { watched, apply };
  }
  const nothing = Buffer.alloc(0);
  const annOnly: Request = {
    ...{ type: 'create', path: '/a', data: nothing, mode: 'persistent' },
    acl: all('auth', ''),
  };
  const below: Request = { type: 'create', path: '/a/b', data: nothing, mode: 'persistent' };

  it('asks the parent for what comes and goes, and the znode for the rest', () => {
    const { watched, apply } = treeOf(annOnly);
    const refused = { ok: false, code: 'no-auth' };
    expect(apply(below, here)).toMatchObject(refused);
    expect(apply(below, ann)).toMatchObject({ ok: true });
    const set = { type: 'set-data', path: '/a', data: nothing, version: -1 } as const;
    expect(apply(set, here)).toMatchObject(refused);
    expect(apply({ type: 'delete', path: '/a/b', version: -1 }, here)).toMatchObject(refused);
    expect(apply({ type: 'check', path: '/a', version: -1 }, here)).toMatchObject(refused);
    expect(watched.getData('/a', undefined, [here])).toEqual({ ok: false, code: 'no-auth' });
    expect(watched.getAcl('/a', [here])).toEqual({ ok: false, code: 'no-auth' });
    expect(watched.exists('/a')).toMatchObject({ ok: true });
    expect(watched.getAcl('/a', [ann])).toMatchObject({
      value: { acl: all('digest', 'ann:hash') },
    });
  });

  it('counts changes of a list apart from those of the data, and takes both back together', () => {
    const { watched, apply } = treeOf(annOnly);
    const open = { type: 'set-acl', path: '/a', acl: OPEN_ACL, version: 0 } as const;
    const gone = { type: 'check', path: '/none', version: -1 } as const;
    expect(apply({ type: 'multi', steps: [open, gone] }, ann)).toMatchObject({ ok: false });
    expect(watched.tree.stat('/a')).toMatchObject({ aversion: 0, version: 0 });
    expect(apply(open, ann)).toMatchObject({ ok: true });
    expect(watched.tree.stat('/a')).toMatchObject({ aversion: 1, version: 0 });
    expect(apply(open, ann)).toMatchObject({ code: 'bad-version' });
    watched.tree.assertInvariants();
  });

  it('says of an event who may know of it', () => {
    const { watched } = treeOf(annOnly);
    watched.addWatch('/', 'w', 'recursive');
    const { events } = watched.apply({
      session: 's',
      timeMs: 2,
      request: below,
      identities: [ann],
    });
    expect(events).toEqual([{ watcher: 'w', type: 'NodeCreated', path: '/a/b' }]);
    const set = { type: 'set-data', path: '/a', data: nothing, version: -1 } as const;
    const told = watched.apply({ session: 's', timeMs: 2, request: set, identities: [ann] }).events;
    expect(told).toMatchObject([{ path: '/a', acl: all('digest', 'ann:hash') }]);
  });
});
