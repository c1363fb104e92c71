/** Makes drawable frames of a LocalBook: text and shares, so that the page only sets them. Worker. */
import { BookState, Side, type ContextEvent, type LocalBook } from '../client/browser.js';
import type { BookSide } from '../client/book-side.js';
import { percentText, spreadText } from '../client/display-text.js';
import type { BookFrame, CurveFrame, LadderSide } from './protocol.js';

/** Rows a side of the ladder at most; the page shows as many as fit. */
export const LADDER_ROWS_MAX = 20;

function ladderSide(book: LocalBook, side: BookSide, sumMax: number): LadderSide {
  const rows = Math.min(LADDER_ROWS_MAX, side.count);
  const ladder: LadderSide = { prices: [], sizes: [], sums: [], shares: [] };
  let sum = 0;
  for (let rank = 0; rank < rows; rank++) {
    const size = side.sizeAt(rank);
    sum += size;
    ladder.prices.push(book.priceText(side.priceAt(rank)));
    ladder.sizes.push(book.sizeText(size));
    ladder.sums.push(book.sizeText(sum));
    ladder.shares.push(sum / sumMax);
  }
  return ladder;
}

function sumOf(side: BookSide): number {
  let sum = 0;
  for (let rank = 0; rank < LADDER_ROWS_MAX && rank < side.count; rank++) sum += side.sizeAt(rank);
  return sum;
}

/** A value of a context; one whose source does not speak any more says so. */
function contextText(context: ContextEvent | null, text: string | undefined): string {
  if (context === null || text === undefined) return '–';
  return context.state === BookState.Live ? text : `${text} (stale)`;
}

export function bookFrame(
  instrument: string,
  book: LocalBook,
  context: ContextEvent | null,
  ageMs: number,
): BookFrame {
  const rate = context?.fundingRate ?? null;
  const sumMax = Math.max(1, sumOf(book.bids), sumOf(book.asks));
  const spread = book.spread;
  return {
    instrument,
    live: book.isLive,
    state: book.state,
    reason: book.reason,
    sequence: book.sequence,
    epoch: book.epoch,
    hash: book.hash,
    spread:
      spread === null
        ? '–'
        : `${book.priceText(spread)} · ${spreadText(book.bids.priceAt(0), book.asks.priceAt(0))}`,
    mark: contextText(context, context?.markPrice?.text),
    funding: contextText(context, rate === null ? undefined : percentText(rate.text)),
    levelsCount: [book.bids.count, book.asks.count],
    ageMs,
    bids: ladderSide(book, book.bids, sumMax),
    asks: ladderSide(book, book.asks, sumMax),
  };
}

export function curveFrame(book: LocalBook): CurveFrame {
  const priceScale = 10 ** -book.priceDecimals;
  const sizeScale = 10 ** -book.sizeDecimals;
  const bids = book.depthCurve(Side.Bid);
  const asks = book.depthCurve(Side.Ask);
  return {
    bidPrices: bids.prices.map((price) => price * priceScale),
    bidSums: bids.sizesSummed.map((size) => size * sizeScale),
    askPrices: asks.prices.map((price) => price * priceScale),
    askSums: asks.sizesSummed.map((size) => size * sizeScale),
    priceDecimals: book.priceDecimals,
  };
}
