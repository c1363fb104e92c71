/**
 * Blocks of a Hyperliquid node for the benches that play them: the captured by-block files, or the
 * simulated node's where there are none. A capture is short, so it is played to and fro: after the
 * last block come the blocks that undo it, last first, and then it fits again. Cold.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Prng } from '../src/domain/prng.js';
import { invariant } from '../src/faults/invariant.js';
import { Exchange } from '../src/simulator/exchange.js';
import { hyperliquidSpecs } from '../src/simulator/hyperliquid-specs.js';
import { NODE_RATE, NodeChain } from '../src/simulator/node-chain.js';
import { NodeFilesWriter } from '../src/simulator/node-files-writer.js';
import { Timeline } from '../src/time/timeline.js';
import { capturesDirectory } from '../test/support/captures.js';
import { nodeOrder, nodeStatus } from '../test/support/node-order.js';

/** In the order in which a node writes them. */
export const SOURCES = ['fills', 'raw_book_diffs', 'order_statuses'] as const;
export type Source = (typeof SOURCES)[number];

/** One block as lines; height and times stand at fixed places and are set when it is written. */
export interface ScriptBlock {
  readonly lines: Readonly<Record<Source, Buffer>>;
  /** Milliseconds from the block before. */
  readonly gapMs: number;
  readonly events: Readonly<Record<Source, number>>;
}

export interface NodeScript {
  readonly origin: string;
  /** Text of the snapshot before the first block. */
  readonly snapshot: string;
  readonly firstHeight: number;
  readonly firstMs: number;
  /** Played again and again. */
  readonly blocks: readonly ScriptBlock[];
}

/** An event of the diff files. */
export interface NodeDiff {
  readonly user: string;
  readonly oid: number;
  readonly coin: string;
  readonly side: string;
  readonly px: string;
  readonly raw_book_diff:
    | 'remove'
    | { readonly new: { readonly sz: string; readonly insertBefore?: number } }
    | { readonly update: { readonly origSz: string; readonly newSz: string } };
}
interface Status {
  readonly status: string;
  readonly order: { readonly oid: number };
}
interface Line {
  readonly block_time: string;
  readonly block_number: number;
  readonly events: unknown[];
}
type Blocks = readonly Readonly<Record<Source, Line>>[];

const SIMULATED_BLOCKS = 50;
const UNDONE: Readonly<Record<string, string>> = { open: 'canceled', canceled: 'open' };

export function loadScript(): NodeScript {
  const captures = capturesDirectory();
  return captures === null ? simulated() : captured(join(captures, 'hyperliquid'));
}

function captured(home: string): NodeScript {
  const data = join(home, 'derived', 'dual_985148182_985148206', 'hl', 'data');
  const source = join(home, 'packethog', 'hl_dual_validator', 'source');
  const packed = readFileSync(join(source, 'snapshot_985148181.json.gz'));
  const snapshot = gunzipSync(packed).toString('utf8');
  const blocks = readBlocks(data, join('hourly', '20260505', '17'));
  return script(`${blocks.length} captured blocks of BTC, to and fro`, snapshot, blocks);
}

function simulated(): NodeScript {
  const directory = mkdtempSync(join(tmpdir(), 'ringside-blocks-'));
  const timeline = new Timeline(1_790_000_000_000_000_000n);
  const exchange = new Exchange({
    specs: hyperliquidSpecs(10),
    seed: 7,
    ratePerSecond: NODE_RATE,
    startNs: 0,
    truthWindow: 64,
  });
  const layouts = ['by_block'] as const;
  const writer = new NodeFilesWriter({ directory, layouts, timeline, prng: new Prng(8) });
  let isWriting = false;
  const chain = new NodeChain({
    exchange,
    timeline,
    seed: 7,
    onBlock: (block) => {
      if (isWriting) writer.onBlock(block);
    },
  });
  const snapshot = chain.snapshotText(0);
  const last = chain.height + SIMULATED_BLOCKS;
  isWriting = true;
  for (let nowNs = 5e6; chain.height < last; nowNs += 5e6) exchange.runUntil(nowNs, 1e6);
  const hour = new Date(Number(timeline.toUnixNs(0) / 1_000_000n)).toISOString();
  const path = `${hour.slice(0, 10).replaceAll('-', '')}/${Number(hour.slice(11, 13))}`;
  const blocks = readBlocks(join(directory, 'hl', 'data'), join('hourly', path));
  rmSync(directory, { recursive: true });
  return script(`${blocks.length} simulated blocks of ten coins, to and fro`, snapshot, blocks);
}

function readBlocks(data: string, hour: string): Blocks {
  const [fills, diffs, statuses] = SOURCES.map((source) =>
    readFileSync(join(data, `node_${source}_by_block`, hour), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line),
  );
  return diffs!.map((line, i) => ({
    fills: fills![i]!,
    raw_book_diffs: line,
    order_statuses: statuses![i]!,
  }));
}

