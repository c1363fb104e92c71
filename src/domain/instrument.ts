import type { Trading } from './definition.js';

/**
 * What is known of one tradable instrument. `id` is dense, given by this node, stable while it runs. What
 * the venue may change meanwhile is in definition.ts; then there is a new object under the same id.
 */
export interface Instrument {
  readonly id: number;
  /** Venue id, e.g. `binance-futures`. */
  readonly venue: string;
  /** The venue's own spelling, e.g. `BTCUSDT`. */
  readonly symbol: string;
  /** `venue:SYMBOL`, the public name. */
  readonly name: string;
  readonly base: string;
  readonly quote: string;
  readonly kind: 'spot' | 'perpetual' | 'future' | 'option' | 'unknown';
  /** Decimal places of a price; mantissa = price * 10^priceDecimals. The wire exponent is its negative. */
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
  /** Smallest price step as a mantissa, 0 where the venue does not say. */
  readonly tickSize: number;
  /** Smallest size step as a mantissa, 0 where the venue does not say. */
  readonly lotSize: number;
  /**
   * Significant figures a price may have (Hyperliquid: 5), 0 for no such rule. Where it is set, the
   * step between prices depends on the price.
   */
  readonly priceSignificantFigures: number;
  /** As the venue says. */
  readonly trading: Trading;
}

export function instrumentName(venue: string, symbol: string): string {
  return `${venue}:${symbol}`;
}
