/**
 * Feed events for the benches of the books: the real Binance USD-M capture of BTCUSDT where the
 * captures are, else a synthetic market of the same shape (44 levels an update, 5,000 levels a side,
 * nine in ten changes within 2 % of the touch). The bench prints which.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EventFlag } from '../src/domain/event-flags.js';
import type { Instrument } from '../src/domain/instrument.js';
import { Prng } from '../src/domain/prng.js';
import { CaptureRun } from '../src/replay/capture-run.js';
import { ABSENT, RecordType } from '../src/rings/record-types.js';
import { Timeline } from '../src/time/timeline.js';
import { venueById } from '../src/venues/registry.js';
import type { EventSink } from '../src/venues/venue.js';

export interface FeedEvent {
  readonly type: number;
  readonly doubles: Float64Array;
}

export interface FeedEvents {
  readonly source: string;
  readonly instrument: Instrument;
  readonly timeline: Timeline;
  readonly events: readonly FeedEvent[];
}

const FILES = ['usdm_btcusdt_20240718.gz', 'usdm_btcusdt_20240719.gz'];
const TIMELINE = new Timeline(1_721_300_000_000_000_000n);

export async function loadFeedEvents(): Promise<FeedEvents> {
  const repository = resolve(import.meta.dirname, '../..');
  const captures = process.env['RINGSIDE_CAPTURES'] ?? resolve(repository, '../shared/captures');
  const paths = FILES.map((file) => join(captures, 'binance/hftbacktest', file));
  return paths.every((path) => existsSync(path)) ? captured(paths) : syntheticFeed();
}

async function captured(paths: readonly string[]): Promise<FeedEvents> {
  const venue = venueById('binance-futures');
  const scout = venue.createCaptureScout!();
  for await (const batch of new CaptureRun(paths).batches()) {
    for (const { kind, file, url, bytes } of batch) {
      if (kind === 'frame') scout.onFrame(file, bytes);
      else scout.onAnswer(file, url!, bytes);
    }
  }
  const facts = scout.finish();
  const reader = venueById('binance-futures', { settings: facts.settings });
  const events: FeedEvent[] = [];
  const sink: EventSink = {
    accept: (type, event, doubles) => {
      events.push({ type, doubles: event.slice(0, doubles) });
      return true;
    },
  };
  const parser = reader.createParser(facts.instruments, TIMELINE, sink);
  for await (const batch of new CaptureRun(paths).batches()) {
    for (const { file, url, bytes, second, nano } of batch) {
      const receivedNs = (second - 1_721_300_000) * 1e9 + nano;
      const owner = facts.snapshotOwner(file, url, bytes);
      if (owner === 'none') parser.parse(bytes, 0, bytes.length, receivedNs);
      else if (owner !== 'nobody') reader.readSnapshot(bytes, owner, receivedNs, TIMELINE, sink);
    }
  }
  const source = 'Binance USD-M BTCUSDT 2024-07-18/19';
  return { source, instrument: facts.instruments[0]!, timeline: TIMELINE, events };
}

export function syntheticFeed(): FeedEvents {
  const prng = new Prng(20_240_718);
  const instrument: Instrument = {
    id: 0,
    venue: 'synthetic',
    symbol: 'BTCUSDT',
    name: 'synthetic:BTCUSDT',
    base: 'BTC',
    quote: 'USDT',
    kind: 'perpetual',
    priceDecimals: 2,
    sizeDecimals: 3,
    tickSize: 10,
    lotSize: 1,
    priceSignificantFigures: 0,
    trading: 0,
  };
  const events: FeedEvent[] = [];
  let touch = 600_000;
  const away = (): number =>
    1 + Math.floor(prng.nextFloat() ** 3 * (prng.chance(0.9) ? 12_000 : 60_000));
  const book = (
    type: number,
    flags: number,
    last: number,
    bids: number[],
    asks: number[],
  ): void => {
    const head = [0, flags, last * 1e6, last * 1e6 + 1e6, last, last, last - 1, ABSENT];
    const counts = [bids.length / 2, asks.length / 2];
    events.push({ type, doubles: Float64Array.from([...head, ...counts, ...bids, ...asks]) });
  };
  const sides = (levels: number, removals: number): [number[], number[]] => {
    const bids: number[] = [];
    const asks: number[] = [];
    for (let i = 0; i < levels; i++) {
      const size = prng.chance(removals) ? 0 : 1 + prng.nextInt(20_000);
      if (prng.chance(0.5)) bids.push((touch - away()) * 10, size);
      else asks.push((touch + away()) * 10, size);
    }
    return [bids, asks];
  };
  book(RecordType.DepthSnapshot, EventFlag.Snapshot | EventFlag.Last, 1, ...sides(10_000, 0));
  for (let last = 2; last < 9000; last++) {
    const move = prng.chance(0.2) ? prng.nextInt(21) - 10 : 0;
    touch += move;
    const [bids, asks] = sides(44, 0.45);
    // What the touch moved over is cleared, so that the book never crosses.
    for (let tick = 0; tick <= Math.abs(move); tick++) {
      if (move > 0) asks.push((touch - tick) * 10, 0);
      if (move < 0) bids.push((touch + tick) * 10, 0);
    }
    book(RecordType.DepthUpdate, EventFlag.Last, last, bids, asks);
  }
  return { source: 'synthetic (no captures)', instrument, timeline: TIMELINE, events };
}
