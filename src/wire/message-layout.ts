/**
 * How this node lays out its messages, byte by byte. Every message is a plain FlatBuffer of
 * schemas/market-data.fbs (any generated reader decodes it); this is the one layout among the legal
 * ones that we write, and that the decoder has a short cut for. Constants only; used on hot paths.
 *
 *     byte 0    root offset (16)                 24   body type (u8), one byte of padding
 *          4    "RSD1"                           26   vtable of the body, 8 to 18 bytes
 *          8    vtable of Message                 …   body table (a multiple of 4 from byte 36 on)
 *         16    Message table: soffset           48   Head, 88 bytes; in every message that has one
 *         20    offset of the body              136   the rest, see the table below
 *
 *                       vtable    table   head  further fields                        first vector
 *     BookSnapshot (1)  26 … 44    44      48   136 bids 140 asks 144 depth               160
 *                                               148 instrument 152, 153 exponents
 *     BookDelta (2)     26 … 36    36      48    40 bids  44 asks                         144
 *     Bbo (3)           26 … 44    44      48   136 bid 152 ask 168, 172 orders            –
 *                                               176, 177 exponents
 *     Trades (4)        26 … 40    40      48    44 trades 136 parties                     152
 *                                               140, 141 exponents
 *     Status (5)        26 … 36    44      48   136 since 144 definition                   –
 *     Heartbeat (6)     26 … 34    36       –    40 published 48 streams                   56
 *     OrdersSnapshot(7) 26 … 42    44      48   136 orders 140 count 144 instrument       160
 *                                               148, 149 exponents
 *     OrdersDelta (8)   26 … 34    40      48    44 changes                               144
 *     Context (9)      408 … 438   44      48   136 next funding 144 eleven decimals       –
 *
 * "First vector" is where its elements begin, 8-byte aligned; their count stands 4 bytes before. The
 * second vector follows with 4 bytes of padding and its count. All lengths are multiples of 8. The
 * vtable of a context is too long for the place before its table and stands behind it.
 */
import { CONTEXT_FIELDS } from '../domain/context-fields.js';
import { invariant } from '../faults/invariant.js';

/** Values of the union `Body`. */
export const BodyType = {
  BookSnapshot: 1,
  BookDelta: 2,
  Bbo: 3,
  Trades: 4,
  Status: 5,
  Heartbeat: 6,
  OrdersSnapshot: 7,
  OrdersDelta: 8,
  Context: 9,
} as const;
export type BodyType = (typeof BodyType)[keyof typeof BodyType];

/** "RSD1" as a little-endian word. */
export const FILE_IDENTIFIER = 0x31445352;

/** Sizes of the schema's structs. */
export const HEAD_BYTES = 88;
export const LEVEL_BYTES = 16;
export const TRADE_BYTES = 40;
export const POSITION_BYTES = 24;
export const PARTIES_BYTES = 72;
export const ORDER_BYTES = 80;
export const ORDER_CHANGE_BYTES = 104;
export const DECIMAL_BYTES = 24;
export const DEFINITION_BYTES = 24;

/** Words (4 bytes) from the message's first. */
export const HEAD_WORD = 12;

export const HEAD_PUBLISHED_WORD = HEAD_WORD + 16;

const DELTA_BIDS_OFFSET_WORD = 10;
export const DELTA_ASKS_OFFSET_WORD = 11;
export const DELTA_LEVELS_WORD = 36;

const SNAPSHOT_BIDS_OFFSET_WORD = 34;
export const SNAPSHOT_ASKS_OFFSET_WORD = 35;
export const SNAPSHOT_DEPTH_WORD = 36;
export const SNAPSHOT_INSTRUMENT_OFFSET_WORD = 37;
export const SNAPSHOT_EXPONENTS_WORD = 38;
export const SNAPSHOT_LEVELS_WORD = 40;

export const BBO_BID_WORD = 34;
export const BBO_ASK_WORD = 38;
export const BBO_BID_ORDERS_WORD = 42;
export const BBO_ASK_ORDERS_WORD = 43;
export const BBO_EXPONENTS_WORD = 44;
export const BBO_BYTES = 184;

export const TRADES_WORD = 38;
/** Offset of the parties, 0 where the message has none: then the vtable has no entry for them. */
export const TRADES_PARTIES_OFFSET_WORD = 34;
export const TRADES_EXPONENTS_WORD = 35;

export const ORDERS_SNAPSHOT_COUNT_WORD = 35;
export const ORDERS_SNAPSHOT_INSTRUMENT_OFFSET_WORD = 36;
export const ORDERS_SNAPSHOT_EXPONENTS_WORD = 37;
export const ORDERS_SNAPSHOT_WORD = 40;
export const ORDERS_DELTA_WORD = 36;

