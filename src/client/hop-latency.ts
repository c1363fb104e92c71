/**
 * How long messages took from hop to hop, as quantiles over windows of time: for people who watch
 * (`top`, the dashboard), not for measurement records. Allocates only when a window is closed.
 */
import type { EventHead } from './feed-events.js';

/** In the order in which a message passes them. */
export const HOPS = ['venue', 'books', 'publish', 'deliver'] as const;
export type Hop = (typeof HOPS)[number];

/** What each hop spans, for display. */
export const HOP_LABELS: Record<Hop, string> = {
  venue: 'venue → received',
  books: 'received → applied',
  publish: 'applied → published',
  deliver: 'published → here',
};

export interface HopSummary {
  readonly samplesCount: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

/** Samples kept of one window; beyond, later ones take the place of earlier ones. */
const SAMPLES_MAX = 8192;

class HopWindow {
  private readonly samples = new Float64Array(SAMPLES_MAX);
  private seen = 0;

  record(valueNs: number): void {
    this.samples[this.seen % SAMPLES_MAX] = valueNs;
    this.seen += 1;
  }

  close(): HopSummary | null {
    const count = Math.min(this.seen, SAMPLES_MAX);
    if (count === 0) return null;
    const sorted = this.samples.slice(0, count).sort();
    const rank = (q: number): number => sorted[Math.min(count - 1, Math.floor(q * count))]!;
    const summary = {
      samplesCount: this.seen,
      p50Ns: rank(0.5),
      p99Ns: rank(0.99),
      maxNs: sorted[count - 1]!,
    };
    this.seen = 0;
    return summary;
  }
}

export class HopLatency {
  private readonly windows = HOPS.map(() => new HopWindow());

  /**
   * @param hereUnixMs Unix time at this end; the first and the last hop compare two clocks, so they
   *   are only as good as those agree, and may be negative where they do not
   */
  record(event: EventHead, hereUnixMs: number): void {
    const [venue, books, publish, deliver] = this.windows;
    const { exchangeNs, receivedNs, appliedNs, publishedNs } = event;
    if (exchangeNs > 0n && receivedNs > 0n) venue!.record(Number(receivedNs - exchangeNs));
    if (receivedNs > 0n && appliedNs > 0n) books!.record(Number(appliedNs - receivedNs));
    if (appliedNs > 0n && publishedNs > 0n) publish!.record(Number(publishedNs - appliedNs));
    if (publishedNs > 0n) deliver!.record(hereUnixMs * 1e6 - Number(publishedNs));
  }

  /** Quantiles since the last call, by hop in the order of HOPS; null where nothing was seen. */
  closeWindow(): (HopSummary | null)[] {
    return this.windows.map((window) => window.close());
  }
}
