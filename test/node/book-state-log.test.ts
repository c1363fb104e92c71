/** What the log says of books that leave Live and come back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { BookStateLog } from '../../src/node/book-state-log.js';
import { Log } from '../../src/ops/log.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';

test('BookStateLog: tells of books that leave Live and return, not of those that never were', () => {
  const told: string[] = [];
  const log = new Log({
    level: 'info',
    format: 'json',
    clock: new VirtualClock(),
    secrets: [],
    write: (line) => told.push((JSON.parse(line) as { msg: string }).msg),
  });
  const states = new BookStateLog(log);
  const book = (state: BookState, reason: StateReason) => [{ instrument: 'v:A', state, reason }];
  states.look(book(BookState.Syncing, StateReason.Starting));
  assert.deepEqual(told, []);
  states.look(book(BookState.Live, StateReason.Aligned));
  states.look(book(BookState.Live, StateReason.Aligned));
  states.look(book(BookState.Suspect, StateReason.Gap));
  states.look(book(BookState.Suspect, StateReason.Gap));
  states.look(book(BookState.Live, StateReason.Aligned));
  assert.deepEqual(told, ['all 1 books are Live', 'v:A is Suspect: Gap', 'v:A is Live again']);
});
