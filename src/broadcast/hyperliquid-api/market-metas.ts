/**
 * `meta`, `spotMeta` and `perpDexs`: as the venue's own info server told them, where the node asks one;
 * else derived from the instruments, which know less and say so. Broadcast thread, cold.
 *
 * The place of a coin in `universe` is its number in orders. Derived documents have places of their
 * own: they serve to read, not to trade by. Where the venue's are on their way nothing is derived.
 */
import type { Instrument } from '../../domain/instrument.js';
import { isObject } from './api-request.js';

export interface MarketMeta {
  readonly json: string;
  /** Of `universe`, in its order. */
  readonly names: readonly string[];
}

export function dexOf(symbol: string): string {
  const colon = symbol.indexOf(':');
  return colon < 0 ? '' : symbol.slice(0, colon);
}

export class MarketMetas {
  /** Builders' exchanges of which an instrument is followed. */
  readonly dexes: ReadonlySet<string>;
  private readonly instruments: readonly Instrument[];
  private readonly awaitsInfo: boolean;
  private readonly known = new Map<string, MarketMeta>();

  constructor(instruments: readonly Instrument[], awaitsInfo: boolean) {
    this.instruments = instruments;
    this.awaitsInfo = awaitsInfo;
    const dexes = instruments.map(({ symbol }) => dexOf(symbol));
    this.dexes = new Set(dexes.filter((dex) => dex !== ''));
  }

  /** Takes documents by name (`meta`, `meta:xyz`, `spotMeta`, `perpDexs`), in place of earlier ones. */
  learn(answers: ReadonlyMap<string, string>): void {
    for (const [key, json] of answers) this.known.set(key, { json, names: namesIn(json) });
  }

  /** Of an exchange's perpetuals, '' being the venue's own. Null: not known (yet). */
  ofPerps(dex: string): MarketMeta | null {
    const key = dex === '' ? 'meta' : `meta:${dex}`;
    const instruments = this.instruments.filter(
      ({ kind, symbol }) => kind !== 'spot' && dexOf(symbol) === dex,
    );
    return this.knownOr(key, () => derivedPerps(instruments));
  }

  ofSpot(): MarketMeta | null {
    const instruments = this.instruments.filter(({ kind }) => kind === 'spot');
    return this.knownOr('spotMeta', () => derivedSpot(instruments));
  }

  ofDexes(): MarketMeta | null {
    return this.knownOr('perpDexs', () => [
      null,
      ...[...this.dexes].map((name) => ({ name, fullName: name })),
    ]);
  }

  /** In the order of their numbers; the venue's own, '', is the first. */
  dexNames(): string[] {
    const list: unknown = JSON.parse(this.ofDexes()?.json ?? '[]');
    if (!Array.isArray(list)) return [''];
    return [
      '',
      ...list.flatMap((entry: unknown) => (isObject(entry) ? [String(entry['name'])] : [])),
    ];
  }

  private knownOr(key: string, derive: () => unknown): MarketMeta | null {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.awaitsInfo) return null;
    const json = JSON.stringify(derive());
    return { json, names: namesIn(json) };
  }
}

function derivedPerps(instruments: readonly Instrument[]): unknown {
  const universe = instruments.map(({ symbol, sizeDecimals }) => ({
    name: symbol,
    szDecimals: sizeDecimals,
    maxLeverage: 1,
    marginTableId: 1,
  }));
  return { universe, marginTables: [], collateralToken: 0 };
}

/** Token numbers are our own, and no token has an address. */
function derivedSpot(instruments: readonly Instrument[]): unknown {
  const bases = [...new Set(instruments.map(({ base }) => base))];
  const token = (name: string, index: number, szDecimals: number): unknown => ({
    name,
    szDecimals,
    weiDecimals: 8,
    index,
    tokenId: `0x${'0'.repeat(32)}`,
    isCanonical: false,
    evmContract: null,
    fullName: null,
  });
  const decimals = (base: string): number =>
    instruments.find((instrument) => instrument.base === base)?.sizeDecimals ?? 0;
  return {
    tokens: [token('USDC', 0, 8), ...bases.map((base, i) => token(base, i + 1, decimals(base)))],
    universe: instruments.map(({ symbol, base }, i) => ({
      name: symbol,
      tokens: [bases.indexOf(base) + 1, 0],
      index: /^@\d+$/.test(symbol) ? Number(symbol.slice(1)) : i,
      isCanonical: symbol.includes('/'),
    })),
  };
}

function namesIn(json: string): string[] {
  const document: unknown = JSON.parse(json);
  const universe = isObject(document) ? document['universe'] : null;
  if (!Array.isArray(universe)) return [];
  return universe.map((entry: unknown) =>
    isObject(entry) && typeof entry['name'] === 'string' ? entry['name'] : '',
  );
}
