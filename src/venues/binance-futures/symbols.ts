/** How Binance spells symbols and streams: streams want lower case. Cold. */
import { FaultError } from '../../faults/fault.js';
import type { TradeKind } from './messages.js';

/** What a user may choose about this venue. */
export interface FuturesSettings {
  /** `@depth@0ms` is undocumented and unthrottled; `250ms` is the venue's plain `@depth`. */
  readonly depthInterval: '0ms' | '100ms' | '250ms' | '500ms';
  readonly trades: TradeKind;
  /** Levels a side in a REST snapshot. */
  readonly snapshotLimit: 5 | 10 | 20 | 50 | 100 | 500 | 1000;
  /** `auto` reads depth frames by WebAssembly where that is there. */
  readonly scanner: 'auto' | 'js';
}

const CHOICES: Readonly<Record<keyof FuturesSettings, readonly string[]>> = {
  depthInterval: ['100ms', '0ms', '250ms', '500ms'],
  trades: ['aggTrade', 'trade'],
  snapshotLimit: ['1000', '5', '10', '20', '50', '100', '500'],
  scanner: ['auto', 'js'],
};

/** The first choice of each is the default. Throws FaultError BAD_CONFIG. */
export function settingsFrom(given: Readonly<Record<string, string>>): FuturesSettings {
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(CHOICES, key)) {
      const known = Object.keys(CHOICES).join(', ');
      throw new FaultError('BAD_CONFIG', `binance-futures has no setting ${key}; it has ${known}`);
    }
    const choices = CHOICES[key as keyof FuturesSettings];
    if (!choices.includes(value)) {
      const list = choices.join(', ');
      throw new FaultError('BAD_CONFIG', `binance-futures.${key} is one of ${list}; got ${value}`);
    }
  }
  const chosen = (key: keyof FuturesSettings): string => given[key] ?? CHOICES[key][0]!;
  return {
    depthInterval: chosen('depthInterval') as FuturesSettings['depthInterval'],
    trades: chosen('trades') as TradeKind,
    snapshotLimit: Number(chosen('snapshotLimit')) as FuturesSettings['snapshotLimit'],
    scanner: chosen('scanner') as FuturesSettings['scanner'],
  };
}

export function depthStream(symbol: string, interval: FuturesSettings['depthInterval']): string {
  const plain = `${symbol.toLowerCase()}@depth`;
  return interval === '250ms' ? plain : `${plain}@${interval}`;
}

export function bookTickerStream(symbol: string): string {
  return `${symbol.toLowerCase()}@bookTicker`;
}

export function tradeStream(symbol: string, kind: TradeKind): string {
  return `${symbol.toLowerCase()}@${kind}`;
}

/** "Update Speed: 3000ms or 1000ms" */
export function markPriceStream(symbol: string): string {
  return `${symbol.toLowerCase()}@markPrice@1s`;
}
