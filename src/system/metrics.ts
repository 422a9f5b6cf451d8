/**
 * Metrics in Prometheus form. The roles keep plain numbers; they are read when somebody asks, so
 * counting costs nothing more than an addition.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { HistogramSource, MetricSource, NumberSource } from '../ports/metrics.js';

/** Everything these sources say, plus what Node says of itself, as text when asked. */
export function metricsPage(sources: readonly MetricSource[]): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const histograms: HistogramSource[] = [];
  for (const source of sources) {
    if (source.type === 'histogram') histograms.push(source);
    else register(registry, source);
  }
  return async () => `${await registry.metrics()}${histograms.map(histogramText).join('')}`;
}

/** By hand, because the library's own histogram wants to hear of every observation. */
function histogramText({ name, help, bounds, read }: HistogramSource): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const { labels, durations } of read()) {
    const own = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    let count = 0;
    for (const [index, inBucket] of durations.counts.entries()) {
      count += inBucket;
      const le = bounds[index] ?? '+Inf';
      lines.push(`${name}_bucket{${[...own, `le="${le}"`].join()}} ${count}`);
    }
    lines.push(`${name}_sum{${own.join()}} ${durations.sum}`);
    lines.push(`${name}_count{${own.join()}} ${count}`);
  }
  return `${lines.join('\n')}\n`;
}

function register(registry: Registry, source: NumberSource): void {
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
