/**
 * One market of the simulated exchange: its matching engine, its update ids, what the command under
 * way changed, and the truth at each id. Simulator's thread; hot: once a level change and a
 * command.
 */
import { HASH_SEED_HIGH, HASH_SEED_LOW, levelHashLane } from '../domain/level-hash.js';
import { Side } from '../domain/side.js';
import { MatchEventKind, SelfTradePolicy } from '../matching/match-event.js';
import type { MatchEvent, MatchHandler } from '../matching/match-event.js';
import { MatchingEngine } from '../matching/matching-engine.js';
import type { CommandRecord } from './command-record.js';
import type { MarketSpec } from './market-specs.js';
import { ORDERS_COUNT_MAX } from './simulator-limits.js';
import { TruthWindow } from './truth-window.js';

/** Ids of the whole exchange: book updates of all markets are numbered on one line. */
export interface IdSource {
  nextUpdateId(): number;
  nextOrderId(): number;
}

/** A whole book, copied: (price, size) pairs, best first. */
export interface BookCopy {
  readonly updateId: number;
  readonly timeNs: number;
  readonly bids: Float64Array;
  readonly asks: Float64Array;
}

const TRADE_IDS_FROM = 5_000_000_000;
const TRADE_IDS_STRIDE = 10_000_000;

export class Market implements MatchHandler {
  readonly index: number;
  readonly spec: MarketSpec;
  readonly engine: MatchingEngine;
  readonly truth: TruthWindow;
  /** Hears every event of this market's engine, order by order; null where nobody asks. */
  observer: MatchHandler | null = null;

  /** Exchange time of the last command that changed the book. */
  changedNs = 0;
  /** Id of the last book update. */
  lastUpdateId = 0;
  hashLow = 0;
  hashHigh = 0;
  bidPrice = 0;
  bidSize = 0;
  askPrice = 0;
  askSize = 0;

  /** What the command under way did; shared with the other markets. */
  readonly command: CommandRecord;
  topChanged = false;

  private readonly ids: IdSource;

  constructor(
    index: number,
    spec: MarketSpec,
    ids: IdSource,
    command: CommandRecord,
    truthWindow: number,
  ) {
    this.index = index;
    this.spec = spec;
    this.ids = ids;
    this.command = command;
    this.truth = new TruthWindow(truthWindow);
    this.engine = new MatchingEngine({
      handler: this,
      ordersCountMax: ORDERS_COUNT_MAX,
      selfTradePolicy: SelfTradePolicy.CancelMaker,
      tickSize: spec.tickSize,
      lotSize: spec.lotSize,
      firstTradeId: TRADE_IDS_FROM + index * TRADE_IDS_STRIDE,
    });
  }

  /** Before a command. */
  begin(): void {
    this.command.begin();
    this.topChanged = false;
  }

  /** After a command. True if the book changed: then the truth of its new id is on record. */
  commit(timeNs: number): boolean {
    if (this.command.changesCount === 0) return false;
    const { bids, asks } = this.engine.book;
    const bidPrice = this.engine.book.bestPrice(Side.Bid);
    const bidSize = this.engine.book.bestSize(Side.Bid);
    const askPrice = this.engine.book.bestPrice(Side.Ask);
    const askSize = this.engine.book.bestSize(Side.Ask);
    this.topChanged =
      bidPrice !== this.bidPrice ||
      bidSize !== this.bidSize ||
      askPrice !== this.askPrice ||
      askSize !== this.askSize;
    this.bidPrice = bidPrice;
    this.bidSize = bidSize;
    this.askPrice = askPrice;
    this.askSize = askSize;
    this.changedNs = timeNs;
    this.truth.record(
      this.lastUpdateId,
      this.hashLow,
      this.hashHigh,
      bidPrice,
      bidSize,
      askPrice,
      askSize,
      bids.count,
      asks.count,
    );
    return true;
  }

  nextOrderId(): number {
    return this.ids.nextOrderId();
  }

  onMatchEvent(event: MatchEvent): void {
    if (event.kind === MatchEventKind.Traded) {
      this.command.addTrade(event.side, event.price, event.size, event.tradeId);
    }
    if (this.observer !== null) this.observer.onMatchEvent(event);
  }

  onLevelChanged(
    side: Side,
    price: number,
    sizeBefore: number,
    sizeAfter: number,
    ordersAfter: number,
  ): void {
    const updateId = this.ids.nextUpdateId();
    this.lastUpdateId = updateId;
    this.command.addChange(side, price, updateId);
    if (sizeBefore !== 0) {
      this.hashLow ^= levelHashLane(HASH_SEED_LOW, side, price, sizeBefore);
      this.hashHigh ^= levelHashLane(HASH_SEED_HIGH, side, price, sizeBefore);
    }
    if (sizeAfter !== 0) {
      this.hashLow ^= levelHashLane(HASH_SEED_LOW, side, price, sizeAfter);
      this.hashHigh ^= levelHashLane(HASH_SEED_HIGH, side, price, sizeAfter);
    }
    if (this.observer !== null) {
      this.observer.onLevelChanged(side, price, sizeBefore, sizeAfter, ordersAfter);
    }
  }

  /** Cold. The best `levelsMax` levels of both sides, as they are. */
  copyBook(timeNs: number, levelsMax: number): BookCopy {
    return {
      updateId: this.lastUpdateId,
      timeNs,
      bids: this.copySide(Side.Bid, levelsMax),
      asks: this.copySide(Side.Ask, levelsMax),
    };
  }

  private copySide(side: Side, levelsMax: number): Float64Array {
    const levels = this.engine.book.sideOf(side);
    const count = Math.min(levels.count, levelsMax);
    const pairs = new Float64Array(count * 2);
    for (let rank = 0; rank < count; rank++) {
      const level = levels.at(rank);
      pairs[rank * 2] = levels.price[level]!;
      pairs[rank * 2 + 1] = levels.size[level]!;
    }
    return pairs;
  }
}
