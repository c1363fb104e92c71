/**
 * What the order-by-order books put out, as lines of JSON: one a block and instrument with events.
 * Replay thread. Every book is rebuilt from the messages of its orders stream (OrdersMirror, proven by
 * the hash in each message), so a line is what a client of the feed would hold.
 *
 *     bbo     {"instrument","blockNumber","sequence","state","bid":[price,size,orders]|null,"ask":…,
 *              "restingOrders"}
 *     l2      {"instrument","blockNumber","sequence","state","levels":[[{"px","sz","n"},…],[…]]}
 *     trades  {"instrument","sequence","tradeId","exchangeNs","price","size","aggressor","buyer",
 *              "seller","hash"}
 *     orders  {"instrument","blockNumber","sequence","state","changes":[…]}
 *
 * A book that can no longer be trusted says so in one line of the same form with its `reason`, and
 * nothing in it: `bid` and `ask` null, no levels, no changes.
 *
 * Prices are printed as the node prints them: no trailing zeros, at least one place. Sizes of levels,
 * which are sums, with as many places as the finest order of the instrument has.
 */
import { BookState, bookStateName, stateReasonName } from '../domain/book-state.js';
import { formatShortDecimal, placesNeeded } from '../domain/decimal.js';
import { EventFlag } from '../domain/event-flags.js';
import type { Instrument } from '../domain/instrument.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, hashText, levelHashLane } from '../domain/level-hash.js';
import { setLevelPairs } from '../domain/level-pairs.js';
import { aggregateLevels } from '../domain/price-bucket.js';
import type { RestingOrders } from '../domain/resting-orders.js';
import { Side } from '../domain/side.js';
import { InvariantError } from '../faults/invariant.js';
import {
  OUT_ENVELOPE_DOUBLES,
  OUT_INSTRUMENT,
  OUT_MESSAGE_BYTES,
  RecordType,
} from '../rings/record-types.js';
import type { RecordHandler, RingConsumer } from '../rings/ring-consumer.js';
import type { Agent } from '../runtime/agent.js';
import { MessageDecoder } from '../wire/decode.js';
import { HeadField } from '../wire/head-fields.js';
import { messageToJson } from '../wire/message-json.js';
import { BodyType, ORDER_CHANGE_FIELDS, ORDER_FIELDS } from '../wire/message-layout.js';
import { OrdersMirror } from '../wire/orders-mirror.js';
import { MirrorSide } from './mirror-side.js';

export type NodeLineMode = 'bbo' | 'l2' | 'trades' | 'orders' | 'none';

export interface NodeLinesOptions {
  readonly mode: NodeLineMode;
  readonly instruments: ReadonlyMap<number, Instrument>;
  readonly input: RingConsumer;
  /** Levels a side of an `l2` line; 0 is all. */
  readonly levels: number;
  /** Significant figures of an `l2` line, 0 for none, and their mantissa (1, 2 or 5). */
  readonly sigFigs: number;
  readonly mantissa: number;
  /** Each book is shown once as it stood after the block of this height, as soon as that is known. */
  readonly checkpoint?: NodeCheckpoint;
}

export interface NodeCheckpoint {
  readonly height: number;
  /** `orders` are lent until the call returns; null if the book was not Live then. */
  onBook(instrument: Instrument, orders: RestingOrders | null): void;
}

const RECORDS_PER_TURN = 256;

/** One instrument as a client holds it. */
class NodeMirror {
  readonly sides = [new MirrorSide(Side.Bid), new MirrorSide(Side.Ask)] as const;
  readonly mirror: OrdersMirror;
  state: number = BookState.Syncing;
  /** Its orders were told as those of a Live book, and nothing to the contrary since. */
  isTrusted = false;
  trades = 0;
  blocks = 0;
  isShown = false;
  /** Of the block under way: a large one comes in several messages. */
  changes: unknown[] = [];
  /** Decimals of the finest order size seen. */
  sizePlaces = 1;

  constructor(readonly instrument: Instrument) {
    this.mirror = new OrdersMirror({
      apply: (levels, at, bids, asks) => setLevelPairs(this.sides, levels, at, bids, asks),
      clear: () => {
        for (const side of this.sides) side.clear();
      },
    });
  }
}

export class NodeLines implements Agent, RecordHandler {
  readonly name = 'node-lines';
  private readonly options: NodeLinesOptions;
  private readonly decoder = new MessageDecoder();
  private readonly mirrors = new Map<number, NodeMirror>();
  private lines: string[] = [];
  private chars = 0;

  constructor(options: NodeLinesOptions) {
    this.options = options;
    for (const [id, instrument] of options.instruments)
      this.mirrors.set(id, new NodeMirror(instrument));
  }

