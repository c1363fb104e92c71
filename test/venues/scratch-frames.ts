/** Makes futures frames for tests, and collects what a parser hands out. */
import type { Instrument } from '../../src/domain/instrument.js';
import { LEVELS, RecordType } from '../../src/rings/record-types.js';
import { Timeline } from '../../src/time/timeline.js';
import type { EventSink } from '../../src/venues/venue.js';

export const TEST_TIMELINE = new Timeline(1_700_000_000_000_000_000n);

export function testInstrument(
  id: number,
  symbol: string,
  priceDecimals: number,
  sizeDecimals: number,
): Instrument {
  return {
    id,
    venue: 'binance-futures',
    symbol,
    name: `binance-futures:${symbol}`,
    base: symbol.slice(0, -4),
    quote: symbol.slice(-4),
    kind: 'perpetual',
    priceDecimals,
    sizeDecimals,
    tickSize: 1,
    lotSize: 1,
    priceSignificantFigures: 0,
    trading: 0,
  };
}

export interface CollectedEvent {
  readonly recordType: number;
  readonly doubles: readonly number[];
}

/** Keeps copies of all events; refuses them while `isFull`. */
export class CollectingSink implements EventSink {
  readonly events: CollectedEvent[] = [];
  isFull = false;

  accept(recordType: number, event: Float64Array, doubles: number): boolean {
    if (this.isFull) return false;
    this.events.push({ recordType, doubles: [...event.subarray(0, doubles)] });
    return true;
  }
}

/** (price, size) pairs of a depth event's bids and asks. */
export function levelsOf(event: CollectedEvent): { bids: number[][]; asks: number[][] } {
  const isDepth =
    event.recordType === RecordType.DepthUpdate || event.recordType === RecordType.DepthSnapshot;
  if (!isDepth) throw new Error('not a depth event');
  const pairs: number[][] = [];
  for (let at = LEVELS; at < event.doubles.length; at += 2) {
    pairs.push([event.doubles[at]!, event.doubles[at + 1]!]);
  }
  const bids = event.doubles[8]!;
  return { bids: pairs.slice(0, bids), asks: pairs.slice(bids, bids + event.doubles[9]!) };
}
