/**
 * What the node's info server says of its markets, for clients that ask us: `meta`, `spotMeta`,
 * `perpDexs` and the `meta` of each builder's exchange, as its text. Only what has the shape and
 * agrees with the instruments that are followed: their numbers are printed by it. Cold.
 */
import type { Instrument } from '../../domain/instrument.js';
import type { HttpRequest, VenueInfo } from '../venue.js';
import { marketOf } from './coins.js';

export type Ask = (request: HttpRequest) => Promise<string>;

/** Builders' exchanges that are asked about; there were eight in 2026. */
const DEXES_MAX = 64;

/** A document by its name: `meta` of the venue's own exchange, `meta:xyz` of a builder's. */
export function metaKey(dex: string): string {
  return dex === '' ? 'meta' : `meta:${dex}`;
}

export async function askInfo(ask: Ask, infoUrl: string, body: object): Promise<unknown> {
  return JSON.parse(await askText(ask, infoUrl, body));
}

function askText(ask: Ask, infoUrl: string, body: object): Promise<string> {
  return ask({
    method: 'POST',
    url: `${infoUrl.replace(/\/+$/, '')}/info`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    weight: 0,
  });
}

/** Asks for all of it. Never rejects: what could not be had stands in `refusals`. */
export async function askAboutMarkets(
  ask: Ask,
  infoUrl: string,
  instruments: readonly Instrument[],
): Promise<VenueInfo> {
  const answers = new Map<string, string>();
  const refusals: string[] = [];
  const take = async (key: string, body: object, whyNot: Check): Promise<void> => {
    try {
      const text = await askText(ask, infoUrl, body);
      const why = whyNot(JSON.parse(text));
      if (why === null) answers.set(key, text);
      else refusals.push(`${key}: ${why}`);
    } catch (error) {
      refusals.push(`${key}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await take(metaKey(''), { type: 'meta' }, (value) => disagreement(value, '', instruments));
  await take('spotMeta', { type: 'spotMeta' }, (value) => spotDisagreement(value, instruments));
  await take('perpDexs', { type: 'perpDexs' }, (value) =>
    Array.isArray(value) ? null : 'it is no list',
  );
  for (const dex of dexesOf(answers.get('perpDexs')).slice(0, DEXES_MAX)) {
    await take(metaKey(dex), { type: 'meta', dex }, (value) =>
      disagreement(value, dex, instruments),
    );
  }
  return { answers, refusals };
}

/** Null if there is nothing to say against it. */
type Check = (value: unknown) => string | null;

function dexesOf(perpDexs: string | undefined): string[] {
  const list = perpDexs === undefined ? [] : (JSON.parse(perpDexs) as unknown[]);
  return list
    .map((entry) => (entry as { name?: unknown } | null)?.name)
    .filter((name): name is string => typeof name === 'string' && name !== '');
}

interface Entry {
  readonly name?: unknown;
  readonly szDecimals?: unknown;
  readonly tokens?: unknown;
  readonly index?: unknown;
}

function listIn(value: unknown, name: string): readonly Entry[] | null {
  const list = (value as Record<string, unknown> | null)?.[name];
  const isList = Array.isArray(list) && list.every((e) => typeof e === 'object' && e !== null);
  return isList ? (list as Entry[]) : null;
}

function disagreement(
  value: unknown,
  dex: string,
  instruments: readonly Instrument[],
): string | null {
  const universe = listIn(value, 'universe');
  if (universe === null) return 'it has no universe';
  const decimals = new Map(universe.map(({ name, szDecimals }) => [name, szDecimals]));
  const followed = instruments.filter(
    ({ symbol }) => marketOf(symbol) !== 'spot' && dexOf(symbol) === dex,
  );
  return firstDifference(followed, decimals);
}

function spotDisagreement(value: unknown, instruments: readonly Instrument[]): string | null {
  const [universe, tokens] = [listIn(value, 'universe'), listIn(value, 'tokens')];
  if (universe === null || tokens === null) return 'it has no universe or no tokens';
  const ofToken = new Map(tokens.map(({ index, szDecimals }) => [index, szDecimals]));
  const decimals = new Map(
    universe.map(({ name, tokens: pair }) => [
      name,
      ofToken.get(Array.isArray(pair) ? (pair[0] as unknown) : undefined),
    ]),
  );
  const followed = instruments.filter(({ symbol }) => marketOf(symbol) === 'spot');
  return firstDifference(followed, decimals);
}

/** Instruments whose decimals were not known take the widest, which any agrees with. */
function firstDifference(
  followed: readonly Instrument[],
  decimals: ReadonlyMap<unknown, unknown>,
): string | null {
  for (const { symbol, sizeDecimals, lotSize } of followed) {
    const told = decimals.get(symbol);
    if (told === undefined) return `${symbol}, which is followed, is not in it`;
    if (lotSize !== 0 && told !== sizeDecimals)
      return `szDecimals of ${symbol} is ${JSON.stringify(told)}, and was ${sizeDecimals} at the start`;
  }
  return null;
}

function dexOf(symbol: string): string {
  const colon = symbol.indexOf(':');
  return colon < 0 ? '' : symbol.slice(0, colon);
}
