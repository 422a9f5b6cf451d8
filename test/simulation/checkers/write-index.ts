/**
 * Which put wrote which version of a key, as far as answers tell.
 *
 * An acknowledged put tells its version itself. An unanswered put has the version at which somebody
 * read its value: then it did take effect. This is the read mapping of Gibbons & Korach, "Testing
 * shared memories" (1997), which makes most of the order of a key's writes known for free.
 */
import type { AnsweredOperation, KeyHistory, PutCall, WriteCall } from './history.js';
import { nameOf, type Violation } from './violation.js';

/** A put that certainly took effect. */
export interface KnownWrite {
  readonly put: PutCall;
  readonly version: number;
  /** Infinity if it was not answered. */
  readonly returnAt: number;
  /** The greatest version below that another known write has; 0 = none. */
  readonly versionBefore: number;
}

export interface WriteIndex {
  /** In the order of the versions, which is the order in which they took effect. */
  readonly known: readonly KnownWrite[];
  readonly byVersion: ReadonlyMap<number, KnownWrite>;
  /** By id of the put. */
  readonly byPut: ReadonlyMap<number, KnownWrite>;
  /** Unanswered puts whose value nobody read: whether they took effect is not known. */
  readonly unresolved: readonly PutCall[];
  /** The first answer that names a write which cannot have been there, or names it wrongly. */
  readonly violation: Violation | undefined;
}

/** Where a value or version was told first. */
interface Sighting {
  readonly version: number;
  readonly value: string;
  readonly by: AnsweredOperation;
}

export function indexWrites(history: KeyHistory): WriteIndex {
  const { answered, unanswered } = history;
  const sightings = answered.flatMap((by) => {
    const sighting = sightingOf(by);
    return sighting === undefined ? [] : [sighting];
  });
  const versions = new Map(sightings.map(({ value, version }) => [value, version]));
  const putsAnswered = answered.filter((operation) => {
    return operation.kind === 'put' && operation.observed.applied;
  }) as PutCall[];
  const putsUnanswered = unanswered.filter((write) => write.kind === 'put');
  const seen = [
    ...putsAnswered.map((put) => ({ put, returnAt: put.returnAt ?? Infinity })),
    ...putsUnanswered
      .filter(({ arg }) => versions.has(arg))
      .map((put) => ({ put, returnAt: Infinity })),
  ]
    .map((write) => ({ ...write, version: versions.get(write.put.arg)! }))
    .sort((left, right) => left.version - right.version);
  const known = seen.map((write, at) => ({ ...write, versionBefore: seen[at - 1]?.version ?? 0 }));
  return {
    known,
    byVersion: new Map(known.map((write) => [write.version, write])),
    byPut: new Map(known.map((write) => [write.put.id, write])),
    unresolved: putsUnanswered.filter(({ arg }) => !versions.has(arg)),
    violation: contradictionAmong(sightings) ?? unwrittenValue(history, sightings),
  };
}

/** The value and version that an answer brings together. */
function sightingOf(by: AnsweredOperation): Sighting | undefined {
  const { version } = by.observed;
  if (by.kind === 'put' && by.observed.applied) return { version, value: by.arg, by };
  if (by.kind !== 'get' || !by.observed.found) return undefined;
  const { value } = by.observed;
  return value === undefined ? undefined : { version, value, by };
}

/** One version has one value, and one value one version. */
function contradictionAmong(sightings: readonly Sighting[]): Violation | undefined {
  const byValue = new Map<string, Sighting>();
  const byVersion = new Map<number, Sighting>();
  for (const sighting of sightings) {
    const { value, version, by } = sighting;
    const sameValue = byValue.get(value) ?? sighting;
    if (sameValue.version !== version) {
      return {
        rule: 'two-versions-of-one-write',
        message:
          `${value} is at version ${sameValue.version} for ${nameOf(sameValue.by)} ` +
          `and at version ${version} for ${nameOf(by)}`,
        operations: [sameValue.by, by],
      };
    }
    const sameVersion = byVersion.get(version) ?? sighting;
    if (sameVersion.value !== value) {
      return {
        rule: 'two-values-of-one-version',
        message:
          `version ${version} is ${sameVersion.value} for ${nameOf(sameVersion.by)} ` +
          `and ${value} for ${nameOf(by)}`,
        operations: [sameVersion.by, by],
      };
    }
    byValue.set(value, sighting);
    byVersion.set(version, sighting);
  }
  return undefined;
}

/** Every value that is read was written by a put that may have taken effect. */
function unwrittenValue(
  { answered, refused, unanswered }: KeyHistory,
  sightings: readonly Sighting[],
): Violation | undefined {
  const puts = new Map<string, AnsweredOperation | WriteCall>();
  for (const write of [...answered, ...unanswered]) {
    if (write.kind === 'put') puts.set(write.arg, write);
  }
  const failed = new Map<string, WriteCall>();
  for (const write of refused) if (write.kind === 'put') failed.set(write.arg, write);
  for (const { value, by } of sightings) {
    const refusedPut = failed.get(value);
    if (refusedPut !== undefined) {
      return {
        rule: 'refused-write-seen',
        message: `${nameOf(by)} returned ${value}, and ${nameOf(refusedPut)} of it was refused`,
        operations: [refusedPut, by],
      };
    }
    const put = puts.get(value);
    if (put === undefined) {
      return {
        rule: 'value-from-nowhere',
        message: `${nameOf(by)} returned ${value}, which nobody wrote`,
        operations: [by],
      };
    }
    if ('observed' in put && put.kind === 'put' && !put.observed.applied) {
      return {
        rule: 'failed-condition-seen',
        message: `${nameOf(by)} returned ${value}, and ${nameOf(put)} of it was not applied`,
        operations: [put, by],
      };
    }
  }
  return undefined;
}
