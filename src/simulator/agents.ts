/**
 * The traders of one market: makers who quote around a moving fair price, near the touch and in
 * depth; takers; arbitrageurs who trade quotes that the fair price has passed; bursts in which one
 * side is swept. Simulator's thread; hot: `act` gives one command to the engine.
 *
 * Time here is counted in commands, not in seconds: the shape of the market does not depend on the
 * rate at which it runs, and the same seed gives the same commands at any rate.
 */
import { Side } from '../domain/side.js';
import type { Prng } from '../domain/prng.js';
import { OrderView } from '../matching/order-book.js';
import { TimeInForce } from '../matching/match-event.js';
import type { Market } from './market.js';
import { LEVELS_COUNT_MAX } from './simulator-limits.js';

/** Steps of the fair price, in ticks a command; it reverts to its slow anchor. */
const FAIR_STEP_TICKS = 0.25;
const FAIR_REVERSION = 1 / 100_000;
/** A regime gives the fair price a direction for a while. */
const REGIME_COMMANDS = 20_000;
const REGIME_DRIFT_TICKS = 0.004;
/** The anchor itself stays within these multiples of the opening price. */
const FAIR_RATIO_MIN = 0.6;
const FAIR_RATIO_MAX = 1.6;

const BURST_CHANCE = 0.0004;
const BURST_COMMANDS_MIN = 8;
const BURST_COMMANDS_MAX = 60;
const BURST_JUMP_TICKS = 6;

const TAKER_CHANCE = 0.05;
const ARBITRAGE_CHANCE = 0.6;
const CROSSING_LIMIT_CHANCE = 0.015;
/** Of the makers' work: near the touch, as against in depth. */
const NEAR_CHANCE = 0.7;
const AMEND_CHANCE = 0.2;
const FAR_CHANCE = 0.02;
const NEAR_SCALE_TICKS = 5;
const NEAR_ORDERS_TARGET = 40;
/** Depth: orders a level and spread of their distances, as multiples of the levels wanted. */
const DEPTH_ORDERS_RATIO = 1.25;
const DEPTH_SCALE_RATIO = 0.9;
const DEAD_PICKS_MAX = 8;

const MAKERS_COUNT = 12;
const TAKERS_FIRST_OWNER = 101;
const TAKERS_COUNT = 40;

/** Order ids of one kind of quote; filled ones are noticed when they are picked. */
class QuoteList {
  count = 0;
  readonly ids: Float64Array;
  readonly target: number;

  constructor(target: number) {
    this.target = target;
    this.ids = new Float64Array(target * 2 + 64);
  }

  add(orderId: number, market: Market): void {
    if (this.count === this.ids.length) this.dropDead(market);
    if (this.count === this.ids.length) return;
    this.ids[this.count++] = orderId;
  }

  removeAt(index: number): void {
    this.ids[index] = this.ids[--this.count]!;
  }

  private dropDead(market: Market): void {
    let kept = 0;
    for (let index = 0; index < this.count; index++) {
      const orderId = this.ids[index]!;
      if (market.engine.book.has(orderId)) this.ids[kept++] = orderId;
    }
    this.count = kept;
  }
}

export class Population {
  private readonly market: Market;
  private readonly prng: Prng;
  private tick: number;
  /** In mantissas, not rounded to ticks. */
  private fair: number;
  private anchor: number;
  private drift = 0;
  private regimeLeft = 0;
  private burstLeft = 0;
  private burstSide: Side = Side.Bid;
  private readonly near: readonly [QuoteList, QuoteList];
  private readonly depth: readonly [QuoteList, QuoteList];
  private readonly depthScaleTicks: number;
  private readonly view = new OrderView();

  constructor(market: Market, prng: Prng) {
    const { tickSize, openingPrice, levelsTarget } = market.spec;
    this.market = market;
    this.prng = prng;
    this.tick = tickSize;
    this.fair = openingPrice;
    this.anchor = openingPrice;
    const target = Math.min(levelsTarget, LEVELS_COUNT_MAX);
    const depthOrders = Math.round(target * DEPTH_ORDERS_RATIO);
    this.near = [new QuoteList(NEAR_ORDERS_TARGET), new QuoteList(NEAR_ORDERS_TARGET)];
    this.depth = [new QuoteList(depthOrders), new QuoteList(depthOrders)];
    this.depthScaleTicks = target * DEPTH_SCALE_RATIO;
  }

  /** The fair price as a mantissa (not a multiple of the tick). */
  get fairPrice(): number {
    return this.fair;
  }

