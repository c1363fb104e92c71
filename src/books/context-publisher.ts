/** What a context tells: the contract between ContextFeed and the books' writer. Books thread; warm. */
import type { ContextFeed } from './context-feed.js';

export interface ContextPublisher {
  /** Values or state changed, or are told again: the whole context as it is now. */
  context(context: ContextFeed): void;
}
