/** Errors of the client. Codes are stable: the node's own (faults/fault.ts) and those below. */
import type { FaultCode } from '../faults/fault.js';

export type ClientErrorCode =
  /** The client or the subscription was closed while somebody waited on it. */
  | 'CLOSED'
  /** No connection could be made, or it ended before the node greeted. */
  | 'UNREACHABLE'
  /** The node did not answer a request in time. */
  | 'ANSWER_TIMEOUT'
  /** The node sent something that the protocol does not allow. */
  | 'PROTOCOL'
  /** An event queue with policy `fail` ran full: its reader is too slow. */
  | 'QUEUE_OVERFLOW';

export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: ClientErrorCode | FaultCode;

  constructor(code: ClientErrorCode | FaultCode, message: string) {
    super(message);
    this.code = code;
  }
}
