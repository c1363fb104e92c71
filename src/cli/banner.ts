/** What `serve` prints when it stands: where to look, and which threads and rings were made. */
import pc from 'picocolors';
import type { FeedNode } from '../node/feed-node.js';

export interface Endpoints {
  readonly dashboard: string;
  readonly feed: string;
  readonly books: string;
  readonly metrics: string;
}

export function endpointsOf(node: FeedNode): Endpoints {
  const { host, port, adminPort, secure } = node.endpoints;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  const authority = `${name.includes(':') ? `[${name}]` : name}:${port}`;
  const http = `http${secure ? 's' : ''}://${authority}`;
  return {
    dashboard: `${http}/`,
    feed: `ws${secure ? 's' : ''}://${authority}/v1/feed`,
    books: `${http}/v1/instruments`,
    metrics: adminPort === null ? `${http}/metrics` : `http://${name}:${adminPort}/metrics`,
  };
}

export function banner(node: FeedNode, version: string): string {
  const { plan, instruments, venue } = node;
  const urls = endpointsOf(node);
  const source = node.simulated
    ? `simulated exchange in the dialect of ${venue.title}`
    : venue.title;
  const rows: [string, string][] = [
    ['dashboard', pc.cyan(urls.dashboard)],
    ['feed', pc.cyan(urls.feed)],
    ['books', pc.cyan(urls.books)],
    ['metrics', `${pc.cyan(urls.metrics)}  ${pc.dim('also /health and /ready')}`],
    [
      'layout',
      `${plan.layout}, ${plan.threads.length} threads  ${pc.dim(`${plan.layoutReason}; ${plan.idleReason}`)}`,
    ],
    ...plan.threads.map(({ name, agents }): [string, string] => [
      '',
      `${name.padEnd(10)} ${pc.dim(agents.join(' + '))}`,
    ]),
    [
      'rings',
      plan.rings
        .map((ring) => `${ring.name} ${ringBytesText(ring.capacityWords * 4)}`)
        .join(pc.dim(' · ')),
    ],
  ];
  const lines = rows.map(([label, text]) => `  ${pc.dim(label.padEnd(10))} ${text}`);
  const title = `${pc.bold('Ringside')} ${version}  ${source}, ${instruments.length} instruments`;
  return `${title}\n\n${lines.join('\n')}\n`;
}

export function ringBytesText(bytes: number): string {
  return bytes >= 1_048_576 ? `${bytes / 1_048_576} MiB` : `${bytes / 1_024} KiB`;
}
