/**
 * Type ids and payload layouts of all ring records. Indexes are doubles from the payload's first.
 *
 * Ingest → books: one record a venue event ("feed event").
 *
 *     0 INSTRUMENT   1 FLAGS   2 EXCHANGE_NS   3 RECEIVED_NS
 *     4 SEQUENCE_FIRST   5 SEQUENCE_LAST   6 SEQUENCE_PREVIOUS   7 ENGINE_NS   8 … by type
 *
 * A venue number that is absent is ABSENT (-1; for times too: no venue event is from before 1970).
 * Books → broadcast: an envelope of doubles, then the finished FlatBuffers message ("output").
 */
import { CONTEXT_VALUE_DOUBLES } from '../domain/context-fields.js';
import { DEFINITION_DOUBLES } from '../domain/definition.js';

export const RecordType = {
  // ingest → books
  DepthUpdate: 1,
  DepthSnapshot: 2,
  BookTicker: 3,
  Trade: 4,
  /** The source of an instrument's channel changed state (connected, lost, silent). */
  SourceState: 5,
  SnapshotRefused: 6,
  InstrumentDefined: 7,
  /** Values of the venue about an instrument beside its book. */
  ContextUpdate: 8,
  // order by order: 16 … 31
  OrderEvent: 16,
  OrderSnapshot: 17,
  BlockEnd: 18,
  /** A trade with its buyer, seller and transaction. */
  TradeParties: 19,
  /** A whole snapshot was asked of the source: events from now on are to be kept until it is there. */
  SnapshotAnnounced: 20,
  // books → ingest
  SnapshotWanted: 32,
  // books → broadcast and other readers of finished messages
  BookSnapshotOut: 48,
  BookDeltaOut: 49,
  BboOut: 50,
  TradesOut: 51,
  /** Status on the status stream. */
  StatusOut: 52,
  /** Status in-band on the book stream. */
  BookStatusOut: 53,
  OrdersSnapshotOut: 54,
  OrdersDeltaOut: 55,
  /** Status in-band on the orders stream. */
  OrdersStatusOut: 56,
  ContextOut: 57,
  // ingest → broadcast
  /** Order statuses as the venue wrote them, for readers of its own API. */
  RawStatuses: 80,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

export const ABSENT = -1;

/** Common to every feed event. */
export const INSTRUMENT = 0;
export const FLAGS = 1;
export const EXCHANGE_NS = 2;
export const RECEIVED_NS = 3;
export const SEQUENCE_FIRST = 4;
export const SEQUENCE_LAST = 5;
export const SEQUENCE_PREVIOUS = 6;
export const ENGINE_NS = 7;
export const FEED_HEADER_DOUBLES = 8;

/** DepthUpdate, DepthSnapshot: counts, then (price, size) pairs, bids before asks. Size 0 removes. */
export const BIDS_COUNT = 8;
export const ASKS_COUNT = 9;
export const LEVELS = 10;
export const DOUBLES_PER_LEVEL = 2;
/**
 * Bit of FLAGS, beside those of domain/event-flags.ts: two doubles stand behind the levels, the number of
 * orders at the best bid and at the best ask, 0 for a side without levels.
 */
export const WITH_BEST_ORDERS = 1 << 16;
export const BEST_ORDERS_DOUBLES = 2;

/** BookTicker: SEQUENCE_LAST is the book update id. A side that is empty has size 0. */
export const TICKER_BID_PRICE = 8;
export const TICKER_BID_SIZE = 9;
export const TICKER_ASK_PRICE = 10;
export const TICKER_ASK_SIZE = 11;
export const BOOK_TICKER_DOUBLES = 12;

/**
 * Trade: SEQUENCE_FIRST … SEQUENCE_LAST are the numbers of the venue's channel that it covers, by which
 * its continuity is judged: trade ids, or ids of aggregates.
 */
export const TRADE_PRICE = 8;
export const TRADE_SIZE = 9;
export const TRADE_AGGRESSOR = 10;
export const TRADE_ID = 11;
export const TRADE_DOUBLES = 12;

/** TradeParties: as Trade, then addresses of 20 bytes and a hash of 32 as words below 2^32. */
export const TRADE_BUYER = 12;
export const TRADE_SELLER = 17;
export const TRADE_HASH = 22;
export const TRADE_PARTIES_DOUBLES = 30;

/** SourceState. */
export const SOURCE_STATE = 8;
export const SOURCE_CHANNEL = 9;
export const SOURCE_REASON = 10;
export const SOURCE_STATE_DOUBLES = 11;
export const SourceState = {
  /** Frames arrive (again): a book may align. */
  Up: 0,
  /** The connection is gone or was replaced without overlap: continuity is lost. */
  Lost: 1,
  /** Nothing for longer than the channel's threshold, continuity not disproved. */
  Silent: 2,
  /** A frame of this instrument was refused (malformed, precision, ring full): continuity is lost. */
  FrameLost: 3,
  /** Events are told again from an older height on: a book that has none may align there. */
  Rewound: 4,
} as const;

/** SnapshotRefused: after how long the books may ask again is in RETRY_AFTER_NS. */
export const REFUSED_REASON = 8;
export const RETRY_AFTER_NS = 9;
export const SNAPSHOT_REFUSED_DOUBLES = 10;

/**
 * InstrumentDefined: from here on events are at these scales. DefinitionField of domain/definition.ts
 * from DEFINED on; where the scale is another one the book begins anew.
 */
export const DEFINED = 8;
export const INSTRUMENT_DEFINED_DOUBLES = DEFINED + DEFINITION_DOUBLES;

/**
 * ContextUpdate: what one frame says of an instrument beside its book. A field whose bit is in TOLD has
 * the value that stands at its place if its bit is in PRESENT too, else none; fields that are not told
 * keep what they had. Bits and places: domain/context-fields.ts.
 */
export const CONTEXT_TOLD = 8;
export const CONTEXT_PRESENT = 9;
/** Timeline time of the next funding, ABSENT for none. */
export const CONTEXT_NEXT_FUNDING_NS = 10;
export const CONTEXT_VALUES = 11;
export const CONTEXT_UPDATE_DOUBLES = CONTEXT_VALUES + CONTEXT_VALUE_DOUBLES;

/**
 * OrderEvent: one change of one resting order. SEQUENCE_LAST is the block height, EXCHANGE_NS the
 * block's time, ENGINE_NS the time at the node that wrote it. A book may be read only at BlockEnd.
 */
export const ORDER_KIND = 8;
export const ORDER_SIDE = 9;
export const ORDER_PRICE = 10;
/** The size after the event; 0 for Remove. */
export const ORDER_SIZE = 11;
/** Update: the size before, as the venue says; else ABSENT. */
export const ORDER_SIZE_BEFORE = 12;
export const ORDER_ID = 13;
/** New: the order that it is placed directly in front of; else ABSENT (at the end of its price). */
export const ORDER_BEFORE_ID = 14;
/** From here on the same as in an order of a snapshot: see SNAPSHOT_ORDER_DOUBLES. */
export const ORDER_PLACED_MS = 15;
/** Venue-defined bits (domain/order-attributes.ts). */
export const ORDER_ATTRIBUTES = 16;
/** Address of 20 bytes as five words, most significant first, each a whole number below 2^32. */
export const ORDER_OWNER = 17;
/** Client id of 16 bytes as four words likewise; ORDER_ATTRIBUTES says whether there is one. */
export const ORDER_CLIENT_ID = 22;
export const ORDER_EVENT_DOUBLES = 26;
export const OrderKind = { New: 0, Update: 1, Remove: 2 } as const;
export type OrderKind = (typeof OrderKind)[keyof typeof OrderKind];

/**
 * OrderSnapshot: ORDERS_COUNT orders in queue order: bids best first and first in time first within
 * a price, then asks. In parts: flags Snapshot, Continued, Last. SEQUENCE_LAST is its height.
 */
export const ORDERS_COUNT = 8;
export const SNAPSHOT_ORDERS = 9;
/** Per order: side, price, size, id, placed ms, attributes, owner × 5, client id × 4. */
export const SNAPSHOT_ORDER_DOUBLES = 15;

/**
 * BlockEnd: all events of height SEQUENCE_LAST are there, for every instrument of the shard
 * (INSTRUMENT is ABSENT). SEQUENCE_PREVIOUS is the height that this block follows.
 */
export const BLOCK_END_DOUBLES = FEED_HEADER_DOUBLES;

/** SnapshotWanted (books → ingest): which instrument, why (StateReason), at which attempt. */
export const WANTED_INSTRUMENT = 0;
export const WANTED_REASON = 1;
export const WANTED_ATTEMPT = 2;
export const SNAPSHOT_WANTED_DOUBLES = 3;

/**
 * Output envelope: 8 doubles, then the message's bytes.
 * OUT_STATE is the book's state after the message. A message may be patched in place by its reader
 * (publishedNs) because the reader owns the record until poll returns.
 */
export const OUT_INSTRUMENT = 0;
export const OUT_FLAGS = 1;
export const OUT_EPOCH = 2;
export const OUT_SEQUENCE = 3;
export const OUT_MESSAGE_BYTES = 4;
export const OUT_RECEIVED_NS = 5;
export const OUT_APPLIED_NS = 6;
export const OUT_STATE = 7;
export const OUT_ENVELOPE_DOUBLES = 8;

/**
 * RawStatuses: statuses of one instrument and block as JSON texts, RAW_BYTES of UTF-8 from double
 * RAW_TEXTS on, in the form RAW_FORM (Demand): Told has commas between them, Whole newlines. RAW_LOST
 * of its statuses found no room since its last record. Flag Last: all of the block's have been told.
 */
export const RAW_INSTRUMENT = 0;
export const RAW_FLAGS = 1;
export const RAW_BLOCK_NS = 2;
export const RAW_HEIGHT = 3;
export const RAW_BYTES = 4;
export const RAW_FORM = 5;
export const RAW_LOST = 6;
export const RAW_TEXTS = 7;
