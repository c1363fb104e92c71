/**
 * Learns from a recording of Hyperliquid's public channels what a replay must know. Replay, cold.
 *
 * Decimals are those of the longest text seen for a coin's prices and sizes, or those of `meta` where
 * its answer was recorded too. Coins that only contexts name are taken where nothing else was recorded.
 */
import { decimalPlaces } from '../../domain/decimal.js';
import { instrumentName } from '../../domain/instrument.js';
import type { Instrument } from '../../domain/instrument.js';
import { FaultError } from '../../faults/fault.js';
import { nodeInstrument } from '../hyperliquid-node/coins.js';
import type { CaptureFacts, CaptureScout } from '../capture-scout.js';
import { readInstruments, VENUE_ID } from './instruments.js';

/** Stands in every frame of the channels that are read, within its first bytes. */
const CHANNEL = /"channel"\s*:\s*"(l2Book|bbo|trades)"/;
const CONTEXT = /"channel"\s*:\s*"active(?:Spot)?AssetCtx"/;
const MIDS = /"channel"\s*:\s*"allMids"/;
const INFO_URL = /\/info\b/;
/** A number as text under one of the names that have them. */
const AMOUNT = /"(px|sz)"\s*:\s*"([0-9.]+)"/g;
/** An entry of the mids. */
const MID = /"([^"\\]+)"\s*:\s*"-?[0-9.]+"/g;
const COIN = /"coin"\s*:\s*"([^"\\]+)"/;

interface Sighting {
  priceDecimals: number;
  sizeDecimals: number;
}

export class HyperliquidCaptureScout implements CaptureScout {
  private readonly bySymbol = new Map<string, Sighting>();
  /** Coins that were named by a context or among the mids. */
  private readonly withContext = new Set<string>();
  /** Of answers that were recorded. */
  private readonly listed = new Map<string, Instrument>();

  onFrame(_file: number, bytes: Uint8Array): void {
    const text = textOf(bytes);
    if (CHANNEL.test(text)) this.see(text);
    else if (CONTEXT.test(text)) this.noteContext(COIN.exec(text)?.[1]);
    else if (MIDS.test(text)) for (const [, coin] of text.matchAll(MID)) this.noteContext(coin);
  }

  private noteContext(coin: string | undefined): void {
    if (coin !== undefined) this.withContext.add(coin);
  }

  onAnswer(_file: number, url: string, bytes: Uint8Array): void {
    if (!INFO_URL.test(url)) return;
    const text = textOf(bytes);
    if (text.includes('"levels"')) this.see(text);
    if (!text.includes('"universe"')) return;
    try {
      for (const instrument of readInstruments(text, 'all', 0)) {
        this.listed.set(instrument.symbol, instrument);
      }
    } catch (error) {
      // metaAndAssetCtxs and others hold a universe in another place: not needed
      if (!(error instanceof FaultError)) throw error;
    }
  }

  finish(): CaptureFacts {
    const named = this.bySymbol.size > 0 ? this.bySymbol.keys() : this.withContext;
    const coins = [...named];
    if (coins.length === 0) {
      throw new FaultError('CAPTURE_MALFORMED', `no ${VENUE_ID} market data in this capture`);
    }
    const instruments = coins.map((coin, id): Instrument => {
      const seen = this.bySymbol.get(coin);
      const listed = this.listed.get(coin);
      if (listed !== undefined) return { ...listed, id };
      const plain = nodeInstrument(coin, id, null);
      return { ...plain, ...seen, venue: VENUE_ID, name: instrumentName(VENUE_ID, coin) };
    });
    return {
      instruments,
      settings: {},
      snapshotOwner: (_file, url, bytes) => {
        if (url === null || !INFO_URL.test(url)) return 'none';
        const text = textOf(bytes);
        if (!text.includes('"levels"')) return 'none';
        const coin = COIN.exec(text)?.[1];
        return instruments.find(({ symbol }) => symbol === coin) ?? 'nobody';
      },
    };
  }

  /** A frame names one coin; its numbers are that coin's. */
  private see(text: string): void {
    const coin = COIN.exec(text)?.[1];
    if (coin === undefined) return;
    let sighting = this.bySymbol.get(coin);
    if (sighting === undefined) {
      sighting = { priceDecimals: 0, sizeDecimals: 0 };
      this.bySymbol.set(coin, sighting);
    }
    for (const [, name, amount] of text.matchAll(AMOUNT)) {
      const field = name === 'px' ? 'priceDecimals' : 'sizeDecimals';
      sighting[field] = Math.max(sighting[field], decimalPlaces(amount!));
    }
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
