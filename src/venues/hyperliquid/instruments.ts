/**
 * meta, spotMeta, perpDexs → instruments. Cold.
 *
 *     meta          {"universe":[{"name":"BTC","szDecimals":5,["isDelisted":true]},…]}
 *     meta of a dex the same with names like "xyz:NVDA" ({"type":"meta","dex":"xyz"})
 *     spotMeta      {"universe":[{"name":"@107","tokens":[150,0]},…],
 *                    "tokens":[{"name":"HYPE","szDecimals":2,"index":150},…]}
 *     perpDexs      [null,{"name":"xyz"},…]; null is the venue's own
 *     allPerpMetas  one meta a dex, in the order of perpDexs
 *
 * "Prices can have up to 5 significant figures, but no more than MAX_DECIMALS - szDecimals decimal
 * places where MAX_DECIMALS is 6 for perps and 8 for spot"; "Integer prices are always allowed"; "Sizes
 * are rounded to the szDecimals of that asset".
 * https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/tick-and-lot-size
 */
import { Trading } from '../../domain/definition.js';
import { instrumentName } from '../../domain/instrument.js';
import type { Instrument } from '../../domain/instrument.js';
import { FaultError } from '../../faults/fault.js';
import { marketOf, nodeInstrument } from '../hyperliquid-node/coins.js';
import type { HttpRequest } from '../venue.js';
import { infoRequest, META_WEIGHT } from './endpoints.js';
import type { Endpoints } from '../venue-endpoints.js';
import { dexOf } from './symbols.js';
import type { HyperliquidSettings } from './symbols.js';

export const VENUE_ID = 'hyperliquid';

/** Only what the wanted coins need: the venue's own perps are one question, each dex another. */
export function instrumentsRequests(
  symbols: readonly string[] | 'all',
  settings: HyperliquidSettings,
  endpoints: Endpoints,
): HttpRequest[] {
  const questions: Record<string, string>[] = [];
  const isAll = symbols === 'all';
  const has = (market: string): boolean =>
    isAll
      ? settings.markets === 'all' || settings.markets === market
      : symbols.some((symbol) => marketOf(symbol) === market);
  if (has('perps')) questions.push({ type: 'meta' });
  if (has('spot')) questions.push({ type: 'spotMeta' });
  if (has('hip3')) {
    if (isAll) questions.push({ type: 'perpDexs' }, { type: 'allPerpMetas' });
    else for (const dex of dexesOf(symbols)) questions.push({ type: 'meta', dex });
  }
  if (questions.length === 0) questions.push({ type: 'meta' });
  return questions.map((question) => infoRequest(endpoints, question, META_WEIGHT));
}

function dexesOf(symbols: readonly string[]): Set<string> {
  return new Set(symbols.map(dexOf).filter((dex) => dex !== null));
}

/** A coin as the venue lists it. */
interface Listing {
  readonly coin: string;
  readonly szDecimals: number;
  readonly isDelisted: boolean;
  /** Spot: names of the tokens. */
  readonly base: string | null;
  readonly quote: string | null;
}

/**
 * The wanted instruments, ids counted from `firstId` in the order of the answers; `'all'` leaves out
 * what is delisted.
 * @param body one answer, or a JSON array of several
 * Throws FaultError FRAME_MALFORMED, or UNKNOWN_SYMBOL naming what is not listed.
 */
export function readInstruments(
  body: string,
  symbols: readonly string[] | 'all',
  firstId: number,
): Instrument[] {
  const wanted = symbols === 'all' ? null : new Set(symbols);
  const instruments: Instrument[] = [];
  const taken = new Set<string>();
  for (const listing of listingsOf(body)) {
    // allPerpMetas repeats what meta said
    if (taken.has(listing.coin)) continue;
    if (wanted === null ? listing.isDelisted : !wanted.delete(listing.coin)) continue;
    taken.add(listing.coin);
    instruments.push(instrumentOf(listing, firstId + instruments.length));
  }
  if (wanted !== null && wanted.size > 0) {
    const names = [...wanted].join(', ');
    throw new FaultError('UNKNOWN_SYMBOL', `hyperliquid does not list ${names}`);
  }
  return instruments;
}

