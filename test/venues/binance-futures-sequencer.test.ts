/** The futures continuity rule, case by case, and against a direct model of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { FuturesSequencer } from '../../src/venues/binance-futures/sequencer.js';
import { SequenceVerdict } from '../../src/venues/venue.js';

const { Apply, Stale, Gap, Anchor, SnapshotTooOld } = SequenceVerdict;

function onSnapshot(sequenceLast: number): FuturesSequencer {
  const sequencer = new FuturesSequencer();
  sequencer.onSnapshot(sequenceLast);
  return sequencer;
}

test('Futures sequencer: events before the snapshot are stale, the one around it is the first', () => {
  const sequencer = onSnapshot(100);
  assert.equal(sequencer.judge(80, 90, 79), Stale);
  assert.equal(sequencer.judge(91, 99, 90), Stale);
  assert.equal(sequencer.judge(99, 105, 99), Apply);
  assert.equal(sequencer.position, 105);
});

test('Futures sequencer: an event that ends at the snapshot is only its anchor', () => {
  const sequencer = onSnapshot(100);
  assert.equal(sequencer.judge(95, 100, 90), Anchor);
  assert.equal(sequencer.position, 100);
  assert.equal(sequencer.judge(140, 150, 100), Apply);
});

test('Futures sequencer: an event whose pu is the snapshot continues it, however far its U is', () => {
  const sequencer = onSnapshot(100);
  assert.equal(sequencer.judge(140, 150, 100), Apply);
  assert.equal(sequencer.position, 150);
});

test('Futures sequencer: a first event beyond the snapshot says that it is too old', () => {
  const sequencer = onSnapshot(100);
  assert.equal(sequencer.judge(111, 120, 110), SnapshotTooOld);
  // between pu and U: the venue's rule does not allow it
  assert.equal(onSnapshot(100).judge(101, 120, 99), SnapshotTooOld);
  // the same event joins a newer snapshot
  sequencer.onSnapshot(115);
  assert.equal(sequencer.judge(111, 120, 110), Apply);
});

test('Futures sequencer: afterwards only pu counts, never U', () => {
  const sequencer = onSnapshot(100);
  sequencer.judge(100, 105, 90);
  assert.equal(sequencer.judge(170, 180, 105), Apply);
  assert.equal(sequencer.judge(181, 190, 181), Gap);
  assert.equal(sequencer.position, 180);
});

test('Futures sequencer: repeated and late events are stale, not gaps', () => {
  const sequencer = onSnapshot(100);
  sequencer.judge(100, 105, 90);
  sequencer.judge(106, 110, 105);
  assert.equal(sequencer.judge(106, 110, 105), Stale);
  assert.equal(sequencer.judge(100, 105, 90), Stale);
  assert.equal(sequencer.position, 110);
});

test('Futures sequencer: an overlap that does not continue is a gap', () => {
  const sequencer = onSnapshot(100);
  sequencer.judge(100, 105, 90);
  assert.equal(sequencer.judge(104, 112, 103), Gap);
});

test('Futures sequencer: of any damaged stream it applies only what is contiguous', () => {
  const step = fc.record({ skip: fc.nat(5), width: fc.nat(8) });
  const damage = fc.array(
    fc.constantFrom('keep', 'keep', 'keep', 'keep', 'drop', 'twice', 'swap'),
    {
      minLength: 40,
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 20, maxLength: 40 }),
      damage,
      fc.nat(120),
      (steps, damages, snapshotAt) => {
        const events: { first: number; last: number; previous: number }[] = [];
        let last = 1;
        for (const { skip, width } of steps) {
          const first = last + 1 + skip;
          events.push({ first, last: first + width, previous: last });
          last = first + width;
        }
        const sent = events.flatMap((event, i) => {
          if (damages[i] === 'drop') return [];
          return damages[i] === 'twice' ? [event, event] : [event];
        });
        for (let i = 0; i + 1 < sent.length; i++) {
          if (damages[i] === 'swap') [sent[i], sent[i + 1]] = [sent[i + 1]!, sent[i]!];
        }
        // a snapshot as the venue gives it: the id of an event of this book
        const snapshot = events[snapshotAt % events.length]!.last;
        const sequencer = onSnapshot(snapshot);
        let position = snapshot;
        for (const event of sent) {
          const verdict = sequencer.judge(event.first, event.last, event.previous);
          if (verdict === Apply) {
            assert.equal(event.previous, position, 'what is applied follows what was applied');
            position = event.last;
          } else if (verdict === Stale || verdict === Anchor) {
            assert.ok(event.last <= position, 'what is left out is contained');
          } else {
            assert.ok(event.previous > position, 'a gap is one');
            return;
          }
        }
      },
    ),
    { numRuns: 3000 },
  );
});
