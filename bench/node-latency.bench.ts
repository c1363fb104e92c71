/**
 * From a Hyperliquid node's files to the client: a writer plays blocks into a folder, the node (or the
 * plain program) follows them, a client on loopback reads. Timed from when a block's bytes were visible
 * in all three files to its last message, at the real rate and at ten times it. Everybody is a process
 * of its own; percentiles are exact, over the blocks of all rounds.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { invariant } from '../src/faults/invariant.js';
import { defineBench, row, type BenchRow } from './harness.js';
import { loadScript, type NodeScript } from './node-blocks.js';
import { type BlockClient, DropInClient, FeedBlockClient } from './node-latency-clients.js';
import type { BlocksWritten, WriteBlocks } from './node-writer.js';
import { end, type Lines, processorUs, start } from './pipeline-systems.js';

const PART = 'Hyperliquid node files, latency';
const LAYOUT = process.env['RINGSIDE_BENCH_LAYOUT'] ?? 'auto';
const SPEEDS = [1, 10] as const;
const MS_OF_SPEED = 8_000;
const GAP_MS = 68;
const WARM_BLOCKS = 150;
const WARM_SPEED = 4;
const ROUNDS = 2;
const SETTLE_MS = 1_500;
const START_MS_MAX = 30_000;

const SYSTEMS = ['drop-in JSON', 'FlatBuffers', 'plain program'] as const;
type SystemName = (typeof SYSTEMS)[number];

interface Samples {
  /** Block visible → last message read by the client, µs; of the feed also to each stage. */
  readonly read: number[];
  readonly received: number[];
  readonly applied: number[];
  readonly published: number[];
  blocks: number;
  missing: number;
  processorUs: number;
  ms: number;
}

const noSamples = (): Samples => ({
  read: [],
  received: [],
  applied: [],
  published: [],
  blocks: 0,
  missing: 0,
  processorUs: 0,
  ms: 0,
});

class Chain {
  /** Block times in ms, by height. */
  readonly times = new Map<number, number>();
  private constructor(
    private readonly writer: ChildProcess,
    readonly script: NodeScript,
  ) {
    const { firstHeight, firstMs, blocks } = script;
    const most = WARM_BLOCKS + SPEEDS.reduce((sum, speed) => sum + blocksAt(speed), 0);
    for (let i = 0, ms = firstMs; i < most; i++) {
      this.times.set(ms, firstHeight + i);
      ms += blocks[i % blocks.length]!.gapMs;
    }
  }

  static async start(directory: string, script: NodeScript): Promise<Chain> {
    const writer = fork(join(import.meta.dirname, 'node-writer.js'), [directory]);
    await once(writer, 'message');
    return new Chain(writer, script);
  }

  heightAt = (blockMs: number): number => this.times.get(blockMs) ?? -1;

  async write(request: WriteBlocks): Promise<BlocksWritten> {
    this.writer.send(request);
    return (await once(this.writer, 'message'))[0] as BlocksWritten;
  }

  /** How many messages a block brings at least; 0 where nothing in it is told. */
  expects(height: number, name: SystemName): boolean {
    const { blocks, firstHeight } = this.script;
    const { events } = blocks[(height - firstHeight) % blocks.length]!;
    const diffs = events.raw_book_diffs > 0;
    return name === 'FlatBuffers' ? diffs : diffs || events.order_statuses > 0;
  }

  async stop(): Promise<void> {
    this.writer.disconnect();
    await once(this.writer, 'exit');
  }
}

function blocksAt(speed: number): number {
  return Math.round((MS_OF_SPEED * speed) / GAP_MS / (speed > 1 ? 2 : 1));
}

async function startSystem(
  name: SystemName,
  data: string,
  snapshot: string,
): Promise<{ system: Lines; port: number }> {
  if (name === 'plain program') {
    const program = join(import.meta.dirname, 'peers', 'plain-hyperliquid.js');
    const system = start(process.execPath, [program, data, snapshot]);
    const { port } = JSON.parse(await system.next(START_MS_MAX)) as { port: number };
    return { system, port };
  }
  const main = resolve(import.meta.dirname, '..', 'src', 'main.js');
  const options = {
    venue: 'hyperliquid-node',
    data,
    snapshot,
    symbols: 'BTC',
    layout: LAYOUT,
    port: 0,
    'validate-every': 0,
    'hang-ms': 10_000,
    'log-level': 'error',
  };
  const flags = Object.entries(options).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const nodeFlags = (process.env['RINGSIDE_BENCH_NODE_FLAGS'] ?? '').split(' ').filter(Boolean);
  const system = start(process.execPath, [...nodeFlags, main, 'serve', '--json', ...flags]);
  for (let port = 0; ;) {
    const event = JSON.parse(await system.next(START_MS_MAX)) as { event: string; feed?: string };
    if (event.event === 'listening') port = Number(new URL(event.feed!).port);
    if (event.event === 'live') return { system, port };
  }
}

async function openClient(name: SystemName, port: number, chain: Chain): Promise<BlockClient> {
  const url = `ws://127.0.0.1:${port}`;
  return name === 'FlatBuffers'
    ? FeedBlockClient.open(`${url}/v1/feed`)
    : DropInClient.open(`${url}/ws`, chain.heightAt);
}

