/** A token bucket on a clock that is handed in: `ratePerSecond` steadily, `burst` at once. */
export class TokenBucket {
  private readonly ratePerNs: number;
  private readonly burst: number;
  private tokens: number;
  private filledNs: number;

  constructor(ratePerSecond: number, burst: number, nowNs: number) {
    this.ratePerNs = ratePerSecond / 1e9;
    this.burst = burst;
    this.tokens = burst;
    this.filledNs = nowNs;
  }

  /** Takes one token; false if there is none. */
  take(nowNs: number): boolean {
    const filled = this.tokens + (nowNs - this.filledNs) * this.ratePerNs;
    this.tokens = filled > this.burst ? this.burst : filled;
    this.filledNs = nowNs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