  /** The market's tick is another one, and prices are so many times as large in mantissas. */
  retick(factor: number): void {
    this.tick = this.market.spec.tickSize;
    this.fair *= factor;
    this.anchor *= factor;
    this.drift *= factor;
  }

  /** Quotes up to the makers' targets: the market as it opens. */
  open(): void {
    for (let side: Side = Side.Bid; ; side = Side.Ask) {
      for (const list of [this.near[side], this.depth[side]]) {
        const attemptsMax = list.target * 2;
        for (let n = 0; n < attemptsMax && list.count < list.target; n++) {
          this.place(list, side, list === this.near[side]);
        }
      }
      if (side === Side.Ask) break;
    }
  }

  /** One command, in most cases one that changes the book. Hot. */
  act(): void {
    const prng = this.prng;
    this.moveFair();
    if (this.burstLeft > 0) {
      this.burstLeft--;
      if (prng.chance(0.6)) {
        this.take(this.burstSide, 1);
        return;
      }
    } else if (prng.chance(BURST_CHANCE)) {
      this.startBurst();
    }
    const mispriced = this.mispricedSide();
    if (mispriced >= 0 && prng.chance(ARBITRAGE_CHANCE)) {
      this.arbitrage(mispriced as Side);
    } else if (prng.chance(TAKER_CHANCE)) {
      this.take(prng.chance(0.5) ? Side.Bid : Side.Ask, 0.5);
    } else {
      this.make();
    }
  }

  private moveFair(): void {
    const prng = this.prng;
    if (this.regimeLeft-- <= 0) {
      this.regimeLeft = Math.floor(REGIME_COMMANDS * (0.2 + prng.nextFloat()));
      this.drift = (prng.nextFloat() * 2 - 1) * REGIME_DRIFT_TICKS * this.tick;
    }
    this.anchor = this.bounded(this.anchor + this.drift);
    const step = this.gauss() * FAIR_STEP_TICKS * this.tick;
    this.fair = this.bounded(this.fair + step + (this.anchor - this.fair) * FAIR_REVERSION);
  }

  private bounded(price: number): number {
    const opening = this.market.spec.openingPrice;
    return Math.min(Math.max(price, opening * FAIR_RATIO_MIN), opening * FAIR_RATIO_MAX);
  }

  private startBurst(): void {
    const prng = this.prng;
    this.burstSide = prng.chance(0.5) ? Side.Bid : Side.Ask;
    this.burstLeft = BURST_COMMANDS_MIN + prng.nextInt(BURST_COMMANDS_MAX - BURST_COMMANDS_MIN);
    const jump = prng.nextFloat() * BURST_JUMP_TICKS * this.tick;
    this.fair = this.bounded(this.fair + (this.burstSide === Side.Bid ? jump : -jump));
  }

  /**
   * The side that an arbitrageur would take: quotes beyond the fair price; -1 if there are none.
   */
  private mispricedSide(): number {
    const { askPrice, bidPrice } = this.market;
    if (askPrice > 0 && askPrice < this.fair) return Side.Bid;
    if (bidPrice > this.fair) return Side.Ask;
    return -1;
  }

  private arbitrage(side: Side): void {
    const market = this.market;
    const ticks = this.fair / this.tick;
    const price = (side === Side.Bid ? Math.floor(ticks) : Math.ceil(ticks)) * this.tick;
    const best = side === Side.Bid ? market.askSize : market.bidSize;
    const size = Math.max(this.randomSize(), Math.min(best, this.randomSize() * 4));
    market.engine.submitLimit(
      market.nextOrderId(),
      this.taker(),
      side,
      price,
      size,
      TimeInForce.ImmediateOrCancel,
    );
  }

  private take(side: Side, aggression: number): void {
    const market = this.market;
    // The last levels of a side are left alone, so that a book is never swept empty.
    if (market.engine.book.sideOf(side === Side.Bid ? Side.Ask : Side.Bid).count < 8) {
      this.place(this.near[1 - side]!, side === Side.Bid ? Side.Ask : Side.Bid, true);
      return;
    }
    const best = side === Side.Bid ? market.askSize : market.bidSize;
    const size = this.prng.chance(aggression * 0.5)
      ? best + this.randomSize()
      : Math.min(best, this.randomSize());
    market.engine.submitMarket(market.nextOrderId(), this.taker(), side, Math.max(1, size));
  }

