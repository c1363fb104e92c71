/**
 * What a node left on disk, for replay: its data folder in either layout, its snapshot file plain or
 * gzip, and all lines of a source in the order they were written. Cold.
 */
import { closeSync, createReadStream, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { FaultError } from '../faults/fault.js';

export type NodeLayout = 'by-block' | 'streaming';

const SOURCE_NAMES = {
  diffs: 'node_raw_book_diffs',
  statuses: 'node_order_statuses',
  fills: 'node_fills',
} as const;
const SUFFIXES: Readonly<Record<NodeLayout, string>> = { 'by-block': '_by_block', streaming: '_streaming' };

export interface NodeData {
  readonly layout: NodeLayout;
  readonly roots: Readonly<Record<keyof typeof SOURCE_NAMES, string>>;
}

/** Finds the sources below a data folder (`hl/data`, its parent or the one above). */
export function findNodeData(directory: string, layout: NodeLayout | 'auto'): NodeData {
  const places = [directory, join(directory, 'data'), join(directory, 'hl', 'data')];
  const layouts: readonly NodeLayout[] = layout === 'auto' ? ['by-block', 'streaming'] : [layout];
  for (const candidate of layouts) {
    for (const place of places) {
      const root = (source: keyof typeof SOURCE_NAMES): string =>
        join(place, `${SOURCE_NAMES[source]}${SUFFIXES[candidate]}`);
      if (!existsSync(root('diffs'))) continue;
      return {
        layout: candidate,
        roots: { diffs: root('diffs'), statuses: root('statuses'), fills: root('fills') },
      };
    }
  }
  const wanted = layouts.map((name) => `${SOURCE_NAMES.diffs}${SUFFIXES[name]}`).join(' or ');
  throw new FaultError('FILE_UNREADABLE', `${directory}: no ${wanted} in it, in data/ or in hl/data/`);
}

/** The bytes of a snapshot file, unpacked if it is gzip. Throws FILE_UNREADABLE. */
export async function* snapshotChunks(path: string): AsyncGenerator<Buffer> {
  try {
    const file = createReadStream(path, { highWaterMark: 1 << 20 });
    const chunks = isGzip(path) ? file.pipe(createGunzip({ chunkSize: 1 << 20 })) : file;
    file.on('error', (error) => chunks.destroy(error));
    for await (const chunk of chunks) yield chunk as Buffer;
  } catch (error) {
    throw new FaultError('FILE_UNREADABLE', `${path}: ${(error as Error).message}`, { cause: error });
  }
}

function isGzip(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    readSync(descriptor, magic, 0, 2, 0);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(descriptor);
  }
}
