/**
 * What a node writes down of one market: hears every event of its matching engine and turns it into
 * book diffs, order statuses and fills. Simulator's thread; warm.
 *
 *     engine        diff                                status
 *     Rested        new                                 open, or triggered
 *     Traded        update or remove (the maker's)      filled, when nothing is left
 *     Reduced       update                              –
 *     Cancelled     remove                              canceled
 *     … Replaced    remove; rests again under a new id  canceled, open
 *     Rejected      –                                   badAloPxRejected
 *
 * Three kinds of order are special, by owner: the house's liquidity (HIP-2) has diffs but no statuses;
 * one trader's orders all come from triggers; an immediate order now and then leaves a remainder that
 * enters the book and is taken out in the same block. A new order may claim a place directly in front of
 * the one before it, `insertBefore`: the two are then written the other way round.
 */
import type { Prng } from '../domain/prng.js';
import type { Side } from '../domain/side.js';
import {
  CancelReason,
  MatchEventKind,
  RejectReason,
  TimeInForce,
} from '../matching/match-event.js';
import type { MatchEvent, MatchHandler } from '../matching/match-event.js';
import type { Market } from './market.js';
import {
  addressOf,
  clientIdOf,
  hashOf,
  orderText,
  priceText,
  sideLetter,
  sizeText,
} from './node-block.js';
import type { OrderFacts } from './node-block.js';

/** Where the scribe writes to, and what it asks of the chain. */
export interface ChainPage {
  readonly diffs: string[];
  readonly statuses: string[];
  readonly fills: string[];
  nextOrderId(): number;
  /** Block time as the node prints it, and in unix milliseconds. */
  readonly timeText: string;
  readonly timeMs: number;
}

/** Owners of the population are 1 … 12 (makers) and 101 … 140 (takers). */
const HOUSE_OWNER = 12;
const TRIGGER_OWNER = 11;
/** Of orders, how many carry a client's id. */
const CLIENT_ID_CHANCE = 0.8;
const RESIDUAL_CHANCE = 0.25;
const INSERT_BEFORE_CHANCE = 0.5;
/** Trade ids of the real venue have 50 bits. */
const TRADE_ID_BASE = 2 ** 49;

const TIF_NAMES = {
  [TimeInForce.GoodTilCancelled]: 'Gtc',
  [TimeInForce.ImmediateOrCancel]: 'Ioc',
  [TimeInForce.FillOrKill]: 'Ioc',
  [TimeInForce.PostOnly]: 'Alo',
} as const;

/** The last `new` diff of the block, as long as nothing was written after it. */
interface LastNew {
  readonly at: number;
  readonly side: Side;
  readonly price: number;
  readonly oid: number;
}

export class MarketScribe implements MatchHandler {
  private readonly facts = new Map<number, OrderFacts>();
  private lastNew: LastNew | null = null;
  /** Written so far, for the mix. */
  insertsBefore = 0;
  residuals = 0;

  constructor(
    readonly market: Market,
    private readonly page: ChainPage,
    private readonly prng: Prng,
  ) {
    market.observer = this;
  }

  beginBlock(): void {
    this.lastNew = null;
  }

  onLevelChanged(): void {}

  onMatchEvent(event: MatchEvent): void {
    switch (event.kind) {
      case MatchEventKind.Accepted:
        this.learn(event.orderId, event.owner, event.size, TIF_NAMES[event.timeInForce]);
        return;
      case MatchEventKind.Rejected:
        if (event.reason === RejectReason.WouldMatch) this.onRejected(event);
        return;
      case MatchEventKind.Traded:
        return this.onTraded(event);
      case MatchEventKind.Rested:
        return this.onRested(event);
      case MatchEventKind.Reduced:
        return this.diff(
          event,
          this.factsOf(event.orderId, event.owner, event.remaining),
          this.updateText(event.remaining + event.size, event.remaining),
        );
      case MatchEventKind.Cancelled:
        return this.onCancelled(event);
      case MatchEventKind.Done:
        this.facts.delete(event.orderId);
        return;
    }
  }

  /** What is known of a resting order; one from before the chain began is described now. */
  factsOf(orderId: number, owner: number, size: number): OrderFacts {
    return this.facts.get(orderId) ?? this.learn(orderId, owner, size, 'Alo');
  }

  private learn(
    orderId: number,
    owner: number,
    size: number,
    timeInForce: OrderFacts['timeInForce'],
  ): OrderFacts {
    const facts = this.describe(owner, size, timeInForce);
    this.facts.set(orderId, facts);
    return facts;
  }

  private describe(
    owner: number,
    size: number,
    timeInForce: OrderFacts['timeInForce'],
  ): OrderFacts {
    const oid = this.page.nextOrderId();
    return {
      oid,
      owner,
      placedMs: this.page.timeMs,
      clientId: this.prng.chance(CLIENT_ID_CHANCE) ? clientIdOf(oid) : null,
      originalSize: size,
      timeInForce,
      isTriggered: owner === TRIGGER_OWNER && timeInForce !== 'Ioc',
    };
  }

