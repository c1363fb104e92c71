/** Columns of an instrument's row in the BBO seqlock table: readable by any thread without a copy. */
export const BboRow = {
  BidPrice: 0,
  BidSize: 1,
  AskPrice: 2,
  AskSize: 3,
  /** BookState. */
  State: 4,
  Epoch: 5,
  /** Sequence of the book stream that this row stands for. */
  Sequence: 6,
  VenueSequence: 7,
  ExchangeNs: 8,
  ReceivedNs: 9,
  AppliedNs: 10,
  BidOrders: 11,
  AskOrders: 12,
  /** Levels a side, for the instrument list. */
  BidLevels: 13,
  AskLevels: 14,
  /** Scale of the prices and sizes above. */
  PriceDecimals: 15,
  SizeDecimals: 16,
} as const;
export const BBO_ROW_DOUBLES = 17;
