/** A price with a size: exact mantissas, and their decimal text when asked for. */
import { formatDecimal } from '../domain/decimal.js';

export class Level {
  /** Mantissa: price times 10^priceDecimals. */
  readonly price: number;
  /** Mantissa: size times 10^sizeDecimals. */
  readonly size: number;
  readonly priceDecimals: number;
  readonly sizeDecimals: number;

  constructor(price: number, size: number, priceDecimals: number, sizeDecimals: number) {
    this.price = price;
    this.size = size;
    this.priceDecimals = priceDecimals;
    this.sizeDecimals = sizeDecimals;
  }

  get priceText(): string {
    return formatDecimal(this.price, this.priceDecimals);
  }

  get sizeText(): string {
    return formatDecimal(this.size, this.sizeDecimals);
  }

  /** `["61659.70","1.486"]`: the shape of the exchanges' own messages. */
  toJSON(): [string, string] {
    return [this.priceText, this.sizeText];
  }
}
