/**
 * The files that a Hyperliquid node writes, from the blocks of the simulated chain, with the faults that
 * such files have. Simulator's thread; cold.
 *
 *     DIR/hl/data/node_{raw_book_diffs,order_statuses,fills}_{by_block,streaming}/hourly/{YYYYMMDD}/{H}
 *
 * By block: a line a block, also if it is empty. Streaming: a line an event, none for an empty block. The
 * hour is UTC and has no leading zero.
 */
import { appendFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Prng } from '../domain/prng.js';
import type { Timeline } from '../time/timeline.js';
import { NODE_SOURCES, isoOf } from './node-block.js';
import type { NodeBlock, NodeSource } from './node-block.js';

export type NodeFileLayout = 'by_block' | 'streaming';

export type NodeFileFault =
  /** Part of a line now, the rest with the next block. */
  | 'cut'
  /** A line that ends in its middle, for good. */
  | 'torn'
  /** Nothing for some blocks, then all of it. */
  | 'late'
  /** A block that is never written. */
  | 'missing'
  /** The file begins anew. */
  | 'truncated'
  /** Another file takes its place by rename, with this block and what follows. */
  | 'replaced';

export interface NodeFilesOptions {
  readonly directory: string;
  readonly layouts: readonly NodeFileLayout[];
  readonly timeline: Timeline;
  readonly prng: Prng;
  /** Chances a block and source. */
  readonly faults?: Partial<Record<NodeFileFault, number>>;
}

const FOLDERS: Readonly<Record<NodeSource, string>> = {
  diffs: 'node_raw_book_diffs',
  statuses: 'node_order_statuses',
  fills: 'node_fills',
};
const FAULTS: readonly NodeFileFault[] = [
  'cut',
  'torn',
  'late',
  'missing',
  'truncated',
  'replaced',
];
const LATE_BLOCKS_MAX = 8;
/** Between the block's time and its line: what a node beside the chain needs. */
const WRITE_LAG_NS = 2e6;

/** One source in one layout: what is written and what is held back. */
class SourceWriter {
  /** Held back, each for the file that it belongs to. */
  private readonly held: { path: string; text: string }[] = [];
  private heldBlocks = 0;
  /** Nothing is written until it is resumed: `kept` at once then, or lost. */
  stopped: 'no' | 'kept' | 'lost' = 'no';

  constructor(private readonly root: string) {}

  write(path: string, lines: readonly string[], fault: NodeFileFault | null, prng: Prng): void {
    if (this.stopped === 'lost') return;
    const file = join(this.root, 'hourly', path);
    let text = lines.map((line) => `${line}\n`).join('');
    if (fault === 'missing') text = '';
    if (fault === 'torn') text = tornText(text, prng);
    if (fault === 'late' && this.held.length === 0)
      this.heldBlocks = 1 + prng.nextInt(LATE_BLOCKS_MAX);
    this.held.push({ path: file, text });
    if (this.stopped === 'kept' || this.heldBlocks-- > 0) return;
    this.heldBlocks = 0;
    if (fault === 'truncated') emptyFile(file);
    if (fault === 'replaced') replaceFile(file);
    this.flush(fault === 'cut' && text.length > 1 ? prng.nextInt(text.length) : 0);
  }

  /** Writes what is held, all but the last `keptChars` characters. */
  flush(keptChars: number): void {
    const all = this.held.splice(0);
    all.forEach(({ path, text }, index) => {
      const kept = index === all.length - 1 ? keptChars : 0;
      const now = text.slice(0, text.length - kept);
      mkdirSync(dirname(path), { recursive: true });
      appendFileSync(path, now);
      if (kept > 0) this.held.push({ path, text: text.slice(text.length - kept) });
    });
  }
}

/** A piece is missing around one line's end, so that two lines become one that is neither. */
function tornText(text: string, prng: Prng): string {
  if (text.length < 2) return text;
  const at = prng.nextInt(text.length - 1);
  return `${text.slice(0, at)}\n`;
}

function replaceFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, '');
  renameSync(`${path}.new`, path);
}