  private make(): void {
    const prng = this.prng;
    const side = prng.chance(0.5) ? Side.Bid : Side.Ask;
    const isNear = prng.chance(NEAR_CHANCE);
    const list = isNear ? this.near[side] : this.depth[side];
    if (isNear && prng.chance(CROSSING_LIMIT_CHANCE)) {
      this.crossingLimit(side);
      return;
    }
    if (prng.chance(AMEND_CHANCE) && this.amend(list, side, isNear)) return;
    const shortage = (list.target - list.count) / list.target;
    const placing = 0.5 + Math.min(0.45, Math.max(-0.45, shortage * 2));
    if (prng.chance(placing)) this.place(list, side, isNear);
    else this.cancel(list);
  }

  /** A post-only quote on the list's side of the fair price. */
  private place(list: QuoteList, side: Side, isNear: boolean): void {
    const market = this.market;
    const price = this.quotePrice(side, isNear);
    const levels = market.engine.book.sideOf(side);
    if (levels.count >= LEVELS_COUNT_MAX && market.engine.book.levelSize(side, price) === 0) {
      this.cancel(list);
      return;
    }
    const orderId = market.nextOrderId();
    const refused = market.engine.submitLimit(
      orderId,
      1 + this.prng.nextInt(MAKERS_COUNT),
      side,
      price,
      this.randomSize(),
      TimeInForce.PostOnly,
    );
    if (refused === 0) list.add(orderId, market);
  }

  /** A limit order at the other side's best or beyond: trades, and what is left rests. */
  private crossingLimit(side: Side): void {
    const market = this.market;
    const opposite = side === Side.Bid ? market.askPrice : market.bidPrice;
    const levels = market.engine.book.sideOf(side);
    if (opposite === 0 || levels.count >= LEVELS_COUNT_MAX) return;
    const orderId = market.nextOrderId();
    market.engine.submitLimit(
      orderId,
      this.taker(),
      side,
      opposite,
      this.randomSize() * 2,
      TimeInForce.GoodTilCancelled,
    );
    if (market.engine.book.has(orderId)) this.near[side].add(orderId, market);
  }

  private cancel(list: QuoteList): void {
    const index = this.pick(list);
    if (index < 0) return;
    this.market.engine.cancel(list.ids[index]!);
    list.removeAt(index);
  }

  private amend(list: QuoteList, side: Side, isNear: boolean): boolean {
    const index = this.pick(list);
    if (index < 0) return false;
    const { engine, spec } = this.market;
    const orderId = list.ids[index]!;
    const view = this.view;
    engine.book.readOrder(orderId, view);
    if (this.prng.chance(0.5)) {
      const smaller = Math.max(spec.lotSize, Math.floor(view.size * this.prng.nextFloat()));
      return engine.amend(orderId, view.price, smaller) === 0 && smaller !== view.size;
    }
    const price = this.quotePrice(side, isNear);
    if (
      engine.book.sideOf(side).count >= LEVELS_COUNT_MAX - 1 &&
      engine.book.levelSize(side, price) === 0
    ) {
      return false;
    }
    return engine.amend(orderId, price, this.randomSize()) === 0;
  }

  /** Index of a live order of the list, or -1; dead ones met on the way are taken off it. */
  private pick(list: QuoteList): number {
    for (let tries = 0; tries < DEAD_PICKS_MAX && list.count > 0; tries++) {
      const index = this.prng.nextInt(list.count);
      if (this.market.engine.book.has(list.ids[index]!)) return index;
      list.removeAt(index);
    }
    return -1;
  }

  private quotePrice(side: Side, isNear: boolean): number {
    const prng = this.prng;
    const ticks = this.fair / this.tick;
    let distance = -Math.log(1 - prng.nextFloat());
    if (isNear) distance *= NEAR_SCALE_TICKS;
    else if (prng.chance(FAR_CHANCE)) distance = ticks * 0.3 * prng.nextFloat();
    else distance *= this.depthScaleTicks;
    distance = Math.min(Math.floor(distance), Math.floor(ticks * 0.5));
    const touch = side === Side.Bid ? Math.floor(ticks - 0.25) : Math.ceil(ticks + 0.25);
    return Math.max(1, side === Side.Bid ? touch - distance : touch + distance) * this.tick;
  }

  private randomSize(): number {
    const { typicalLots, lotSize } = this.market.spec;
    const lots = Math.round(typicalLots * Math.exp(this.gauss() * 1.1 - 0.6));
    return Math.max(1, lots) * lotSize;
  }

  private taker(): number {
    return TAKERS_FIRST_OWNER + this.prng.nextInt(TAKERS_COUNT);
  }

  /** About normal: the sum of three uniform numbers, mean 0, deviation 1. */
  private gauss(): number {
    const prng = this.prng;
    return (prng.nextFloat() + prng.nextFloat() + prng.nextFloat()) * 2 - 3;
  }
}
