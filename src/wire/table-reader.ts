/**
 * Tables and vectors of one FlatBuffer, bounds-checked: what every decoder of our messages stands on.
 * Hot; no allocation. Nothing here throws: what is out of bounds gives false or a DecodeError.
 */
export const DecodeError = {
  /** An offset, count or length leads outside of the message, or is misaligned. */
  OutOfBounds: -1,
  /** The file identifier is not RSD1. */
  WrongIdentifier: -2,
  /** A union type that this reader does not know: a newer node; to be skipped. */
  UnknownBody: -3,
  /** A field that the schema requires is absent. */
  MissingField: -4,
  /** A number beyond 2^53. */
  Precision: -5,
  /** Longer than MESSAGE_BYTES_MAX. */
  TooLarge: -6,
} as const;

export class TableReader {
  // The message being decoded: word index of its first word, its length, its body's tables.
  protected words: Int32Array = new Int32Array(4);
  protected base = 0;
  protected length = 0;
  protected table = 0;
  protected vtable = 0;
  protected vtableBytes = 0;
  protected tableBytes = 0;

  /** Makes the table at byte `table` the current one. False if it or its vtable are not in bounds. */
  protected openTable(table: number): boolean {
    const length = this.length;
    if ((table & 3) !== 0 || table < 0 || table + 4 > length) return false;
    const vtable = table - this.words[this.base + (table >>> 2)]!;
    if ((vtable & 1) !== 0 || vtable < 0 || vtable + 4 > length) return false;
    const vtableBytes = this.halfAt(vtable);
    const tableBytes = this.halfAt(vtable + 2);
    if ((vtableBytes & 1) !== 0 || vtableBytes < 4 || vtable + vtableBytes > length) return false;
    if (tableBytes < 4 || table + tableBytes > length) return false;
    this.table = table;
    this.vtable = vtable;
    this.vtableBytes = vtableBytes;
    this.tableBytes = tableBytes;
    return true;
  }

  /** Offset of a field in the current table, 0 if absent. */
  protected field(index: number): number {
    const entry = 4 + 2 * index;
    return entry < this.vtableBytes ? this.halfAt(this.vtable + entry) : 0;
  }

  /** True if `bytes` at the field's offset lie within the current table, aligned to 4 if so long. */
  protected holds(fieldOffset: number, bytes: number): boolean {
    return (
      fieldOffset >= 4 &&
      fieldOffset + bytes <= this.tableBytes &&
      (bytes < 4 || ((this.table + fieldOffset) & 3) === 0)
    );
  }

  /** Byte that the offset stored at byte `from` (in bounds, aligned) leads to; negative if too far. */
  protected follow(from: number): number {
    const offset = this.words[this.base + (from >>> 2)]!;
    return offset <= 0 ? -1 : from + offset;
  }

  protected byteAt(byte: number): number {
    return (this.words[this.base + (byte >>> 2)]! >>> ((byte & 3) * 8)) & 0xff;
  }

  /** `byte` is even. */
  protected halfAt(byte: number): number {
    return (this.words[this.base + (byte >>> 2)]! >>> ((byte & 2) * 8)) & 0xffff;
  }

  protected wordIndex(byte: number): number {
    return this.base + (byte >>> 2);
  }

  /** Byte of the vector's first element, or a DecodeError; its count goes to `vectorCount`. */
  protected openVector(fieldIndex: number, elementBytes: number): number {
    const offset = this.field(fieldIndex);
    if (offset === 0) return DecodeError.MissingField;
    if (!this.holds(offset, 4)) return DecodeError.OutOfBounds;
    const vector = this.follow(this.table + offset);
    if (vector < 0 || (vector & 3) !== 0 || vector + 4 > this.length)
      return DecodeError.OutOfBounds;
    const count = this.words[this.wordIndex(vector)]!;
    // The comparison by division cannot overflow.
    if (count < 0 || count > (this.length - vector - 4) / elementBytes)
      return DecodeError.OutOfBounds;
    this.vectorCount = count;
    return vector + 4;
  }
  protected vectorCount = 0;
}
