/**
 * The simulated exchange as a chain of blocks: what happened on all markets since the last block is one
 * block, told to whoever writes it down, with the true order books at each height. Simulator's thread.
 *
 * The mix is that of a real node (BTC, measured): blocks every 55 … 77 ms, about 26 diffs and 815
 * statuses a block, of which 95 % are post-only orders that would have traded.
 */
import { HASH_SEED_HIGH, HASH_SEED_LOW, hashText, orderHashLane } from '../domain/level-hash.js';
import { Prng } from '../domain/prng.js';
import { Side } from '../domain/side.js';
import { TimeInForce } from '../matching/match-event.js';
import type { Timeline } from '../time/timeline.js';
import type { Exchange } from './exchange.js';
import { MarketScribe } from './market-scribe.js';
import type { ChainPage } from './market-scribe.js';
import type { Market } from './market.js';
import { addressOf, clientIdOf, isoOf, orderText } from './node-block.js';
import type { NodeBlock, OrderFacts } from './node-block.js';

export interface NodeChainOptions {
  readonly exchange: Exchange;
  readonly timeline: Timeline;
  readonly seed: number;
  /** Orders refused a block on the most active market; the others have their share. */
  readonly rejectsPerBlock?: number;
  /** Keep the true order hash of every market and block: for tests, it costs a visit of all orders. */
  readonly keepTruths?: boolean;
  readonly onBlock: (block: NodeBlock) => void;
}

/** An order as it truly rests, in queue order. */
export interface TrueOrder {
  readonly oid: number;
  readonly side: Side;
  readonly price: number;
  readonly size: number;
  readonly owner: string;
}

const FIRST_HEIGHT = 985_148_182;
const FIRST_OID = 412_036_231_803;
const BLOCK_NS_MIN = 55e6;
const BLOCK_NS_MAX = 77e6;
/** 95 % of 815. */
export const REJECTS_PER_BLOCK = 774;
/** Book updates a second, all ten coins together, at which BTC has about 26 diffs a block. */
export const NODE_RATE = 1_000;
/** Truths kept, in blocks. */
const TRUTHS_MAX = 4096;
/** A maker who wants to be in front of another: two orders at one price in one block. */
const PAIR_CHANCE = 0.2;
const PAIR_OWNER = 7;
const PAIRS_MAX = 40;
const WAITING_OID = 1_000;
const WAITING_OWNER = 900;

export class NodeChain implements ChainPage {
  diffs: string[] = [];
  statuses: string[] = [];
  fills: string[] = [];
  timeText = '';
  timeMs = 0;
  /** Of the last block that is whole. */
  height = FIRST_HEIGHT - 1;
  readonly scribes: readonly MarketScribe[];
  private readonly options: NodeChainOptions;
  private readonly prng: Prng;
  private readonly truths = new Map<number, readonly string[]>();
  private readonly pairs: { readonly market: Market; readonly orderId: number }[] = [];
  private oid = FIRST_OID;
  private blockNs = 0;

  constructor(options: NodeChainOptions) {
    this.options = options;
    this.prng = new Prng(options.seed ^ 0x0b10c4);
    const { exchange } = options;
    this.setTime(exchange.timeNs);
    this.scribes = exchange.markets.map((market) => new MarketScribe(market, this, this.prng));
    this.recordTruth();
    exchange.addCadence(exchange.timeNs + this.gapNs(), (timeNs) => {
      this.endBlock(timeNs);
      return timeNs + this.gapNs();
    });
  }

  nextOrderId(): number {
    return this.oid++;
  }

  /** Closes the block under way. Afterwards the books stand as at `height`. */
  endBlock(timeNs: number): void {
    // A block's time is later than the one before, in whole milliseconds too.
    const atNs = Math.max(timeNs, this.blockNs + 1e6);
    this.placePair(atNs);
    this.reject();
    this.height++;
    const { diffs, statuses, fills, height } = this;
    this.recordTruth();
    this.options.onBlock({ height, timeNs: this.blockNs, diffs, statuses, fills });
    this.diffs = [];
    this.statuses = [];
    this.fills = [];
    for (const scribe of this.scribes) scribe.beginBlock();
    this.setTime(atNs);
  }

  /** Order hash of a market's true book after that block, or null if it is not known (any more). */
  truthAt(height: number, marketIndex: number): string | null {
    return this.truths.get(height)?.[marketIndex] ?? null;
  }

  /** The true orders of a market now: bids best first, first come first within a price, then asks. */
  ordersNow(marketIndex: number): TrueOrder[] {
    const orders: TrueOrder[] = [];
    this.visit(marketIndex, (side, price, size, facts) => {
      orders.push({ oid: facts.oid, side, price, size, owner: addressOf(facts.owner) });
    });
    return orders;
  }

  /** The file that a node writes on `fileSnapshot`, with the height in front; ends the block. */
  snapshotText(timeNs: number): string {
    this.endBlock(timeNs);
    const coins = this.scribes.map(({ market }) => {
      const sides: [string[], string[]] = [[], []];
      this.visit(market.index, (side, price, size, facts) => {
        const order = orderText(market.spec, facts, side, price, size, true);
        sides[side].push(`["${addressOf(facts.owner)}",${order}]`);
      });
      for (const side of [Side.Bid, Side.Ask] as const) {
        sides[side].push(this.waitingTrigger(market, side));
      }
      return `["${market.spec.symbol}",[[${sides[Side.Bid].join(',')}],[${sides[Side.Ask].join(',')}]]]`;
    });
    return `[${this.height},[${coins.join(',')}]]`;
  }

