/**
 * `POST /info` of the simulated Hyperliquid: what SDKs and our node ask before anything else. Simulator's
 * thread; cold.
 */
import type { SimulatedAnswer } from './dialect.js';
import { isSpot } from './hyperliquid-specs.js';
import type { MarketSpec } from './market-specs.js';

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The venue's limit on every request's body is the server's own; questions are small. */
export function questionOf(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function jsonAnswer(status: number, value: Json): SimulatedAnswer {
  return textAnswer(status, JSON.stringify(value));
}

export function textAnswer(status: number, body: string): SimulatedAnswer {
  return { status, headers: { 'Content-Type': 'application/json' }, body };
}

export function dexOf(symbol: string): string {
  const colon = symbol.indexOf(':');
  return colon < 0 ? '' : symbol.slice(0, colon);
}

function dexesOf(specs: readonly MarketSpec[]): string[] {
  return [...new Set(specs.map(({ symbol }) => dexOf(symbol)).filter((dex) => dex !== ''))];
}

export function perpsOf(specs: readonly MarketSpec[], dex: string): MarketSpec[] {
  return specs.filter(({ symbol }) => !isSpot(symbol) && dexOf(symbol) === dex);
}

/** `dex` is empty for the venue's own. */
export function metaOf(specs: readonly MarketSpec[], dex: string): Json {
  const universe = perpsOf(specs, dex).map(({ symbol, sizeDecimals }) => ({
    szDecimals: sizeDecimals,
    name: symbol,
    maxLeverage: 40,
    marginTableId: 56,
  }));
  // The venue keeps delisted coins at their place: here is always one.
  const gone = { szDecimals: 1, name: 'MATIC', maxLeverage: 20, marginTableId: 20 };
  return {
    universe: dex === '' ? [...universe, { ...gone, isDelisted: true }] : universe,
    marginTables: [],
    collateralToken: 0,
  };
}

export function spotMetaOf(specs: readonly MarketSpec[]): Json {
  const spots = specs.filter(({ symbol }) => isSpot(symbol));
  const tokens = spots.map(({ base, symbol, sizeDecimals }, index) => ({
    name: base.startsWith('@') ? `T${symbol.slice(1)}` : base,
    szDecimals: sizeDecimals,
    weiDecimals: 8,
    index: index + 1,
    tokenId: `0x${String(index + 1).padStart(32, '0')}`,
    isCanonical: true,
    evmContract: null,
    fullName: null,
    deployerTradingFeeShare: '0.0',
  }));
  const usdc = {
    name: 'USDC',
    szDecimals: 8,
    weiDecimals: 8,
    index: 0,
    tokenId: '0x6d1e7cde53ba9467b783cb7c530ce054',
    isCanonical: true,
    evmContract: null,
    fullName: null,
    deployerTradingFeeShare: '0.0',
  };
  return {
    tokens: [usdc, ...tokens],
    universe: spots.map(({ symbol }, index) => ({
      tokens: [index + 1, 0],
      name: symbol,
      index: symbol.startsWith('@') ? Number(symbol.slice(1)) : index,
      isCanonical: !symbol.startsWith('@'),
    })),
  };
}

export function perpDexsOf(specs: readonly MarketSpec[]): Json {
  return [
    null,
    ...dexesOf(specs).map((name) => ({
      name,
      fullName: name.toUpperCase(),
      deployer: `0x${'88'.repeat(20)}`,
      oracleUpdater: null,
      feeRecipient: null,
      assetToStreamingOiCap: [],
      subDeployers: [],
      deployerFeeScale: '1.0',
    })),
  ];
}

export function allPerpMetasOf(specs: readonly MarketSpec[]): Json {
  return [metaOf(specs, ''), ...dexesOf(specs).map((dex) => metaOf(specs, dex))];
}
