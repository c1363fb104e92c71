/** What both hosts export beside FeedClient itself. */
export { BookState, StateReason, bookStateName, stateReasonName } from '../domain/book-state.js';
export { EventFlag } from '../domain/event-flags.js';
export { Aggressor, Side } from '../domain/side.js';
export { MessageDecoder } from '../wire/decode.js';
export { HeadField } from '../wire/head-fields.js';
export { verifyMessage } from '../wire/verifier.js';
export type { InstrumentInfo } from './control-messages.js';
export { EventQueue, type OverflowPolicy, type QueueOptions } from './event-queue.js';
export type { ClientCounters } from './feed-client.js';
export { FeedError, type ClientErrorCode } from './feed-error.js';
export type {
  BboEvent,
  BookEvent,
  ChannelEvents,
  ClientEvents,
  ConnectionEvent,
  ConnectionState,
  ContextEvent,
  EventHead,
  ExactDecimal,
  FeedChannel,
  FeedEvent,
  GapEvent,
  HashMismatchEvent,
  OrdersEvent,
  RecoveredEvent,
  StatusEvent,
  ToldDefinition,
  TradePrint,
  TradesEvent,
} from './feed-events.js';
export { Level } from './level.js';
export { LocalOrders, type LocalOrder } from './local-orders.js';
export { LocalBook, type DepthCurve } from './local-book.js';
export type { HashTally, SubscribeOptions } from './stream-state.js';
export { Subscription } from './subscription.js';
export type { WebSocketConstructor, WebSocketLike } from './web-socket.js';
