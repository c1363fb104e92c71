/** Which market a coin belongs to and what its numbers look like, from its name and the rules. Cold. */
import type { Instrument } from '../../domain/instrument.js';
import { Trading } from '../../domain/definition.js';
import { instrumentName } from '../../domain/instrument.js';

export const VENUE_ID = 'hyperliquid-node';

export const MARKETS = ['perps', 'spot', 'hip3', 'all'] as const;
export type Markets = (typeof MARKETS)[number];

/**
 * `@107` and `PURR/USDC` are spot, `dex:COIN` are perps of a builder's exchange (HIP-3), `#…` are
 * outcome tokens, the rest are perps.
 */
export function marketOf(coin: string): 'perps' | 'spot' | 'hip3' | 'outcome' {
  if (coin.startsWith('#')) return 'outcome';
  if (coin.startsWith('@') || coin.includes('/')) return 'spot';
  return coin.includes(':') ? 'hip3' : 'perps';
}

export function isWanted(coin: string, markets: Markets): boolean {
  const market = marketOf(coin);
  return markets === 'all' ? market !== 'outcome' : market === markets;
}

/** Decimals that any price and size of the market fits, where its szDecimals are not known. */
const PERP_DECIMALS_MAX = 6;
const SPOT_DECIMALS_MAX = 8;
const SIZE_DECIMALS_MAX = 5;
/** "Prices can have up to 5 significant figures" (tick and lot size, Hyperliquid docs). */
const SIGNIFICANT_FIGURES = 5;

/**
 * The instrument of a coin. A price has at most 5 significant figures and `MAX − szDecimals`
 * decimals, MAX being 6 for perps and 8 for spot; without `szDecimals` (no `meta` at hand) both take
 * the widest, which is exact for all coins: mantissas then only have zeros at their ends.
 */
export function nodeInstrument(coin: string, id: number, szDecimals: number | null): Instrument {
  const market = marketOf(coin);
  const priceMax = market === 'spot' ? SPOT_DECIMALS_MAX : PERP_DECIMALS_MAX;
  const base = coin.slice(coin.indexOf(':') + 1).split('/')[0]!;
  return {
    id,
    venue: VENUE_ID,
    symbol: coin,
    name: instrumentName(VENUE_ID, coin),
    base,
    quote: 'USDC',
    kind: market === 'spot' ? 'spot' : 'perpetual',
    priceDecimals: szDecimals === null ? priceMax : Math.max(0, priceMax - szDecimals),
    sizeDecimals: szDecimals ?? SIZE_DECIMALS_MAX,
    tickSize: 0,
    lotSize: szDecimals === null ? 0 : 1,
    priceSignificantFigures: SIGNIFICANT_FIGURES,
    trading: Trading.Unknown,
  };
}
