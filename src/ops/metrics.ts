/**
 * Prometheus metrics, filled on scrape from counters and histograms in shared memory: the threads
 * that count pay for an addition and nothing else. Names begin with `ringside_`. Main thread, cold.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { MetricObject, MetricValueWithName } from 'prom-client';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  /** Without the prefix; counters end in `_total`, durations in `_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
  /** Called on every scrape. */
  samples(): Iterable<Sample>;
}

/** What rings/latency-histogram.ts reads out, named here so that this room needs no rings. */
export interface DurationReader {
  count(): number;
  sumNs(): number;
  buckets(): readonly { readonly upperNs: number; readonly count: number }[];
}

export interface DurationFamily {
  readonly name: string;
  readonly help: string;
  readonly rows: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly reader: DurationReader;
  }[];
}

export const METRIC_PREFIX = 'ringside_';

/** Upper bounds in ns: 1-2-5 steps from 1 µs to 10 s. */
const BOUNDS_NS = [3, 4, 5, 6, 7, 8, 9]
  .flatMap((e) => [1, 2, 5].map((m) => m * 10 ** e))
  .concat(1e10);

export class Metrics {
  private readonly registry = new Registry();

  add(family: Family): void {
    const options = {
      name: METRIC_PREFIX + family.name,
      help: family.help,
      labelNames: [...family.labels],
      registers: [this.registry],
    };
    if (family.kind === 'counter') {
      new Counter({
        ...options,
        collect() {
          this.reset();
          for (const sample of family.samples()) this.inc(sample.labels, sample.value);
        },
      });
    } else {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          for (const sample of family.samples()) this.set(sample.labels, sample.value);
        },
      });
    }
  }

  addDurations(family: DurationFamily): void {
    this.registry.registerMetric(new SharedHistogram(family) as never);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  json(): Promise<MetricObject[]> {
    return this.registry.getMetricsAsJSON();
  }
}

interface SharedHistogramValues {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  readonly aggregator: 'sum';
  readonly values: MetricValueWithName<string>[];
}

/** A Prometheus histogram whose counts are read, not observed. */
class SharedHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram' as const;
  readonly aggregator = 'sum' as const;
  private readonly family: DurationFamily;

  constructor(family: DurationFamily) {
    this.family = family;
    this.name = METRIC_PREFIX + family.name;
    this.help = family.help;
  }

  get(): Promise<SharedHistogramValues> {
    const values: MetricValueWithName<string>[] = [];
    for (const { labels, reader } of this.family.rows) {
      const buckets = reader.buckets();
      let cumulative = 0;
      let next = 0;
      for (const boundNs of BOUNDS_NS) {
        while (next < buckets.length && buckets[next]!.upperNs <= boundNs) {
          cumulative += buckets[next++]!.count;
        }
        const bound = { ...labels, le: boundNs / 1e9 };
        values.push({ metricName: `${this.name}_bucket`, labels: bound, value: cumulative });
      }
      // The total is taken from the same buckets, so that a scrape agrees with itself.
      while (next < buckets.length) cumulative += buckets[next++]!.count;
      const all = { ...labels, le: '+Inf' };
      values.push({ metricName: `${this.name}_bucket`, labels: all, value: cumulative });
      values.push({
        metricName: `${this.name}_sum`,
        labels: { ...labels },
        value: reader.sumNs() / 1e9,
      });
      values.push({ metricName: `${this.name}_count`, labels: { ...labels }, value: cumulative });
    }
    const { name, help, aggregator } = this;
    return Promise.resolve({ name, help, type: 'histogram', aggregator, values });
  }
}
