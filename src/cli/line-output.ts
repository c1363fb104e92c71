/**
 * Lines to a stream that may be slow or go away: waits where it is full, and notices without a word
 * when the reader has left (`| head`). Cold.
 */
import type { Writable } from 'node:stream';

export class LineOutput {
  private closed = false;

  constructor(private readonly stream: Writable) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
      this.closed = true;
    });
    stream.on('close', () => {
      this.closed = true;
    });
  }

  /** Nobody reads any more: writing is of no use. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** Resolves when the stream can take more, or is closed. */
  async write(text: string): Promise<void> {
    if (this.closed || text === '') return;
    if (this.stream.write(text)) {
      // An error of this write is told in a later turn of the loop: give it one.
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.stream.off('drain', done);
        this.stream.off('close', done);
        this.stream.off('error', done);
        resolve();
      };
      this.stream.on('drain', done);
      this.stream.on('close', done);
      this.stream.on('error', done);
    });
  }
}
