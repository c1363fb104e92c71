/**
 * Full structural verification of a message from somebody who is not trusted: whatever it accepts,
 * generated accessors of any language can read to the last byte without leaving the buffer. Any
 * thread; warm (a few µs). The TypeScript runtime of FlatBuffers has no verifier of its own.
 *
 * It walks the schema as data (below, checked against schemas/market-data.fbs by a test):
 *   - every offset in bounds, forward and aligned; vtables even, in bounds, no longer than their place;
 *   - every field inside its table and aligned to its type, structs of 64-bit numbers to 8;
 *   - vectors by count × element size, so that a count cannot overflow; strings with their NUL;
 *   - required fields present; union type and value present together;
 *   - a budget: fields may share bytes (legal), but not so that a small message reads as a huge one.
 *
 * A body of a type that is not known here is accepted unseen, as the C++ verifier does: it comes from
 * a newer schema, and a reader of this one skips it.
 */
import {
  DECIMAL_BYTES,
  DEFINITION_BYTES,
  FILE_IDENTIFIER,
  HEAD_BYTES,
  LEVEL_BYTES,
  ORDER_BYTES,
  ORDER_CHANGE_BYTES,
  PARTIES_BYTES,
  POSITION_BYTES,
  TRADE_BYTES,
} from './message-layout.js';

interface FieldShape {
  readonly name: string;
  readonly required?: boolean;
  readonly kind: 'inline' | 'vector' | 'string';
  /** Of the inline value or of one element. */
  readonly bytes: number;
  readonly align: number;
  /** A vector with one element for each of the field before it. */
  readonly parallel?: boolean;
}

export interface TableShape {
  readonly name: string;
  readonly fields: readonly FieldShape[];
}

const head: FieldShape = {
  name: 'head',
  required: true,
  kind: 'inline',
  bytes: HEAD_BYTES,
  align: 8,
};
const u64 = (name: string): FieldShape => ({ name, kind: 'inline', bytes: 8, align: 8 });
const u32 = (name: string): FieldShape => ({ name, kind: 'inline', bytes: 4, align: 4 });
const i8 = (name: string): FieldShape => ({ name, kind: 'inline', bytes: 1, align: 1 });
const vector = (name: string, bytes: number): FieldShape => ({
  name,
  required: true,
  kind: 'vector',
  bytes,
  align: 8,
});
const decimal = (name: string): FieldShape => ({
  name,
  kind: 'inline',
  bytes: DECIMAL_BYTES,
  align: 8,
});
const level = (name: string): FieldShape => ({
  name,
  required: true,
  kind: 'inline',
  bytes: LEVEL_BYTES,
  align: 8,
});

/** The members of the union `Body`; index is the union type, 0 is NONE. */
export const BODY_SHAPES: readonly (TableShape | null)[] = [
  null,
  {
    name: 'BookSnapshot',
    fields: [
      head,
      vector('bids', LEVEL_BYTES),
      vector('asks', LEVEL_BYTES),
      i8('price_exponent'),
      i8('size_exponent'),
      u32('depth'),
      { name: 'instrument', kind: 'string', bytes: 1, align: 1 },
    ],
  },
  { name: 'BookDelta', fields: [head, vector('bids', LEVEL_BYTES), vector('asks', LEVEL_BYTES)] },
  {
    name: 'Bbo',
    fields: [
      head,
      level('bid'),
      level('ask'),
      u32('bid_orders'),
      u32('ask_orders'),
      i8('price_exponent'),
      i8('size_exponent'),
    ],
  },
  {
    name: 'Trades',
    fields: [
      head,
      vector('trades', TRADE_BYTES),
      { ...vector('parties', PARTIES_BYTES), required: false, parallel: true },
      i8('price_exponent'),
      i8('size_exponent'),
    ],
  },
  {
    name: 'Status',
    fields: [
      head,
      u64('since_ns'),
      { name: 'definition', kind: 'inline', bytes: DEFINITION_BYTES, align: 8 },
    ],
  },
  { name: 'Heartbeat', fields: [u64('published_ns'), vector('streams', POSITION_BYTES)] },
  {
    name: 'OrdersSnapshot',
    fields: [
      head,
      vector('orders', ORDER_BYTES),
      i8('price_exponent'),
      i8('size_exponent'),
      u32('order_count'),
      { name: 'instrument', kind: 'string', bytes: 1, align: 1 },
    ],
  },
  { name: 'OrdersDelta', fields: [head, vector('changes', ORDER_CHANGE_BYTES)] },
  {
    name: 'Context',
    fields: [
      head,
      decimal('mark_price'),
      decimal('index_price'),
      decimal('mid_price'),
      decimal('previous_day_price'),
      decimal('funding_rate'),
      decimal('premium'),
      decimal('impact_bid_price'),
      decimal('impact_ask_price'),
      decimal('open_interest'),
      decimal('day_volume'),
      decimal('day_notional'),
      u64('next_funding_ns'),
    ],
  },
];

const BODY_TYPE_FIELD = 0;
const BODY_FIELD = 1;
/** Root offset, identifier, and the least table with its vtable. */
const MESSAGE_BYTES_MIN = 16;
/** Vectors and strings of a message may add up to this many times its length. */
const BUDGET_FACTOR = 2;

