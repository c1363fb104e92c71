/** Where a node's files are: its sources below a data folder, in either layout. Cold. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FaultError } from '../faults/fault.js';
import type { NodeSource } from './node-files-counters.js';
import type { NodeRoots } from './node-files-options.js';

export const NODE_LAYOUTS = ['by-block', 'streaming'] as const;
export type NodeLayout = (typeof NODE_LAYOUTS)[number];

const SOURCE_NAMES: Readonly<Record<NodeSource, string>> = {
  diffs: 'node_raw_book_diffs',
  statuses: 'node_order_statuses',
  fills: 'node_fills',
};
const SUFFIXES: Readonly<Record<NodeLayout, string>> = {
  'by-block': '_by_block',
  streaming: '_streaming',
};

export interface NodeData {
  readonly layout: NodeLayout;
  readonly roots: NodeRoots;
}

/**
 * Finds the sources below `directory` (`hl/data`, the folder above it or the one above that).
 * `auto` takes by-block where both are there: it says where a block ends. Throws FILE_UNREADABLE.
 */
export function findNodeData(directory: string, layout: NodeLayout | 'auto'): NodeData {
  const places = [directory, join(directory, 'data'), join(directory, 'hl', 'data')];
  const layouts = layout === 'auto' ? NODE_LAYOUTS : [layout];
  for (const candidate of layouts) {
    const place = places.find((folder) =>
      existsSync(join(folder, `${SOURCE_NAMES.diffs}${SUFFIXES[candidate]}`)),
    );
    if (place === undefined) continue;
    const root = (source: NodeSource): string =>
      join(place, `${SOURCE_NAMES[source]}${SUFFIXES[candidate]}`);
    return {
      layout: candidate,
      roots: { diffs: root('diffs'), statuses: root('statuses'), fills: root('fills') },
    };
  }
  const wanted = layouts.map((name) => `${SOURCE_NAMES.diffs}${SUFFIXES[name]}`).join(' or ');
  throw new FaultError(
    'FILE_UNREADABLE',
    `${directory}: no ${wanted} in it, in data/ or in hl/data/`,
  );
}
