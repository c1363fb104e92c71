/**
 * `ringside`: a feed node inside your own program. See also `ringside/client` for a program that
 * connects to a node over its socket.
 *
 *     const node = createFeedNode({ venue: { id: 'binance-futures', symbols: ['BTCUSDT'] } });
 *     node.on('bbo', ({ instrument, bid, ask }) => console.log(instrument, bid?.priceText, ask?.priceText));
 *     await node.start();
 */
import type { NodeConfigInput } from './ops/config-schema.js';
import { EmbeddedNode } from './node/embedded-node.js';
import type { EmbeddedOptions } from './node/embedded-node.js';

/**
 * A node with this configuration (the shape of the configuration file; `{}` runs on the simulated
 * exchange). It serves no clients unless `server.enabled` is true. Throws FaultError BAD_CONFIG.
 */
export function createFeedNode(
  config: NodeConfigInput = {},
  options: EmbeddedOptions = {},
): EmbeddedNode {
  return new EmbeddedNode(config, options);
}

export { BboCell, EmbeddedNode } from './node/embedded-node.js';
export type { EmbeddedOptions } from './node/embedded-node.js';
export type { NodeConfigInput } from './ops/config-schema.js';
export type { Instrument } from './domain/instrument.js';
export { FaultError } from './faults/fault.js';
export type { FaultCode } from './faults/fault.js';
export { BookState, StateReason, bookStateName, stateReasonName } from './domain/book-state.js';
export type {
  BboEvent,
  BookEvent,
  ChannelEvents,
  ContextEvent,
  ExactDecimal,
  FeedChannel,
  FeedEvent,
  StatusEvent,
  ToldDefinition,
  TradePrint,
  TradesEvent,
} from './client/feed-events.js';
export { Level } from './client/level.js';
export { LocalBook } from './client/local-book.js';