  doWork(): number {
    return this.options.input.poll(this, RECORDS_PER_TURN);
  }

  onClose(): void {}

  get waitingChars(): number {
    return this.chars;
  }

  takeLines(): string {
    const text = this.lines.join('');
    this.lines = [];
    this.chars = 0;
    return text;
  }

  /** Nothing more will come: shows those books that no later block has shown. */
  finish(): void {
    for (const entry of this.mirrors.values()) this.show(entry);
  }

  /** State of every instrument at the end: by name, with counts and hashes. */
  summaries(): readonly NodeSummary[] {
    return [...this.mirrors.values()].map((entry) => ({
      instrument: entry.instrument.name,
      state: bookStateName(entry.state),
      blocks: entry.blocks,
      trades: entry.trades,
      restingOrders: entry.mirror.orders.ledger.orderCount,
      ordersHash: hashText(entry.mirror.orders.hashHigh, entry.mirror.orders.hashLow),
      bookHash: this.bookHash(entry),
    }));
  }

  onRecord(typeId: number, slot: number): void {
    const { doubles, words } = this.options.input;
    const entry = this.mirrors.get(doubles[slot + OUT_INSTRUMENT]!);
    if (entry === undefined) throw new InvariantError('a message of an instrument of this replay');
    const at = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    const type = this.decoder.decodeWords(words, at, doubles[slot + OUT_MESSAGE_BYTES]!);
    if (type < 0) throw new InvariantError('the books write messages that can be read');
    if (this.isBeyondCheckpoint(type)) this.show(entry);
    entry.state = this.decoder.head[HeadField.State]!;
    if (typeId === RecordType.OrdersStatusOut) this.onOrdersState(entry);
    if (type === BodyType.OrdersSnapshot) {
      this.notePlaces(entry, ORDER_FIELDS);
      entry.mirror.applySnapshot(this.decoder);
      entry.isTrusted = entry.state === BookState.Live;
    }
    if (type === BodyType.OrdersDelta) this.onChanges(entry);
    else if (type === BodyType.Trades) this.onTrades(entry);
  }

  /** The message is of a block after the one that was asked for, or of a book that is begun anew. */
  private isBeyondCheckpoint(type: number): boolean {
    const { checkpoint } = this.options;
    if (checkpoint === undefined) return false;
    const isOrders = type === BodyType.OrdersDelta || type === BodyType.OrdersSnapshot;
    return isOrders && this.decoder.head[HeadField.VenueSequence]! > checkpoint.height;
  }

  private show(entry: NodeMirror): void {
    const { checkpoint } = this.options;
    if (checkpoint === undefined || entry.isShown) return;
    entry.isShown = true;
    const isLive = entry.state === BookState.Live && !entry.mirror.isBroken;
    checkpoint.onBook(entry.instrument, isLive ? entry.mirror.orders.ledger : null);
  }

  private notePlaces(entry: NodeMirror, stride: number): void {
    const { orders, ordersCount } = this.decoder;
    for (let i = 0; i < ordersCount; i++) {
      const places = placesNeeded(orders[i * stride + 2]!, entry.instrument.sizeDecimals);
      if (places > entry.sizePlaces) entry.sizePlaces = places;
    }
  }

  private onChanges(entry: NodeMirror): void {
    this.notePlaces(entry, ORDER_CHANGE_FIELDS);
    if (!entry.mirror.applyDelta(this.decoder)) {
      throw new InvariantError('a book rebuilt from its changes has the hash they carry');
    }
    if (this.options.mode === 'orders') this.collectChanges(entry);
    if ((this.decoder.head[HeadField.Flags]! & EventFlag.Last) === 0) return;
    entry.blocks++;
    if (this.options.mode === 'bbo') this.writeBbo(entry);
    else if (this.options.mode === 'orders') this.writeOrders(entry);
    else if (this.options.mode === 'l2') this.writeLevels(entry);
  }

  private head(entry: NodeMirror): Record<string, unknown> {
    const { head } = this.decoder;
    return {
      instrument: entry.instrument.name,
      blockNumber: head[HeadField.VenueSequence],
      sequence: head[HeadField.Sequence],
      state: bookStateName(head[HeadField.State]!),
    };
  }

  private writeBbo(entry: NodeMirror): void {
    const best = (side: Side): unknown => {
      const levels = entry.sides[side];
      if (levels.count === 0) return null;
      const price = levels.priceAt(0);
      return [
        ...this.texts(entry, price, levels.sizeAt(0)),
        entry.mirror.orders.ledger.orderCountAt(side, price),
      ];
    };
    this.write({
      ...this.head(entry),
      bid: best(Side.Bid),
      ask: best(Side.Ask),
      restingOrders: entry.mirror.orders.ledger.orderCount,
    });
  }

