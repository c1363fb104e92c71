/** What the page and its feed worker say to each other. Types only. */
import type { ConnectionState } from '../client/browser.js';
import type { HopSummary } from '../client/hop-latency.js';

/** Page to worker. */
export type PageMessage =
  /** Where the node is; again with another token if the first was refused. */
  | { readonly type: 'start'; readonly url: string; readonly token: string }
  /** Show this instrument's book. */
  | { readonly type: 'choose'; readonly instrument: string }
  /** The page is about to draw: what is new? Answered by exactly one `frame`. */
  | { readonly type: 'frame' };

export interface InstrumentRow {
  readonly instrument: string;
  readonly symbol: string;
  readonly venue: string;
}

/** One instrument's line, as text: mantissas become text once, in the worker. */
export interface RowUpdate {
  readonly instrument: string;
  readonly state: number;
  readonly reason: number;
  readonly bid: string;
  readonly ask: string;
  readonly spread: string;
}

/** Rows of the ladder, best first: price text, size text, summed size text, share of the deepest. */
export interface LadderSide {
  readonly prices: string[];
  readonly sizes: string[];
  readonly sums: string[];
  readonly shares: number[];
}

export interface BookFrame {
  readonly instrument: string;
  readonly live: boolean;
  readonly state: number;
  readonly reason: number;
  readonly sequence: number;
  readonly epoch: number;
  readonly hash: string;
  readonly spread: string;
  /** Mark price and funding rate, `–` where not told. */
  readonly mark: string;
  readonly funding: string;
  readonly levelsCount: readonly [bids: number, asks: number];
  /** Milliseconds since the book's last message. */
  readonly ageMs: number;
  readonly bids: LadderSide;
  readonly asks: LadderSide;
}

/** Summed sizes by price as plain numbers: for a drawing only. Best first. */
export interface CurveFrame {
  readonly bidPrices: Float64Array;
  readonly bidSums: Float64Array;
  readonly askPrices: Float64Array;
  readonly askSums: Float64Array;
  readonly priceDecimals: number;
}

export interface Totals {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly messages: number;
  readonly gaps: number;
  readonly resyncs: number;
  readonly resumes: number;
  readonly hashChecked: number;
  readonly hashFailed: number;
  readonly hashUnverifiable: number;
}

/** Worker to page. */
export type WorkerMessage =
  | {
      readonly type: 'connection';
      readonly state: ConnectionState;
      readonly reason: string;
      readonly retryInMs: number;
    }
  /** The node wants a token, or another one; the worker has given up until the next `start`. */
  | { readonly type: 'unauthorized' }
  | { readonly type: 'instruments'; readonly rows: InstrumentRow[] }
  | {
      readonly type: 'frame';
      readonly rows: RowUpdate[];
      readonly book: BookFrame | null;
      /** Some times a second. */
      readonly curve: CurveFrame | null;
      /** Once a second, by hop. */
      readonly latency: (HopSummary | null)[] | null;
      readonly totals: Totals | null;
    };