export const STATUS_SINCE_WORD = 34;
export const STATUS_DEFINITION_WORD = 36;
export const STATUS_BYTES = 168;

export const CONTEXT_NEXT_FUNDING_WORD = 34;
export const CONTEXT_VALUES_WORD = 36;
export const CONTEXT_VTABLE_WORD = CONTEXT_VALUES_WORD + (CONTEXT_FIELDS * DECIMAL_BYTES) / 4;
/** Two sizes and an entry for each field, in halves of a word. */
export const CONTEXT_VTABLE_WORDS = Math.ceil((2 + CONTEXT_FIELDS + 2) / 2);
export const CONTEXT_BYTES = (CONTEXT_VTABLE_WORD + CONTEXT_VTABLE_WORDS) * 4;

export const HEARTBEAT_PUBLISHED_WORD = 10;
export const HEARTBEAT_STREAMS_WORD = 14;

/**
 * Decimals of a message that does not tell them (the schema's default exponent, 127): they are as the
 * answer to subscribe said.
 */
export const DECIMALS_UNTOLD = -127;

/** Doubles of a trade and of a stream position in the encoder's input and the decoder's output. */
export const TRADE_FIELDS = 5;
export const POSITION_FIELDS = 4;
/** Per order: side, price, size, id, placed ms, attributes, owner × 5, client id × 4 (32-bit words). */
export const ORDER_FIELDS = 15;
/** Per change: an order, then kind, size before, id of the order it was placed before. */
export const ORDER_CHANGE_FIELDS = 18;
/** Buyer × 5, seller × 5, hash × 8 (32-bit words, most significant first). */
export const PARTIES_FIELDS = 18;

interface BodyLayout {
  readonly type: BodyType;
  readonly tableByte: number;
  readonly tableBytes: number;
  /** Byte of each field of the schema, in its order there. */
  readonly fieldBytes: readonly number[];
  /** Words with offsets that never change: [word, byte it points to]. */
  readonly offsets: readonly (readonly [number, number])[];
  readonly words: number;
  /** Where it does not stand in front of its table. */
  readonly vtableByte?: number;
}

const VTABLE_BYTE = 26;
const HEAD_BYTE = HEAD_WORD * 4;

/** The words of a message that never change: everything before the vectors except head and values. */
function templateOf(layout: BodyLayout): Int32Array {
  const words = new Int32Array(layout.words);
  const view = new DataView(words.buffer);
  view.setUint32(0, 16, true);
  view.setUint32(4, FILE_IDENTIFIER, true);
  view.setUint16(8, 8, true);
  view.setUint16(10, 9, true);
  view.setUint16(12, 8, true);
  view.setUint16(14, 4, true);
  view.setInt32(16, 8, true);
  view.setUint32(20, layout.tableByte - 20, true);
  view.setUint8(24, layout.type);
  const vtableBytes = 4 + 2 * layout.fieldBytes.length;
  const vtable = layout.vtableByte ?? VTABLE_BYTE;
  const isApart =
    vtable + vtableBytes <= layout.tableByte || vtable >= layout.tableByte + layout.tableBytes;
  invariant(isApart, 'vtable and table do not overlap');
  view.setUint16(vtable, vtableBytes, true);
  view.setUint16(vtable + 2, layout.tableBytes, true);
  layout.fieldBytes.forEach((byte, index) => {
    view.setUint16(vtable + 4 + 2 * index, byte - layout.tableByte, true);
  });
  view.setInt32(layout.tableByte, layout.tableByte - vtable, true);
  for (const [word, target] of layout.offsets) view.setUint32(word * 4, target - word * 4, true);
  return words;
}

invariant(
  new Uint8Array(new Uint32Array([1]).buffer)[0] === 1,
  'messages are laid out through 32-bit views: the host must be little-endian',
);

export const DELTA_TEMPLATE = templateOf({
  type: BodyType.BookDelta,
  tableByte: 36,
  tableBytes: HEAD_BYTE + HEAD_BYTES - 36,
  fieldBytes: [HEAD_BYTE, 40, 44],
  offsets: [[DELTA_BIDS_OFFSET_WORD, DELTA_LEVELS_WORD * 4 - 4]],
  words: DELTA_LEVELS_WORD,
});

export const SNAPSHOT_TEMPLATE = templateOf({
  type: BodyType.BookSnapshot,
  tableByte: 44,
  tableBytes: 154 - 44,
  fieldBytes: [HEAD_BYTE, 136, 140, 152, 153, 144, 148],
  offsets: [[SNAPSHOT_BIDS_OFFSET_WORD, SNAPSHOT_LEVELS_WORD * 4 - 4]],
  words: SNAPSHOT_LEVELS_WORD,
});

