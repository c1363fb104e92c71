/**
 * Several files as one run: entries merged by receive time, each file in its own order, ties in the
 * order in which the files were named. Replay, cold; it holds one batch a file.
 */
import type { CaptureEntry } from './capture-entry.js';
import { CaptureFile } from './capture-file.js';

export class CaptureRun {
  readonly files: readonly CaptureFile[];

  constructor(paths: readonly string[]) {
    this.files = paths.map((path, index) => new CaptureFile(path, index));
  }

  get bytesRead(): number {
    return this.files.reduce((sum, file) => sum + file.bytesRead, 0);
  }

  /**
   * A file whose clock steps back keeps its order: an entry counts as of the latest time before it in
   * its file, so that one step back cannot hold up the other files.
   */
  async *batches(): AsyncGenerator<CaptureEntry[]> {
    let cursors: Cursor[] = this.files.map((file) => new Cursor(file.batches()));
    await Promise.all(cursors.map((cursor) => cursor.fill()));
    cursors = cursors.filter((cursor) => !cursor.isDone);
    while (cursors.length > 0) {
      // Everything until one of the cursors runs dry can be merged without waiting.
      const batch: CaptureEntry[] = [];
      let dry: Cursor | null = null;
      while (dry === null) {
        const first = earliest(cursors);
        batch.push(first.take());
        if (first.isEmpty) dry = first;
      }
      yield batch;
      await dry.fill();
      if (dry.isDone) cursors = cursors.filter((cursor) => cursor !== dry);
    }
  }
}

class Cursor {
  isDone = false;
  second = 0;
  nano = 0;
  private entries: CaptureEntry[] = [];
  private at = 0;

  constructor(private readonly source: AsyncGenerator<CaptureEntry[]>) {}

  get isEmpty(): boolean {
    return this.at === this.entries.length;
  }

  async fill(): Promise<void> {
    const { value, done } = await this.source.next();
    this.isDone = done === true;
    this.entries = value ?? [];
    this.at = 0;
    if (!this.isDone) this.noteTime();
  }

  take(): CaptureEntry {
    const entry = this.entries[this.at++]!;
    if (!this.isEmpty) this.noteTime();
    return entry;
  }

  private noteTime(): void {
    const { second, nano } = this.entries[this.at]!;
    if (second < this.second || (second === this.second && nano <= this.nano)) return;
    this.second = second;
    this.nano = nano;
  }
}

/** The first of those with the least time. */
function earliest(cursors: readonly Cursor[]): Cursor {
  let best = cursors[0]!;
  for (const cursor of cursors) {
    if (cursor.second < best.second || (cursor.second === best.second && cursor.nano < best.nano)) {
      best = cursor;
    }
  }
  return best;
}
