/**
 * Units of the field. Prices and sizes are integers: mantissas at the instrument's decimals, exact
 * below 2^53. The brands exist at compile time only; hot loops over typed arrays use plain numbers.
 */
declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]?: Name };

/** A price times 10^priceDecimals of its instrument. */
export type PriceTicks = Branded<number, 'PriceTicks'>;
/** A size times 10^sizeDecimals of its instrument. */
export type SizeLots = Branded<number, 'SizeLots'>;
/** Nanoseconds on the node's timeline (see time/timeline.ts): a double, exact for 104 days. */
export type TimelineNs = Branded<number, 'TimelineNs'>;

export const MANTISSA_MAX = Number.MAX_SAFE_INTEGER;
