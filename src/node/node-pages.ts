/** The pages that the main thread makes for probes and Prometheus. Cold. */
import { healthPage, readyPage } from '../ops/health.js';
import type { HealthSources, Page } from '../ops/health.js';
import type { NodeMetrics } from './node-metrics.js';

/** Null for a path that is none of them. */
export async function pageOf(
  path: string,
  health: HealthSources,
  metrics: NodeMetrics,
): Promise<Page | null> {
  switch (path) {
    case '/metrics':
      return { status: 200, contentType: metrics.contentType, body: await metrics.text() };
    case '/health':
      return healthPage(health);
    case '/ready':
      return readyPage(health);
    default:
      return null;
  }
}
