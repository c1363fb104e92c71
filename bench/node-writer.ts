/**
 * Writes the script's blocks as a Hyperliquid node does, a line a source and block, and says when each
 * was in the files: the time just after the last of its three write(2) had returned. A process of its
 * own, forked by the bench:
 *
 *     node node-writer.js DIRECTORY      DIRECTORY/hl/data/node_…_by_block/hourly/{YYYYMMDD}/{H}
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadScript, SOURCES, stampBlock } from './node-blocks.js';

/** What the bench asks for. */
export interface WriteBlocks {
  readonly blocks: number;
  /** 1: at the gaps of the recording; 10: ten times as fast. */
  readonly speed: number;
}

/** CLOCK_MONOTONIC in ns, the same for every process of the machine. */
export interface BlocksWritten {
  readonly firstHeight: number;
  readonly visibleNs: readonly number[];
}

export const monotonicNs = (): number => Number(process.hrtime.bigint());

const sleeper = new Int32Array(new SharedArrayBuffer(4));

class BlockWriter {
  private readonly script = loadScript();
  private readonly files: readonly number[];
  private height = this.script.firstHeight;
  private blockMs = this.script.firstMs;

  constructor(directory: string) {
    const hour = new Date(this.blockMs).toISOString();
    const path = `${hour.slice(0, 10).replaceAll('-', '')}/${Number(hour.slice(11, 13))}`;
    this.files = SOURCES.map((source) => {
      const file = join(directory, 'hl', 'data', `node_${source}_by_block`, 'hourly', path);
      mkdirSync(dirname(file), { recursive: true });
      return openSync(file, 'a');
    });
  }

  write({ blocks, speed }: WriteBlocks): BlocksWritten {
    const visibleNs: number[] = [];
    const firstHeight = this.height;
    let dueNs = monotonicNs();
    for (let i = 0; i < blocks; i++) {
      const cycle = this.script.blocks;
      const block = cycle[(this.height - this.script.firstHeight) % cycle.length]!;
      stampBlock(block, this.height, this.blockMs);
      dueNs += (block.gapMs * 1e6) / speed;
      const waitMs = (dueNs - monotonicNs()) / 1e6;
      if (waitMs > 0) Atomics.wait(sleeper, 0, 0, waitMs);
      SOURCES.forEach((source, index) => writeSync(this.files[index]!, block.lines[source]));
      visibleNs.push(monotonicNs());
      this.height++;
      this.blockMs += block.gapMs;
    }
    return { firstHeight, visibleNs };
  }

  close(): void {
    for (const file of this.files) closeSync(file);
  }
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  const writer = new BlockWriter(process.argv[2]!);
  process.on('message', (request: WriteBlocks) => process.send!(writer.write(request)));
  process.on('disconnect', () => writer.close());
  process.send('ready');
}