  /** Orders that wait for their trigger stand behind all others in a snapshot; they do not rest. */
  private waitingTrigger(market: Market, side: Side): string {
    const price = side === Side.Bid ? market.askPrice : market.bidPrice;
    const facts: OrderFacts = {
      oid: WAITING_OID + market.index * 2 + side,
      owner: WAITING_OWNER,
      placedMs: this.timeMs,
      clientId: null,
      originalSize: market.spec.lotSize,
      timeInForce: 'Gtc',
      isTriggered: true,
    };
    const order = orderText(market.spec, facts, side, price, market.spec.lotSize, false);
    return `["${addressOf(WAITING_OWNER)}",${order}]`;
  }

  private visit(
    marketIndex: number,
    take: (side: Side, price: number, size: number, facts: OrderFacts) => void,
  ): void {
    const scribe = this.scribes[marketIndex]!;
    for (const side of [Side.Bid, Side.Ask] as const) {
      scribe.market.engine.book.visitOrders(side, ({ orderId, owner, price, size }) =>
        take(side, price, size, scribe.factsOf(orderId, owner, size)),
      );
    }
  }

  private recordTruth(): void {
    if (this.options.keepTruths !== true) return;
    const hashes = this.scribes.map(({ market }) => {
      let low = 0;
      let high = 0;
      this.visit(market.index, (side, price, size, { oid }) => {
        low ^= orderHashLane(HASH_SEED_LOW, side, price, size, oid);
        high ^= orderHashLane(HASH_SEED_HIGH, side, price, size, oid);
      });
      return hashText(high, low);
    });
    this.truths.set(this.height, hashes);
    this.truths.delete(this.height - TRUTHS_MAX);
  }

  private setTime(timeNs: number): void {
    this.blockNs = timeNs;
    this.timeText = isoOf(timeNs, this.options.timeline);
    this.timeMs = Number(this.options.timeline.toUnixNs(timeNs) / 1_000_000n);
  }

  private gapNs(): number {
    return BLOCK_NS_MIN + this.prng.nextFloat() * (BLOCK_NS_MAX - BLOCK_NS_MIN);
  }

  /** Now and then two orders at one price, the second in front of the first; old ones are cancelled. */
  private placePair(timeNs: number): void {
    const { prng, pairs } = this;
    if (!prng.chance(PAIR_CHANCE)) return;
    const { market } = this.scribes[prng.nextInt(this.scribes.length)]!;
    const { book } = market.engine;
    const side = prng.chance(0.5) ? Side.Bid : Side.Ask;
    const levels = book.sideOf(side);
    const level = levels.at(Math.min(2 + prng.nextInt(6), levels.count - 1));
    if (level < 0) return;
    const price = levels.price[level]!;
    for (let i = 0; i < 2; i++) {
      const orderId = market.nextOrderId();
      this.command(market, timeNs, () => {
        const size = (1 + prng.nextInt(50)) * market.spec.lotSize;
        market.engine.submitLimit(orderId, PAIR_OWNER, side, price, size, TimeInForce.PostOnly);
      });
      pairs.push({ market, orderId });
    }
    while (pairs.length > PAIRS_MAX) {
      const { market: of, orderId } = pairs.shift()!;
      if (of.engine.book.has(orderId)) this.command(of, timeNs, () => of.engine.cancel(orderId));
    }
  }

  private command(market: Market, timeNs: number, act: () => void): void {
    market.begin();
    act();
    if (market.commit(timeNs)) this.options.exchange.listener?.onCommand(market, timeNs);
  }

  /** Post-only orders that would have traded: most of what a node writes. */
  private reject(): void {
    const mean = this.options.rejectsPerBlock ?? REJECTS_PER_BLOCK;
    if (mean === 0) return;
    const most = Math.max(...this.scribes.map(({ market }) => market.spec.activity));
    for (const { market } of this.scribes) {
      const share = (mean * market.spec.activity) / most;
      const count = Math.round(share * (0.5 + this.prng.nextFloat()));
      for (let i = 0; i < count; i++) this.statuses.push(this.rejection(market));
    }
  }

  private rejection(market: Market): string {
    const { prng } = this;
    const side = prng.chance(0.5) ? Side.Bid : Side.Ask;
    const { bidPrice, askPrice, spec } = market;
    const opposite = side === Side.Bid ? askPrice : bidPrice;
    const oid = this.nextOrderId();
    const owner = 200 + prng.nextInt(300);
    const size = 1 + prng.nextInt(spec.typicalLots);
    const facts: OrderFacts = {
      oid,
      owner,
      placedMs: this.timeMs,
      clientId: clientIdOf(oid),
      originalSize: size,
      timeInForce: 'Alo',
      isTriggered: false,
    };
    return (
      `{"time":"${this.timeText}","user":"${addressOf(owner)}","hash":null,"builder":null,` +
      `"status":"badAloPxRejected","order":${orderText(spec, facts, side, opposite, size, false)}}`
    );
  }
}
