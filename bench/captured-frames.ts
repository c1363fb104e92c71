/**
 * Binance USD-M depth frames as bytes, with the snapshot they continue: the real capture of BTCUSDT
 * where the captures are, else the synthetic market of book-events.ts written as the venue writes it.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Instrument } from '../src/domain/instrument.js';
import { invariant } from '../src/faults/invariant.js';
import { CaptureRun } from '../src/replay/capture-run.js';
import {
  ASKS_COUNT,
  BIDS_COUNT,
  LEVELS,
  RecordType,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
} from '../src/rings/record-types.js';
import { venueById } from '../src/venues/registry.js';
import { type FeedEvent, syntheticFeed } from './book-events.js';

export interface DepthCapture {
  readonly source: string;
  readonly instrument: Instrument;
  /** Body of the REST answer. */
  readonly snapshot: Uint8Array;
  /** Frames from the first that the snapshot does not wholly contain; all continuous. */
  readonly frames: readonly Uint8Array[];
  readonly levels: number;
}

const FILES = ['usdm_btcusdt_20240718.gz', 'usdm_btcusdt_20240719.gz'];
const IS_DEPTH = '"e":"depthUpdate"';
const HEAD_BYTES = 64;

export async function loadDepthCapture(): Promise<DepthCapture> {
  const repository = resolve(import.meta.dirname, '../..');
  const captures = process.env['RINGSIDE_CAPTURES'] ?? resolve(repository, '../shared/captures');
  const paths = FILES.map((file) => join(captures, 'binance/hftbacktest', file));
  return paths.every((path) => existsSync(path)) ? captured(paths) : synthetic();
}

async function captured(paths: readonly string[]): Promise<DepthCapture> {
  const scout = venueById('binance-futures').createCaptureScout!();
  const depth: Uint8Array[] = [];
  let snapshot: Uint8Array | null = null;
  for await (const batch of new CaptureRun(paths).batches()) {
    for (const { file, bytes } of batch) {
      scout.onFrame(file, bytes);
      const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(HEAD_BYTES, bytes.length));
      if (head.includes(IS_DEPTH)) depth.push(Buffer.from(bytes));
      else if (head.includes('"lastUpdateId"')) snapshot = Buffer.from(bytes);
    }
  }
  invariant(snapshot !== null, 'the capture holds a snapshot');
  const instrument = scout.finish().instruments[0]!;
  return fromSnapshotOn('Binance USD-M BTCUSDT 2024-07-18/19', instrument, snapshot, depth);
}

function fromSnapshotOn(
  source: string,
  instrument: Instrument,
  snapshot: Uint8Array,
  depth: readonly Uint8Array[],
): DepthCapture {
  const { lastUpdateId } = JSON.parse(textOf(snapshot)) as { lastUpdateId: number };
  const first = depth.findIndex((frame) => depthOf(frame).u >= lastUpdateId);
  invariant(first >= 0, 'frames continue the snapshot');
  const frames = depth.slice(first);
  let levels = 0;
  for (const frame of frames) {
    const { b, a } = depthOf(frame);
    levels += b.length + a.length;
  }
  return { source, instrument, snapshot, frames, levels };
}

interface DepthData {
  readonly u: number;
  readonly b: readonly [string, string][];
  readonly a: readonly [string, string][];
}

function depthOf(frame: Uint8Array): DepthData {
  return (JSON.parse(textOf(frame)) as { data: DepthData }).data;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function synthetic(): DepthCapture {
  const { source, instrument, events } = syntheticFeed();
  const texts = (from: number, count: number, { doubles }: FeedEvent): [string, string][] =>
    Array.from({ length: count }, (_, i) => [
      (doubles[from + 2 * i]! / 10 ** instrument.priceDecimals).toFixed(instrument.priceDecimals),
      (doubles[from + 2 * i + 1]! / 10 ** instrument.sizeDecimals).toFixed(instrument.sizeDecimals),
    ]);
  const sides = (event: FeedEvent): [[string, string][], [string, string][]] => {
    const bids = event.doubles[BIDS_COUNT]!;
    const asksAt = LEVELS + 2 * bids;
    return [texts(LEVELS, bids, event), texts(asksAt, event.doubles[ASKS_COUNT]!, event)];
  };
  const frames: Uint8Array[] = [];
  let snapshot: Uint8Array | null = null;
  for (const event of events) {
    const [b, a] = sides(event);
    const { doubles } = event;
    if (event.type === RecordType.DepthSnapshot) {
      const body = { lastUpdateId: doubles[SEQUENCE_LAST]!, E: 1, T: 1, bids: b, asks: a };
      snapshot = Buffer.from(JSON.stringify(body));
      continue;
    }
    const E = 1_721_300_000_000 + doubles[SEQUENCE_LAST]!;
    const ids = {
      U: doubles[SEQUENCE_FIRST]!,
      u: doubles[SEQUENCE_LAST]!,
      pu: doubles[SEQUENCE_PREVIOUS]!,
    };
    const data = { e: 'depthUpdate', E, T: E - 3, s: instrument.symbol, ...ids, b, a };
    frames.push(Buffer.from(JSON.stringify({ stream: 'btcusdt@depth@0ms', data })));
  }
  invariant(snapshot !== null, 'the synthetic market begins with a snapshot');
  return fromSnapshotOn(source, instrument, snapshot, frames);
}