type Results = Map<string, Samples>;
/** Block time → levels, per system: their answers must be the same. */
type Answers = Map<SystemName, Map<number, string>>;

async function measureOnce(
  name: SystemName,
  script: NodeScript,
  snapshot: string,
  results: Results,
  answers: Answers,
): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'ringside-latency-'));
  const chain = await Chain.start(data, script);
  const { system, port } = await startSystem(name, data, snapshot);
  try {
    const client = await openClient(name, port, chain);
    await chain.write({ blocks: WARM_BLOCKS, speed: WARM_SPEED });
    for (const speed of SPEEDS) {
      const key = `${name} ${speed}`;
      const samples = results.get(key) ?? noSamples();
      results.set(key, samples);
      const startMs = performance.now();
      const beforeUs = processorUs(system.child.pid!);
      const written = await chain.write({ blocks: blocksAt(speed), speed });
      samples.ms += performance.now() - startMs;
      samples.processorUs += processorUs(system.child.pid!) - beforeUs;
      await pause(SETTLE_MS);
      collect(name, chain, client, written, samples);
    }
    client.close();
    if (client instanceof DropInClient) {
      const told = new Map([...client.books].map(([ms, bytes]) => [ms, bytes.toString('latin1')]));
      answers.set(name, told);
    }
  } finally {
    await end(system);
    await chain.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

function collect(
  name: SystemName,
  chain: Chain,
  client: BlockClient,
  { firstHeight, visibleNs }: BlocksWritten,
  samples: Samples,
): void {
  visibleNs.forEach((visible, i) => {
    const height = firstHeight + i;
    if (!chain.expects(height, name)) return;
    samples.blocks++;
    const reading = client.readings.get(height);
    if (reading === undefined) {
      samples.missing++;
      return;
    }
    samples.read.push((reading.readNs - visible) / 1e3);
    if (reading.publishedNs < 0) return;
    samples.received.push((reading.receivedNs - visible) / 1e3);
    samples.applied.push((reading.appliedNs - visible) / 1e3);
    samples.published.push((reading.publishedNs - visible) / 1e3);
  });
}

/** Of all samples, exactly; `of` 1 is the greatest. */
function quantile(values: readonly number[], of: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(of * sorted.length))] ?? NaN;
}

const QUANTILES = [
  ['p50', 0.5],
  ['p99', 0.99],
  ['max', 1],
] as const;

function rowsOf(results: Results, origin: string): BenchRow[] {
  const rows: BenchRow[] = [];
  for (const speed of SPEEDS) {
    const rate = speed === 1 ? 'real rate' : `${speed}× the rate`;
    const of = (name: SystemName): Samples => results.get(`${name} ${speed}`)!;
    for (const name of ['drop-in JSON', 'FlatBuffers'] as const) {
      for (const [word, q] of QUANTILES) {
        const rival = of('plain program');
        rows.push(
          row({
            part: PART,
            case: `${name}, ${rate}, ${word}`,
            unit: 'µs',
            ours: quantile(of(name).read, q),
            rival: 'plain program (JSON)',
            rivalNs: quantile(rival.read, q),
            note: word === 'p50' ? `${origin}; ${about(of(name))}; rival ${about(rival)}` : '',
          }),
        );
      }
    }
    for (const stage of ['received', 'applied', 'published'] as const) {
      const values = of('FlatBuffers')[stage];
      rows.push(
        row({
          part: PART,
          case: `FlatBuffers, ${rate}, ${stage}`,
          unit: 'µs',
          ours: quantile(values, 0.5),
          note: `p50; p99 ${quantile(values, 0.99).toFixed(0)}, max ${quantile(values, 1).toFixed(0)}`,
        }),
      );
    }
  }
  return rows;
}

function about({ blocks, missing, processorUs: used, ms }: Samples): string {
  const share = ((used / 1e3 / ms) * 100).toFixed(0);
  const late = missing > 0 ? `, ${missing} not delivered in time` : '';
  return `${blocks} blocks${late}, ${share} % of a core`;
}

function checkAnswers(answers: Answers): void {
  const theirs = answers.get('plain program')!;
  let compared = 0;
  for (const [blockMs, levels] of answers.get('drop-in JSON')!) {
    const other = theirs.get(blockMs);
    if (other === undefined) continue;
    compared++;
    invariant(levels === other, `the books at ${blockMs} differ: ${levels} and ${other}`);
  }
  invariant(compared > WARM_BLOCKS, `both told the same blocks (${compared})`);
}

const pause = (ms: number): Promise<void> => new Promise((settle) => setTimeout(settle, ms));

export default defineBench({
  part: PART,
  mix: `captured blocks of BTC (or the simulator's), 55–77 ms apart and a tenth of it; layout ${LAYOUT}; one client: l2Book + trades + l4Book, or orders + bbo; ${ROUNDS} rounds`,
  async run() {
    const script = loadScript();
    const folder = mkdtempSync(join(tmpdir(), 'ringside-snapshot-'));
    const snapshot = join(folder, 'snapshot.json');
    writeFileSync(snapshot, script.snapshot);
    const results: Results = new Map();
    const answers: Answers = new Map();
    try {
      for (let round = 0; round < ROUNDS; round++) {
        for (const name of SYSTEMS) await measureOnce(name, script, snapshot, results, answers);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    checkAnswers(answers);
    return rowsOf(results, script.origin);
  },
});
