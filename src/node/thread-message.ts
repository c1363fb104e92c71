/** What threads and the main thread say to each other beside the rings. Cold. */
import type { FaultCode } from '../faults/fault.js';
import type { DefinitionsAnswer } from '../ingest/definition-watch.js';
import type { LogFields, LogLevel } from '../ops/log.js';
import type { Page } from '../ops/health.js';
import type { ThreadData } from './thread-data.js';

/** Written to the log by the main thread, limited in rate by `key`. */
export interface Notice {
  readonly kind: 'notice';
  readonly level: LogLevel;
  readonly key: string;
  readonly event: string;
  readonly message: string;
  readonly fields?: LogFields;
}

export type FromThread =
  /** The agents stand and the loop begins. `port` is where clients connect, if they do here. */
  | {
      readonly kind: 'ready';
      readonly threadId: number;
      /** Its row in the plan. */
      readonly row: number;
      /** The system's name of the thread (run-queue.ts). */
      readonly task: string | null;
      readonly port: number | null;
    }
  | Notice
  /** The thread is about to end. A fault's code says that replacing it may not help. */
  | {
      readonly kind: 'failed';
      readonly code: FaultCode | null;
      readonly message: string;
      readonly stack: string;
    }
  /** The venue is to be asked for its instruments; `doubted` are those whose scale is in doubt. */
  | { readonly kind: 'instruments-wanted'; readonly doubted: readonly number[] }
  /** A client of the feed's port asks for a page that the main thread makes. */
  | { readonly kind: 'page-wanted'; readonly id: number; readonly path: string };

export type ToThread =
  /** The first message to a worker with sockets. */
  { readonly kind: 'begin'; readonly data: ThreadData } | ToAgents;

/** To the agents of a thread that has begun. */
export type ToAgents = PageAnswer | VenueInfoMessage | DefinitionsMessage;

/** What came of asking the venue for its instruments: for the ingest agent. */
export interface DefinitionsMessage {
  readonly kind: 'definitions';
  readonly answer: DefinitionsAnswer;
}

/** What the venue says of its markets, by name: for the thread that answers clients. */
export interface VenueInfoMessage {
  readonly kind: 'venue-info';
  readonly answers: ReadonlyMap<string, string>;
}

export interface PageAnswer {
  readonly kind: 'page';
  readonly id: number;
  readonly page: Page | null;
}
