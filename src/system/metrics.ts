/**
 * Metrics in Prometheus form. The roles keep plain numbers; they are read when somebody asks, so
 * counting costs nothing more than an addition.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** One number, with the labels that tell it from its siblings. Never a key or a client. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricSource {
  readonly name: string;
  readonly help: string;
  /** A counter only grows. */
  readonly type: 'counter' | 'gauge';
  readonly labelNames?: readonly string[];
  readonly read: () => Iterable<Sample>;
}

/** Everything these sources say, plus what Node says of itself, as text when asked. */
export function metricsPage(sources: readonly MetricSource[]): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const source of sources) register(registry, source);
  return () => registry.metrics();
}

/** A metric that is one number. */
export function single(read: () => number): MetricSource['read'] {
  return () => [{ labels: {}, value: read() }];
}

/** A map of counts by name, under one label. */
export function byName(
  label: string,
  counts: () => ReadonlyMap<string, number>,
): MetricSource['read'] {
  return () => [...counts()].map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function register(registry: Registry, source: MetricSource): void {
  const { name, help, labelNames = [] } = source;
  const common = { name, help, labelNames: [...labelNames], registers: [registry] };
  if (source.type === 'gauge') {
    new Gauge({
      ...common,
      collect() {
        this.reset();
        for (const { labels, value } of source.read()) this.set({ ...labels }, value);
      },
    });
    return;
  }
  new Counter({
    ...common,
    collect() {
      this.reset();
      for (const { labels, value } of source.read()) this.inc({ ...labels }, value);
    },
  });
}