  private onRejected(event: MatchEvent): void {
    // It may be an order that rests and was to be changed: what is known of that one stays.
    const facts = this.describe(event.owner, event.size, 'Alo');
    this.status(facts, 'badAloPxRejected', event.side, event.price, event.size);
  }

  private onRested(event: MatchEvent): void {
    const facts = this.factsOf(event.orderId, event.owner, event.size);
    const { side, price, size } = event;
    this.status(facts, facts.isTriggered ? 'triggered' : 'open', side, price, size);
    const { diffs } = this.page;
    const before = this.lastNew;
    const isBehind =
      before !== null &&
      before.at === diffs.length - 1 &&
      before.side === side &&
      before.price === price;
    if (isBehind && this.prng.chance(INSERT_BEFORE_CHANCE)) {
      // The queue is … before, this. Written: this first, then the other in front of it.
      const other = diffs.pop()!;
      this.diff(event, facts, this.newText(size));
      diffs.push(other.replace(/"\}\}\}$/, `","insertBefore":${facts.oid}}}}`));
      this.insertsBefore++;
      this.lastNew = null;
      return;
    }
    this.diff(event, facts, this.newText(size));
    this.lastNew = { at: diffs.length - 1, side, price, oid: facts.oid };
  }

  private onTraded(event: MatchEvent): void {
    const { makerRemaining, size, price } = event;
    const makerSide = (1 - event.side) as Side;
    const maker = this.factsOf(event.makerOrderId, event.makerOwner, makerRemaining + size);
    const change =
      makerRemaining === 0 ? '"remove"' : this.updateText(makerRemaining + size, makerRemaining);
    this.writeDiff(maker, makerSide, price, change);
    const taker = this.factsOf(event.orderId, event.owner, event.remaining + size);
    this.fill(taker, event.side, event, true);
    this.fill(maker, makerSide, event, false);
    if (makerRemaining === 0) this.status(maker, 'filled', makerSide, price, 0);
    if (event.remaining === 0) this.status(taker, 'filled', event.side, price, 0);
  }

  private onCancelled(event: MatchEvent): void {
    const facts = this.factsOf(event.orderId, event.owner, event.size);
    const { side, price, size } = event;
    if (event.reason === CancelReason.ImmediateRemainder) {
      if (price > 0 && this.prng.chance(RESIDUAL_CHANCE)) {
        this.residuals++;
        this.status(facts, 'open', side, price, size);
        this.diff(event, facts, this.newText(size));
        this.diff(event, facts, '"remove"');
      }
      this.status(facts, 'canceled', side, price, size);
      return;
    }
    this.diff(event, facts, '"remove"');
    const why = event.reason === CancelReason.SelfTrade ? 'selfTradeCanceled' : 'canceled';
    this.status(facts, why, side, price, size);
    // An order that was changed comes back as another one.
    if (event.reason === CancelReason.Replaced) {
      this.learn(event.orderId, event.owner, size, facts.timeInForce);
    }
  }

  private diff(event: MatchEvent, facts: OrderFacts, change: string): void {
    this.writeDiff(facts, event.side, event.price, change);
  }

  private writeDiff(facts: OrderFacts, side: Side, price: number, change: string): void {
    const { spec } = this.market;
    this.page.diffs.push(
      `{"user":"${addressOf(facts.owner)}","oid":${facts.oid},"coin":"${spec.symbol}",` +
        `"side":"${sideLetter(side)}","px":"${priceText(spec, price)}","raw_book_diff":${change}}`,
    );
  }

  private newText(size: number): string {
    return `{"new":{"sz":"${sizeText(this.market.spec, size)}"}}`;
  }

  private updateText(before: number, after: number): string {
    const { spec } = this.market;
    return `{"update":{"origSz":"${sizeText(spec, before)}","newSz":"${sizeText(spec, after)}"}}`;
  }

  private status(facts: OrderFacts, status: string, side: Side, price: number, size: number): void {
    if (facts.owner === HOUSE_OWNER) return;
    this.page.statuses.push(
      `{"time":"${this.page.timeText}","user":"${addressOf(facts.owner)}",` +
        `"hash":${status === 'open' ? `"${hashOf(facts.oid)}"` : 'null'},"builder":null,` +
        `"status":"${status}","order":${orderText(this.market.spec, facts, side, price, size, false)}}`,
    );
  }

  private fill(facts: OrderFacts, side: Side, event: MatchEvent, crossed: boolean): void {
    const { spec } = this.market;
    const cloid = facts.clientId === null ? '' : `"cloid":"${facts.clientId}",`;
    this.page.fills.push(
      `["${addressOf(facts.owner)}",{"coin":"${spec.symbol}","px":"${priceText(spec, event.price)}",` +
        `"sz":"${sizeText(spec, event.size)}","side":"${sideLetter(side)}",` +
        `"time":${this.page.timeMs},"startPosition":"0.0","dir":"Open Long","closedPnl":"0.0",` +
        `"hash":"${hashOf(event.tradeId)}","oid":${facts.oid},"crossed":${crossed},"fee":"0.01",` +
        `"tid":${TRADE_ID_BASE + event.tradeId},${cloid}"feeToken":"USDC","twapId":null}]`,
    );
  }
}
