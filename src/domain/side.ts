/** The side of a book. Orders and aggressors are Buy or Sell. Values are those of the wire schema. */
export const Side = { Bid: 0, Ask: 1 } as const;
export type Side = (typeof Side)[keyof typeof Side];

export const Aggressor = { Buy: 0, Sell: 1, Unknown: 2 } as const;
export type Aggressor = (typeof Aggressor)[keyof typeof Aggressor];
