/**
 * Opens the readers of the fan-out bench: a small program (peers/fanout-readers.c) with the cells in a
 * file that both map or read, or, where there is no C compiler for it, a thread with the cells in
 * shared memory. The program takes less of the machine and is woken sooner, for everybody alike.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { invariant } from '../src/faults/invariant.js';
import { compilePeer, hasCompiler } from './compile-peer.js';
import { READER_DOUBLES, type ReaderCell, type ReaderWork } from './fanout-readers-layout.js';

export interface Readers {
  readonly clients: number;
  get(cell: ReaderCell): number;
  set(cell: ReaderCell, value: number): void;
  /** A copy of the first `count` latencies, in ns. */
  latencies(count: number): Float64Array;
  close(): Promise<void>;
}

export interface ReadersSetting {
  readonly port: number;
  readonly clients: number;
  readonly frameBytes: number;
  readonly originMonotonicNs: bigint;
  /** Latencies that there is room for. */
  readonly samplesMax: number;
  /** Which core they keep to; null: any. A thread keeps to none. */
  readonly core: number | null;
}

/** The program reads by epoll. */
export const hasReaderProgram =
  process.platform === 'linux' && process.env['BENCH_FEEDER'] !== 'node' && hasCompiler();

/** Resolves when all are connected. */
export function openReaders(setting: ReadersSetting): Promise<Readers> {
  return hasReaderProgram ? ReaderProgram.open(setting) : ReaderThread.open(setting);
}

class ReaderThread implements Readers {
  private constructor(
    private readonly worker: Worker,
    private readonly cells: Float64Array,
    readonly clients: number,
  ) {}

  static async open(setting: ReadersSetting): Promise<Readers> {
    const { port, clients, frameBytes, originMonotonicNs, samplesMax } = setting;
    const results = new SharedArrayBuffer((READER_DOUBLES + samplesMax) * 8);
    const workerData: ReaderWork = { port, clients, frameBytes, originMonotonicNs, results };
    const worker = new Worker(new URL('./fanout-readers-thread.js', import.meta.url), {
      workerData,
    });
    await once(worker, 'message');
    return new ReaderThread(worker, new Float64Array(results), clients);
  }

  get(cell: ReaderCell): number {
    return this.cells[cell]!;
  }

  set(cell: ReaderCell, value: number): void {
    this.cells[cell] = value;
  }

  latencies(count: number): Float64Array {
    return this.cells.slice(READER_DOUBLES, READER_DOUBLES + count);
  }

  async close(): Promise<void> {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    this.worker.postMessage('close');
    await once(this.worker, 'exit');
  }
}

class ReaderProgram implements Readers {
  private readonly cell = new Float64Array(1);
  private readonly cellBytes = new Uint8Array(this.cell.buffer);

  private constructor(
    private readonly child: ChildProcess,
    private readonly file: number,
    readonly clients: number,
  ) {}

  static async open(setting: ReadersSetting): Promise<Readers> {
    const program = compilePeer('fanout-readers');
    const folder = mkdtempSync(join(tmpdir(), 'fanout-readers-'));
    const path = join(folder, 'cells');
    writeFileSync(path, new Uint8Array((READER_DOUBLES + setting.samplesMax) * 8));
    const file = openSync(path, 'r+');
    const { port, clients, frameBytes, originMonotonicNs, core } = setting;
    const values = [port, clients, frameBytes, originMonotonicNs, path, core ?? -1];
    const child = spawn(program, values.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
    // Thrown on the event loop: readers that end early end the bench, which would wait for ever.
    child.once('exit', (code) => {
      invariant(code === 0, 'the readers read until they are told to end');
    });
    await once(child.stdout, 'data');
    rmSync(folder, { recursive: true });
    return new ReaderProgram(child, file, clients);
  }

  get(cell: ReaderCell): number {
    readSync(this.file, this.cellBytes, 0, 8, cell * 8);
    return this.cell[0]!;
  }

  set(cell: ReaderCell, value: number): void {
    this.cell[0] = value;
    writeSync(this.file, this.cellBytes, 0, 8, cell * 8);
  }

  latencies(count: number): Float64Array {
    const values = new Float64Array(count);
    readSync(this.file, new Uint8Array(values.buffer), 0, count * 8, READER_DOUBLES * 8);
    return values;
  }

  async close(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.stdin!.end();
    await ended;
    closeSync(this.file);
  }
}
