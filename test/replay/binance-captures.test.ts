/**
 * Replays of real Binance recordings, line by line against what the recording itself says: which
 * updates count, and that the best bid and ask after each are those of the venue's own bookTicker.
 * The comparison is that of captures/tools/check_binance.py, on the venue's own decimal text.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ReplayRun } from '../../src/node/replay-run.js';
import type { ReplaySummary } from '../../src/node/replay-run.js';
import { CaptureRun } from '../../src/replay/capture-run.js';
import { surveyCapture } from '../../src/replay/capture-survey.js';
import type { LineMode } from '../../src/replay/replay-lines.js';
import { venueById } from '../../src/venues/registry.js';
import { capturesDirectory } from '../support/captures.js';
import { readCapture } from '../support/read-capture.js';
import type { RecordedSymbol, TickerMessage } from '../support/read-capture.js';

interface BboLine {
  readonly instrument: string;
  readonly sequence: number;
  readonly venueSequence: string;
  readonly state: string;
  readonly bid: [string, string] | null;
  readonly ask: [string, string] | null;
}

/** Lines are objects of the mode's shape. */
async function replay(
  paths: readonly string[],
  mode: LineMode,
): Promise<{ lines: unknown[]; summary: ReplaySummary }> {
  const { facts, firstSecond } = await surveyCapture(venueById('binance-futures'), paths, () => {});
  const venue = venueById('binance-futures', { settings: facts.settings });
  const options = { venue, facts, wanted: facts.instruments, firstSecond, mode, depth: 5 };
  const run = new ReplayRun(options);
  const lines: unknown[] = [];
  const take = (): void => {
    for (const line of run.lines.takeLines().split('\n')) {
      if (line !== '') lines.push(JSON.parse(line));
    }
  };
  for await (const batch of new CaptureRun(paths).batches()) {
    for (const entry of batch) run.step(entry);
    take();
  }
  run.close();
  take();
  return { lines, summary: run.summary() };
}

/** Lines of one instrument against its tickers. */
function compare(
  lines: readonly BboLine[],
  recorded: RecordedSymbol,
): { compared: number; equal: number } {
  const tickers = [...recorded.tickers].sort((a, b) => a.u - b.u);
  let compared = 0;
  let equal = 0;
  let next = 0;
  for (const line of lines) {
    const id = Number(line.venueSequence);
    while (next < tickers.length && tickers[next]!.u <= id) next++;
    // comparable: between two tickers, so that none can be missing at the end
    if (next === 0 || next === tickers.length) continue;
    const { b, B, a, A } = tickers[next - 1] as TickerMessage;
    compared++;
    if (line.bid?.[0] === b && line.bid[1] === B && line.ask?.[0] === a && line.ask[1] === A)
      equal++;
  }
  return { compared, equal };
}

interface Expectation {
  readonly name: string;
  readonly files: readonly string[];
  /** Updates that can be compared with a ticker, and how many of them are equal. */
  readonly compared: number;
  readonly equal: number;
}

const DIRECTORY = capturesDirectory();
const HFT = 'binance/hftbacktest/';
const CRYPTOFEED = 'binance/cryptofeed/';
const RUNS: readonly Expectation[] = [
  {
    name: 'USD-M BTCUSDT over midnight',
    files: [`${HFT}usdm_btcusdt_20240718.gz`, `${HFT}usdm_btcusdt_20240719.gz`],
    compared: 9017,
    equal: 9017,
  },
  { name: 'USD-M ETHUSDT', files: [`${HFT}usdm_ethusdt_20240808.gz`], compared: 6579, equal: 6579 },
  {
    name: 'USD-M of five symbols in one file',
    files: [`${CRYPTOFEED}BINANCE_FUTURES-1125a2.0.6397a047`],
    compared: 4374,
    equal: 4374,
  },
  {
    name: 'USD-M of four symbols in three files',
    files: ['', '.http.0', '.ws.1'].map((part) => `${CRYPTOFEED}BINANCE_FUTURES${part}.0`),
    compared: 720,
    equal: 720,
  },
  // ids whose ticker never reached the recorder: the venue's line, not the book, is at fault
  {
    name: 'COIN-M of ten symbols',
    files: ['', '.http.0', '.ws.1'].map((part) => `${CRYPTOFEED}BINANCE_DELIVERY${part}.0`),
    compared: 1730,
    equal: 1727,
  },
];

for (const { name, files, compared, equal } of RUNS) {
  test(`Replay of ${name}: every update of the recording, each with the venue's own best`, async (t) => {
    if (DIRECTORY === null) return t.skip('no captures: set RINGSIDE_CAPTURES');
    const paths = files.map((file) => join(DIRECTORY, file));
    const recorded = readCapture(paths);
    const { lines: all, summary } = await replay(paths, 'bbo');
    const lines = all as BboLine[];
    const total = { compared: 0, equal: 0, applied: 0, stale: 0, trades: 0 };
    for (const [symbol, of] of recorded) {
      const own = lines.filter(({ instrument }) => instrument === `binance-futures:${symbol}`);
      const snapshotAt = of.lastUpdateId!;
      const expected = of.depth.filter(({ u }) => u >= snapshotAt);
      assert.deepEqual(
        own.map(({ venueSequence }) => Number(venueSequence)),
        expected.map(({ u }) => u),
      );
      assert.ok(own.every(({ state }) => state === 'Live'));
      assert.ok(own.every(({ sequence }, i) => i === 0 || sequence === own[i - 1]!.sequence + 1));
      const result = compare(own, of);
      total.compared += result.compared;
      total.equal += result.equal;
      total.applied += expected.length;
      total.stale += of.depth.length - expected.length;
      total.trades += of.trades.length;
    }
    assert.deepEqual({ compared: total.compared, equal: total.equal }, { compared, equal });
    const { applied, stale, trades, gaps, resyncs, crossed, faults } = summary;
    assert.deepEqual(
      { applied, stale, trades, gaps, resyncs, crossed, faults },
      {
        applied: total.applied,
        stale: total.stale,
        trades: total.trades,
        gaps: 0,
        resyncs: 0,
        crossed: 0,
        faults: 0,
      },
    );
    assert.ok(summary.instruments.every(({ state, failed }) => state === 'Live' && failed === 0));
    assert.equal(summary.instruments.length, recorded.size);
  });
}

test('Replay: the same recording gives the same hash and lines every time', async (t) => {
  if (DIRECTORY === null) return t.skip('no captures: set RINGSIDE_CAPTURES');
  const paths = RUNS[3]!.files.map((file) => join(DIRECTORY, file));
  const first = await replay(paths, 'book');
  const second = await replay(paths, 'book');
  assert.deepEqual(first, second);
});

test('Replay: trades come out in order with the text of the venue', async (t) => {
  if (DIRECTORY === null) return t.skip('no captures: set RINGSIDE_CAPTURES');
  const paths = RUNS[3]!.files.map((file) => join(DIRECTORY, file));
  interface TradeLine {
    instrument: string;
    price: string;
    size: string;
    tradeId: string;
    aggressor: string;
  }
  const lines = (await replay(paths, 'trades')).lines as TradeLine[];
  for (const [symbol, { trades }] of readCapture(paths)) {
    const own = lines.filter(({ instrument }) => instrument.endsWith(`:${symbol}`));
    assert.deepEqual(
      own.map(({ price, size, tradeId, aggressor }) => [price, size, tradeId, aggressor]),
      trades.map(({ p, q, m, id }) => [p, q, String(id), m ? 'Sell' : 'Buy']),
    );
  }
});
