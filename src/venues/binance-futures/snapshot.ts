/**
 * The REST snapshot of a book. Ingest thread, cold: once a book and resync.
 *
 *     {"lastUpdateId":1027024,"E":1589436922972,"T":1589436922959,["symbol","pair"],
 *      "bids":[["4.00000000","431.00000000"],…],"asks":[…]}
 *
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Order-Book
 */
import type { Instrument } from '../../domain/instrument.js';
import { FaultError } from '../../faults/fault.js';
import * as Record from '../../rings/record-types.js';
import type { Timeline } from '../../time/timeline.js';
import { deliverSnapshot } from '../snapshot-parts.js';
import { JsonNumber, JsonObject, JsonSyntaxError, readJsonBytes } from '../json-text.js';
import type { JsonValue } from '../json-text.js';
import type { EventSink, HttpRequest, SnapshotAnswer } from '../venue.js';
import type { Endpoints } from '../venue-endpoints.js';
import { SnapshotScanner } from './snapshot-scan.js';
import { wholeOf, writeLevels } from './parse-strict.js';
import type { FuturesSettings } from './symbols.js';

export function snapshotRequest(
  instrument: Instrument,
  settings: FuturesSettings,
  endpoints: Endpoints,
): HttpRequest {
  const limit = settings.snapshotLimit;
  const symbol = encodeURIComponent(instrument.symbol);
  return {
    method: 'GET',
    url: `${endpoints.restUrl}/fapi/v1/depth?symbol=${symbol}&limit=${limit}`,
    weight: weightOf(limit),
  };
}

/** "Limit 5, 10, 20, 50: 2; 100: 5; 500: 10; 1000: 20" */
function weightOf(limit: number): number {
  if (limit <= 50) return 2;
  if (limit <= 100) return 5;
  return limit <= 500 ? 10 : 20;
}

/** Reads snapshots; one a venue, not re-entrant. */
export class SnapshotReader {
  private readonly scanner = new SnapshotScanner();
  private readonly head = new Float64Array(Record.FEED_HEADER_DOUBLES);
  private levels: Float64Array = new Float64Array(0);
  private bidsCount = 0;
  private asksCount = 0;

  read(
    body: Uint8Array,
    instrument: Instrument,
    receivedNs: number,
    timeline: Timeline,
    sink: EventSink,
  ): SnapshotAnswer {
    const { head } = this;
    head.fill(Record.ABSENT);
    head[Record.INSTRUMENT] = instrument.id;
    head[Record.RECEIVED_NS] = receivedNs;
    if (!this.readFast(body, instrument, timeline)) {
      const trouble = this.readStrictly(body, instrument, timeline);
      if (trouble !== null) return trouble;
    }
    return deliverSnapshot(head, this.levels, this.bidsCount, this.asksCount, sink)
      ? { kind: 'snapshot' }
      : { kind: 'refused', message: 'no room in the ring' };
  }

  private readFast(body: Uint8Array, instrument: Instrument, timeline: Timeline): boolean {
    const { scanner } = this;
    if (!scanner.scan(body, instrument)) return false;
    const { event } = scanner;
    this.stamp(
      event[Record.SEQUENCE_LAST]!,
      event[Record.EXCHANGE_NS]!,
      event[Record.ENGINE_NS]!,
      timeline,
    );
    this.levels = event.subarray(Record.LEVELS);
    this.bidsCount = event[Record.BIDS_COUNT]!;
    this.asksCount = event[Record.ASKS_COUNT]!;
    return true;
  }

  /** Null if it is a snapshot. */
  private readStrictly(
    body: Uint8Array,
    instrument: Instrument,
    timeline: Timeline,
  ): SnapshotAnswer | null {
    try {
      const answer = readJsonBytes(body);
      if (!(answer instanceof JsonObject)) return { kind: 'malformed', message: 'no object' };
      if (answer.duplicates !== null) return { kind: 'malformed', message: 'names twice' };
      if (answer.members.has('code')) return { kind: 'refused', message: refusalOf(answer) };
      const symbol = answer.members.get('symbol');
      if (typeof symbol === 'string' && symbol !== instrument.symbol) {
        return { kind: 'malformed', message: `asked for ${instrument.symbol}, got ${symbol}` };
      }
      const bids = sideOf(answer, 'bids');
      const asks = sideOf(answer, 'asks');
      this.levels = new Float64Array((bids.length + asks.length) * Record.DOUBLES_PER_LEVEL);
      writeLevels(this.levels, writeLevels(this.levels, 0, bids, instrument), asks, instrument);
      this.bidsCount = bids.length;
      this.asksCount = asks.length;
      const time = (name: string): number =>
        answer.members.has(name) ? wholeOf(answer, name) : Record.ABSENT;
      this.stamp(wholeOf(answer, 'lastUpdateId'), time('E'), time('T'), timeline);
      return null;
    } catch (error) {
      if (error instanceof JsonSyntaxError || error instanceof FaultError) {
        const isPrecision = error instanceof FaultError && error.code === 'FRAME_PRECISION';
        return { kind: 'malformed', message: error.message, isPrecision };
      }
      throw error;
    }
  }

  private stamp(lastUpdateId: number, eventMs: number, engineMs: number, timeline: Timeline): void {
    const { head } = this;
    head[Record.SEQUENCE_FIRST] = lastUpdateId;
    head[Record.SEQUENCE_LAST] = lastUpdateId;
    if (eventMs !== Record.ABSENT) head[Record.EXCHANGE_NS] = timeline.fromUnixMs(eventMs);
    if (engineMs !== Record.ABSENT) head[Record.ENGINE_NS] = timeline.fromUnixMs(engineMs);
  }
}

function sideOf(answer: JsonObject, name: string): JsonValue[] {
  const side = answer.members.get(name);
  if (!Array.isArray(side)) throw new FaultError('FRAME_MALFORMED', `field ${name}`);
  return side;
}

/** `{"code":-1121,"msg":"Invalid symbol."}` */
function refusalOf(answer: JsonObject): string {
  const code = answer.members.get('code');
  const message = answer.members.get('msg');
  return `${code instanceof JsonNumber ? code.lexeme : '?'} ${typeof message === 'string' ? message : ''}`;
}
