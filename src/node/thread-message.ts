/** What threads and the main thread say to each other beside the rings. Cold. */
import type { LogFields, LogLevel } from '../ops/log.js';
import type { Page } from '../ops/health.js';

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
  /** The agents stand and the loop begins. */
  | { readonly kind: 'ready'; readonly port: number | null }
  | Notice
  /** The world makes it impossible to go on, e.g. PORT_IN_USE: replacing the thread will not help. */
  | { readonly kind: 'fault'; readonly code: string; readonly message: string }
  /** A client of the feed's port asks for a page that the main thread makes. */
  | { readonly kind: 'page-wanted'; readonly id: number; readonly path: string };

export type ToThread = { readonly kind: 'page'; readonly id: number; readonly page: Page | null };
