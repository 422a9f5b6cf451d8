/** Random requests of ZooKeeper's protocol, over few znodes and identities, so that they meet. */
import type { PlainAcl, PlainCall, PlainStep } from './protocol-client.js';

const PATHS = ['/a', '/b', '/a/a', '/a/b', '/b/a', '/a/a/a', '/a/n-0000000000', '/b/n-0000000001'];
/** Without children: whoever may not touch one can still have it deleted, by its parent's list. */
const LEAVES = ['/a/b', '/b/a', '/a/a/a'];
const ODD_PATHS = ['/', '/zookeeper', '/a/', 'a', '/a//b', '/a/./b', '/zookeeper/config'];
const VERSIONS = [-1, -1, -1, 0, 0, 1, 2];
const ANYONE = { scheme: 'world', id: 'anyone' };
const USERS = ['ann:1', 'bob:2'];
/** What their passwords are turned into. */
const DIGESTS = ['ann:/z4T+iO8KvuCdw3Y3chpp6R6RTg=', 'bob:xyz'];
const ACLS: readonly (readonly PlainAcl[])[] = [
  [{ perms: 1, ...ANYONE }],
  [{ perms: 30, ...ANYONE }],
  [{ perms: 31, scheme: 'auth', id: '' }],
  [
    { perms: 31, scheme: 'digest', id: DIGESTS[0]! },
    { perms: 1, ...ANYONE },
    { perms: 1, ...ANYONE },
  ],
  [{ perms: 31, scheme: 'digest', id: DIGESTS[1]! }],
  [{ perms: 31, scheme: 'ip', id: '127.0.0.0/8' }],
  [{ perms: 31, scheme: 'ip', id: '10.1.2.3' }],
  [],
  [{ perms: 31, scheme: 'digest', id: 'no colon' }],
  [{ perms: 31, scheme: 'ip', id: '1.2.3' }],
  [{ perms: 31, scheme: 'nonsense', id: 'x' }],
  [{ perms: 31, scheme: 'world', id: 'someone' }],
];

export class ZooKeeperCalls {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  next(): PlainCall {
    const roll = this.#random() * 100;
    const path = this.#path();
    const watch = this.#random() < 0.4;
    if (roll < 25) return this.#create();
    if (roll < 38) return { op: 'delete', path, version: this.#pick(VERSIONS) };
    if (roll < 50) return this.#set();
    if (roll < 58) return { op: 'multi', steps: this.#steps() };
    if (roll < 64) return { op: 'exists', path, watch };
    if (roll < 71) return { op: 'getData', path, watch };
    if (roll < 75) return { op: 'getChildren', path, watch };
    if (roll < 79) return { op: 'getChildren2', path, watch };
    if (roll < 82) return { op: 'getAcl', path };
    if (roll < 85) {
      const acl = this.#pick(ACLS);
      return { op: 'setAcl', path: this.#pick(LEAVES), acl, version: this.#pick(VERSIONS) };
    }
    if (roll < 88) return { op: 'addWatch', path, kind: this.#pick([0, 1]) };
    // No checkWatches: 3.8 says yes when anybody watches the path.
    if (roll < 91) return { op: 'removeWatches', path, kind: this.#pick([1, 2, 3]) };
    if (roll < 92) return { op: 'auth', scheme: 'digest', auth: this.#pick(USERS) };
    if (roll < 93) return { op: 'sync', path };
    if (roll < 94) return { op: 'getEphemerals', path: this.#pick(['/', '/a', '']) };
    if (roll < 95) return { op: 'getAllChildrenNumber', path };
    if (roll < 96) return { op: 'whoAmI' };
    if (roll < 97) return { op: 'ping' };
    const lists = [0, 1, 2].map(() => [this.#path(), this.#path()]);
    const sinceZxid = this.#pick([0, 50, 1_000_000]);
    if (roll < 98.5) return { op: 'setWatches', sinceZxid, lists };
    return { op: 'setWatches2', sinceZxid, lists: [...lists, [this.#path()], [this.#path()]] };
  }

  #create(): PlainStep {
    const op = this.#random() < 0.3 ? 'create2' : 'create';
    const data = this.#pick(['', 'x', 'hello']);
    if (this.#random() < 0.2) {
      return { op, path: this.#pick(LEAVES), data, acl: this.#pick(ACLS) };
    }
    const isSequential = this.#random() < 0.2;
    const path = isSequential ? `${this.#pick(['/a', '/b', ''])}/n-` : this.#path();
    return { op, path, data, flags: this.#pick([0, 0, 0, 1, 1, 2, 3]) };
  }

  #set(): PlainStep {
    const [path, version] = [this.#path(), this.#pick(VERSIONS)];
    return { op: 'setData', path, data: this.#pick(['', 'y', 'world']), version };
  }

  #steps(): PlainStep[] {
    return Array.from({ length: Math.floor(this.#random() * 5) }, () => {
      const roll = this.#random();
      if (roll < 0.5) return this.#create();
      if (roll < 0.7) return this.#set();
      const op = roll < 0.85 ? 'delete' : 'check';
      return { op, path: this.#path(), version: this.#pick(VERSIONS) };
    });
  }

  #path(): string {
    return this.#random() < 0.06 ? this.#pick(ODD_PATHS) : this.#pick(PATHS);
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }
}
