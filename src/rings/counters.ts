/**
 * Counters in shared memory: a table of doubles, rows × columns. Each row has one writing thread;
 * anyone may read at any time and can only see a value that is a little old. Whole numbers stay
 * exact to 2^53. Columns are named by the room that owns the table (its counters.ts).
 */
export function createCounterTable(rows: number, columns: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(1, rows * columns) * 8);
}

export class CounterTable {
  private readonly doubles: Float64Array;
  private readonly columns: number;

  constructor(buffer: SharedArrayBuffer, columns: number) {
    this.doubles = new Float64Array(buffer);
    this.columns = columns;
  }

  /** Hot. */
  add(row: number, column: number, amount: number): void {
    const at = row * this.columns + column;
    this.doubles[at] = this.doubles[at]! + amount;
  }

  set(row: number, column: number, value: number): void {
    this.doubles[row * this.columns + column] = value;
  }

  /** Keeps the greatest value seen. */
  max(row: number, column: number, value: number): void {
    const at = row * this.columns + column;
    if (value > this.doubles[at]!) this.doubles[at] = value;
  }

  get(row: number, column: number): number {
    return this.doubles[row * this.columns + column]!;
  }

  get rows(): number {
    return Math.floor(this.doubles.length / this.columns);
  }
}
