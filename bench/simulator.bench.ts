/**
 * How many book updates a second the simulated exchange makes on one core, alone and in a dialect.
 */
import { invariant } from '../src/faults/invariant.js';
import { Exchange } from '../src/simulator/exchange.js';
import { MARKETS_COUNT_DEFAULT, marketSpecs } from '../src/simulator/market-specs.js';
import { createSimulatedVenue } from '../src/simulator/simulator.js';
import { Timeline } from '../src/time/timeline.js';
import { VirtualClock } from '../src/time/virtual-clock.js';
import { defineBench, median, row } from './harness.js';
import type { BenchRow } from './harness.js';

const UPDATES = 100_000;
const ROUNDS = 5;
const RATE = 50_000;
const PART = 'Simulator';

/** Updates a second of real time; one warm-up round. */
function rateOf(advance: () => number): number {
  const rates: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const startedMs = performance.now();
    const updates = advance();
    if (round > 0) rates.push(Math.round((updates * 1000) / (performance.now() - startedMs)));
  }
  return median(rates);
}

function coreAlone(): number {
  const exchange = new Exchange({
    specs: marketSpecs(),
    seed: 1,
    ratePerSecond: RATE,
    startNs: 0,
    truthWindow: 1 << 12,
  });
  let nowNs = 0;
  return rateOf(() => {
    const from = exchange.updatesCount;
    for (; exchange.updatesCount - from < UPDATES; nowNs += 1e6) exchange.runUntil(nowNs, Infinity);
    return exchange.updatesCount - from;
  });
}

function withDialect(suffixes: readonly string[]): { rate: number; frames: number; bytes: number } {
  const clock = new VirtualClock();
  const { venue } = createSimulatedVenue({
    scheduler: clock,
    timeline: new Timeline(1_790_000_000_000_000_000n),
    ratePerSecond: RATE,
    truthWindow: 1 << 12,
  });
  let frames = 0;
  let bytes = 0;
  const names = venue.exchange.markets.flatMap(({ spec }) =>
    suffixes.map((suffix) => `${spec.symbol.toLowerCase()}@${suffix}`),
  );
  const session = venue.open(`/public/stream?streams=${names.join('/')}`, {
    send: (frame) => {
      frames++;
      bytes += frame.length;
    },
    sendText() {},
    ping() {},
    close() {},
    terminate() {},
    freeze() {},
  });
  invariant(session !== null, 'the endpoint is there');
  const { exchange } = venue;
  venue.start();
  const rate = rateOf(() => {
    const from = exchange.updatesCount;
    while (exchange.updatesCount - from < UPDATES) clock.advanceBy(1e6);
    return exchange.updatesCount - from;
  });
  invariant(exchange.skippedNs === 0, 'no time was left out');
  venue.stop();
  return { rate, frames: frames / exchange.updatesCount, bytes: Math.round(bytes / frames) };
}

export default defineBench({
  part: PART,
  mix: `${MARKETS_COUNT_DEFAULT} markets, books of 150 to 900 levels a side, on a virtual clock`,
  run() {
    const rows: BenchRow[] = [
      row({
        part: PART,
        case: 'exchange alone',
        ours: coreAlone(),
        unit: 'updates/s',
        higherIsBetter: true,
      }),
    ];
    const mixes = [
      ['depth@0ms'],
      ['depth@0ms', 'bookTicker', 'trade'],
      ['depth@100ms', 'bookTicker', 'trade'],
    ] as const;
    for (const suffixes of mixes) {
      const { rate, frames, bytes } = withDialect(suffixes);
      rows.push(
        row({
          part: PART,
          case: `with frames: ${suffixes.join(', ')}`,
          ours: rate,
          unit: 'updates/s',
          note: `${frames.toFixed(2)} frames an update, ${bytes} B a frame, no sockets`,
          higherIsBetter: true,
        }),
      );
    }
    return Promise.resolve(rows);
  },
});
