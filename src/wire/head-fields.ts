/**
 * The head of a message as doubles, for the hot encoders and decoders (schemas/market-data.fbs,
 * struct Head). Times are nanoseconds on the node's timeline when writing (the encoder adds the
 * origin), ABSENT (-1) writes 0. Hash lanes are 32-bit (domain/level-hash.ts).
 */
export const HeadField = {
  Epoch: 0,
  Sequence: 1,
  FirstSequence: 2,
  VenueSequence: 3,
  HashLow: 4,
  HashHigh: 5,
  ExchangeNs: 6,
  ReceivedNs: 7,
  AppliedNs: 8,
  PublishedNs: 9,
  StreamId: 10,
  InstrumentId: 11,
  Folded: 12,
  Flags: 13,
  State: 14,
  Reason: 15,
} as const;
export const HEAD_DOUBLES = 16;
