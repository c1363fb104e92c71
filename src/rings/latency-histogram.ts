/**
 * Latency histograms in shared memory: one row a hop, one writing thread a row, read by anyone.
 * Log-linear: whole nanoseconds below 32 stand alone, above that every power of two is cut into 32
 * equal buckets, so that a bucket is at most 1/32 of its value wide and its middle at most 1.6 % off.
 * Values go from 0 to 2^37 ns (137 s); beyond that they count in the last bucket. Hot: `record` is a
 * few nanoseconds, no allocation.
 *
 *     row of doubles: [ count, sum of ns, greatest ns, (free), bucket 0, bucket 1, … ]
 *
 * A reader may see the row a few records old or between two stores: a statistic, never an index.
 */
import { invariant } from '../faults/invariant.js';

const SUB_BITS = 5;
const SUB_BUCKETS = 1 << SUB_BITS;
const EXPONENT_MAX = 36;
const BUCKETS = (EXPONENT_MAX - SUB_BITS + 2) * SUB_BUCKETS;
const VALUE_NS_MAX = 2 ** (EXPONENT_MAX + 1) - 1;

const COUNT = 0;
const SUM = 1;
const MAX = 2;
const FIRST_BUCKET = 4;
const ROW_DOUBLES = FIRST_BUCKET + BUCKETS;

export function createHistogramTable(rows: number): SharedArrayBuffer {
  invariant(Number.isInteger(rows) && rows >= 0, 'a histogram table has a whole number of rows');
  return new SharedArrayBuffer(Math.max(1, rows) * ROW_DOUBLES * 8);
}

/** Bucket of a value in 0 … VALUE_NS_MAX. */
function bucketOf(valueNs: number): number {
  // clz32 sees 32 bits: larger values are looked at 16 bits lower, where 6 leading bits still stand.
  const shift = valueNs >= 2147483648 ? 16 : 0;
  const top = shift === 0 ? valueNs | 0 : (valueNs / 65536) | 0;
  if (top < SUB_BUCKETS) return top;
  const exponent = 31 - Math.clz32(top);
  const sub = (top >>> (exponent - SUB_BITS)) & (SUB_BUCKETS - 1);
  return (exponent + shift - SUB_BITS + 1) * SUB_BUCKETS + sub;
}

function lowerNsOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const octave = (bucket >>> SUB_BITS) - 1;
  return (SUB_BUCKETS + (bucket & (SUB_BUCKETS - 1))) * 2 ** octave;
}

/** Greatest whole value of a bucket. */
function upperNsOf(bucket: number): number {
  return lowerNsOf(bucket + 1) - 1;
}

function checkedRow(buffer: SharedArrayBuffer, row: number): Float64Array {
  invariant(
    Number.isInteger(row) && row >= 0 && (row + 1) * ROW_DOUBLES * 8 <= buffer.byteLength,
    'the histogram row exists',
  );
  return new Float64Array(buffer, row * ROW_DOUBLES * 8, ROW_DOUBLES);
}

export class HistogramWriter {
  private readonly cells: Float64Array;

  constructor(buffer: SharedArrayBuffer, row: number) {
    this.cells = checkedRow(buffer, row);
  }

  /** Hot. Negative values (clocks of two machines) and NaN count as 0, too large ones as the greatest. */
  record(valueNs: number): void {
    let value = valueNs > 0 ? valueNs : 0;
    if (value > VALUE_NS_MAX) value = VALUE_NS_MAX;
    const cells = this.cells;
    const at = FIRST_BUCKET + bucketOf(value);
    cells[at] = cells[at]! + 1;
    cells[SUM] = cells[SUM]! + value;
    if (value > cells[MAX]!) cells[MAX] = value;
    cells[COUNT] = cells[COUNT]! + 1;
  }
}

export interface HistogramBucket {
  /** Greatest value that counts here, whole nanoseconds, inclusive. */
  readonly upperNs: number;
  readonly count: number;
}

export class HistogramReader {
  private readonly cells: Float64Array;

  constructor(buffer: SharedArrayBuffer, row: number) {
    this.cells = checkedRow(buffer, row);
  }

  count(): number {
    return this.cells[COUNT]!;
  }

  sumNs(): number {
    return this.cells[SUM]!;
  }

  maxNs(): number {
    return this.cells[MAX]!;
  }

  /**
   * The value that the fraction `q` (0 … 1) of all records do not exceed, within 1.6 %; 0 if there
   * are none. q = 1 is the exact maximum.
   */
  quantileNs(q: number): number {
    const total = this.bucketsTotal();
    if (total === 0) return 0;
    if (q >= 1) return this.maxNs();
    const rank = Math.max(1, Math.ceil(q * total));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.cells[FIRST_BUCKET + bucket]!;
      if (seen >= rank) {
        const middle = (lowerNsOf(bucket) + upperNsOf(bucket)) / 2;
        return Math.min(middle, this.maxNs());
      }
    }
    return this.maxNs();
  }

  /** The buckets that hold something, ascending. */
  buckets(): HistogramBucket[] {
    const result: HistogramBucket[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.cells[FIRST_BUCKET + bucket]!;
      if (count > 0) result.push({ upperNs: upperNsOf(bucket), count });
    }
    return result;
  }

  /** The buckets' own sum: a row that is being written may hold a count that is ahead or behind. */
  private bucketsTotal(): number {
    let total = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) total += this.cells[FIRST_BUCKET + bucket]!;
    return total;
  }
}
