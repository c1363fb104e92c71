/**
 * A depth frame of Binance futures, bytes → ring record (one EventSink call), against what a Node
 * program does first: latin1 text, JSON.parse, Number of each text; and the same with simdjson's parse,
 * where it is installed. All write the same doubles into an array; the answer is their sum.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { formatDecimal } from '../src/domain/decimal.js';
import type { Instrument } from '../src/domain/instrument.js';
import { Prng } from '../src/domain/prng.js';
import { copyDoubles } from '../src/rings/copy-doubles.js';
import { SEQUENCE_LAST } from '../src/rings/record-types.js';
import { Timeline } from '../src/time/timeline.js';
import { FuturesParser } from '../src/venues/binance-futures/parse.js';
import { ParseResult } from '../src/venues/venue.js';
import { capturesDirectory } from '../test/support/captures.js';
import { defineBench, measure } from './harness.js';
import type { BenchRow } from './harness.js';
import { findSimdjson } from './simdjson.js';
import type { ParseJson } from './simdjson.js';

const PART = 'Parse a Binance depth frame';
const PRICE_DECIMALS = 2;
const SIZE_DECIMALS = 3;
const FRAMES = 200;
const REAL_FRAMES_MAX = 6000;
const RECORD_DOUBLES = 1 << 18;
const simdjson = findSimdjson();

const instrument: Instrument = {
  id: 0,
  venue: 'binance-futures',
  symbol: 'ETHUSDT',
  name: 'binance-futures:ETHUSDT',
  base: 'ETH',
  quote: 'USDT',
  kind: 'perpetual',
  priceDecimals: PRICE_DECIMALS,
  sizeDecimals: SIZE_DECIMALS,
  tickSize: 1,
  lotSize: 1,
  priceSignificantFigures: 0,
  trading: 0,
};

/** Frames with `levels` levels each, half of them bids, sizes as they are: mostly small, some large. */
function madeFrames(levels: number, prng: Prng): Uint8Array[] {
  return Array.from({ length: FRAMES }, (_, i) => {
    const side = (sign: number): string[][] =>
      Array.from({ length: levels / 2 }, (__, rank) => [
        formatDecimal(268_162 + sign * (1 + rank * 3), PRICE_DECIMALS),
        formatDecimal(prng.nextInt(prng.chance(0.2) ? 2_000_000 : 30_000), SIZE_DECIMALS),
      ]);
    const first = 5_123_107_832_349 + i * 5000;
    const data = {
      e: 'depthUpdate',
      E: 1_723_161_256_303 + i,
      T: 1_723_161_256_301 + i,
      s: instrument.symbol,
      U: first,
      u: first + 4000,
      pu: first - 10,
      b: side(-1),
      a: side(1),
    };
    return Buffer.from(JSON.stringify({ stream: 'ethusdt@depth@0ms', data }));
  });
}

function realFrames(): Uint8Array[] {
  const directory = capturesDirectory();
  if (directory === null) return [];
  const file = join(directory, 'binance/hftbacktest/usdm_ethusdt_20240808.gz');
  const lines = gunzipSync(readFileSync(file)).toString('latin1').split('\n');
  return lines
    .filter((line) => line.includes('"depthUpdate"'))
    .slice(0, REAL_FRAMES_MAX)
    .map((line) => Buffer.from(line.slice(line.indexOf(' ') + 1)));
}

/** Takes events as a ring does: copies them. */
class Taker {
  readonly record = new Float64Array(RECORD_DOUBLES);
  sum = 0;
  levels = 0;

  accept(_recordType: number, event: Float64Array, doubles: number): boolean {
    const { record } = this;
    copyDoubles(event, doubles, record, 0);
    this.sum += record[SEQUENCE_LAST]! + record[10]! + record[doubles - 1]!;
    this.levels += record[8]! + record[9]!;
    return true;
  }
}

/** @param wasmBytesMin Infinity: with the JavaScript scanner alone */
function ours(frames: readonly Uint8Array[], wasmBytesMin?: number): () => number {
  const taker = new Taker();
  const timeline = new Timeline(1_723_161_255_000_000_000n);
  const parser = new FuturesParser([instrument], 'trade', timeline, taker, wasmBytesMin);
  return () => {
    taker.sum = 0;
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]!;
      if (parser.parse(frame, 0, frame.length, 5) !== ParseResult.Events) return NaN;
    }
    return taker.sum;
  };
}

