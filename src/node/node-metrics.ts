/**
 * Which shared counters become which Prometheus families, and what they say of the books' health.
 * Everything is read on scrape; nothing here costs the hot threads anything. Main thread, cold.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  BooksColumn,
  BooksWorkerColumn,
} from '../books/books-counters.js';
import { BROADCAST_COLUMNS } from '../broadcast/broadcast-counters.js';
import { BookState, bookStateName, StateReason, stateReasonName } from '../domain/book-state.js';
import { isClosed } from '../domain/definition.js';
import type { Instrument } from '../domain/instrument.js';
import {
  CONNECTION_COLUMNS,
  ConnectionColumn,
  CONNECTION_METRICS,
  VENUE_COLUMNS,
  VENUE_METRICS,
} from '../ingest/ingest-counters.js';
import {
  NODE_COLUMNS,
  NODE_METRICS,
  NODE_SOURCES,
  SOURCE_COLUMNS,
  SOURCE_METRICS,
} from '../ingest/node-files-counters.js';
import type { BookHealth, ConnectionHealth } from '../ops/health.js';
import { Metrics } from '../ops/metrics.js';
import type { Family, Sample } from '../ops/metrics.js';
import { CounterTable } from '../rings/counters.js';
import { DefinitionReader } from '../rings/definition-table.js';
import { HistogramReader } from '../rings/latency-histogram.js';
import { RingGauge } from '../rings/ring-gauge.js';
import { BOOK_CHECKS, BOOK_COUNTERS, BOOK_GAUGES } from './book-families.js';
import { BROADCAST_FAMILIES } from './broadcast-families.js';
import { LIMITS } from './limits.js';
import { countersOf, ringOf } from './memory.js';
import type { NodeMemory } from './memory.js';
import { broadcastHistogramRow, HOP_NAMES, shardHistogramRow } from './tables.js';
import type { NodePlan } from './topology.js';

export interface MetricSources {
  readonly plan: NodePlan;
  readonly memory: NodeMemory;
  readonly instruments: readonly Instrument[];
  readonly venueId: string;
  /** Names of the planned connections, in the order of their rows; null if there are files instead. */
  readonly connections: readonly string[] | null;
  readonly restarts: (thread: string) => number;
  readonly suppressedLines: () => number;
}

export class NodeMetrics {
  private readonly metrics = new Metrics();
  private readonly sources: MetricSources;
  private readonly books: CounterTable;
  private readonly definitions: DefinitionReader;
  private readonly recoveries = new Map<string, number>();
  private readonly loopDelay = monitorEventLoopDelay({ resolution: LIMITS.loopDelayEveryMs });

  constructor(sources: MetricSources) {
    this.sources = sources;
    this.books = new CounterTable(countersOf(sources.memory, 'books'), BOOKS_COLUMNS);
    this.definitions = new DefinitionReader(sources.memory.definitions);
    this.loopDelay.enable();
    this.addBooks();
    if (sources.connections === null) this.addNodeFiles();
    else this.addIngest(sources.connections);
    this.addBroadcast();
    this.addRings();
    this.addHops();
    this.addProcess();
  }

  get contentType(): string {
    return this.metrics.contentType;
  }

  text(): Promise<string> {
    return this.metrics.text();
  }

  bookHealth(): BookHealth[] {
    return this.sources.instruments.map((instrument) => ({
      instrument: instrument.name,
      state: this.books.get(instrument.id, BooksColumn.State),
      reason: this.books.get(instrument.id, BooksColumn.StateReason),
      trading: this.definitions.read(instrument).trading,
    }));
  }

  /** Of a venue of sockets; empty for one of files. */
  connectionHealth(): ConnectionHealth[] {
    const { memory, connections } = this.sources;
    const rows = new CounterTable(countersOf(memory, 'ingest-connections'), CONNECTION_COLUMNS);
    return (connections ?? []).map((connection, row) => ({
      connection,
      subscribed: rows.get(row, ConnectionColumn.Up) === 1,
    }));
  }

  /** The last replacement of a thread took so long. */
  noteRecovery(thread: string, tookNs: number): void {
    this.recoveries.set(thread, tookNs);
  }

  close(): void {
    this.loopDelay.disable();
  }

  private perBook(kind: Family['kind'], column: number, name: string, help: string): void {
    const { books } = this;
    const { instruments } = this.sources;
    this.metrics.add({
      name,
      help,
      kind,
      labels: ['instrument'],
      samples: () =>
        instruments.map((i) => ({
          labels: { instrument: i.name },
          value: books.get(i.id, column),
        })),
    });
  }

