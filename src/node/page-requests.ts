/** Pages that the main thread makes for clients of a port on another thread, asked for by message. Cold. */
import type { Page } from '../ops/health.js';
import type { FromThread, PageAnswer } from './thread-message.js';

/** Requests that may wait for the main thread; more get nothing, which is an answer too. */
const WAITING_MAX = 64;

export class PageRequests {
  private readonly tell: (message: FromThread) => void;
  private readonly waiting = new Map<number, (page: Page | null) => void>();
  private nextId = 1;

  constructor(tell: (message: FromThread) => void) {
    this.tell = tell;
  }

  page(path: string): Promise<Page | null> {
    if (this.waiting.size >= WAITING_MAX) return Promise.resolve(null);
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.tell({ kind: 'page-wanted', id, path });
    });
  }

  onMessage({ id, page }: PageAnswer): void {
    this.waiting.get(id)?.(page);
    this.waiting.delete(id);
  }
}
