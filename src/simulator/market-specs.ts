/**
 * The simulated exchange's instruments: plausible symbols over many scales of price, tick and lot.
 * Cold.
 */
import { invariant } from '../faults/invariant.js';
import { MARKETS_COUNT_MAX } from './simulator-limits.js';

export interface MarketSpec {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  /** Decimals of the venue's price texts. The tick may be coarser: see tickSize. */
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
  /** Mantissas. */
  readonly tickSize: number;
  readonly lotSize: number;
  /** Where the market opens, as a mantissa, a multiple of the tick. */
  readonly openingPrice: number;
  /** Usual size of an order, in lots. */
  readonly typicalLots: number;
  /** Levels a side that the makers keep up. */
  readonly levelsTarget: number;
  /** Share of the exchange's activity, relative to the others. */
  readonly activity: number;
  /** In the venue's word; nothing happens while it is not trading. Absent: it trades. */
  readonly halted?: string;
}

/**
 * base, opening price, price decimals, tick mantissa, size decimals, typical lots, levels,
 * activity.
 */
type Row = readonly [string, number, number, number, number, number, number, number];

/**
 * Scales as on the real exchange (BTCUSDT writes 2 decimals and ticks by 0.10, SOLUSDT by 0.0100).
 */
const ROWS: readonly Row[] = [
  ['BTC', 60_000, 2, 10, 3, 60, 900, 30],
  ['ETH', 2_450, 2, 1, 3, 900, 800, 22],
  ['SOL', 146.5, 4, 100, 0, 40, 600, 12],
  ['BNB', 583.2, 3, 10, 2, 120, 500, 7],
  ['XRP', 0.5842, 4, 1, 1, 9_000, 420, 8],
  ['DOGE', 0.10713, 5, 1, 0, 8_000, 500, 7],
  ['ADA', 0.3521, 5, 10, 0, 2_400, 400, 4],
  ['AVAX', 27.134, 4, 10, 0, 35, 450, 4],
  ['LINK', 11.842, 3, 1, 2, 6_000, 450, 4],
  ['LTC', 66.31, 2, 1, 3, 12_000, 350, 3],
  ['BCH', 352.61, 2, 1, 3, 1_800, 400, 2],
  ['DOT', 4.512, 3, 1, 1, 2_200, 350, 3],
  ['TRX', 0.15182, 5, 1, 0, 6_000, 350, 2],
  ['ATOM', 4.731, 3, 1, 2, 14_000, 350, 2],
  ['UNI', 6.924, 4, 10, 0, 130, 350, 2],
  ['ETC', 19.207, 3, 1, 2, 3_000, 350, 2],
  ['FIL', 3.846, 3, 1, 1, 1_500, 320, 2],
  ['NEAR', 4.1235, 4, 10, 0, 260, 350, 2],
  ['APT', 6.3412, 5, 10, 1, 900, 350, 2],
  ['ARB', 0.5391, 6, 100, 1, 14_000, 350, 2],
  ['OP', 1.5473, 7, 1_000, 1, 5_000, 350, 2],
  ['SUI', 1.7842, 6, 100, 1, 5_000, 400, 3],
  ['1000PEPE', 0.0081273, 7, 1, 0, 120_000, 500, 4],
  ['GALA', 0.01987, 5, 1, 0, 50_000, 220, 1],
  ['JASMY', 0.018432, 6, 1, 0, 55_000, 350, 1],
  ['HOT', 0.0014561, 7, 10, 0, 500_000, 200, 1],
  ['1000SATS', 0.0002415, 7, 1, 0, 2_500_000, 300, 1],
  ['YFI', 4_912, 1, 10, 3, 100, 300, 1],
  ['CTK', 0.6123, 5, 10, 0, 1_200, 200, 1],
  ['BAT', 0.1743, 4, 1, 1, 8_000, 150, 1],
];

/** So many instruments by default. */
export const MARKETS_COUNT_DEFAULT = 24;

function specOf(row: Row): MarketSpec {
  const [base, price, priceDecimals, tickSize, sizeDecimals, typicalLots, levels, activity] = row;
  const ticks = Math.round((price * 10 ** priceDecimals) / tickSize);
  return {
    symbol: `${base}USDT`,
    base,
    quote: 'USDT',
    priceDecimals,
    sizeDecimals,
    tickSize,
    lotSize: 1,
    openingPrice: ticks * tickSize,
    typicalLots,
    levelsTarget: levels,
    activity,
  };
}

/** The first `count` instruments; beyond the known ones they are the same scales under SIMnUSDT. */
export function marketSpecs(count = MARKETS_COUNT_DEFAULT): MarketSpec[] {
  invariant(count >= 1 && count <= MARKETS_COUNT_MAX, 'a simulator has 1 … 1000 instruments');
  const specs: MarketSpec[] = [];
  for (let index = 0; index < count; index++) {
    const spec = specOf(ROWS[index % ROWS.length]!);
    if (index < ROWS.length) specs.push(spec);
    else specs.push({ ...spec, symbol: `SIM${index}USDT`, base: `SIM${index}`, activity: 1 });
  }
  return specs;
}