/** Those of the answers that are wanted, in whatever state. Throws FaultError FRAME_MALFORMED. */
export function readListed(body: string, isWanted: (symbol: string) => boolean): Instrument[] {
  const byCoin = new Map<string, Listing>();
  for (const listing of listingsOf(body)) {
    if (isWanted(listing.coin) && !byCoin.has(listing.coin)) byCoin.set(listing.coin, listing);
  }
  return [...byCoin.values()].map(instrumentOf);
}

function instrumentOf(listing: Listing, id: number): Instrument {
  const { coin, szDecimals, base, quote } = listing;
  const plain = nodeInstrument(coin, id, szDecimals);
  return {
    ...plain,
    venue: VENUE_ID,
    name: instrumentName(VENUE_ID, coin),
    base: base ?? plain.base,
    quote: quote ?? plain.quote,
    trading: listing.isDelisted ? Trading.Delisted : Trading.Trading,
  };
}

function* listingsOf(body: string): Generator<Listing> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (cause) {
    throw new FaultError('FRAME_MALFORMED', 'the answer to meta is no JSON', { cause });
  }
  let dexes: readonly unknown[] = [];
  for (const answer of Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]) {
    if (!Array.isArray(answer)) {
      yield* universeOf(answer, null);
    } else if (answer.every((entry) => fieldOf(entry, 'universe') !== undefined)) {
      for (const [index, meta] of answer.entries()) {
        yield* universeOf(meta, textOrNull(fieldOf(dexes[index], 'name')));
      }
    } else {
      dexes = answer;
    }
  }
}

/** @param dex whose meta it is; names that lack it get it in front */
function* universeOf(answer: unknown, dex: string | null): Generator<Listing> {
  const universe = fieldOf(answer, 'universe');
  if (!Array.isArray(universe)) {
    throw new FaultError('FRAME_MALFORMED', 'the answer to meta has no universe');
  }
  const tokens = fieldOf(answer, 'tokens');
  if (Array.isArray(tokens)) {
    yield* pairsOf(universe, tokens);
    return;
  }
  for (const asset of universe as unknown[]) {
    const name = textOf(fieldOf(asset, 'name'), 'name');
    yield {
      coin: dex === null || name.includes(':') ? name : `${dex}:${name}`,
      szDecimals: decimalsOf(fieldOf(asset, 'szDecimals'), name),
      isDelisted: fieldOf(asset, 'isDelisted') === true,
      base: null,
      quote: null,
    };
  }
}

/** Spot: a pair's sizes are those of its base token. */
function* pairsOf(universe: readonly unknown[], tokens: readonly unknown[]): Generator<Listing> {
  const byIndex = new Map(tokens.map((token) => [fieldOf(token, 'index'), token]));
  for (const pair of universe) {
    const coin = textOf(fieldOf(pair, 'name'), 'name');
    const indexes = fieldOf(pair, 'tokens');
    const [base, quote] = Array.isArray(indexes)
      ? indexes.map((index: unknown) => byIndex.get(index))
      : [];
    if (base === undefined || quote === undefined) {
      throw new FaultError('FRAME_MALFORMED', `spotMeta: ${coin} names tokens that are not there`);
    }
    yield {
      coin,
      szDecimals: decimalsOf(fieldOf(base, 'szDecimals'), coin),
      isDelisted: false,
      base: textOrNull(fieldOf(base, 'name')),
      quote: textOrNull(fieldOf(quote, 'name')),
    };
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new FaultError('FRAME_MALFORMED', `the answer to meta: ${what} is no text`);
}

const SIZE_DECIMALS_MAX = 8;

function decimalsOf(value: unknown, coin: string): number {
  const isDecimals = Number.isInteger(value) && Number(value) >= 0;
  if (isDecimals && Number(value) <= SIZE_DECIMALS_MAX) return Number(value);
  throw new FaultError('FRAME_MALFORMED', `the answer to meta: szDecimals of ${coin}`);
}