  private writeLevels(entry: NodeMirror): void {
    const { sigFigs, mantissa } = this.options;
    const levels = ([Side.Bid, Side.Ask] as const).map((side) => {
      const count = entry.sides[side].count;
      const triples = new Float64Array(count * 3);
      for (let i = 0; i < count; i++) {
        const price = entry.sides[side].priceAt(i);
        triples[i * 3] = price;
        triples[i * 3 + 1] = entry.sides[side].sizeAt(i);
        triples[i * 3 + 2] = entry.mirror.orders.ledger.orderCountAt(side, price);
      }
      const buckets = new Float64Array(count * 3);
      const most = this.options.levels === 0 ? count : this.options.levels;
      const { priceDecimals } = entry.instrument;
      const made = aggregateLevels(
        side,
        triples,
        count,
        priceDecimals,
        sigFigs,
        mantissa,
        most,
        buckets,
      );
      return Array.from({ length: made }, (_, i) => {
        const [px, sz] = this.texts(entry, buckets[i * 3]!, buckets[i * 3 + 1]!);
        return { px, sz, n: buckets[i * 3 + 2] };
      });
    });
    this.write({ ...this.head(entry), levels });
  }

  private onOrdersState(entry: NodeMirror): void {
    if (!entry.isTrusted || entry.state !== BookState.Suspect) return;
    entry.isTrusted = false;
    this.writeLoss(entry);
  }

  private writeLoss(entry: NodeMirror): void {
    const reason = stateReasonName(this.decoder.head[HeadField.Reason]!);
    const start = { ...this.head(entry), reason };
    entry.changes = [];
    if (this.options.mode === 'bbo')
      this.write({ ...start, bid: null, ask: null, restingOrders: 0 });
    else if (this.options.mode === 'l2') this.write({ ...start, levels: [[], []] });
    else if (this.options.mode === 'orders') this.write({ ...start, changes: [] });
  }

  private collectChanges(entry: NodeMirror): void {
    const message = messageToJson(this.decoder, BodyType.OrdersDelta, entry.instrument);
    if (message.type !== 'ordersDelta') throw new InvariantError('changes are shown as changes');
    for (const change of message.changes) entry.changes.push(change);
  }

  private writeOrders(entry: NodeMirror): void {
    this.write({ ...this.head(entry), changes: entry.changes });
    entry.changes = [];
  }

  private onTrades(entry: NodeMirror): void {
    const message = messageToJson(this.decoder, BodyType.Trades, entry.instrument);
    if (message.type !== 'trades') throw new InvariantError('trades are shown as trades');
    entry.trades += message.trades.length;
    if (this.options.mode !== 'trades') return;
    message.trades.forEach((trade, i) => {
      const { tradeId, exchangeNs, aggressor } = trade;
      const at = i * 5;
      const { priceDecimals, sizeDecimals } = entry.instrument;
      const price = formatShortDecimal(this.decoder.trades[at]!, priceDecimals);
      const size = formatShortDecimal(this.decoder.trades[at + 1]!, sizeDecimals);
      const sequence = this.decoder.head[HeadField.Sequence];
      const { name } = entry.instrument;
      this.write({
        instrument: name,
        sequence,
        tradeId,
        exchangeNs,
        price,
        size,
        aggressor,
        ...message.parties?.[i],
      });
    });
  }

  private texts(entry: NodeMirror, price: number, size: number): [string, string] {
    const { priceDecimals, sizeDecimals } = entry.instrument;
    return [
      formatShortDecimal(price, priceDecimals),
      formatShortDecimal(size, sizeDecimals, entry.sizePlaces),
    ];
  }

  private bookHash(entry: NodeMirror): string {
    let low = 0;
    let high = 0;
    for (const side of entry.sides) {
      for (let i = 0; i < side.count; i++) {
        low ^= levelHashLane(HASH_SEED_LOW, side.side, side.priceAt(i), side.sizeAt(i));
        high ^= levelHashLane(HASH_SEED_HIGH, side.side, side.priceAt(i), side.sizeAt(i));
      }
    }
    return hashText(high, low);
  }

  private write(line: Record<string, unknown>): void {
    const text = `${JSON.stringify(line)}\n`;
    this.lines.push(text);
    this.chars += text.length;
  }
}

export interface NodeSummary {
  readonly instrument: string;
  readonly state: string;
  readonly blocks: number;
  readonly trades: number;
  readonly restingOrders: number;
  readonly ordersHash: string;
  readonly bookHash: string;
}
