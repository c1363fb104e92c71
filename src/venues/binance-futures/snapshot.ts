/**
 * The REST snapshot of a book. Ingest thread, cold: once a book and resync.
 *
 *     {"lastUpdateId":1027024,"E":1589436922972,"T":1589436922959,["symbol","pair"],
 *      "bids":[["4.00000000","431.00000000"],…],"asks":[…]}
 *
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Order-Book
 */
import { EventFlag } from '../../domain/event-flags.js';
import type { Instrument } from '../../domain/instrument.js';
import { FaultError } from '../../faults/fault.js';
import * as Record from '../../rings/record-types.js';
import type { Timeline } from '../../time/timeline.js';
import { deliverSnapshot } from '../snapshot-parts.js';
import { JsonNumber, JsonObject, JsonSyntaxError, readJsonBytes } from '../json-text.js';
import type { JsonValue } from '../json-text.js';
import type { EventSink, HttpRequest, SnapshotAnswer } from '../venue.js';
import type { Endpoints } from './endpoints.js';
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

export function readSnapshot(
  body: Uint8Array,
  instrument: Instrument,
  receivedNs: number,
  timeline: Timeline,
  sink: EventSink,
): SnapshotAnswer {
  try {
    const answer = readJsonBytes(body);
    if (!(answer instanceof JsonObject)) return { kind: 'malformed', message: 'no object' };
    if (answer.members.has('code')) return { kind: 'refused', message: refusalOf(answer) };
    const symbol = answer.members.get('symbol');
    if (typeof symbol === 'string' && symbol !== instrument.symbol) {
      return { kind: 'malformed', message: `asked for ${instrument.symbol}, got ${symbol}` };
    }
    const bids = sideOf(answer, 'bids');
    const asks = sideOf(answer, 'asks');
    const levels = new Float64Array((bids.length + asks.length) * Record.DOUBLES_PER_LEVEL);
    writeLevels(levels, writeLevels(levels, 0, bids, instrument), asks, instrument);
    const head = new Float64Array(Record.FEED_HEADER_DOUBLES).fill(Record.ABSENT);
    head[Record.INSTRUMENT] = instrument.id;
    head[Record.FLAGS] = EventFlag.Last;
    head[Record.SEQUENCE_LAST] = wholeOf(answer, 'lastUpdateId');
    head[Record.SEQUENCE_FIRST] = head[Record.SEQUENCE_LAST]!;
    head[Record.RECEIVED_NS] = receivedNs;
    if (answer.members.has('E'))
      head[Record.EXCHANGE_NS] = timeline.fromUnixMs(wholeOf(answer, 'E'));
    if (answer.members.has('T')) head[Record.ENGINE_NS] = timeline.fromUnixMs(wholeOf(answer, 'T'));
    return deliverSnapshot(head, levels, bids.length, asks.length, sink)
      ? { kind: 'snapshot' }
      : { kind: 'refused', message: 'no room in the ring' };
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof FaultError) {
      return { kind: 'malformed', message: error.message };
    }
    throw error;
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
