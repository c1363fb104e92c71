/**
 * Learns from a recording of futures traffic (USDⓈ-M or COIN-M) what a replay must know. Replay, cold,
 * but it sees every byte of the recording, so it looks at few of them.
 *
 * Decimals are those of the longest text seen for an instrument's prices and sizes, so that a replay
 * writes numbers as the venue did; tick and lot sizes come from exchangeInfo where it was recorded.
 */
import type { Instrument } from '../../domain/instrument.js';
import { Trading } from '../../domain/definition.js';
import { instrumentName } from '../../domain/instrument.js';
import { FaultError } from '../../faults/fault.js';
import type { CaptureFacts, CaptureScout } from '../capture-scout.js';
import { JsonObject, JsonSyntaxError, readJsonBytes } from '../json-text.js';
import { readInstruments, VENUE_ID } from './instruments.js';
import type { TradeKind } from './messages.js';

/** How far into a frame its type and symbol are looked for; all that was ever seen are within 200. */
const HEAD_BYTES = 400;
const TYPE = /"e"\s*:\s*"(depthUpdate|bookTicker|aggTrade|trade)"/;
const MARK_PRICE = /"e"\s*:\s*"markPriceUpdate"/;
const SYMBOL = /"s"\s*:\s*"([^"\\]+)"/;
const PREVIOUS = /"pu"\s*:/;
/** `lastUpdateId` behind nothing but plain members; not one that stands within `data`. */
const SNAPSHOT = /^\s*\{\s*(?:"\w+"\s*:\s*(?:"[^"]*"|\d+)\s*,\s*)*"lastUpdateId"\s*:/;
const SNAPSHOT_SYMBOL = /"symbol"\s*:\s*"([^"\\]+)"/;
const DEPTH_URL = /\/depth\?(?:.*&)?symbol=([^&]+)/i;
const EXCHANGE_INFO_URL = /\/exchangeInfo\b/;

interface Sighting {
  readonly symbol: string;
  priceDecimals: number;
  sizeDecimals: number;
}

export class FuturesCaptureScout implements CaptureScout {
  private readonly bySymbol = new Map<string, Sighting>();
  /** Symbols of each file: a snapshot without a symbol belongs to the only one of its file. */
  private readonly symbolsOfFile: Set<string>[] = [];
  private readonly orphans: { readonly file: number; readonly bytes: Uint8Array }[] = [];
  private readonly tradeKinds = new Set<TradeKind>();
  /** Symbols of mark prices: they count where nothing else was recorded. */
  private readonly withMarkPrice = new Set<string>();
  private exchangeInfo: string | null = null;
  private depthUpdates = 0;
  private depthUpdatesWithoutPrevious = 0;

  onFrame(file: number, bytes: Uint8Array): void {
    const head = headOf(bytes);
    const type = TYPE.exec(head)?.[1];
    if (type === undefined) {
      if (MARK_PRICE.test(head)) this.noteMarkPrice(SYMBOL.exec(head)?.[1]);
      else if (SNAPSHOT.test(head)) this.onSnapshot(file, SNAPSHOT_SYMBOL.exec(head)?.[1], bytes);
      return;
    }
    const symbol = SYMBOL.exec(head)?.[1] ?? symbolFarBehind(bytes);
    if (symbol === null) return;
    if (type === 'trade' || type === 'aggTrade') this.tradeKinds.add(type);
    if (type === 'depthUpdate') {
      this.depthUpdates++;
      if (!PREVIOUS.test(head) && !bytesHold(bytes, '"pu"')) this.depthUpdatesWithoutPrevious++;
    }
    this.see(file, symbol, bytes);
  }

  onAnswer(file: number, url: string, bytes: Uint8Array): void {
    if (EXCHANGE_INFO_URL.test(url)) this.exchangeInfo ??= Buffer.from(bytes).toString('utf8');
    const symbol = DEPTH_URL.exec(url)?.[1];
    if (symbol !== undefined) this.onSnapshot(file, decodeURIComponent(symbol), bytes);
  }

  finish(): CaptureFacts {
    for (const { file, bytes } of this.orphans) {
      const owner = this.onlySymbolOf(file);
      if (owner !== null) this.see(file, owner, bytes);
    }
    if (this.bySymbol.size === 0) {
      for (const symbol of this.withMarkPrice) {
        this.bySymbol.set(symbol, { symbol, priceDecimals: 0, sizeDecimals: 0 });
      }
    }
    if (this.bySymbol.size === 0) {
      throw new FaultError('CAPTURE_MALFORMED', `no ${VENUE_ID} market data in this capture`);
    }
    if (this.depthUpdatesWithoutPrevious > 0) {
      throw new FaultError(
        'CAPTURE_MALFORMED',
        `${this.depthUpdatesWithoutPrevious} of ${this.depthUpdates} depth updates have no "pu": this is ` +
          `Binance spot, whose continuity rule differs; ${VENUE_ID} reads USD-M and COIN-M captures`,
      );
    }
    const instruments = this.instruments();
    const settings = { trades: this.tradeKinds.has('aggTrade') ? 'aggTrade' : 'trade' };
    return {
      instruments,
      settings,
      snapshotOwner: (file, url, bytes) => this.ownerOf(instruments, file, url, bytes),
    };
  }

  private noteMarkPrice(symbol: string | undefined): void {
    if (symbol !== undefined) this.withMarkPrice.add(symbol);
  }