export const BBO_TEMPLATE = templateOf({
  type: BodyType.Bbo,
  tableByte: 44,
  tableBytes: BBO_BYTES - 44,
  fieldBytes: [HEAD_BYTE, 136, 152, 168, 172, 176, 177],
  offsets: [],
  words: HEAD_WORD,
});

export const TRADES_TEMPLATE = templateOf({
  type: BodyType.Trades,
  tableByte: 40,
  tableBytes: TRADES_EXPONENTS_WORD * 4 + 4 - 40,
  // The third field, the parties, is absent unless the encoder says otherwise.
  fieldBytes: [HEAD_BYTE, 44, 40, 140, 141],
  offsets: [[11, TRADES_WORD * 4 - 4]],
  words: TRADES_WORD,
});

export const ORDERS_SNAPSHOT_TEMPLATE = templateOf({
  type: BodyType.OrdersSnapshot,
  tableByte: 44,
  tableBytes: 150 - 44,
  fieldBytes: [HEAD_BYTE, 136, 148, 149, 140, 144],
  offsets: [[34, ORDERS_SNAPSHOT_WORD * 4 - 4]],
  words: ORDERS_SNAPSHOT_WORD,
});

export const ORDERS_DELTA_TEMPLATE = templateOf({
  type: BodyType.OrdersDelta,
  tableByte: 40,
  tableBytes: HEAD_BYTE + HEAD_BYTES - 40,
  fieldBytes: [HEAD_BYTE, 44],
  offsets: [[11, ORDERS_DELTA_WORD * 4 - 4]],
  words: ORDERS_DELTA_WORD,
});

export const STATUS_TEMPLATE = templateOf({
  type: BodyType.Status,
  tableByte: 44,
  tableBytes: STATUS_BYTES - 44,
  fieldBytes: [HEAD_BYTE, 136, STATUS_DEFINITION_WORD * 4],
  offsets: [],
  words: HEAD_WORD,
});

const CONTEXT_VALUES_BYTE = CONTEXT_VALUES_WORD * 4;

/** Also its vtable, in which the encoder blanks the entries of values that are absent. */
export const CONTEXT_TEMPLATE = templateOf({
  type: BodyType.Context,
  tableByte: 44,
  tableBytes: CONTEXT_VTABLE_WORD * 4 - 44,
  fieldBytes: [
    HEAD_BYTE,
    ...Array.from({ length: CONTEXT_FIELDS }, (_, i) => CONTEXT_VALUES_BYTE + i * DECIMAL_BYTES),
    CONTEXT_NEXT_FUNDING_WORD * 4,
  ],
  offsets: [],
  words: CONTEXT_BYTES / 4,
  vtableByte: CONTEXT_VTABLE_WORD * 4,
});

export const HEARTBEAT_TEMPLATE = templateOf({
  type: BodyType.Heartbeat,
  tableByte: 36,
  tableBytes: 52 - 36,
  fieldBytes: [40, 48],
  offsets: [[12, HEARTBEAT_STREAMS_WORD * 4 - 4]],
  words: HEARTBEAT_STREAMS_WORD,
});

// The constant words of a delta, without the identifier and the asks' offset.
const OWN_ROOT = DELTA_TEMPLATE[0]!;
const OWN_VTABLE_LOW = DELTA_TEMPLATE[2]!;
const OWN_VTABLE_HIGH = DELTA_TEMPLATE[3]!;
const OWN_TABLE = DELTA_TEMPLATE[4]!;
const OWN_BODY = DELTA_TEMPLATE[5]!;
const OWN_TYPE = DELTA_TEMPLATE[6]!;
const OWN_BODY_VTABLE_LOW = DELTA_TEMPLATE[7]!;
const OWN_BODY_VTABLE_HIGH = DELTA_TEMPLATE[8]!;
const OWN_BODY_TABLE = DELTA_TEMPLATE[9]!;
const OWN_BIDS = DELTA_TEMPLATE[DELTA_BIDS_OFFSET_WORD]!;

/** True if the 11 words from `at` are those of a delta in this layout (its asks' offset not looked at). */
export function hasDeltaLayout(words: Int32Array, at: number): boolean {
  const differs =
    (words[at]! ^ OWN_ROOT) |
    (words[at + 2]! ^ OWN_VTABLE_LOW) |
    (words[at + 3]! ^ OWN_VTABLE_HIGH) |
    (words[at + 4]! ^ OWN_TABLE) |
    (words[at + 5]! ^ OWN_BODY) |
    (words[at + 6]! ^ OWN_TYPE) |
    (words[at + 7]! ^ OWN_BODY_VTABLE_LOW) |
    (words[at + 8]! ^ OWN_BODY_VTABLE_HIGH) |
    (words[at + 9]! ^ OWN_BODY_TABLE) |
    (words[at + DELTA_BIDS_OFFSET_WORD]! ^ OWN_BIDS);
  return differs === 0;
}
