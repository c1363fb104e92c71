/**
 * The most frames a second from the venue's socket to the client's, with a bounded number of frames on
 * the way: nobody drops anything, and everybody works in as large batches as he can.
 */
import { defineBench, median, row, type BenchRow } from './harness.js';
import { compileLoopback, Pipeline, type PipelineReading, SYSTEMS } from './pipeline-systems.js';

const PART = 'Pipeline throughput';
const WINDOW_FRAMES = 4_096;
const ROUNDS = 3;
const RUN_MS = 1_500;

export default defineBench({
  part: PART,
  needs: 'cc',
  mix: `frames of 20 levels (735 B) on one socket, one client of the full book, at most ${WINDOW_FRAMES} frames on the way`,
  async run() {
    const loopback = compileLoopback();
    const readings = new Map<string, PipelineReading[]>(SYSTEMS.map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of SYSTEMS) {
        const pipeline = await Pipeline.start(loopback, name);
        try {
          await pipeline.flood(WINDOW_FRAMES, RUN_MS);
          readings.get(name)!.push(await pipeline.flood(WINDOW_FRAMES, RUN_MS));
        } finally {
          await pipeline.stop();
        }
      }
    }
    const most = (name: string): number =>
      median(readings.get(name)!.map(({ perSecond }) => perSecond));
    const peers = loopback.note === '' ? '' : `; ${loopback.note}`;
    const rows: BenchRow[] = [];
    for (const layout of ['fused', 'split', 'full'] as const) {
      const all = readings.get(layout)!;
      const lost = Math.max(...all.map(({ lost: frames }) => frames));
      const cost = median(all.map(({ processorUs, received }) => processorUs / received));
      for (const rival of ['plain program', 'relay in C'] as const) {
        rows.push(
          row({
            part: PART,
            case: `${layout}, as fast as it goes`,
            unit: 'frames/s',
            ours: most(layout),
            rival,
            rivalNs: most(rival),
            higherIsBetter: true,
            note: `${cost.toFixed(2)} µs of processor a frame, ${lost} lost${peers}`,
          }),
        );
      }
    }
    return rows;
  },
});
