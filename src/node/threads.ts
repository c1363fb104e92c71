/**
 * Starts and ends the node's threads: plain workers for agents with sockets, tasks of a piscina pool
 * for book workers. The pool keeps one warm worker in reserve, so that a shard that lost its worker
 * continues at once on another. Main thread, cold.
 */
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { createThreadControl, ThreadController } from '../runtime/thread-control.js';
import { waitedForCoreNs } from './run-queue.js';
import type { PoolTask } from './pool-thread.js';
import type { EndReason, ThreadFactory, ThreadHandle } from './supervisor.js';
import type { ThreadData } from './thread-data.js';
import type { FromThread, ToThread } from './thread-message.js';
import { youngLimit } from './young-generation.js';

export interface ThreadReports {
  onMessage(thread: string, generation: number, message: FromThread): void;
  onEnded(thread: string, generation: number, reason: EndReason, detail: string): void;
}

export interface NodeThread extends ThreadFactory {
  readonly row: number;
  /** Asks the present incarnation to wind up and wakes it. */
  requestStop(): void;
  send(message: ToThread): void;
  /** Resolves when the present incarnation is gone. */
  readonly ended: Promise<void>;
}

type DataFor = (row: number, generation: number, control: SharedArrayBuffer) => ThreadData;

/** The files that threads begin with; tests put their own there. */
export interface ThreadEntries {
  readonly loop: URL;
  readonly pool: URL;
}

export const ENTRIES: ThreadEntries = {
  loop: new URL('./loop-thread.js', import.meta.url),
  pool: new URL('./pool-thread.js', import.meta.url),
};

const SPARE_AFTER_MS = 1_000;

/** How long the end of a worker that was terminated may take before we go on without it. */
const KILL_MS_MAX = 1_000;

/**
 * Makes workers for agents with sockets, and keeps one in reserve that has loaded its code: a
 * replacement begins within milliseconds.
 */
export class LoopWorkers {
  private readonly entry: URL;
  private readonly heapMb: number;
  private readonly youngMb: number;
  private spare: Worker | null = null;
  private closed = false;

  constructor(entry: URL, heapMb: number, youngMb: number) {
    this.entry = entry;
    this.heapMb = heapMb;
    this.youngMb = youngMb;
  }

  take(data: ThreadData): Worker {
    const worker = this.spare ?? this.create();
    worker.removeAllListeners();
    if (this.spare !== null) this.keepSpareSoon();
    this.spare = null;
    worker.ref();
    worker.postMessage({ kind: 'begin', data } satisfies ToThread);
    return worker;
  }

  /** When those that were just started had time to get going. */
  keepSpareSoon(): void {
    setTimeout(() => this.keepSpare(), SPARE_AFTER_MS).unref();
  }

  private keepSpare(): void {
    if (this.spare !== null || this.closed) return;
    const worker = this.create();
    this.spare = worker;
    worker.unref();
    const forget = (): void => {
      if (this.spare === worker) this.spare = null;
    };
    worker.once('error', forget);
    worker.once('exit', forget);
  }

  /** Lets go of the one in reserve; it holds nothing yet. */
  close(): void {
    this.closed = true;
    void this.spare?.terminate();
  }

  private create(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: this.heapMb, ...youngLimit(this.youngMb) };
    return new Worker(this.entry, { name: 'ringside', resourceLimits });
  }
}

interface Place {
  readonly name: string;
  readonly row: number;
  readonly bell: SharedArrayBuffer;
  /** May be ended by force; a thread that holds the server may not (the process would abort). */
  readonly expendable: boolean;
}

/** A Worker with an event loop. */
export class LoopThread implements NodeThread {
  readonly expendable: boolean;
  readonly name: string;
  readonly row: number;
  ended: Promise<void> = Promise.resolve();
  private worker: Worker | null = null;
  private controller: ThreadController | null = null;
  private readonly place: Place;
  private readonly dataFor: DataFor;
  private readonly reports: ThreadReports;
  private readonly workers: LoopWorkers;

  constructor(place: Place, dataFor: DataFor, reports: ThreadReports, workers: LoopWorkers) {
    this.name = place.name;
    this.row = place.row;
    this.place = place;
    this.dataFor = dataFor;
    this.reports = reports;
    this.workers = workers;
    this.expendable = place.expendable;
  }

