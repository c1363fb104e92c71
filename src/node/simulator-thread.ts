/** Runs the simulated exchange on a thread of its own and says where it listens. Main thread, cold. */
import { Worker } from 'node:worker_threads';
import type { NodeConfig } from '../ops/config-schema.js';

export interface SimulatorAddress {
  readonly venueId: string;
  readonly restUrl: string;
  readonly webSocketUrl: string;
}

export type SimulatorMessage =
  | ({ readonly kind: 'listening' } & SimulatorAddress)
  | { readonly kind: 'failed'; readonly message: string };

const STOP_MS_MAX = 2_000;

export class SimulatorThread {
  private readonly config: NodeConfig['simulator'];
  private readonly onEnded: (detail: string) => void;
  private worker: Worker | null = null;
  private stopping = false;
  private exited: Promise<void> = Promise.resolve();

  /** @param onEnded the thread ended unasked, after it had started */
  constructor(config: NodeConfig['simulator'], onEnded: (detail: string) => void) {
    this.config = config;
    this.onEnded = onEnded;
  }

  start(): Promise<SimulatorAddress> {
    const worker = new Worker(new URL('../simulator/thread.js', import.meta.url), {
      name: 'simulator',
      workerData: this.config,
    });
    this.worker = worker;
    return new Promise((resolve, reject) => {
      let started = false;
      let detail = 'without a word';
      worker.on('message', (message: SimulatorMessage) => {
        if (message.kind === 'listening') {
          started = true;
          resolve(message);
        } else {
          detail = message.message;
        }
      });
      worker.on('error', (error) => {
        detail = error.message;
      });
      this.exited = new Promise((ended) => {
        worker.once('exit', () => {
          ended();
          if (!started) reject(new Error(`the simulator did not start: ${detail}`));
          else if (!this.stopping) this.onEnded(detail);
        });
      });
    });
  }

  async stop(): Promise<void> {
    if (this.worker === null) return;
    this.stopping = true;
    this.worker.postMessage({ kind: 'stop' });
    const timeout = new Promise((resolve) => setTimeout(resolve, STOP_MS_MAX).unref());
    await Promise.race([this.exited, timeout]);
    await this.worker.terminate();
  }
}