  private onSnapshot(file: number, symbol: string | undefined, bytes: Uint8Array): void {
    if (symbol === undefined) this.orphans.push({ file, bytes });
    else this.see(file, symbol, bytes);
  }

  private see(file: number, symbol: string, bytes: Uint8Array): void {
    let sighting = this.bySymbol.get(symbol);
    if (sighting === undefined) {
      sighting = { symbol, priceDecimals: 0, sizeDecimals: 0 };
      this.bySymbol.set(symbol, sighting);
    }
    (this.symbolsOfFile[file] ??= new Set()).add(symbol);
    noteDecimals(bytes, sighting);
  }

  private onlySymbolOf(file: number): string | null {
    const candidates = this.symbolsOfFile[file] ?? new Set(this.bySymbol.keys());
    const [only] = candidates;
    return candidates.size === 1 && only !== undefined ? only : null;
  }

  private ownerOf(
    instruments: readonly Instrument[],
    file: number,
    url: string | null,
    bytes: Uint8Array,
  ): Instrument | 'none' | 'nobody' {
    let symbol: string | null | undefined;
    if (url === null) {
      const head = headOf(bytes);
      if (!SNAPSHOT.test(head)) return 'none';
      symbol = SNAPSHOT_SYMBOL.exec(head)?.[1] ?? this.onlySymbolOf(file);
    } else {
      const inUrl = DEPTH_URL.exec(url)?.[1];
      if (inUrl === undefined) return 'none';
      symbol = decodeURIComponent(inUrl);
    }
    return instruments.find((instrument) => instrument.symbol === symbol) ?? 'nobody';
  }

  private instruments(): Instrument[] {
    const listed = this.listed();
    return [...this.bySymbol.values()].map(({ symbol, priceDecimals, sizeDecimals }, id) => {
      const known = listed.get(symbol);
      return {
        id,
        venue: VENUE_ID,
        symbol,
        name: instrumentName(VENUE_ID, symbol),
        base: known?.base ?? '',
        quote: known?.quote ?? '',
        kind: known?.kind ?? 'unknown',
        priceDecimals,
        sizeDecimals,
        tickSize: atDecimals(known?.tickSize, known?.priceDecimals, priceDecimals),
        lotSize: atDecimals(known?.lotSize, known?.sizeDecimals, sizeDecimals),
        priceSignificantFigures: 0,
        trading: Trading.Unknown,
      };
    });
  }

  /** What a recorded exchangeInfo says of the symbols seen; symbols that it lacks are no error here. */
  private listed(): Map<string, Instrument> {
    if (this.exchangeInfo === null) return new Map();
    const body = JSON.parse(this.exchangeInfo) as { symbols?: { symbol?: unknown }[] };
    const symbols = (body.symbols ?? [])
      .map((info) => info.symbol)
      .filter(
        (symbol): symbol is string => typeof symbol === 'string' && this.bySymbol.has(symbol),
      );
    const instruments = readInstruments(this.exchangeInfo, symbols, 0);
    return new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
  }
}

/** A step's mantissa from its own decimals to others; 0 (not known) where it cannot be said exactly. */
function atDecimals(step = 0, from = 0, to = 0): number {
  const moved = step * 10 ** (to - from);
  return Number.isSafeInteger(moved) ? moved : 0;
}

function headOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES)).toString(
    'latin1',
  );
}

function bytesHold(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text);
}

/** For the rare message whose symbol stands behind its levels. */
function symbolFarBehind(bytes: Uint8Array): string | null {
  try {
    const frame = readJsonBytes(bytes);
    const data = frame instanceof JsonObject ? (frame.members.get('data') ?? frame) : null;
    const symbol = data instanceof JsonObject ? data.members.get('s') : undefined;
    return typeof symbol === 'string' ? symbol : null;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return null;
    throw error;
  }
}

const QUOTE = 0x22;
const POINT = 0x2e;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const PRICE_NAMES = 'bap';
const SIZE_NAMES = 'BAq';

/**
 * Widens `sighting` by the numbers in text that stand in `bytes`: behind `[` a price, behind `,` a
 * size, behind `"x":` what x says.
 */
function noteDecimals(bytes: Uint8Array, sighting: Sighting): void {
  const end = bytes.length;
  let before = 0;
  let name = 0;
  for (let at = 0; at < end; at++) {
    const byte = bytes[at]!;
    if (byte !== QUOTE) {
      if (byte > 0x20) before = byte;
      continue;
    }
    const first = at + 1;
    let point = -1;
    for (at = first; at < end && bytes[at] !== QUOTE; at++) if (bytes[at] === POINT) point = at;
    const initial = bytes[first]! - 0x30;
    if (initial < 0 || initial > 9) {
      name = at - first === 1 ? bytes[first]! : 0;
    } else {
      const decimals = point < 0 ? 0 : at - point - 1;
      const letter = before === COLON && name !== 0 ? String.fromCharCode(name) : '';
      if (before === OPEN_BRACKET || (letter !== '' && PRICE_NAMES.includes(letter))) {
        if (decimals > sighting.priceDecimals) sighting.priceDecimals = decimals;
      } else if (before === COMMA || (letter !== '' && SIZE_NAMES.includes(letter))) {
        if (decimals > sighting.sizeDecimals) sighting.sizeDecimals = decimals;
      }
    }
    before = QUOTE;
  }
}
