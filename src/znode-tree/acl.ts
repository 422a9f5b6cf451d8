/**
 * Access lists: who may do what with a znode. The rules are those of ZooKeeper 3.8 (`checkACL` of
 * `ZooKeeperServer`, `fixupACL` of `PrepRequestProcessor`, its providers `ip` and `digest`).
 *
 * A client has identities: its address, and one for each name and password it gave. It may do what
 * any entry of the list allows to any of them. A list is no inheritance: it is of one znode alone.
 */

/** Bits of {@link AclEntry.perms}. */
export const PERMS = { read: 1, write: 2, create: 4, delete: 8, admin: 16 } as const;
export const ALL_PERMS = 31;

/** `world:anyone`, `ip:10.0.0.0/8`, `digest:NAME:base64(sha1(NAME:PASSWORD))`, or `auth:`. */
export interface Identity {
  readonly scheme: string;
  readonly id: string;
}

export interface AclEntry extends Identity {
  readonly perms: number;
}

export type Acl = readonly AclEntry[];

/** Of one list, and characters of one scheme or id: each access reads all of them. */
const ENTRIES_MAX = 256;
const TEXT_MAX = 1_024;

const ANYONE = { scheme: 'world', id: 'anyone' } as const;

export const OPEN_ACL: Acl = [{ perms: ALL_PERMS, ...ANYONE }];
export const READ_ONLY_ACL: Acl = [{ perms: PERMS.read, ...ANYONE }];

/** Whether one of these identities may do what any of these bits stands for. */
export function allows(acl: Acl, perms: number, identities: readonly Identity[]): boolean {
  return acl.some((entry) => (entry.perms & perms) !== 0 && isFor(entry, identities));
}

/**
 * The list that is kept when this one is given: each entry once, `auth` replaced by the names that
 * the client proved. Undefined: it is no list, it is empty, or it is larger than anybody needs.
 */
export function settledAcl(acl: Acl, identities: readonly Identity[]): Acl | undefined {
  const kept: AclEntry[] = [];
  if (acl.length > ENTRIES_MAX) return undefined;
  for (const entry of acl) {
    if (!isOfSize(entry)) return undefined;
    const settled = settle(entry, identities);
    if (settled === undefined) return undefined;
    for (const one of settled) {
      if (!kept.some((other) => isSame(one, other))) kept.push(one);
    }
  }
  return kept.length === 0 ? undefined : kept;
}

/** For those who may not change the list: without what passwords were turned into. */
export function maskedAcl(acl: Acl): Acl {
  return acl.map((entry) => {
    return entry.scheme === 'digest' ? { ...entry, id: entry.id.replace(/:.*/s, ':x') } : entry;
  });
}

function isFor({ scheme, id }: Identity, identities: readonly Identity[]): boolean {
  if (scheme === ANYONE.scheme) return id === ANYONE.id;
  return identities.some((own) => {
    if (own.scheme !== scheme) return false;
    return scheme === 'ip' ? isWithin(own.id, id) : own.id === id;
  });
}

function settle(entry: AclEntry, identities: readonly Identity[]): readonly AclEntry[] | undefined {
  const { scheme, id, perms } = entry;
  switch (scheme) {
    case 'world':
      return id === ANYONE.id ? [entry] : undefined;
    case 'auth': {
      const proven = identities.filter((own) => own.scheme === 'digest');
      return proven.length === 0 ? undefined : proven.map((own) => ({ perms, ...own }));
    }
    case 'digest':
      return id.split(':').length === 2 ? [entry] : undefined;
    case 'ip':
      return rangeOf(id) === undefined ? undefined : [entry];
    default:
      return undefined;
  }
}

function isOfSize({ perms, scheme, id }: AclEntry): boolean {
  const isText = scheme.length <= TEXT_MAX && id.length <= TEXT_MAX;
  return isText && perms >= 0 && perms <= ALL_PERMS;
}

function isSame(left: AclEntry, right: AclEntry): boolean {
  return left.perms === right.perms && left.scheme === right.scheme && left.id === right.id;
}

function isWithin(address: string, range: string): boolean {
  const [own, wanted] = [ipv4Of(address), rangeOf(range)];
  if (own === undefined || wanted === undefined) return false;
  const shift = 32 - wanted.bits;
  return shift === 32 || own >>> shift === wanted.address >>> shift;
}

function rangeOf(text: string): { readonly address: number; readonly bits: number } | undefined {
  const [host = '', length = '32', ...rest] = text.split('/');
  const address = ipv4Of(host);
  const bits = Number(length);
  const isSound = rest.length === 0 && /^\d+$/.test(length) && bits <= 32;
  return address === undefined || !isSound ? undefined : { address, bits };
}

/** The four bytes of an address as one number. */
function ipv4Of(text: string): number | undefined {
  const parts = text.split('.');
  const isAddress =
    parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && +part < 256);
  return isAddress ? parts.reduce((sum, part) => sum * 256 + Number(part), 0) : undefined;
}
