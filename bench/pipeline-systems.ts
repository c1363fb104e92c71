/**
 * The systems that the pipeline benches compare, as processes: the node in its three layouts, the plain
 * program, the relay in C. Each stands between the venue and the client of peers/loopback.c, which is
 * compiled here; without a C compiler peers/loopback-node.ts takes its place.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const repository = resolve(import.meta.dirname, '../..');
/** The venue's REST budget lets 48 books have their snapshots at once, 64 within 12 s. */
const START_MS_MAX = 45_000;

export const SYSTEMS = ['relay in C', 'plain program', 'fused', 'split', 'full'] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** What loopback.c answers to `run` and `flood`; times in µs. */
export interface PipelineReading {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Processor time of the system between, all its threads, while it was measured. */
  readonly processorUs: number;
}

/** The program that is both ends of a pipeline: peers/loopback.c, or what does its work in Node. */
export interface Loopback {
  readonly command: string;
  readonly args: readonly string[];
  /** For the rows: empty if it is the one in C. */
  readonly note: string;
}

/** Compiles it; without a C compiler (or with BENCH_FEEDER=node) the one in Node, said on stderr. */
export function compileLoopback(): Loopback {
  const folder = join(repository, 'bench', 'results');
  const program = join(folder, 'loopback');
  mkdirSync(folder, { recursive: true });
  const source = join(repository, 'bench', 'peers', 'loopback.c');
  try {
    if (process.env['BENCH_FEEDER'] === 'node') throw new Error('as asked for');
    execFileSync('cc', ['-O2', '-pthread', '-o', program, source], { stdio: 'pipe' });
  } catch {
    const note = 'feeder, client and relay in Node, not in C: slower, and in need of a core';
    console.error(`pipeline: no C compiler (cc); ${note}`);
    const script = join(import.meta.dirname, 'peers', 'loopback-node.js');
    return { command: process.execPath, args: [script], note };
  }
  return { command: program, args: [], note: '' };
}

export class Lines {
  private readonly waiting: ((line: string) => void)[] = [];
  private readonly ready: string[] = [];

  /** @param onLine sees every line; those that are no JSON and no port are for nobody else */
  constructor(
    readonly child: ChildProcess,
    onLine: (line: string) => void,
  ) {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      onLine(line);
      if (!/^(\{|port )/.test(line)) return;
      const taker = this.waiting.shift();
      if (taker === undefined) this.ready.push(line);
      else taker(line);
    });
  }

  async next(msMax: number): Promise<string> {
    const line = this.ready.shift();
    if (line !== undefined) return line;
    return new Promise((settle, fail) => {
      const timer = setTimeout(() => fail(new Error('a peer of the bench does not answer')), msMax);
      this.waiting.push((text) => {
        clearTimeout(timer);
        settle(text);
      });
    });
  }
}

export function start(
  command: string,
  args: readonly string[],
  onLine: (line: string) => void = () => {},
): Lines {
  return new Lines(spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] }), onLine);
}

function startPeer({ command, args }: Loopback, what: readonly string[]): Lines {
  return start(command, [...args, ...what]);
}

export async function end({ child }: Lines): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function portLine(lines: Lines): Promise<number> {
  return Number((await lines.next(START_MS_MAX)).split(' ')[1]);
}

/** The venue alone, for a bench that holds its client itself. */
export class Venue {
  private constructor(
    private readonly feed: Lines,
    readonly port: number,
  ) {}

  static async start(loopback: Loopback): Promise<Venue> {
    const feed = startPeer(loopback, ['feed']);
    return new Venue(feed, await portLine(feed));
  }

  /** Resolves some seconds after the last frame. */
  async run(framesPerSecond: number, ms: number): Promise<void> {
    this.feed.child.stdin!.write(`run ${framesPerSecond} ${ms}\n`);
    await this.feed.next(ms + 20_000);
  }

  stop(): Promise<void> {
    return end(this.feed);
  }
}

export interface SystemOptions {
  readonly workers?: number;
  /** A power of two, at most 64. */
  readonly symbols?: number;
  /** Clients beside the one that measures. */
  readonly moreClients?: number;
  readonly nodeFlags?: readonly string[];
  /** In front of the system's command, e.g. `taskset -c 0`. */
  readonly launcher?: readonly string[];
  /** Sees what the system prints. */
  readonly onLine?: (line: string) => void;
}

