/**
 * What a status or a fill says about the diffs of its own block. Ingest thread, a few dozen a block.
 *
 *     open, post-only        the order rests now: its `new` is there             547 of 547 recorded
 *     canceled, post-only    it rested until now: its `remove` is there          553 of 553
 *     maker's leg of a fill  it has shrunk: its `update` or `remove` is there      6 of 6
 *
 * Nothing is claimed of other orders: an `open` immediate or good-til-cancelled one may be filled at
 * once and never rest (5 recorded), a trigger does not rest, a liquidation may pass the book by.
 */
export const Claim = { New: 1, Gone: 2, Shrunk: 3 } as const;
export type Claim = (typeof Claim)[keyof typeof Claim];

export interface ClaimTaker {
  onClaim(height: number, oid: number, claim: Claim): void;
}

export const NO_CLAIMS: ClaimTaker = { onClaim() {} };
