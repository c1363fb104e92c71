/**
 * `POST /info`: the requests of the official API that this node can answer from what it knows, so
 * that SDKs start against it and read books. What it does not know is refused by 422 with a reason,
 * never made up; fields of an answer that need an account or the oracle are null. Broadcast thread,
 * cold. Numbers are printed as the official API prints them.
 */
import { bookStateName } from '../../domain/book-state.js';
import type { CoinBook } from './coin-book.js';
import type { CoinChannels } from './coin-channels.js';
import { isAggregation, isObject, LEVELS_DEFAULT, optional } from './api-request.js';
import { numberText } from './api-text.js';
import { CANDLE_INTERVALS_MS, type Candle } from './trade-tape.js';

export type InfoAnswer =
  { readonly ok: true; readonly json: string } | { readonly ok: false; readonly message: string };

/** Answers of the venue's own info server, as text, by request type; passed on where there are any. */
export type KnownInfo = ReadonlyMap<string, string>;

const PLACES = 1;
const refuse = (message: string): InfoAnswer => ({ ok: false, message });
const answer = (value: unknown): InfoAnswer => ({ ok: true, json: JSON.stringify(value) });

export class InfoRequests {
  private readonly coins: ReadonlyMap<string, CoinChannels>;
  private readonly known: KnownInfo;

  constructor(coins: ReadonlyMap<string, CoinChannels>, known: KnownInfo) {
    this.coins = coins;
    this.known = known;
  }

  answer(request: unknown): InfoAnswer {
    if (!isObject(request) || typeof request['type'] !== 'string')
      return refuse('Failed to deserialize the JSON body into the target type');
    const { type } = request;
    const dex = typeof request['dex'] === 'string' ? request['dex'] : '';
    switch (type) {
      case 'meta':
        return this.passedOn('meta', dex) ?? answer(this.meta(dex));
      case 'metaAndAssetCtxs':
        return answer([this.metaObject(dex), this.contexts(dex)]);
      case 'spotMeta':
        return this.passedOn('spotMeta', dex) ?? answer(this.spotMeta());
      case 'spotMetaAndAssetCtxs':
        return answer([this.spotMetaObject(), this.spotContexts()]);
      case 'perpDexs':
        return this.passedOn('perpDexs', '') ?? answer(this.dexes());
      case 'allMids':
        return { ok: true, json: this.mids(PLACES, dex) };
      case 'l2Book':
        return this.l2Book(request);
      case 'recentTrades':
        return this.withCoin(request['coin'], (coin) => answer(coin.tape.recent()));
      case 'candleSnapshot':
        return this.candles(request['req']);
      default:
        return refuse(`this node has market data only and does not answer ${type.slice(0, 60)}`);
    }
  }

  /** `{"BTC":"81307.5",…}`: the middle of the best prices of every coin that has both. */
  mids(places: number, dex: string | null): string {
    const parts: string[] = [];
    for (const { book } of this.coins.values()) {
      if (dex !== null && dexOf(book) !== dex) continue;
      const mid = book.mid(places);
      if (mid !== '') parts.push(`${book.coinJson}:"${mid}"`);
    }
    return `{${parts.join(',')}}`;
  }

  private passedOn(type: string, dex: string): InfoAnswer | null {
    const json = dex === '' ? this.known.get(type) : undefined;
    return json === undefined ? null : { ok: true, json };
  }

  private metaObject(dex: string): unknown {
    const known = dex === '' ? this.known.get('meta') : undefined;
    return known === undefined ? this.meta(dex) : JSON.parse(known);
  }

  private spotMetaObject(): unknown {
    const known = this.known.get('spotMeta');
    return known === undefined ? this.spotMeta() : JSON.parse(known);
  }

  private perps(dex: string): CoinBook[] {
    return [...this.coins.values()]
      .map(({ book }) => book)
      .filter((book) => book.instrument.kind !== 'spot' && dexOf(book) === dex);
  }

  private spots(): CoinBook[] {
    return [...this.coins.values()]
      .map(({ book }) => book)
      .filter((book) => book.instrument.kind === 'spot');
  }

  private meta(dex: string): unknown {
    const universe = this.perps(dex).map(({ instrument }) => ({
      name: instrument.symbol,
      szDecimals: instrument.sizeDecimals,
      maxLeverage: 1,
      marginTableId: 1,
    }));
    return { universe, marginTables: [], collateralToken: 0 };
  }

  /** One a universe's entry, in its order; null for coins that this node does not follow. */
  private contexts(dex: string): unknown[] {
    const names = namesIn(this.metaObject(dex));
    return names.map((name) => contextOf(this.coins.get(name)));
  }

  private spotContexts(): unknown[] {
    const names = namesIn(this.spotMetaObject());
    return names.map((name) => ({ coin: name, ...contextOf(this.coins.get(name)) }));
  }

