/**
 * The simulated exchange's coins as Hyperliquid lists them: perps, spot, a builder's perp. Cold.
 *
 * Decimals follow the venue's rule (6 or 8 less szDecimals), and the tick is such that no price the
 * market can reach has more than five significant figures, whole prices excepted.
 */
import { invariant } from '../faults/invariant.js';
import type { MarketSpec } from './market-specs.js';

/** coin, szDecimals, opening price, tick, typical size in lots, levels a side, activity. */
type Row = readonly [string, number, number, number, number, number, number];

const ROWS: readonly Row[] = [
  ['BTC', 5, 81_307, 1, 18_000, 700, 30],
  ['ETH', 4, 2_450, 0.1, 20_000, 600, 22],
  ['SOL', 2, 146.5, 0.01, 1_200, 500, 12],
  ['HYPE', 2, 44.12, 0.001, 4_000, 500, 10],
  ['PURR/USDC', 0, 0.19, 0.00001, 900, 120, 2],
  ['xyz:SP500', 3, 5_003, 0.1, 400, 200, 3],
  ['XRP', 0, 0.5842, 0.00001, 900, 300, 4],
  ['kPEPE', 0, 0.004411, 0.000001, 200_000, 200, 3],
  ['@107', 2, 44.1, 0.001, 2_000, 200, 3],
  ['DOGE', 0, 0.10713, 0.00001, 8_000, 300, 3],
];

const PERP_DECIMALS_MAX = 6;
const SPOT_DECIMALS_MAX = 8;

export const HYPERLIQUID_COINS_MAX = ROWS.length;

export function isSpot(symbol: string): boolean {
  return symbol.startsWith('@') || symbol.includes('/');
}

/** The first `count` coins. */
export function hyperliquidSpecs(count = HYPERLIQUID_COINS_MAX): MarketSpec[] {
  invariant(count >= 1 && count <= ROWS.length, 'Hyperliquid is simulated with 1 … 10 coins');
  return ROWS.slice(0, count).map((row) => {
    const [symbol, sizeDecimals, price, tick, typicalLots, levelsTarget, activity] = row;
    const priceDecimals = (isSpot(symbol) ? SPOT_DECIMALS_MAX : PERP_DECIMALS_MAX) - sizeDecimals;
    const tickSize = Math.round(tick * 10 ** priceDecimals);
    return {
      symbol,
      base: symbol.slice(symbol.indexOf(':') + 1).split('/')[0]!,
      quote: 'USDC',
      priceDecimals,
      sizeDecimals,
      tickSize,
      lotSize: 1,
      openingPrice: Math.round(price / tick) * tickSize,
      typicalLots,
      levelsTarget,
      activity,
    };
  });
}