function emptyFile(path: string): void {
  try {
    truncateSync(path, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

export class NodeFilesWriter {
  readonly faultsDone: Record<NodeFileFault, number> = {
    cut: 0,
    torn: 0,
    late: 0,
    missing: 0,
    truncated: 0,
    replaced: 0,
  };
  private readonly options: NodeFilesOptions;
  private readonly writers = new Map<string, SourceWriter>();
  private readonly ordered: { readonly source: NodeSource; readonly fault: NodeFileFault }[] = [];
  private faults: Partial<Record<NodeFileFault, number>>;

  constructor(options: NodeFilesOptions) {
    this.options = options;
    this.faults = options.faults ?? {};
    for (const layout of options.layouts) {
      for (const source of NODE_SOURCES) {
        const root = join(options.directory, 'hl', 'data', `${FOLDERS[source]}_${layout}`);
        mkdirSync(join(root, 'hourly'), { recursive: true });
        this.writers.set(`${layout}/${source}`, new SourceWriter(root));
      }
    }
  }

  setFaults(faults: Partial<Record<NodeFileFault, number>>): void {
    this.faults = faults;
  }

  /** The source's next block meets with this fault. */
  orderFault(source: NodeSource, fault: NodeFileFault): void {
    this.ordered.push({ source, fault });
  }

  /** From now on a source writes nothing. @param lines what becomes of them: come later, or lost */
  stopSource(source: NodeSource, lines: 'kept' | 'lost'): void {
    for (const layout of this.options.layouts) this.writer(layout, source).stopped = lines;
  }

  resumeSource(source: NodeSource): void {
    for (const layout of this.options.layouts) this.writer(layout, source).stopped = 'no';
  }

  onBlock(block: NodeBlock): void {
    const { timeline, layouts } = this.options;
    const blockText = isoOf(block.timeNs, timeline);
    const localText = isoOf(block.timeNs + WRITE_LAG_NS, timeline);
    const path = hourlyPath(blockText);
    for (const source of NODE_SOURCES) {
      const fault = this.faultOf(source);
      if (fault !== null) this.faultsDone[fault]++;
      const events = block[source];
      for (const layout of layouts) {
        const lines =
          layout === 'by_block'
            ? [lineOf(block, localText, blockText, events.join(','))]
            : events.map((event, index) =>
                lineOf(block, laterText(localText, index), blockText, event),
              );
        this.writer(layout, source).write(path, lines, fault, this.options.prng);
      }
    }
  }

  /** Everything that is held back comes out. */
  flush(): void {
    for (const writer of this.writers.values()) writer.flush(0);
  }

  /** Writes an answer to `fileSnapshot` where the node was told to. */
  writeSnapshot(path: string, text: string): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  private faultOf(source: NodeSource): NodeFileFault | null {
    const at = this.ordered.findIndex((order) => order.source === source);
    if (at >= 0) return this.ordered.splice(at, 1)[0]!.fault;
    for (const fault of FAULTS) if (this.options.prng.chance(this.faults[fault] ?? 0)) return fault;
    return null;
  }

  private writer(layout: NodeFileLayout, source: NodeSource): SourceWriter {
    return this.writers.get(`${layout}/${source}`)!;
  }
}

function lineOf(block: NodeBlock, localText: string, blockText: string, events: string): string {
  return (
    `{"local_time":"${localText}","block_time":"${blockText}",` +
    `"block_number":${block.height},"events":[${events}]}`
  );
}

/** Each event of a block is written some nanoseconds after the one before, within the same second. */
function laterText(text: string, index: number): string {
  const point = text.length - 9;
  const nanos = Math.min(999_999_999, Number(text.slice(point)) + index * 100);
  return text.slice(0, point) + String(nanos).padStart(9, '0');
}

/** `20260505/9` of `2026-05-05T09:39:13.…` */
function hourlyPath(isoText: string): string {
  const day = isoText.slice(0, 10).replaceAll('-', '');
  return `${day}/${Number(isoText.slice(11, 13))}`;
}
