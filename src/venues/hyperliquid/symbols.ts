/**
 * What a user may choose about Hyperliquid, and what it is subscribed to. A coin is written as the
 * venue writes it, letter case included: `BTC`, `kPEPE`, `PURR/USDC`, `@107`, `xyz:NVDA`. Cold.
 */
import { FaultError } from '../../faults/fault.js';
import { MARKETS } from '../hyperliquid-node/coins.js';
import type { Markets } from '../hyperliquid-node/coins.js';

export interface HyperliquidSettings {
  /** `full`: 20 levels a side every 5.4 s; `fast`: 5 levels every 0.54 s. */
  readonly l2Book: 'full' | 'fast';
  /** Which markets "all symbols" means. */
  readonly markets: Markets;
  /**
   * Where the channel `context` comes from. `full`: activeAssetCtx, a subscription a coin, every second;
   * `mids`: allMids, one subscription for all coins of a dex, every 5 s, mid prices only.
   */
  readonly context: 'full' | 'mids';
}

const CHOICES: Readonly<Record<keyof HyperliquidSettings, readonly string[]>> = {
  l2Book: ['full', 'fast'],
  markets: MARKETS,
  context: ['full', 'mids'],
};

/** The first choice of each is the default. Throws FaultError BAD_CONFIG. */
export function settingsFrom(given: Readonly<Record<string, string>>): HyperliquidSettings {
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(CHOICES, key)) {
      const known = Object.keys(CHOICES).join(', ');
      throw new FaultError('BAD_CONFIG', `hyperliquid has no setting ${key}; it has ${known}`);
    }
    const choices = CHOICES[key as keyof HyperliquidSettings];
    if (!choices.includes(value)) {
      const list = choices.join(', ');
      throw new FaultError('BAD_CONFIG', `hyperliquid.${key} is one of ${list}; got ${value}`);
    }
  }
  return {
    l2Book: (given['l2Book'] ?? 'full') as HyperliquidSettings['l2Book'],
    markets: (given['markets'] ?? 'perps') as Markets,
    context: (given['context'] ?? 'full') as HyperliquidSettings['context'],
  };
}

/** `dex` of `dex:COIN`; null for the venue's own perps and for spot. */
export function dexOf(coin: string): string | null {
  const colon = coin.indexOf(':');
  return colon > 0 ? coin.slice(0, colon) : null;
}
