/**
 * One market of the simulated exchange: its matching engine, its update ids, what the command under
 * way changed, and the truth at each id. Simulator's thread; hot: once a level change and a
 * command.
 */
import { HASH_SEED_HIGH, HASH_SEED_LOW, levelHashLane } from '../domain/level-hash.js';
import { Side } from '../domain/side.js';
import { MatchEventKind, SelfTradePolicy, TimeInForce } from '../matching/match-event.js';
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
  /** As it was then: the scale of the numbers below. */
  readonly spec: MarketSpec;
  readonly updateId: number;
  readonly timeNs: number;
  readonly bids: Float64Array;
  readonly asks: Float64Array;
}

/** A finer scale has one decimal more. */
const RESCALE = 10;
const TRADE_IDS_FROM = 5_000_000_000;
const TRADE_IDS_STRIDE = 10_000_000;

export class Market implements MatchHandler {
  readonly index: number;
  /** Another one after `retick`, as is the engine. */
  spec: MarketSpec;
  engine: MatchingEngine;
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
  /** Orders are carried over into another engine: nothing happens to the market. */
  private isMoving = false;
  /**
   * Once the scale was made finer: the hash on the scale before, over the levels that it can say, and
   * how many it cannot. A reader may go on at that scale for as long as there are none.
   */
  private isRescaled = false;
  private coarseLow = 0;
  private coarseHigh = 0;
  private offCoarseCount = 0;

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
    this.engine = this.makeEngine(spec.tickSize, TRADE_IDS_FROM + index * TRADE_IDS_STRIDE);
  }

  /**
   * The tick becomes a tenth of what it was, or ten times as large. What rests stays at its price: on the
   * finer scale that a finer tick may need, or off the coarser grid. In the midst of a command, before
   * anything is done: its id is the first one at the new scale.
   */
  retick(finer: boolean): void {
    const { spec } = this;
    if (!finer) this.spec = { ...spec, tickSize: spec.tickSize * 10 };
    else if (spec.tickSize % 10 === 0) this.spec = { ...spec, tickSize: spec.tickSize / 10 };
    else {
      const { priceDecimals, openingPrice } = spec;
      this.spec = {
        ...spec,
        priceDecimals: priceDecimals + 1,
        openingPrice: openingPrice * RESCALE,
      };
      this.moveTo(RESCALE);
    }
    this.engine.retick(this.spec.tickSize);
  }

  /** The same orders, queue by queue, at prices so many times as large in mantissas. */
  private moveTo(factor: number): void {
    const before = this.engine;
    const after = this.makeEngine(1, before.upcomingTradeId);
    this.isMoving = true;
    for (const side of [Side.Bid, Side.Ask]) {
      before.book.visitOrders(side, ({ orderId, owner, price, size, postOnly }) => {
        const timeInForce = postOnly ? TimeInForce.PostOnly : TimeInForce.GoodTilCancelled;
        after.submitLimit(orderId, owner, side, price * factor, size, timeInForce);
      });
    }
    this.isMoving = false;
    this.engine = after;
    this.bidPrice *= factor;
    this.askPrice *= factor;
    this.hashLow = 0;
    this.hashHigh = 0;
    this.isRescaled = true;
    this.coarseLow = 0;
    this.coarseHigh = 0;
    this.offCoarseCount = 0;
    for (const side of [Side.Bid, Side.Ask]) {
      const levels = after.book.sideOf(side);
      for (let rank = 0; rank < levels.count; rank++) {
        const level = levels.at(rank);
        this.change(side, levels.price[level]!, 0, levels.size[level]!);
      }
    }
  }

  private makeEngine(tickSize: number, firstTradeId: number): MatchingEngine {
    return new MatchingEngine({
      handler: this,
      ordersCountMax: ORDERS_COUNT_MAX,
      selfTradePolicy: SelfTradePolicy.CancelMaker,
      tickSize,
      lotSize: this.spec.lotSize,
      firstTradeId,
    });
  }

  /** A level's change in the hashes. Hot. */
  private change(side: Side, price: number, before: number, after: number): void {
    this.mix(side, price, before);
    this.mix(side, price, after);
    if (!this.isRescaled) return;
    if (price % RESCALE !== 0) {
      this.offCoarseCount += (after === 0 ? 0 : 1) - (before === 0 ? 0 : 1);
      return;
    }
    this.mixCoarse(side, price / RESCALE, before);
    this.mixCoarse(side, price / RESCALE, after);
  }

  /** Into the hash, or out of it. Hot. */
  private mix(side: Side, price: number, size: number): void {
    if (size === 0) return;
    this.hashLow ^= levelHashLane(HASH_SEED_LOW, side, price, size);
    this.hashHigh ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
  }

  private mixCoarse(side: Side, price: number, size: number): void {
    if (size === 0) return;
    this.coarseLow ^= levelHashLane(HASH_SEED_LOW, side, price, size);
    this.coarseHigh ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
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
    this.truth.noteScale(
      this.spec.priceDecimals,
      this.isRescaled && this.offCoarseCount === 0,
      this.coarseLow,
      this.coarseHigh,
    );
    return true;
  }

  nextOrderId(): number {
    return this.ids.nextOrderId();
  }

  onMatchEvent(event: MatchEvent): void {
    if (this.isMoving) return;
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
    if (this.isMoving) return;
    const updateId = this.ids.nextUpdateId();
    this.lastUpdateId = updateId;
    this.command.addChange(side, price, updateId);
    this.change(side, price, sizeBefore, sizeAfter);
    if (this.observer !== null) {
      this.observer.onLevelChanged(side, price, sizeBefore, sizeAfter, ordersAfter);
    }
  }

  /** Cold. The best `levelsMax` levels of both sides, as they are. */
  copyBook(timeNs: number, levelsMax: number): BookCopy {
    return {
      spec: this.spec,
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
