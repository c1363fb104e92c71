/**
 * `POST /info`: the requests of the official API that this node can answer from what it knows, so
 * that SDKs start against it and read books. What it does not know is refused by 422 with a reason,
 * never made up; fields of an answer that need an account or the oracle are null. Broadcast thread,
 * cold. Numbers are printed as the official API prints them.
 */
import { bookStateName } from '../../domain/book-state.js';
import type { CoinBook, NewestBlock } from './coin-book.js';
import { dexOf, type MarketMeta, MarketMetas } from './market-metas.js';
import type { CoinChannels } from './coin-channels.js';
import { isAggregation, isObject, LEVELS_DEFAULT, optional } from './api-request.js';
import { numberText } from './api-text.js';
import { CANDLE_INTERVALS_MS, type Candle } from './trade-tape.js';

export type InfoAnswer =
  { readonly ok: true; readonly json: string } | { readonly ok: false; readonly message: string };

const PLACES = 1;
const refuse = (message: string): InfoAnswer => ({ ok: false, message });
const text = (json: string): InfoAnswer => ({ ok: true, json });
const answer = (value: unknown): InfoAnswer => text(JSON.stringify(value));

export class InfoRequests {
  readonly metas: MarketMetas;
  private readonly coins: ReadonlyMap<string, CoinChannels>;
  private readonly newest: NewestBlock;

  /** @param awaitsInfo the venue's own answers about its markets will come */
  constructor(coins: ReadonlyMap<string, CoinChannels>, newest: NewestBlock, awaitsInfo: boolean) {
    this.coins = coins;
    this.newest = newest;
    const books = [...coins.values()].map(({ book }) => book);
    this.metas = new MarketMetas(
      books.map(({ instrument }) => instrument),
      awaitsInfo,
    );
  }

  answer(request: unknown): InfoAnswer {
    if (!isObject(request) || typeof request['type'] !== 'string')
      return refuse('Failed to deserialize the JSON body into the target type');
    const { type } = request;
    const dex = typeof request['dex'] === 'string' ? request['dex'] : '';
    switch (type) {
      case 'meta':
        return this.withMeta(this.metas.ofPerps(dex), ({ json }) => text(json));
      case 'metaAndAssetCtxs':
        return this.withMeta(this.metas.ofPerps(dex), (meta) =>
          text(`[${meta.json},${JSON.stringify(this.contexts(meta))}]`),
        );
      case 'spotMeta':
        return this.withMeta(this.metas.ofSpot(), ({ json }) => text(json));
      case 'spotMetaAndAssetCtxs':
        return this.withMeta(this.metas.ofSpot(), (meta) =>
          text(`[${meta.json},${JSON.stringify(this.spotContexts(meta))}]`),
        );
      case 'allPerpMetas':
        return this.allMetas();
      case 'perpDexs':
        return this.withMeta(this.metas.ofDexes(), ({ json }) => text(json));
      case 'exchangeStatus':
        return answer({ time: this.newest.timeMs, specialStatuses: null });
      case 'allMids':
        return text(this.mids(PLACES, dex));
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

  /**
   * `{"BTC":"81307.5",…}`: the middle of the best prices of every coin of an exchange that has both;
   * the spot markets belong to the venue's own, ''.
   */
  mids(places: number, dex: string): string {
    const parts: string[] = [];
    for (const { book } of this.coins.values()) {
      if (dexOf(book.instrument.symbol) !== dex) continue;
      const mid = book.mid(places);
      if (mid !== '') parts.push(`${book.coinJson}:"${mid}"`);
    }
    return `{${parts.join(',')}}`;
  }

  private withMeta(meta: MarketMeta | null, use: (meta: MarketMeta) => InfoAnswer): InfoAnswer {
    if (meta !== null) return use(meta);
    return refuse(
      "the node's info server has not told of this yet, or what it told does not agree",
    );
  }

  private allMetas(): InfoAnswer {
    const metas = this.metas.dexNames().map((dex) => this.metas.ofPerps(dex));
    const jsons = metas.map((meta) => meta?.json);
    if (jsons.includes(undefined)) return this.withMeta(null, () => text(''));
    return text(`[${jsons.join(',')}]`);
  }

  /** One a universe's entry, in its order; null for coins that this node does not follow. */
  private contexts({ names }: MarketMeta): unknown[] {
    return names.map((name) => contextOf(this.coins.get(name)));
  }

  private spotContexts({ names }: MarketMeta): unknown[] {
    return names.map((name) => ({
      coin: name,
      ...contextOf(this.coins.get(name)),
      circulatingSupply: null,
      totalSupply: null,
    }));
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
      return text(`{"coin":${book.coinJson},"time":${book.timeMs},"levels":${levels}}`);
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
