/**
 * Which coins are wanted, from the bytes of their names to ids and decimals. Ingest thread; asked
 * once an event.
 */
import type { Instrument } from '../../domain/instrument.js';
import { SymbolTable } from '../symbol-table.js';

export class NodeInstruments {
  readonly symbols: SymbolTable;
  readonly instruments: readonly Instrument[];
  private readonly ids: Int32Array;
  private readonly price: Int8Array;
  private readonly size: Int8Array;

  constructor(instruments: readonly Instrument[]) {
    this.instruments = instruments;
    this.symbols = new SymbolTable(instruments.map((instrument) => instrument.symbol));
    this.ids = Int32Array.from(instruments, (instrument) => instrument.id);
    const idMax = instruments.reduce((most, instrument) => Math.max(most, instrument.id), 0);
    this.price = new Int8Array(idMax + 1);
    this.size = new Int8Array(idMax + 1);
    for (const instrument of instruments) {
      this.price[instrument.id] = instrument.priceDecimals;
      this.size[instrument.id] = instrument.sizeDecimals;
    }
  }

  /** Instrument id of an index of the symbol table. */
  idOf(symbol: number): number {
    return this.ids[symbol]!;
  }

  priceDecimals(id: number): number {
    return this.price[id]!;
  }

  sizeDecimals(id: number): number {
    return this.size[id]!;
  }
}
