/**
 * From a frame on the venue's socket to the client's socket, at fixed loads: what the whole node adds,
 * layout by layout, beside the plain program and beside a relay in C that reads nothing (the floor).
 * Open loop: each frame is due at a fixed time and timed from then, so a stall counts in full.
 */
import { defineBench, median, row, type BenchRow } from './harness.js';
import {
  compileLoopback,
  type Loopback,
  Pipeline,
  type PipelineReading,
  SYSTEMS,
  type SystemName,
} from './pipeline-systems.js';

const PART = 'Pipeline latency';
const LOADS = [1_000, 10_000, 50_000];
const ROUNDS = 3;
const RUN_MS = 1_500;
/** Compilers and the collector's first rounds are over by then, for everybody. */
const WARM_MS = 9_000;

type Readings = Map<string, PipelineReading[]>;

async function measureOnce(
  loopback: Loopback,
  name: SystemName,
  readings: Readings,
): Promise<void> {
  const pipeline = await Pipeline.start(loopback, name);
  try {
    await pipeline.run(LOADS[1]!, WARM_MS);
    for (const load of LOADS) {
      const key = `${name} ${load}`;
      const reading = await pipeline.run(load, RUN_MS);
      readings.set(key, [...(readings.get(key) ?? []), reading]);
    }
  } finally {
    await pipeline.stop();
  }
}

function rowsAt(load: number, readings: Readings, peers: string): BenchRow[] {
  const middle = (name: SystemName, field: 'p50' | 'p99' | 'p999'): number =>
    median(readings.get(`${name} ${load}`)!.map((reading) => reading[field]));
  const missing = (name: SystemName): number =>
    Math.max(...readings.get(`${name} ${load}`)!.map(({ sent, received }) => sent - received));
  const about = (name: SystemName): string => {
    const late = missing(name) > 0 ? `, ${missing(name)} not delivered in time` : '';
    return `${name} p50/p99/p99.9 ${['p50', 'p99', 'p999'].map((f) => Math.round(middle(name, f as 'p50'))).join('/')}${late}`;
  };
  const rows: BenchRow[] = [];
  for (const layout of ['fused', 'split', 'full'] as const) {
    for (const field of ['p50', 'p99'] as const) {
      for (const rival of ['relay in C', 'plain program'] as const) {
        rows.push(
          row({
            part: PART,
            case: `${layout}, ${load / 1000} k frames/s, ${field}`,
            unit: 'µs',
            ours: middle(layout, field),
            rival,
            rivalNs: middle(rival, field),
            note: field === 'p50' ? `${about(layout)}; ${about(rival)}${peers}` : '',
          }),
        );
      }
    }
  }
  return rows;
}

export default defineBench({
  part: PART,
  needs: 'cc',
  mix: `frames of 20 levels (735 B) on one socket, one client of the full book, open loop, ${ROUNDS} rounds of ${RUN_MS} ms after ${WARM_MS / 1000} s of warming up, median`,
  async run() {
    const loopback = compileLoopback();
    const readings: Readings = new Map();
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of SYSTEMS) await measureOnce(loopback, name, readings);
    }
    const peers = loopback.note === '' ? '' : `; ${loopback.note}`;
    return LOADS.flatMap((load) => rowsAt(load, readings, peers));
  },
});