  private addBooks(): void {
    const { books, metrics } = this;
    const { instruments } = this.sources;
    for (const [column, name, help] of BOOK_COUNTERS) this.perBook('counter', column, name, help);
    for (const [column, name, help] of BOOK_GAUGES) this.perBook('gauge', column, name, help);
    const labelled = (
      family: Pick<Family, 'name' | 'help' | 'kind'>,
      label: string,
      columns: readonly (readonly [number, string])[],
    ): void => {
      metrics.add({
        ...family,
        labels: ['instrument', label],
        samples: () =>
          instruments.flatMap((i) =>
            columns.map(([column, value]) => ({
              labels: { instrument: i.name, [label]: value },
              value: books.get(i.id, column),
            })),
          ),
      });
    };
    metrics.add({
      name: 'instrument_trading',
      help: '1 while the venue lets the instrument trade, 0 while it says otherwise',
      kind: 'gauge',
      labels: ['instrument'],
      samples: () =>
        this.bookHealth().map(({ instrument, trading }) => ({
          labels: { instrument },
          value: isClosed(trading) ? 0 : 1,
        })),
    });
    labelled({ name: 'book_levels', help: 'Levels now in the book', kind: 'gauge' }, 'side', [
      [BooksColumn.BidLevels, 'bid'],
      [BooksColumn.AskLevels, 'ask'],
    ]);
    labelled(
      {
        name: 'book_checks_total',
        help: 'Cross-checks with the ticker, by result',
        kind: 'counter',
      },
      'result',
      BOOK_CHECKS,
    );
    labelled(
      {
        name: 'book_resyncs_total',
        help: 'Times the book was taken anew, by reason',
        kind: 'counter',
      },
      'reason',
      Object.entries(StateReason).map(([name, value]) => [
        BooksColumn.ResyncsByReason + value,
        name,
      ]),
    );
    metrics.add({
      name: 'book_state',
      help: '1 for the state that the book is in',
      kind: 'gauge',
      labels: ['instrument', 'state'],
      samples: () =>
        instruments.flatMap((i) =>
          Object.values(BookState).map((state) => ({
            labels: { instrument: i.name, state: bookStateName(state) },
            value: books.get(i.id, BooksColumn.State) === state ? 1 : 0,
          })),
        ),
    });
    metrics.add({
      name: 'books_not_live',
      help: 'Books that are not Live, by reason',
      kind: 'gauge',
      labels: ['reason'],
      samples: () => {
        const counts = new Map<string, number>([[stateReasonName(StateReason.None), 0]]);
        for (const { state, reason } of this.bookHealth()) {
          if (state === BookState.Live) continue;
          const name = stateReasonName(reason);
          counts.set(name, (counts.get(name) ?? 0) + 1);
        }
        return [...counts].map(([reason, value]) => ({ labels: { reason }, value }));
      },
    });
    this.addWorkers();
  }

  private addWorkers(): void {
    const { plan, memory } = this.sources;
    const workers = new CounterTable(countersOf(memory, 'books-workers'), BOOKS_WORKER_COLUMNS);
    const columns: [keyof typeof BooksWorkerColumn, string, string, Family['kind']][] = [
      ['Turns', 'books_turns_total', 'Duty cycles of the book worker', 'counter'],
      ['Records', 'books_records_total', 'Records taken from the feed ring', 'counter'],
      ['Misrouted', 'books_misrouted_total', 'Records for instruments of other workers', 'counter'],
      [
        'Spilled',
        'books_spilled_total',
        'Turns that ended with messages outside a full output ring',
        'counter',
      ],
      [
        'SpilledBytesMax',
        'books_spilled_bytes_max',
        'Most bytes that waited outside full output rings',
        'gauge',
      ],
      [
        'LeftOut',
        'books_left_out_total',
        'Messages left out of a full ring whose reader may not hold others up',
        'counter',
      ],
    ];
    for (const [column, name, help, kind] of columns) {
      this.metrics.add({
        name,
        help,
        kind,
        labels: ['worker'],
        samples: () =>
          Array.from({ length: plan.shards }, (_, shard) => ({
            labels: { worker: `books-${shard}` },
            value: workers.get(shard, BooksWorkerColumn[column]),
          })),
      });
    }
  }

  /** Instead of connections: the sources of a node's files, and what came of them. */
  private addNodeFiles(): void {
    const { memory } = this.sources;
    const perSource = new CounterTable(countersOf(memory, 'ingest-sources'), SOURCE_COLUMNS);
    const ofNode = new CounterTable(countersOf(memory, 'ingest-node'), NODE_COLUMNS);
    SOURCE_METRICS.forEach((metric, column) =>
      this.metrics.add({
        ...metric,
        labels: ['source'],
        samples: () =>
          NODE_SOURCES.map((source, row) => ({
            labels: { source },
            value: perSource.get(row, column),
          })),
      }),
    );
    NODE_METRICS.forEach((metric, column) =>
      this.metrics.add({
        ...metric,
        labels: [],
        samples: () => [{ labels: {}, value: ofNode.get(0, column) }],
      }),
    );
  }

