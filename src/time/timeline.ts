/**
 * The node's timeline: one monotonic line, shared by all threads, on which every clock is a double
 * of nanoseconds since the origin (exact for 104 days). Unix time is added only where bytes leave.
 *
 *   exchangeNs   may be negative on this line: the exchange's clock is not ours
 *   receivedNs, appliedNs, publishedNs   from the monotonic clock: differences are durations
 */
export class Timeline {
  /** Unix time of the origin: whole milliseconds and the nanoseconds beyond them. */
  readonly originUnixMs: number;
  readonly originExtraNs: number;
  private readonly originHigh: number;
  private readonly originLow: number;

  constructor(originUnixNs: bigint) {
    this.originUnixMs = Number(originUnixNs / 1_000_000n);
    this.originExtraNs = Number(originUnixNs % 1_000_000n);
    this.originHigh = Number(originUnixNs >> 32n);
    this.originLow = Number(originUnixNs & 0xffff_ffffn);
  }

  /** A venue's milliseconds as nanoseconds on this line. Hot. */
  fromUnixMs(unixMs: number): number {
    return (unixMs - this.originUnixMs) * 1e6 - this.originExtraNs;
  }

  /** A venue's microseconds as nanoseconds on this line. Hot. */
  fromUnixUs(unixUs: number): number {
    return (unixUs - this.originUnixMs * 1e3) * 1e3 - this.originExtraNs;
  }

  fromUnixNs(unixNs: bigint): number {
    return Number(unixNs - this.originUnixNs);
  }

  /** Writes Unix nanoseconds as two little-endian words at `words[index]`, `words[index + 1]`. Hot. */
  writeUnixNs(words: Int32Array, index: number, timelineNs: number): void {
    const whole = Math.floor(timelineNs);
    const high = Math.floor(whole / 4294967296);
    let low = whole - high * 4294967296 + this.originLow;
    let carry = 0;
    if (low >= 4294967296) {
      low -= 4294967296;
      carry = 1;
    }
    words[index] = low | 0;
    words[index + 1] = (high + this.originHigh + carry) | 0;
  }

  get originUnixNs(): bigint {
    return BigInt(this.originUnixMs) * 1_000_000n + BigInt(this.originExtraNs);
  }

  toUnixNs(timelineNs: number): bigint {
    return this.originUnixNs + BigInt(Math.floor(timelineNs));
  }
}
