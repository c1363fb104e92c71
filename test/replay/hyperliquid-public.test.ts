/**
 * Replay of a real recording of Hyperliquid's public channels, line by line against what the frames
 * themselves say, read here by JSON.parse.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ReplayRun } from '../../src/node/replay-run.js';
import { CaptureRun } from '../../src/replay/capture-run.js';
import { surveyCapture } from '../../src/replay/capture-survey.js';
import type { LineMode } from '../../src/replay/replay-lines.js';
import { venueById } from '../../src/venues/registry.js';
import { capturesDirectory } from '../support/captures.js';

interface Level {
  readonly px: string;
  readonly sz: string;
}
interface Trade {
  readonly px: string;
  readonly sz: string;
  readonly time: number;
  readonly tid: number;
  readonly side: string;
}
type Frame =
  | { channel: 'l2Book'; data: { time: number; levels: [Level[], Level[]] } }
  | { channel: 'trades'; data: Trade[] };

function capturePath(t: TestContext): string | null {
  const directory = capturesDirectory();
  if (directory === null) {
    t.skip('no captures: set RINGSIDE_CAPTURES');
    return null;
  }
  return join(directory, 'hyperliquid', 'hftbacktest', 'hyperliquid_btcusd_20250126.gz');
}

function framesOf(path: string): Frame[] {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line.slice(line.indexOf(' ') + 1)) as Frame);
}

async function replay(path: string, mode: LineMode): Promise<{ lines: unknown[]; run: ReplayRun }> {
  const venue = venueById('hyperliquid');
  const { facts, firstSecond } = await surveyCapture(venue, [path], () => {});
  const run = new ReplayRun({
    venue,
    facts,
    wanted: facts.instruments,
    firstSecond,
    mode,
    depth: 20,
  });
  for await (const batch of new CaptureRun([path]).batches()) {
    for (const entry of batch) run.step(entry);
  }
  run.close();
  const lines = run.lines.takeLines().trim().split('\n');
  return { lines: lines.map((line) => JSON.parse(line) as unknown), run };
}

test('Replay: every l2Book frame of the capture gives its book, one line a frame', async (t) => {
  const path = capturePath(t);
  if (path === null) return;
  const books = framesOf(path).flatMap((f) => (f.channel === 'l2Book' ? [f.data] : []));
  const { lines, run } = await replay(path, 'book');
  assert.equal(books.length, 46);
  assert.equal(lines.length, books.length);
  const sides = (levels: readonly Level[]): string[][] =>
    levels.map(({ px, sz }) => [px, Number(sz).toFixed(5)]);
  for (const [i, { time, levels }] of books.entries()) {
    const { venueSequence, state, bids, asks } = lines[i] as Record<string, unknown>;
    assert.deepEqual(
      { venueSequence, state, bids, asks },
      { venueSequence: `${time}`, state: 'Live', bids: sides(levels[0]), asks: sides(levels[1]) },
    );
  }
  const summary = run.summary();
  assert.deepEqual(
    [summary.applied, summary.gaps, summary.resyncs, summary.crossed, summary.faults],
    [46, 0, 0, 0, 0],
  );
  assert.ok(run.lines.hashesChecked >= 46);
});

test('Replay: every trade of the capture comes once, the replayed history of the first frame too', async (t) => {
  const path = capturePath(t);
  if (path === null) return;
  const trades = framesOf(path).flatMap((f) => (f.channel === 'trades' ? f.data : []));
  const { lines } = await replay(path, 'trades');
  assert.equal(trades.length, 64);
  assert.deepEqual(
    lines.map((line) => {
      const { tradeId, price, size, exchangeNs, aggressor } = line as Record<string, string>;
      return [tradeId, price, size, exchangeNs, aggressor];
    }),
    trades.map(({ tid, px, sz, time, side }) => [
      `${tid}`,
      px,
      Number(sz).toFixed(5),
      `${time}000000`,
      side === 'B' ? 'Buy' : 'Sell',
    ]),
  );
});