  private addIngest(connections: readonly string[]): void {
    const { memory, venueId } = this.sources;
    const perConnection = new CounterTable(
      countersOf(memory, 'ingest-connections'),
      CONNECTION_COLUMNS,
    );
    const perVenue = new CounterTable(countersOf(memory, 'ingest-venue'), VENUE_COLUMNS);
    const byName = new Map<string, { column: number; fault: string | undefined }[]>();
    CONNECTION_METRICS.forEach((metric, column) => {
      byName.set(metric.name, [
        ...(byName.get(metric.name) ?? []),
        { column, fault: metric.fault },
      ]);
    });
    for (const [name, columns] of byName) {
      const { help, kind } = CONNECTION_METRICS[columns[0]!.column]!;
      const withFault = columns[0]!.fault !== undefined;
      this.metrics.add({
        name,
        help,
        kind,
        labels: ['venue', 'connection', ...(withFault ? ['fault'] : [])],
        samples: () =>
          connections.flatMap((connection, row) =>
            columns.map(({ column, fault }): Sample => ({
              labels: { venue: venueId, connection, ...(fault === undefined ? {} : { fault }) },
              value: perConnection.get(row, column),
            })),
          ),
      });
    }
    VENUE_METRICS.forEach(({ name, help, kind }, column) => {
      this.metrics.add({
        name,
        help,
        kind,
        labels: ['venue'],
        samples: () => [{ labels: { venue: venueId }, value: perVenue.get(0, column) }],
      });
    });
  }

  private addBroadcast(): void {
    const { plan, memory } = this.sources;
    if (!plan.broadcast) return;
    const table = new CounterTable(countersOf(memory, 'broadcast'), BROADCAST_COLUMNS);
    for (const { name, help, kind, label, columns } of BROADCAST_FAMILIES) {
      this.metrics.add({
        name,
        help,
        kind,
        labels: label === undefined ? [] : [label],
        samples: () =>
          Object.entries(columns).map(([value, column]) => ({
            labels: label === undefined ? {} : { [label]: value },
            value: table.get(0, column),
          })),
      });
    }
  }

  private addRings(): void {
    const { plan, memory } = this.sources;
    const rings = plan.rings.map((ring) => ({
      labels: { ring: ring.name },
      gauge: new RingGauge(ringOf(memory, ring.name)),
    }));
    const families: [string, string, (gauge: RingGauge) => number][] = [
      ['ring_used_bytes', 'Bytes that wait in the ring', (gauge) => gauge.usedWords() * 4],
      [
        'ring_high_water_bytes',
        'Most bytes that ever waited in it',
        (gauge) => gauge.highWaterWords() * 4,
      ],
      ['ring_capacity_bytes', 'Size of the ring', (gauge) => gauge.capacityWords() * 4],
    ];
    for (const [name, help, read] of families) {
      this.metrics.add({
        name,
        help,
        kind: 'gauge',
        labels: ['ring'],
        samples: () => rings.map(({ labels, gauge }) => ({ labels, value: read(gauge) })),
      });
    }
  }

  private addHops(): void {
    const { plan, memory } = this.sources;
    const writers: [string, number][] = Array.from({ length: plan.shards }, (_, shard) => [
      `books-${shard}`,
      shardHistogramRow(shard),
    ]);
    if (plan.broadcast) writers.push(['broadcast', broadcastHistogramRow(plan)]);
    const rows = writers.flatMap(([writer, first]) =>
      HOP_NAMES.map((hop, index) => ({
        labels: { hop, writer },
        reader: new HistogramReader(memory.histograms, first + index),
      })),
    );
    this.metrics.addDurations({
      name: 'hop_seconds',
      help: 'Time an event takes from one station to the next',
      // A hop belongs to one kind of writer: rows that nobody writes are not shown.
      get rows() {
        return rows.filter(({ reader }) => reader.count() > 0);
      },
    });
  }

  private addProcess(): void {
    const { plan, restarts, suppressedLines } = this.sources;
    const threads = plan.threads.map(({ name }) => name);
    const { metrics, loopDelay, recoveries } = this;
    metrics.add({
      name: 'thread_restarts_total',
      help: 'Replacements of a thread',
      kind: 'counter',
      labels: ['thread'],
      samples: () => threads.map((thread) => ({ labels: { thread }, value: restarts(thread) })),
    });
    metrics.add({
      name: 'thread_last_recovery_seconds',
      help: 'Duration of the last replacement',
      kind: 'gauge',
      labels: ['thread'],
      samples: () =>
        [...recoveries].map(([thread, ns]) => ({ labels: { thread }, value: ns / 1e9 })),
    });
    metrics.add({
      name: 'log_suppressed_lines_total',
      help: 'Log lines held back by the rate limit',
      kind: 'counter',
      labels: [],
      samples: () => [{ labels: {}, value: suppressedLines() }],
    });
    metrics.add({
      name: 'event_loop_delay_seconds',
      help: 'Delay of the main event loop beyond its timer',
      kind: 'gauge',
      labels: ['quantile'],
      samples: () =>
        [50, 99, 100].map((percent) => ({
          labels: { quantile: String(percent / 100) },
          value: Math.max(0, loopDelay.percentile(percent) / 1e9 - LIMITS.loopDelayEveryMs / 1e3),
        })),
    });
    metrics.add({
      name: 'memory_bytes',
      help: 'Memory of the process, by kind',
      kind: 'gauge',
      labels: ['kind'],
      samples: () =>
        Object.entries(process.memoryUsage()).map(([kind, value]) => ({ labels: { kind }, value })),
    });
  }
}