interface DepthFrame {
  readonly data: {
    readonly E: number;
    readonly T: number;
    readonly s: string;
    readonly U: number;
    readonly u: number;
    readonly pu: number;
    readonly b: readonly (readonly [string, string])[];
    readonly a: readonly (readonly [string, string])[];
  };
}

function plain(frames: readonly Uint8Array[], parseJson: ParseJson = JSON.parse): () => number {
  const instruments = new Map([[instrument.symbol, instrument]]);
  const record = new Float64Array(RECORD_DOUBLES);
  const priceFactor = 10 ** PRICE_DECIMALS;
  const sizeFactor = 10 ** SIZE_DECIMALS;
  const parse = (frame: Uint8Array): number => {
    const { data } = parseJson((frame as Buffer).toString('latin1')) as DepthFrame;
    record[0] = instruments.get(data.s)!.id;
    record[2] = data.E * 1e6;
    record[4] = data.U;
    record[5] = data.u;
    record[6] = data.pu;
    record[7] = data.T * 1e6;
    record[8] = data.b.length;
    record[9] = data.a.length;
    let at = 10;
    for (const [price, size] of data.b) {
      record[at++] = Math.round(Number(price) * priceFactor);
      record[at++] = Math.round(Number(size) * sizeFactor);
    }
    for (const [price, size] of data.a) {
      record[at++] = Math.round(Number(price) * priceFactor);
      record[at++] = Math.round(Number(size) * sizeFactor);
    }
    return record[5]! + record[10]! + record[at - 1]!;
  };
  return () => {
    let sum = 0;
    for (const frame of frames) sum += parse(frame);
    return sum;
  };
}

/** JSON.parse alone, on text: what no program that uses it can be faster than. */
function parseOnly(frames: readonly Uint8Array[]): () => number {
  return () => {
    let sum = 0;
    for (const frame of frames) {
      sum += (JSON.parse((frame as Buffer).toString('latin1')) as DepthFrame).data.b.length;
    }
    return sum;
  };
}

function levelsOf(frames: readonly Uint8Array[]): number {
  const taker = new Taker();
  const parser = new FuturesParser([instrument], 'trade', new Timeline(0n), taker);
  for (const frame of frames) parser.parse(frame, 0, frame.length, 0);
  return taker.levels;
}

async function rowsOf(name: string, frames: readonly Uint8Array[]): Promise<BenchRow[]> {
  const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
  const shared = { part: PART, unit: 'ns/level', operations: levelsOf(frames) };
  const numbers = { name: 'JSON.parse + Number', run: plain(frames) };
  const note = `${Math.round(bytes / frames.length)} bytes a frame`;
  return [
    ...(await measure({
      ...shared,
      case: name,
      ours: ours(frames),
      rivals: [
        numbers,
        ...(simdjson === null ? [] : [{ name: 'simdjson + Number', run: plain(frames, simdjson) }]),
        { name: 'JSON.parse alone', run: parseOnly(frames), ownAnswer: true },
      ],
      note: usesWasm() ? `${note}, WebAssembly` : `${note}, no WebAssembly here`,
    })),
    ...(await measure({
      ...shared,
      case: `${name}, JavaScript scanner`,
      ours: ours(frames, Infinity),
      rivals: [numbers],
      note,
    })),
  ];
}

function usesWasm(): boolean {
  return new FuturesParser([instrument], 'trade', new Timeline(0n), new Taker()).usesWasm;
}

export default defineBench({
  part: PART,
  mix: 'combined-stream depth frames, half bids, prices of 6 digits, sizes of 1 to 7; real: ETHUSDT 2024-08-08',
  async run() {
    const prng = new Prng(1);
    const rows: BenchRow[] = [];
    for (const levels of [20, 100, 1000]) {
      rows.push(...(await rowsOf(`${levels} levels`, madeFrames(levels, prng))));
    }
    const real = realFrames();
    if (real.length > 0) rows.push(...(await rowsOf(`real, ${real.length} frames`, real)));
    return rows;
  },
});