  private spotMeta(): unknown {
    const spots = this.spots();
    const bases = [...new Set(spots.map(({ instrument }) => instrument.base))];
    const token = (name: string, index: number, szDecimals: number): unknown => ({
      name,
      szDecimals,
      weiDecimals: 8,
      index,
      tokenId: '0x00000000000000000000000000000000',
      isCanonical: false,
      evmContract: null,
      fullName: null,
    });
    const decimals = (base: string): number =>
      spots.find(({ instrument }) => instrument.base === base)?.instrument.sizeDecimals ?? 0;
    return {
      tokens: [token('USDC', 0, 8), ...bases.map((base, i) => token(base, i + 1, decimals(base)))],
      universe: spots.map(({ instrument }, i) => ({
        name: instrument.symbol,
        tokens: [bases.indexOf(instrument.base) + 1, 0],
        index: indexOf(instrument.symbol) ?? i,
        isCanonical: instrument.symbol.includes('/'),
      })),
    };
  }

  private dexes(): unknown[] {
    const names = [...new Set([...this.coins.values()].map(({ book }) => dexOf(book)))];
    const builders = names.filter((name) => name !== '');
    return [null, ...builders.map((name) => ({ name, fullName: name }))];
  }

  private l2Book(request: Record<string, unknown>): InfoAnswer {
    const nSigFigs = optional(request['nSigFigs']);
    // The official API takes 1 for no mantissa.
    const mantissa = optional(request['mantissa'] === 1 ? null : request['mantissa']);
    if (nSigFigs === undefined || mantissa === undefined || !isAggregation(nSigFigs, mantissa))
      return refuse('nSigFigs is 2 to 5 or null; mantissa is 2 or 5, with nSigFigs 5 only');
    return this.withCoin(request['coin'], ({ book }) => {
      if (!book.isReady) {
        const { state } = book;
        return refuse(`the book of ${book.instrument.symbol} is ${bookStateName(state)}`);
      }
      const levels = book.levels(nSigFigs, mantissa, LEVELS_DEFAULT, PLACES);
      return {
        ok: true,
        json: `{"coin":${book.coinJson},"time":${book.timeMs},"levels":${levels}}`,
      };
    });
  }

  private candles(req: unknown): InfoAnswer {
    if (!isObject(req))
      return refuse('candleSnapshot has req: {coin, interval, startTime, endTime}');
    const { interval, startTime, endTime } = req;
    const intervalMs = typeof interval === 'string' ? CANDLE_INTERVALS_MS[interval] : undefined;
    if (intervalMs === undefined) {
      return refuse(`interval is one of ${Object.keys(CANDLE_INTERVALS_MS).join(', ')}`);
    }
    const from = optional(startTime);
    const to = optional(endTime);
    if (from === undefined || to === undefined)
      return refuse('startTime and endTime are unix milliseconds');
    return this.withCoin(req['coin'], ({ tape, book }) =>
      answer(
        tape
          .candles(intervalMs, from ?? 0, to ?? Infinity)
          .map((candle) => candleOf(candle, book, String(interval))),
      ),
    );
  }

  private withCoin(name: unknown, use: (coin: CoinChannels) => InfoAnswer): InfoAnswer {
    const coin = typeof name === 'string' ? this.coins.get(name) : undefined;
    return coin === undefined ? refuse('this node does not follow such a coin') : use(coin);
  }
}

function dexOf({ instrument }: CoinBook): string {
  const colon = instrument.symbol.indexOf(':');
  return colon < 0 ? '' : instrument.symbol.slice(0, colon);
}

function indexOf(symbol: string): number | null {
  return /^@\d+$/.test(symbol) ? Number(symbol.slice(1)) : null;
}

function namesIn(meta: unknown): string[] {
  const universe = isObject(meta) ? meta['universe'] : null;
  if (!Array.isArray(universe)) return [];
  return universe.map((entry: unknown) =>
    isObject(entry) && typeof entry['name'] === 'string' ? entry['name'] : '',
  );
}

/** What the book says; the oracle's, the funding's and the day's figures are not known here. */
function contextOf(coin: CoinChannels | undefined): Record<string, unknown> {
  const mid = coin?.book.mid(PLACES) ?? '';
  return {
    funding: null,
    openInterest: null,
    prevDayPx: null,
    dayNtlVlm: null,
    premium: null,
    oraclePx: null,
    markPx: null,
    midPx: mid === '' ? null : mid,
    impactPxs: null,
    dayBaseVlm: null,
  };
}

function candleOf(candle: Candle, { instrument }: CoinBook, interval: string): unknown {
  const { priceDecimals, sizeDecimals } = instrument;
  const price = (value: number): string => numberText(value, priceDecimals, PLACES);
  return {
    t: candle.openMs,
    T: candle.closeMs,
    s: instrument.symbol,
    i: interval,
    o: price(candle.open),
    c: price(candle.close),
    h: price(candle.high),
    l: price(candle.low),
    v: numberText(candle.volume, sizeDecimals, PLACES),
    n: candle.count,
  };
}
