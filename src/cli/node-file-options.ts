/** Options of the commands that read a Hyperliquid node's files. Cold. */
import { Option } from '@commander-js/extra-typings';
import { NODE_LAYOUTS } from '../ingest/node-data.js';
import { MARKETS } from '../venues/hyperliquid-node/coins.js';

export const dataOption = () =>
  new Option('--data <dir>', "hyperliquid-node: the node's data folder (hl/data)");

export const snapshotOption = () =>
  new Option('--snapshot <file>', 'hyperliquid-node: the L4 snapshot that the data continue');

export const layoutOption = () =>
  new Option('--layout <name>', 'hyperliquid-node: which files')
    .choices(['auto', ...NODE_LAYOUTS] as const)
    .default('auto' as const);

export const marketsOption = () =>
  new Option('--markets <which>', 'hyperliquid-node: which coins')
    .choices(MARKETS)
    .default('all' as const);
