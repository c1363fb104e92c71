/**
 * What stopped readers do to the others: latency from publication to a healthy reader's thread, with
 * none and with a tenth of the readers stopped (their kernel buffers full, they themselves conflated).
 */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BroadcastAgent } from '../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS, BroadcastColumn } from '../src/broadcast/broadcast-counters.js';
import { resolveLimits } from '../src/broadcast/limits.js';
import { UwsServer } from '../src/broadcast/uws-server.js';
import { Prng } from '../src/domain/prng.js';
import { invariant } from '../src/faults/invariant.js';
import { CounterTable, createCounterTable } from '../src/rings/counters.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { createRing } from '../src/rings/ring-layout.js';
import { readTimelineOrigin } from '../src/time/system-clock.js';
import { SystemScheduler } from '../src/time/system-scheduler.js';
import { Timeline } from '../src/time/timeline.js';
import { FakeBooks, testInstruments } from '../test/broadcast/support/fake-books.js';
import { defineBench, median, row } from './harness.js';
import type { BenchRow } from './harness.js';
import type { SlowReaderWork } from './slow-reader-clients.js';
import { timeCell } from '../src/time/clock.js';

const PART = 'Slow readers';
const CLIENTS = 50;
const ROUNDS = 5;
const MESSAGES = 1000;
const EVERY_NS = 2e6;
const REQUEST = '{"op":"subscribe","channel":"bbo","instrument":"test:SYM0"}';

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

async function latencies(stopped: number): Promise<Quantiles> {
  const origin = readTimelineOrigin();
  const clock = new SystemScheduler(origin.monotonicNs);
  const timeline = new Timeline(origin.unixNs);
  const overrides = { connectionsPerAddressMax: CLIENTS };
  const ring = createRing(1 << 20);
  const table = createCounterTable(1, BROADCAST_COLUMNS);
  const counters = new CounterTable(table, BROADCAST_COLUMNS);
  const instruments = testInstruments(1);
  const books = new FakeBooks(ring, instruments, timeline, clock, new Prng(1));
  const agent = new BroadcastAgent({
    instruments,
    inputs: [new RingConsumer(ring)],
    server: new UwsServer({ limits: resolveLimits(overrides) }),
    clock,
    timeline,
    counters: table,
    limits: overrides,
    version: 'bench',
  });
  const port = await agent.listen('127.0.0.1', 0);
  books.align(0, 5);
  const healthy = CLIENTS - stopped;
  const results = new SharedArrayBuffer((1 + healthy * MESSAGES) * 8);
  const workerData: SlowReaderWork = { port, healthy, stopped, request: REQUEST, results };
  const readers = new Worker(new URL('./slow-reader-clients.js', import.meta.url), { workerData });
  await once(readers, 'message');
  const turn = async (): Promise<void> => {
    agent.doWork(timeCell(clock.nowNs()));
    await nextTurn();
  };
  const column = (name: keyof typeof BroadcastColumn): number =>
    counters.get(0, BroadcastColumn[name]);
  while (column('Subscriptions') < CLIENTS) await turn();
  // Until the stopped ones are full and conflated; with none the same load, to be fair.
  const allFull = (): boolean => stopped > 0 && column('FellBehind') >= stopped;
  for (let i = 0; i < 40_000 && !allFull(); i++) {
    books.event(0, 0);
    if (i % 64 === 63) await turn();
  }
  invariant(column('FellBehind') >= stopped, 'the stopped readers are behind');
  const waitUntilNs = async (dueNs: number): Promise<void> => {
    while (clock.nowNs() < dueNs) await turn();
  };
  await waitUntilNs(clock.nowNs() + 500e6);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
  readers.postMessage('measure');
  await waitUntilNs(clock.nowNs() + 100e6);
  const startNs = clock.nowNs();
  for (let i = 0; i < MESSAGES; i++) {
    await waitUntilNs(startNs + i * EVERY_NS);
    books.event(0, 0);
  }
  const measured = new Float64Array(results);
  await waitUntilNs(clock.nowNs() + 300e6);
  invariant(measured[0] === healthy * MESSAGES, 'every healthy reader got every message');
  const sorted = measured.slice(1, 1 + measured[0]!).sort();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
  readers.postMessage('close');
  await once(readers, 'exit');
  agent.onClose();
  const at = (q: number): number => sorted[Math.floor(sorted.length * q)]!;
  return { p50: at(0.5), p99: at(0.99) };
}

export default defineBench({
  part: PART,
  mix: `BBO messages, ${1e9 / EVERY_NS} a second to ${CLIENTS} readers; rival: the same with none stopped`,
  async run() {
    const none: Quantiles[] = [];
    const some: Quantiles[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      none.push(await latencies(0));
      some.push(await latencies(CLIENTS / 10));
    }
    const rows: BenchRow[] = [];
    for (const quantile of ['p50', 'p99'] as const) {
      const medianUs = (all: readonly Quantiles[]): number =>
        median(all.map((each) => each[quantile])) / 1e3;
      rows.push(
        row({
          part: PART,
          case: `healthy ${quantile}, a tenth stopped`,
          ours: medianUs(some),
          rival: 'none stopped',
          rivalNs: medianUs(none),
          unit: 'µs',
        }),
      );
    }
    return rows;
  },
});