/** A venue, a system, a client, in a line. */
export class Pipeline {
  private constructor(
    private readonly feed: Lines,
    private readonly system: Lines,
    private readonly readers: Lines | null,
  ) {}

  static async start(
    loopback: Loopback,
    name: SystemName,
    options: SystemOptions = {},
  ): Promise<Pipeline> {
    const { symbols = 1, moreClients = 0 } = options;
    const feed = startPeer(loopback, ['feed', String(symbols)]);
    const venuePort = await portLine(feed);
    const { system, port, path } = await startSystem(loopback, name, venuePort, options);
    feed.child.stdin!.write(`connect ${port} ${path}\n`);
    const answer = JSON.parse(await feed.next(START_MS_MAX)) as { connected: boolean };
    const more = [String(port), path, String(moreClients), String(symbols)];
    const readers = moreClients === 0 ? null : startPeer(loopback, ['readers', ...more]);
    if (readers !== null) await portLine(readers);
    const pipeline = new Pipeline(feed, system, readers);
    if (answer.connected) return pipeline;
    await pipeline.stop();
    throw new Error(`${name}: no message reached the client`);
  }

  async run(framesPerSecond: number, ms: number): Promise<PipelineReading> {
    return this.ask(`run ${framesPerSecond} ${ms}`, ms);
  }

  async flood(windowFrames: number, ms: number): Promise<PipelineReading> {
    return this.ask(`flood ${windowFrames} ${ms}`, ms);
  }

  async stop(): Promise<void> {
    // The feeder first: it is the one that would complain about the other's end.
    await end(this.feed);
    await end(this.system);
    if (this.readers !== null) await end(this.readers);
  }

  private async ask(line: string, ms: number): Promise<PipelineReading> {
    const beforeUs = processorUs(this.system.child.pid!);
    this.feed.child.stdin!.write(`${line}\n`);
    const reading = JSON.parse(await this.feed.next(ms + 20_000)) as PipelineReading;
    return { ...reading, processorUs: processorUs(this.system.child.pid!) - beforeUs };
  }
}

interface Started {
  readonly system: Lines;
  readonly port: number;
  readonly path: string;
}

async function startSystem(
  loopback: Loopback,
  name: SystemName,
  venuePort: number,
  { workers = 1, symbols = 1, nodeFlags = [], launcher = [], onLine }: SystemOptions,
): Promise<Started> {
  const restUrl = `http://127.0.0.1:${venuePort}`;
  const webSocketUrl = `ws://127.0.0.1:${venuePort}`;
  if (name === 'relay in C') {
    const system = startPeer(loopback, ['relay', String(venuePort)]);
    return { system, port: await portLine(system), path: '/' };
  }
  if (name === 'plain program') {
    const program = join(import.meta.dirname, 'peers', 'plain-node.js');
    const words = [...launcher, process.execPath, program, restUrl, webSocketUrl];
    const system = start(words[0]!, words.slice(1));
    const { port } = JSON.parse(await system.next(START_MS_MAX)) as { port: number };
    return { system, port, path: '/' };
  }
  const node = join(repository, 'dist', 'src', 'main.js');
  const options = {
    layout: name,
    port: 0,
    venue: 'binance-futures',
    symbols: symbols === 1 ? 'BTCUSDT' : 'all',
    'connections-per-address': 1000,
    channels: 'book',
    workers,
    // A machine busy with other things may leave a thread without a core for long.
    'hang-ms': 10_000,
    'rest-url': restUrl,
    'ws-url': webSocketUrl,
    'log-level': 'error',
  };
  const flags = Object.entries(options).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const words = [...launcher, process.execPath, ...nodeFlags, node, 'serve', '--json', ...flags];
  const system = start(words[0]!, words.slice(1), onLine);
  let feedUrl: string | null = null;
  for (;;) {
    const event = JSON.parse(await system.next(START_MS_MAX)) as { event: string; feed?: string };
    if (event.event === 'listening') feedUrl = event.feed!;
    if (event.event === 'live') break;
  }
  const url = new URL(feedUrl!);
  return { system, port: Number(url.port), path: url.pathname };
}

/** User and system time of a process so far (Linux; 0 where /proc is missing). */
export function processorUs(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 1e4;
  } catch {
    return 0;
  }
}