function script(origin: string, snapshot: string, forth: Blocks): NodeScript {
  const first = forth[0]!.raw_book_diffs;
  const gaps = forth.map((block, i) => {
    const before = forth[i - 1]?.raw_book_diffs;
    const end = millisecondsOf(block.raw_book_diffs.block_time);
    return before === undefined ? 60 : end - millisecondsOf(before.block_time);
  });
  const back = undone(snapshot, forth);
  const blocks = [...forth, ...back].map((block, i) => ({
    lines: {
      fills: bytesOf(block.fills),
      raw_book_diffs: bytesOf(block.raw_book_diffs),
      order_statuses: bytesOf(block.order_statuses),
    },
    gapMs: Math.max(1, i < gaps.length ? gaps[i]! : gaps[2 * gaps.length - 1 - i]!),
    events: {
      fills: block.fills.events.length,
      raw_book_diffs: block.raw_book_diffs.events.length,
      order_statuses: block.order_statuses.events.length,
    },
  }));
  const firstMs = millisecondsOf(first.block_time);
  return { origin, snapshot, firstHeight: first.block_number, firstMs, blocks };
}

/** The blocks that take the book back to the snapshot, in the order in which they are to come. */
function undone(snapshot: string, forth: Blocks): Blocks {
  const sizes = new Map<number, string>();
  const [, coins] = JSON.parse(snapshot) as [number, [string, [string, never][][]][]];
  for (const [, sides] of coins) {
    for (const [, order] of sides.flat()) {
      const { oid, sz } = order as { oid: number; sz: string };
      sizes.set(oid, sz);
    }
  }
  const back = forth.map((block) => {
    const diffs = block.raw_book_diffs.events as NodeDiff[];
    // What was opened is cancelled, what was cancelled opened: statuses and diffs say the same.
    const statuses = (block.order_statuses.events as Status[]).map((event) => ({
      ...event,
      status: UNDONE[event.status] ?? event.status,
    }));
    const opened = new Set(
      statuses.filter(({ status }) => status === 'open').map(({ order }) => order.oid),
    );
    const reborn: unknown[] = [];
    const events = diffs.map((diff) => {
      const change = diff.raw_book_diff;
      const before = sizes.get(diff.oid);
      if (change === 'remove') {
        invariant(before !== undefined, 'what is removed was there');
        sizes.delete(diff.oid);
        if (!opened.has(diff.oid))
          reborn.push(openStatus(diff, before, block.raw_book_diffs.block_time));
        return { ...diff, raw_book_diff: { new: { sz: before } } };
      }
      if ('update' in change) {
        const { origSz, newSz } = change.update;
        sizes.set(diff.oid, newSz);
        return { ...diff, raw_book_diff: { update: { origSz: newSz, newSz: origSz } } };
      }
      sizes.set(diff.oid, change.new.sz);
      return { ...diff, raw_book_diff: 'remove' };
    });
    return {
      // A trade does not happen twice.
      fills: { ...block.fills, events: [] },
      raw_book_diffs: { ...block.raw_book_diffs, events: events.toReversed() },
      order_statuses: { ...block.order_statuses, events: [...statuses, ...reborn] },
    };
  });
  return back.toReversed();
}

function openStatus(
  { user, oid, coin, side, px: limitPx }: NodeDiff,
  sz: string,
  time: string,
): unknown {
  const given = { coin, side, limitPx, sz, oid, timestamp: millisecondsOf(time) };
  return nodeStatus('open', time, user, nodeOrder(given));
}

function bytesOf(line: Line): Buffer {
  return Buffer.from(`${JSON.stringify(line)}\n`);
}

export function millisecondsOf(nodeTime: string): number {
  return Date.parse(`${nodeTime.slice(0, 23)}Z`);
}

/** Puts the block's height and times into its lines, where they stand already. */
export function stampBlock(block: ScriptBlock, height: number, blockMs: number): void {
  const blockTime = `${new Date(blockMs).toISOString().slice(0, 23)}000000`;
  const localTime = `${new Date(blockMs + 370).toISOString().slice(0, 23)}000000`;
  for (const source of SOURCES) {
    const line = block.lines[source];
    setAfter(line, '"local_time":"', localTime, 0);
    setAfter(line, '"block_time":"', blockTime, 0);
    setAfter(line, '"block_number":', String(height), 0);
    if (source !== 'fills') continue;
    for (let at = 0; at >= 0;) at = setAfter(line, '"time":', String(blockMs), at);
  }
}

/** Position behind what was set, -1 if there is none after `from`. */
function setAfter(line: Buffer, key: string, value: string, from: number): number {
  const at = line.indexOf(key, from);
  return at < 0 ? -1 : at + key.length + line.write(value, at + key.length, 'latin1');
}
