/**
 * Wakes a thread when a node's files grow: the system tells (inotify, through fs.watch on the folders),
 * and where it does not, the files are looked at every few milliseconds. Ingest thread; warm: a call a
 * write of the node.
 *
 *     Watched ──data came and nobody told, DEAF_MAX times──▶ Polled      (network file systems)
 *        ▲                                                     │
 *        └───────────── the folders can be watched ────────────┘
 *
 * A look at files that have not grown costs 10 µs, a wake-up that comes by itself nothing: watched, a
 * block is read as soon as it is written, not up to POLL_MS later.
 */
import { watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';
import { newestFile } from './hourly-files.js';

/** Blocks come every 60 ms. */
const POLL_MS = 2;
/** Folders are looked for, and the system's word is compared with what was read. */
const CHECK_MS = 20;
/** So often in a row data may come untold: once is a race, always is a deaf file system. */
const DEAF_MAX = 8;

export interface FileAlarmOptions {
  /** Folders above `hourly`. */
  readonly roots: readonly string[];
  /** Something was written. */
  readonly onGrown: () => void;
  /** A file came, went or was replaced. */
  readonly onFiles: () => void;
  /** Of all sources so far. */
  readonly bytesRead: () => number;
}

export class FileAlarm {
  private readonly options: FileAlarmOptions;
  private readonly watches: RootWatch[];
  private polling: NodeJS.Timeout | undefined;
  private checking: NodeJS.Timeout | undefined;
  private told = 0;
  private toldBefore = 0;
  private bytesBefore = 0;
  private untold = 0;

  constructor(options: FileAlarmOptions) {
    this.options = options;
    const onEvent = (isRename: boolean): void => {
      this.told++;
      if (isRename) options.onFiles();
      options.onGrown();
    };
    this.watches = options.roots.map((root) => new RootWatch(root, onEvent));
  }

  /** The files are looked at all the time: the system does not tell. */
  get isPolling(): boolean {
    return this.polling !== undefined;
  }

  start(): void {
    this.bytesBefore = this.options.bytesRead();
    this.check();
    this.checking = setInterval(() => this.check(), CHECK_MS);
  }

  close(): void {
    clearInterval(this.polling);
    clearInterval(this.checking);
    for (const watch of this.watches) watch.close();
  }

  private check(): void {
    const bytes = this.options.bytesRead();
    const hasGrown = bytes > this.bytesBefore;
    if (hasGrown && this.told === this.toldBefore) this.untold++;
    else if (hasGrown) this.untold = 0;
    this.bytesBefore = bytes;
    this.toldBefore = this.told;
    let isWatched = this.untold < DEAF_MAX;
    for (const watch of this.watches) if (!watch.look()) isWatched = false;
    if (isWatched && this.polling !== undefined) {
      clearInterval(this.polling);
      this.polling = undefined;
    } else if (!isWatched && this.polling === undefined) {
      this.polling = setInterval(() => this.options.onGrown(), POLL_MS);
    }
  }
}

/** The folder of days and that of the newest day of one source. */
class RootWatch {
  private readonly root: string;
  private readonly onEvent: (isRename: boolean) => void;
  private days: FSWatcher | null = null;
  private hours: FSWatcher | null = null;
  private isStale = true;

  constructor(root: string, onEvent: (isRename: boolean) => void) {
    this.root = root;
    this.onEvent = onEvent;
  }

  /** Watches what is there by now; false while something is missing. */
  look(): boolean {
    this.days ??= this.open(join(this.root, 'hourly'), () => (this.days = null));
    if (!this.isStale && this.hours !== null) return true;
    const newest = newestFile(this.root);
    if (newest === null) return false;
    // Anew even if its name is the same: it may be another folder by that name.
    this.hours?.close();
    this.isStale = false;
    this.hours = this.open(dirname(newest.path), () => (this.hours = null));
    return this.days !== null && this.hours !== null;
  }

  close(): void {
    this.days?.close();
    this.hours?.close();
    this.days = this.hours = null;
  }

  private open(path: string, onGone: () => void): FSWatcher | null {
    try {
      const watcher = watch(path, { persistent: false }, (event) => {
        if (event === 'rename') this.isStale = true;
        this.onEvent(event === 'rename');
      });
      watcher.on('error', () => {
        watcher.close();
        onGone();
      });
      return watcher;
    } catch {
      // Not there yet, or no more watches: looked for again, and polled until then.
      return null;
    }
  }
}
