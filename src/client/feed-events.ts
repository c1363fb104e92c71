/** What a subscription delivers: one plain object a message, typed by channel. */
import type { BookState, StateReason } from '../domain/book-state.js';
import type { ContextFieldName } from '../domain/context-fields.js';
import type { TradingName } from '../domain/definition.js';
import type { Level } from './level.js';
import type { LocalOrders } from './local-orders.js';
import type { LocalBook } from './local-book.js';

/** Common to all events. */
export interface EventHead {
  /** `venue:SYMBOL`. */
  readonly instrument: string;
  /** Changes whenever the stream's continuity was lost at the node. */
  readonly epoch: number;
  /** Of this stream, +1 each message. */
  readonly sequence: number;
  /** Below `sequence` where the node folded several messages into this one. */
  readonly firstSequence: number;
  /** Messages folded into this one beyond the first. */
  readonly folded: number;
  /** The venue's own number, 0 where it has none. */
  readonly venueSequence: number;
  /** EventFlag bits. */
  readonly flags: number;
  /** Of the instrument's book, after this message. */
  readonly state: BookState;
  readonly reason: StateReason;
  /** Unix nanoseconds: the venue's stamp (0: none); first byte at the node; in the book; sent. */
  readonly exchangeNs: bigint;
  readonly receivedNs: bigint;
  readonly appliedNs: bigint;
  readonly publishedNs: bigint;
  /** Events that the queue of this loop dropped before this one (policy `drop-oldest`). */
  skipped: number;
}

export interface BookEvent extends EventHead {
  readonly channel: 'book';
  /** What moved it: a whole new book, changed levels, or a change of state. */
  readonly kind: 'snapshot' | 'delta' | 'status';
  /** The live book: always the present one, also while older events wait in a queue. */
  readonly book: LocalBook;
}

export interface OrdersEvent extends EventHead {
  readonly channel: 'orders';
  /** What moved them: every order anew, the changes of a block, or a change of state. */
  readonly kind: 'snapshot' | 'delta' | 'status';
  /** The live orders: always the present ones, also while older events wait in a queue. */
  readonly orders: LocalOrders;
}

export interface BboEvent extends EventHead {
  readonly channel: 'bbo';
  /** Null where the side is empty. */
  readonly bid: Level | null;
  readonly ask: Level | null;
  /** Orders at the best price, 0 where the venue does not tell. */
  readonly bidOrders: number;
  readonly askOrders: number;
}

export interface TradePrint {
  /** Price and size, exact. */
  readonly at: Level;
  readonly tradeId: number;
  readonly aggressor: 'buy' | 'sell' | 'unknown';
  /** The venue's stamp in Unix milliseconds. */
  readonly exchangeUnixMs: number;
}

export interface TradesEvent extends EventHead {
  readonly channel: 'trades';
  readonly trades: readonly TradePrint[];
}

/** What the venue says of an instrument, as it is now. */
export interface ToldDefinition {
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
  /** Smallest steps as mantissas, 0 where the venue does not say. */
  readonly tickSize: number;
  readonly lotSize: number;
  readonly tickSizeText: string;
  readonly lotSizeText: string;
  /** Figures that a price may have, 0 for no such rule. */
  readonly priceSignificantFigures: number;
  readonly trading: TradingName;
}

export interface StatusEvent extends EventHead {
  readonly channel: 'status';
  /** Unix nanoseconds since when the state holds. */
  readonly sinceNs: bigint;
  /** Null where the node does not tell it. */
  readonly definition: ToldDefinition | null;
}

/** Exact: whole + fraction / 10^places, both parts with the number's sign. */
export interface ExactDecimal {
  readonly whole: number;
  readonly fraction: number;
  readonly places: number;
  /** As the venue wrote it. */
  readonly text: string;
}

/**
 * All that is known now of what the venue says beside the book. `state` and `reason` are those of the
 * context's own source. Null: not told, or told to be none.
 */
export interface ContextEvent
  extends EventHead, Readonly<Record<ContextFieldName, ExactDecimal | null>> {
  readonly channel: 'context';
  /** Unix nanoseconds. */
  readonly nextFundingNs: bigint | null;
}

export interface ChannelEvents {
  book: BookEvent;
  bbo: BboEvent;
  trades: TradesEvent;
  status: StatusEvent;
  orders: OrdersEvent;
  context: ContextEvent;
}

export type FeedChannel = keyof ChannelEvents;
export type FeedEvent = ChannelEvents[FeedChannel];

/** What the client itself has to tell, by name; see FeedClient.on. */
export interface ClientEvents {
  /** The connection's own state. */
  connection: ConnectionEvent;
  /** Messages are missing from a stream; it is subscribed anew. */
  gap: GapEvent;
  /** The book differs from the node's at this sequence; it is subscribed anew. */
  hashMismatch: HashMismatchEvent;
  /** A stream has its ground again after a reconnect, a gap or a mismatch. */
  recovered: RecoveredEvent;
  /** An error that belongs to no call that could throw it. */
  error: Error;
}

export type ConnectionState = 'idle' | 'connecting' | 'live' | 'waiting' | 'closed';

export interface ConnectionEvent {
  readonly state: ConnectionState;
  /** Of the last close, 0 where there was none. */
  readonly closeCode: number;
  readonly reason: string;
  /** While `waiting`: when the next attempt is made. */
  readonly retryInMs: number;
}

export interface GapEvent {
  readonly instrument: string;
  readonly channel: FeedChannel;
  readonly epoch: number;
  readonly expectedSequence: number;
  /** The first sequence that was seen instead, or that a heartbeat announced as next. */
  readonly foundSequence: number;
  readonly noticedBy: 'message' | 'heartbeat';
}

export interface HashMismatchEvent {
  readonly instrument: string;
  readonly epoch: number;
  /** The first sequence at which the two books differ. */
  readonly sequence: number;
  readonly hashExpected: string;
  readonly hashFound: string;
}

export interface RecoveredEvent {
  readonly instrument: string;
  readonly channel: FeedChannel;
  /** True: nothing was missed. False: begun anew from the present state. */
  readonly resumed: boolean;
}
