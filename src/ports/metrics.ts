/** What roles show of themselves on their metrics page: numbers, read when somebody asks. */

/** One number, with the labels that tell it from its siblings. Never a key or a client. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface NumberSource {
  readonly name: string;
  readonly help: string;
  /** A counter only grows. */
  readonly type: 'counter' | 'gauge';
  readonly labelNames?: readonly string[];
  readonly read: () => Iterable<Sample>;
}

export interface HistogramSource {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  /** Upper bounds of the buckets, ascending; one more bucket holds the rest. */
  readonly bounds: readonly number[];
  readonly read: () => Iterable<{
    readonly labels: Sample['labels'];
    readonly durations: { readonly counts: readonly number[]; readonly sum: number };
  }>;
}

export type MetricSource = NumberSource | HistogramSource;

/** A metric that is one number. */
export function single(read: () => number): NumberSource['read'] {
  return () => [{ labels: {}, value: read() }];
}

/** A map of counts by name, under one label. */
export function byName(
  label: string,
  counts: () => ReadonlyMap<string, number>,
): NumberSource['read'] {
  return () => [...counts()].map(([name, value]) => ({ labels: { [label]: name }, value }));
}
