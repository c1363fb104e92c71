/** `ringside serve` as a process of its own, as a user starts it. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { PATIENCE_MS } from './until.js';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.js');

export interface Listening {
  readonly dashboard: string;
  readonly feed: string;
  readonly books: string;
  readonly metrics: string;
  readonly layout: string;
}

export class ServeProcess {
  out = '';
  err = '';
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  private readonly child: ChildProcessWithoutNullStreams;

  constructor(args: readonly string[], environment: Record<string, string> = {}) {
    const env = { ...process.env, NO_COLOR: '1', ...environment };
    this.child = spawn(process.execPath, [MAIN, 'serve', ...args], { env });
    this.child.stdout.on('data', (data: Buffer) => (this.out += data.toString()));
    this.child.stderr.on('data', (data: Buffer) => (this.err += data.toString()));
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** Reads no more of what it prints, as `| head` does. */
  stopReading(stream: 'stdout' | 'stderr'): void {
    this.child[stream].destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The JSON line with this event on stdout; throws if the process ends without it. */
  async event(name: string, msMax = PATIENCE_MS): Promise<Record<string, unknown>> {
    const until = Date.now() + msMax;
    let ended = false;
    void this.exited.then(() => (ended = true));
    for (;;) {
      const line = this.out.split('\n').find((text) => text.includes(`"event":"${name}"`));
      if (line !== undefined) return JSON.parse(line) as Record<string, unknown>;
      if (ended || Date.now() > until) {
        throw new Error(`no "${name}" came\n${this.out}\n${this.err}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
