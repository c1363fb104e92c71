/** A local Hyperliquid node as a venue: its data are files, its orders are all there. Cold. */
import type { Instrument } from '../../domain/instrument.js';
import { FaultError } from '../../faults/fault.js';
import type { FileSelection, FileVenue, HttpRequest, VenueOptions } from '../venue.js';
import { askAboutMarkets, askInfo } from './venue-info.js';
import { MARKETS, type Markets, VENUE_ID, isWanted, marketOf, nodeInstrument } from './coins.js';

/** Of the info server's answers. */
interface Named {
  readonly name?: unknown;
  readonly szDecimals?: unknown;
  readonly isDelisted?: unknown;
  readonly tokens?: unknown;
  readonly index?: unknown;
}

interface Listed {
  readonly coin: string;
  readonly szDecimals: number;
}

export function createHyperliquidNode(options: VenueOptions): FileVenue {
  const unknown = Object.keys(options.settings ?? {});
  if (unknown.length > 0)
    throw new FaultError('BAD_CONFIG', `${VENUE_ID} has no setting ${unknown.join(', ')}`);
  return {
    source: 'files',
    id: VENUE_ID,
    title: 'a local Hyperliquid node',
    capabilities: {
      snapshot: 'file',
      orders: true,
      bookTicker: false,
      trades: true,
      contexts: false,
    },
    isWanted: (coin, selection) => isSelected(coin, selection),
    listInstruments,
    askAboutMarkets,
    instrumentsOf: (coins, selection) =>
      coins
        .filter((coin) => isSelected(coin, selection))
        .map((coin, id) => nodeInstrument(coin, id, null)),
  };
}

function marketsOf(text: string): Markets {
  const found = MARKETS.find((name) => name === text);
  if (found === undefined)
    throw new FaultError('BAD_CONFIG', `--markets is one of ${MARKETS.join(', ')}, not ${text}`);
  return found;
}

function isSelected(coin: string, selection: FileSelection): boolean {
  const { symbols, markets } = selection;
  return symbols === 'all' ? isWanted(coin, marketsOf(markets)) : symbols.includes(coin);
}

/** `meta`, `spotMeta`, and for HIP-3 `perpDexs` and each one's `meta`, as far as they are wanted. */
async function listInstruments(
  ask: (request: HttpRequest) => Promise<string>,
  infoUrl: string,
  selection: FileSelection,
): Promise<Instrument[]> {
  const question = (body: object): Promise<unknown> => askInfo(ask, infoUrl, body);
  const { symbols } = selection;
  const markets = marketsOf(selection.markets);
  const wants = (market: Markets): boolean =>
    symbols === 'all'
      ? markets === 'all' || markets === market
      : symbols.some((coin) => marketOf(coin) === market);
  const listed: Listed[] = [];
  if (wants('perps')) listed.push(...perpsOf(await question({ type: 'meta' })));
  if (wants('hip3')) {
    const dexs = await question({ type: 'perpDexs' });
    for (const { name } of Array.isArray(dexs) ? dexs.filter(isNamed) : []) {
      listed.push(...perpsOf(await question({ type: 'meta', dex: name })));
    }
  }
  if (wants('spot')) listed.push(...spotOf(await question({ type: 'spotMeta' })));
  return listed
    .filter(({ coin }) => isSelected(coin, selection))
    .map(({ coin, szDecimals }, id) => nodeInstrument(coin, id, szDecimals));
}

function isNamed(value: unknown): value is Named & { readonly name: string } {
  return typeof (value as Named | null)?.name === 'string';
}

function listOf(answer: unknown, name: string): Named[] {
  const list = (answer as Record<string, unknown> | null)?.[name];
  if (!Array.isArray(list))
    throw new FaultError('FRAME_MALFORMED', `the info server's answer has no ${name}`);
  return list as Named[];
}

/** Delisted ones keep their place in `universe`, and have no book. */
function perpsOf(answer: unknown): Listed[] {
  return listOf(answer, 'universe')
    .filter((entry) => isNamed(entry) && entry.isDelisted !== true)
    .map(({ name, szDecimals }) => ({ coin: String(name), szDecimals: decimalsOf(szDecimals) }));
}

/** A pair's size has the decimals of its base token, the first of `tokens`. */
function spotOf(answer: unknown): Listed[] {
  const decimals = new Map(
    listOf(answer, 'tokens').map(({ index, szDecimals }) => [index, decimalsOf(szDecimals)]),
  );
  return listOf(answer, 'universe')
    .filter(isNamed)
    .map(({ name, tokens }) => {
      const base: unknown = Array.isArray(tokens) ? tokens[0] : undefined;
      const szDecimals = decimals.get(base);
      if (szDecimals === undefined)
        throw new FaultError('FRAME_MALFORMED', `spotMeta: ${name} has no base token`);
      return { coin: name, szDecimals };
    });
}

function decimalsOf(value: unknown): number {
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 8) return Number(value);
  throw new FaultError('FRAME_MALFORMED', `szDecimals is 0 to 8, not ${String(value)}`);
}