/** Why `bytes` is no valid message, or null if it is one. Never throws. */
export function verifyMessage(bytes: Uint8Array): string | null {
  return new Verification(bytes).run();
}

class Verification {
  private readonly view: DataView;
  private readonly length: number;
  private budgetBytes: number;
  private table = 0;
  private tableBytes = 0;
  private vtable = 0;
  private vtableBytes = 0;
  /** Elements of the vector that was looked at last. */
  private countBefore = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.byteLength;
    this.budgetBytes = this.length * BUDGET_FACTOR;
  }

  run(): string | null {
    if (this.length < MESSAGE_BYTES_MIN) return 'shorter than the shortest message';
    if (this.view.getUint32(4, true) !== FILE_IDENTIFIER) return 'file identifier is not RSD1';
    const problem = this.openTable(this.view.getUint32(0, true), 'Message');
    if (problem !== null) return problem;
    const typeOffset = this.fieldOffset(BODY_TYPE_FIELD);
    const bodyOffset = this.fieldOffset(BODY_FIELD);
    if (bodyOffset === 0) return 'Message.body is required';
    if (typeOffset === 0) return 'Message.body has no type';
    if (!this.isInline(typeOffset, 1, 1)) return 'Message.body_type is outside of its table';
    if (!this.isInline(bodyOffset, 4, 4)) return 'Message.body is outside of its table';
    const type = this.view.getUint8(this.table + typeOffset);
    if (type === 0) return 'Message.body has type NONE';
    const body = this.follow(this.table + bodyOffset);
    if (body < 0) return 'Message.body leads outside of the message';
    const shape = BODY_SHAPES[type];
    return shape === undefined || shape === null ? null : this.verifyTable(body, shape);
  }

  private verifyTable(table: number, shape: TableShape): string | null {
    const problem = this.openTable(table, shape.name);
    if (problem !== null) return problem;
    for (let index = 0; index < shape.fields.length; index++) {
      const field = shape.fields[index]!;
      const name = `${shape.name}.${field.name}`;
      const offset = this.fieldOffset(index);
      if (offset === 0) {
        if (field.required === true) return `${name} is required`;
        continue;
      }
      const fieldProblem =
        field.kind === 'inline'
          ? this.isInline(offset, field.bytes, field.align)
            ? null
            : 'is outside of its table or misaligned'
          : this.verifyVector(offset, field);
      if (fieldProblem !== null) return `${name} ${fieldProblem}`;
    }
    return null;
  }

  private verifyVector(offset: number, field: FieldShape): string | null {
    if (!this.isInline(offset, 4, 4)) return 'is outside of its table or misaligned';
    const at = this.follow(this.table + offset);
    if (at < 0 || at % 4 !== 0 || at + 4 > this.length) return 'leads outside of the message';
    const count = this.view.getUint32(at, true);
    const first = at + 4;
    // Doubles: a product of a 32-bit count and a small size is exact.
    const bytes = count * field.bytes;
    const countBefore = this.countBefore;
    this.countBefore = count;
    if (bytes > this.length - first) return 'is longer than the message';
    if (first % field.align !== 0) return 'has misaligned elements';
    if (field.kind === 'string') {
      if (first + bytes >= this.length) return 'has no room for its NUL';
      if (this.view.getUint8(first + bytes) !== 0) return 'does not end with NUL';
    }
    if (field.parallel === true && count !== countBefore)
      return 'has another length than its sibling';
    this.budgetBytes -= bytes;
    return this.budgetBytes < 0
      ? 'exceeds the budget: parts of the message are read many times'
      : null;
  }

  private openTable(table: number, name: string): string | null {
    if (table % 4 !== 0 || table < 4 || table + 4 > this.length) {
      return `${name} is outside of the message or misaligned`;
    }
    const vtable = table - this.view.getInt32(table, true);
    if (vtable % 2 !== 0 || vtable < 4 || vtable + 4 > this.length) {
      return `the vtable of ${name} is outside of the message or misaligned`;
    }
    const vtableBytes = this.view.getUint16(vtable, true);
    const tableBytes = this.view.getUint16(vtable + 2, true);
    if (vtableBytes % 2 !== 0 || vtableBytes < 4 || vtable + vtableBytes > this.length) {
      return `the vtable of ${name} has an impossible length`;
    }
    if (tableBytes < 4 || table + tableBytes > this.length)
      return `${name} has an impossible length`;
    this.table = table;
    this.tableBytes = tableBytes;
    this.vtable = vtable;
    this.vtableBytes = vtableBytes;
    return null;
  }

  private fieldOffset(index: number): number {
    const entry = 4 + 2 * index;
    return entry + 2 <= this.vtableBytes ? this.view.getUint16(this.vtable + entry, true) : 0;
  }

  private isInline(offset: number, bytes: number, align: number): boolean {
    return offset >= 4 && offset + bytes <= this.tableBytes && (this.table + offset) % align === 0;
  }

  /** Where the offset stored at `from` leads; negative if not forward or outside of the message. */
  private follow(from: number): number {
    const offset = this.view.getUint32(from, true);
    const target = from + offset;
    return offset < 4 || target >= this.length ? -1 : target;
  }
}
