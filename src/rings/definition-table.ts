/**
 * What each instrument is at present, for every thread: a seqlock table, a row an instrument id. Cold.
 *
 * The ingest thread alone writes it once the node runs, in this order: events of the old definition are
 * committed, the row is written, InstrumentDefined goes into the feed ring, then come events of the new
 * one. So who goes to a ring's end between two equal looks at the row knows what the events from there
 * on mean, and is told of every later change by the ring.
 */
import {
  DEFINITION_DOUBLES,
  type Definition,
  definedBy,
  writeDefinition,
} from '../domain/definition.js';
import type { Instrument } from '../domain/instrument.js';
import { SeqlockReader, SeqlockWriter, createSeqlockTable } from './seqlock.js';

/** A table in which the instruments stand as they are. */
export function createDefinitionTable(instruments: readonly Instrument[]): SharedArrayBuffer {
  const rows = instruments.reduce((most, { id }) => Math.max(most, id + 1), 1);
  const table = createSeqlockTable(rows, DEFINITION_DOUBLES);
  const writer = new DefinitionWriter(table);
  for (const instrument of instruments) writer.write(instrument.id, instrument);
  return table;
}

export class DefinitionWriter {
  private readonly rows: SeqlockWriter;
  private readonly row = new Float64Array(DEFINITION_DOUBLES);

  constructor(table: SharedArrayBuffer) {
    this.rows = new SeqlockWriter(table, DEFINITION_DOUBLES);
  }

  write(instrumentId: number, definition: Definition): void {
    writeDefinition(definition, this.row, 0);
    this.rows.write(instrumentId, this.row);
  }
}

export class DefinitionReader {
  private readonly rows: SeqlockReader;
  private readonly row = new Float64Array(DEFINITION_DOUBLES);

  constructor(table: SharedArrayBuffer) {
    this.rows = new SeqlockReader(table, DEFINITION_DOUBLES);
  }

  /**
   * The instrument as it is now; the same object if nothing changed, or if its row cannot be read: its
   * writer died inside it, and the one that replaces it writes it anew.
   */
  read(instrument: Instrument): Instrument {
    const isRead = this.rows.read(instrument.id, this.row);
    return isRead ? definedBy(instrument, this.row, 0) : instrument;
  }
}
