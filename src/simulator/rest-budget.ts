/**
 * Request weight of a REST API, per address and minute: over the limit 429 with Retry-After, and
 * 418 for those who go on asking. "A 429 will be returned when either rate limit is violated. …
 * Repeatedly violating rate limits and/or failing to back off after receiving 429s will result in
 * an automated IP ban (HTTP status 418). IP bans … scale in duration for repeat offenders, from 2
 * minutes to 3 days"
 * (https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info). Cold.
 */
const MINUTE_NS = 60e9;
const ADDRESSES_MAX = 1000;

interface Account {
  minute: number;
  weight: number;
  /** Requests since the limit was passed, in this minute. */
  refusals: number;
  bannedUntilNs: number;
}

export interface Charge {
  /** 200, 429 or 418. */
  readonly status: 200 | 429 | 418;
  readonly usedWeight: number;
  readonly retryAfterS: number;
}

export class RestBudget {
  private readonly accounts = new Map<string, Account>();
  private readonly weightMax: number;
  private readonly refusalsMax: number;
  private readonly banNs: number;

  /** @param refusalsMax refusals in one minute that are answered by 429 before the ban */
  constructor(weightMax: number, refusalsMax: number, banNs = 120e9) {
    this.weightMax = weightMax;
    this.refusalsMax = refusalsMax;
    this.banNs = banNs;
  }

  charge(address: string, weight: number, nowNs: number): Charge {
    const account = this.accountOf(address, nowNs);
    if (nowNs < account.bannedUntilNs)
      return this.refusal(418, account, account.bannedUntilNs - nowNs);
    account.weight += weight;
    if (account.weight <= this.weightMax) {
      return { status: 200, usedWeight: account.weight, retryAfterS: 0 };
    }
    if (++account.refusals > this.refusalsMax) {
      account.bannedUntilNs = nowNs + this.banNs;
      return this.refusal(418, account, this.banNs);
    }
    return this.refusal(429, account, (account.minute + 1) * MINUTE_NS - nowNs);
  }

  private refusal(status: 429 | 418, account: Account, waitNs: number): Charge {
    return {
      status,
      usedWeight: account.weight,
      retryAfterS: Math.max(1, Math.ceil(waitNs / 1e9)),
    };
  }

  private accountOf(address: string, nowNs: number): Account {
    const minute = Math.floor(nowNs / MINUTE_NS);
    let account = this.accounts.get(address);
    if (account === undefined) {
      if (this.accounts.size >= ADDRESSES_MAX) this.accounts.clear();
      account = { minute, weight: 0, refusals: 0, bannedUntilNs: 0 };
      this.accounts.set(address, account);
    }
    if (account.minute !== minute) {
      account.minute = minute;
      account.weight = 0;
      account.refusals = 0;
    }
    return account;
  }
}
