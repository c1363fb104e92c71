/**
 * What other threads read of a book must not look Live while nobody keeps it: between the end of a
 * worker and the start of its successor the main thread, then the rows' only writer, says so. Cold.
 */
import { BBO_ROW_DOUBLES, BboRow } from '../books/bbo-row.js';
import { BOOKS_COLUMNS, BooksColumn } from '../books/books-counters.js';
import { BookState, StateReason } from '../domain/book-state.js';
import type { Instrument } from '../domain/instrument.js';
import { CounterTable } from '../rings/counters.js';
import { SeqlockReader, SeqlockWriter } from '../rings/seqlock.js';
import { countersOf } from './memory.js';
import type { NodeMemory } from './memory.js';
import { shardOfAgent } from './topology.js';
import type { ThreadPlan } from './topology.js';

/** Call it after the old thread is gone and before the new one begins. */
export function markOrphanedBooks(
  thread: ThreadPlan,
  memory: NodeMemory,
  instruments: readonly Instrument[],
  nowNs: number,
): void {
  const shards = thread.agents.filter((agent) => agent.startsWith('books-')).map(shardOfAgent);
  if (shards.length === 0) return;
  const reader = new SeqlockReader(memory.bbo, BBO_ROW_DOUBLES);
  const writer = new SeqlockWriter(memory.bbo, BBO_ROW_DOUBLES);
  const counters = new CounterTable(countersOf(memory, 'books'), BOOKS_COLUMNS);
  const row = new Float64Array(BBO_ROW_DOUBLES);
  for (const { id } of instruments) {
    if (!shards.includes(memory.shardOf[id]!)) continue;
    counters.set(id, BooksColumn.State, BookState.Suspect);
    counters.set(id, BooksColumn.StateReason, StateReason.WorkerRestarted);
    counters.set(id, BooksColumn.StateSinceNs, nowNs);
    // A row left in the middle of a write says nothing: then it says only that.
    if (!reader.tryRead(id, row)) row.fill(0);
    row[BboRow.State] = BookState.Suspect;
    writer.write(id, row);
  }
}
