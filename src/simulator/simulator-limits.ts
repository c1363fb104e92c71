/** Every bound of the simulator, with its reason. Cold. */

/**
 * One connection of the venue carries 1,024 streams; beyond that a test wants several simulators.
 */
export const MARKETS_COUNT_MAX = 1000;

/**
 * A REST snapshot holds at most 1,000 levels a side. No book here has more, so that a reader's book
 * is the whole book and its hash can be compared with the truth.
 */
export const LEVELS_COUNT_MAX = 1000;

/** Orders of one book: a few a level; the engine refuses beyond, and the agents then cancel. */
export const ORDERS_COUNT_MAX = 1 << 14;

/** Trades or level changes of one command: far beyond the longest sweep that an agent orders. */
export const CHANGES_PER_COMMAND_MAX = 1 << 12;

/**
 * Truths kept, by default, over all markets (52 bytes each, 14 MB), and at most in one: a check
 * that lags far behind wants more and says so.
 */
export const TRUTHS_TOTAL_DEFAULT = 1 << 18;
export const TRUTH_WINDOW_DEFAULT_MAX = 1 << 13;

/** Commands a second, all markets together. */
export const RATE_MAX = 2_000_000;

/**
 * Work done in one go before sockets get their turn. A simulator that cannot keep its rate falls
 * behind by at most LAG_NS_MAX and then leaves time out (counted), instead of freezing.
 */
export const COMMANDS_PER_TURN_MAX = 2_000;
export const LAG_NS_MAX = 250e6;

/**
 * Bytes waiting in one client's socket before it is cut off, as the venue does with slow readers.
 */
export const CLIENT_BACKLOG_BYTES_MAX = 64 * 1024 * 1024;

/** Client → exchange: a subscribe frame of 1,024 long stream names fits. */
export const CLIENT_MESSAGE_BYTES_MAX = 128 * 1024;

/** Frames kept for a connection that stalls and is to go on; older ones are lost beyond that. */
export const STALL_BACKLOG_FRAMES_MAX = 50_000;

/**
 * A half-open connection is given up after this; clients notice within their own deadlines before.
 */
export const HALF_OPEN_NS_MAX = 600e9;