  start(generation: number): ThreadHandle {
    const control = createThreadControl();
    const watch = new ThreadController(control, this.place.bell);
    this.controller = watch;
    const worker = this.workers.take(this.dataFor(this.row, generation, control));
    this.worker = worker;
    let reason: EndReason = 'ended';
    let detail = 'the thread ended unasked';
    let task: string | null = null;
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'ready') task = message.task;
      if (message.kind === 'failed') {
        reason = 'threw';
        detail = message.message;
      }
      this.reports.onMessage(this.name, generation, message);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      reason = reasonOf(error);
      detail = error.message;
    });
    this.ended = new Promise((resolve) => {
      worker.once('exit', () => {
        resolve();
        this.reports.onEnded(this.name, generation, reason, detail);
      });
    });
    const { ended } = this;
    return {
      heartbeat: () => watch.heartbeat(),
      waitedNs: () => waitedForCoreNs(task),
      kill: async () => {
        await Promise.race([worker.terminate(), delay(KILL_MS_MAX)]);
        await Promise.race([ended, delay(KILL_MS_MAX)]);
      },
    };
  }

  send(message: ToThread): void {
    this.worker?.postMessage(message);
  }

  requestStop(): void {
    this.controller?.requestStop();
  }
}

/** A task of the pool. */
export class PoolThread implements NodeThread {
  readonly expendable = true;
  readonly name: string;
  readonly row: number;
  ended: Promise<void> = Promise.resolve();
  private controller: ThreadController | null = null;
  private readonly place: Place;
  private readonly dataFor: DataFor;
  private readonly reports: ThreadReports;
  private readonly pool: Piscina;

  constructor(place: Place, dataFor: DataFor, reports: ThreadReports, pool: Piscina) {
    this.name = place.name;
    this.row = place.row;
    this.place = place;
    this.dataFor = dataFor;
    this.reports = reports;
    this.pool = pool;
  }

  start(generation: number): ThreadHandle {
    const control = createThreadControl();
    const watch = new ThreadController(control, this.place.bell);
    this.controller = watch;
    const { port1, port2 } = new MessageChannel();
    const abort = new AbortController();
    let worker: Worker | undefined;
    let taskName: string | null = null;
    port1.on('message', (message: FromThread) => {
      if (message.kind === 'ready') {
        taskName = message.task;
        worker = this.pool.threads.find((candidate) => candidate.threadId === message.threadId);
      }
      this.reports.onMessage(this.name, generation, message);
    });
    const task: PoolTask = { data: this.dataFor(this.row, generation, control), port: port2 };
    let settled: 'no' | 'left' | 'died' = 'no';
    const settle = (reason: EndReason, detail: string): void => {
      settled = reason === 'out-of-memory' ? 'died' : 'left';
      port1.close();
      this.reports.onEnded(this.name, generation, reason, detail);
    };
    this.ended = this.pool.run(task, { transferList: [port2], signal: abort.signal }).then(
      () => settle('ended', 'the task returned unasked'),
      (error: unknown) => {
        const failure = error instanceof Error ? error : new Error(String(error));
        settle(reasonOf(failure), `${failure.name}: ${failure.message}`);
      },
    );
    return {
      heartbeat: () => watch.heartbeat(),
      waitedNs: () => waitedForCoreNs(taskName),
      kill: async () => {
        // A task that threw or returned has left its worker, which goes on with others.
        if (settled === 'left') return;
        const gone = worker === undefined || worker.threadId < 0 ? null : exitOf(worker);
        abort.abort();
        // A ring has one writer: the old one must be gone, not merely disowned.
        if (gone !== null) await Promise.race([gone, delay(KILL_MS_MAX)]);
      },
    };
  }

  send(): void {
    // A book worker blocks in its loop: it is spoken to through shared memory only.
  }

  requestStop(): void {
    this.controller?.requestStop();
  }
}

/** A pool for so many shards, with one worker in reserve. */
export function createBooksPool(shards: number, heapMb: number, entry: URL): Piscina {
  return new Piscina({
    filename: fileURLToPath(entry),
    minThreads: shards + 1,
    maxThreads: shards + 1,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: 1,
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
}

function reasonOf(error: Error): EndReason {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out-of-memory' : 'threw';
}

function exitOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.once('exit', () => resolve()));
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
