/**
 * A true book makes updates; the stream loses, repeats, swaps and delays them, snapshots come late, old,
 * crossed with the stream or not at all. Whatever is shown as Live must be the truth at that very
 * update, hash and all; every loss must be found; without faults nothing may ever be taken anew.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { BooksColumn } from '../../src/books/books-counters.js';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { hashText } from '../../src/domain/level-hash.js';
import { Prng } from '../../src/domain/prng.js';
import { Side } from '../../src/domain/side.js';
import { RecordType, SourceState } from '../../src/rings/record-types.js';
import { BooksRig, type Levels } from '../support/books-rig.js';
import { FollowedBook, type OutMessage } from '../support/stream-checker.js';

interface Faults {
  readonly drop: number;
  readonly duplicate: number;
  readonly swap: number;
  readonly snapshotLost: number;
  readonly snapshotOld: number;
  readonly frameLost: number;
  readonly disconnect: number;
  readonly tickers: boolean;
}

const NO_FAULTS: Faults = {
  drop: 0,
  duplicate: 0,
  swap: 0,
  snapshotLost: 0,
  snapshotOld: 0,
  frameLost: 0,
  disconnect: 0,
  tickers: true,
};

interface Update {
  readonly first: number;
  readonly last: number;
  readonly previous: number;
  readonly bids: Levels;
  readonly asks: Levels;
}

/** The venue: makes updates and knows the book after each. */
class Truth {
  readonly hashAt = new Map<number, string>();
  readonly levelsAt = new Map<number, string>();
  readonly book = new FollowedBook();
  last = 1000;
  private touch = 5000;
  private readonly prng: Prng;

  constructor(prng: Prng) {
    this.prng = prng;
    this.book.apply(
      [
        [4999, 1],
        [4990, 2],
      ],
      [
        [5001, 1],
        [5010, 2],
      ],
    );
    this.note();
  }

  next(): Update {
    const { prng } = this;
    if (prng.chance(0.1)) this.touch += prng.nextInt(41) - 20;
    const bids: [number, number][] = [];
    const asks: [number, number][] = [];
    // The new touch clears what would cross it.
    for (const [price] of this.book.levels.levels(Side.Bid)) {
      if (price >= this.touch) bids.push([price, 0]);
    }
    for (const [price] of this.book.levels.levels(Side.Ask)) {
      if (price <= this.touch) asks.push([price, 0]);
    }
    const changes = prng.nextInt(5);
    for (let i = 0; i < changes; i++) {
      const away = 1 + prng.nextInt(prng.chance(0.1) ? 3000 : 30);
      const size = prng.chance(0.4) ? 0 : 1 + prng.nextInt(500);
      if (prng.chance(0.5)) bids.push([this.touch - away, size]);
      else asks.push([this.touch + away, size]);
    }
    const previous = this.last;
    const first = previous + 1 + prng.nextInt(4);
    this.last = first + prng.nextInt(4);
    this.book.apply(bids, asks);
    this.note();
    return { first, last: this.last, previous, bids, asks };
  }

  best(side: Side): [number, number] {
    const price = this.book.levels.best(side);
    return price < 0 ? [0, 0] : [price, this.book.levels.sizeAt(side, price)];
  }

  snapshot(): { last: number; bids: Levels; asks: Levels } {
    const { levels } = this.book;
    return { last: this.last, bids: levels.levels(Side.Bid), asks: levels.levels(Side.Ask) };
  }

  private note(): void {
    this.hashAt.set(this.last, this.book.hash);
  }
}

interface Outcome {
  readonly rig: BooksRig;
  readonly truth: Truth;
  readonly livePublications: number;
  readonly lost: number;
}

function run(seed: number, updates: number, faults: Faults): Outcome {
  const prng = new Prng(seed);
  const truth = new Truth(prng);
  const rig = new BooksRig({
    limits: {
      retryBaseNs: 1e6,
      retryNsMax: 8e6,
      liveStableNs: 5e6,
      snapshotDeadlineNs: 20e6,
      snapshotDeadlineNsMax: 80e6,
    },
  });
  let livePublications = 0;
  let lost = 0;
  let swapped: Update | null = null;
  const answers: { dueStep: number; answer: ReturnType<Truth['snapshot']> }[] = [];
  const history: ReturnType<Truth['snapshot']>[] = [truth.snapshot()];
  const feed = (update: Update): void => {
    rig.depth(update.first, update.last, update.previous, update.bids, update.asks);
  };
  const look = (messages: readonly OutMessage[]): void => {
    for (const message of messages) {
      if (message.state !== BookState.Live) continue;
      if (
        message.typeId === RecordType.BookDeltaOut ||
        message.typeId === RecordType.BookSnapshotOut
      ) {
        livePublications++;
        assert.equal(
          message.hash,
          truth.hashAt.get(message.venueSequence),
          `seed ${seed}: the truth`,
        );
      }
    }
  };
  rig.turn();
  rig.source(SourceState.Up);
  for (let step = 0; step < updates; step++) {
    rig.clock.advanceBy(1e6);
    const update = truth.next();
    if (step % 16 === 0) history.push(truth.snapshot());
    if (faults.tickers) rig.ticker(update.last, truth.best(Side.Bid), truth.best(Side.Ask));
    if (prng.chance(faults.drop)) {
      lost++;
    } else if (swapped === null && prng.chance(faults.swap)) {
      swapped = update;
    } else {
      feed(update);
      if (swapped !== null) feed(swapped);
      swapped = null;
      if (prng.chance(faults.duplicate)) feed(update);
    }
    if (prng.chance(faults.frameLost))
      rig.source(SourceState.FrameLost, StateReason.MalformedFrame);
    if (prng.chance(faults.disconnect)) {
      rig.source(SourceState.Lost);
      for (let i = prng.nextInt(3); i > 0; i--) {
        truth.next();
        lost++;
      }
      rig.source(SourceState.Up);
    }
    look(rig.turn());
    if (rig.wanted().length > 0 && !prng.chance(faults.snapshotLost)) {
      const old = prng.chance(faults.snapshotOld);
      const answer = old ? history[prng.nextInt(history.length)]! : truth.snapshot();
      answers.push({ dueStep: step + prng.nextInt(12), answer });
    }
    while (answers.length > 0 && answers[0]!.dueStep <= step) {
      const { answer } = answers.shift()!;
      rig.snapshot(answer.last, answer.bids, answer.asks);
      look(rig.turn());
    }
  }
  return { rig, truth, livePublications, lost };
}

/** The end of a run without further faults: the book must find its way back. */
function settle({ rig, truth }: Outcome): void {
  for (let step = 0; step < 40; step++) {
    rig.clock.advanceBy(1e9);
    const { first, last, previous, bids, asks } = truth.next();
    rig.depth(first, last, previous, bids, asks);
    rig.turn();
    if (rig.wanted().length > 0) {
      const answer = truth.snapshot();
      rig.snapshot(answer.last, answer.bids, answer.asks);
    }
  }
  const book = rig.checker.book();
  assert.equal(book.state, BookState.Live);
  assert.equal(book.venueSequence, truth.last);
  assert.equal(book.hash, truth.book.hash);
  assert.deepEqual(book.levels.levels(Side.Bid), truth.book.levels.levels(Side.Bid));
  assert.deepEqual(book.levels.levels(Side.Ask), truth.book.levels.levels(Side.Ask));
}

test('Books: on a clean stream nothing is ever taken anew, and every update is shown as it is', () => {
  const outcome = run(11, 4000, NO_FAULTS);
  const { rig } = outcome;
  assert.equal(rig.count(BooksColumn.Resyncs), 0);
  assert.equal(rig.count(BooksColumn.Gaps), 0);
  assert.equal(rig.count(BooksColumn.Failed), 0);
  assert.equal(rig.count(BooksColumn.Applied) + rig.count(BooksColumn.Stale), 4000);
  assert.ok(rig.count(BooksColumn.Passed) >= rig.count(BooksColumn.Applied) - 1);
  assert.equal(outcome.livePublications, rig.count(BooksColumn.Applied) + 1);
  settle(outcome);
});

test('Books: a stream with every fault at once never shows a Live book that is not the truth', () => {
  for (const seed of [1, 2, 3, 4]) {
    const outcome = run(seed, 2500, {
      drop: 0.01,
      duplicate: 0.01,
      swap: 0.01,
      snapshotLost: 0.2,
      snapshotOld: 0.2,
      frameLost: 0.002,
      disconnect: 0.002,
      tickers: seed % 2 === 0,
    });
    assert.ok(outcome.livePublications > 500, `seed ${seed}: it was Live for a good part`);
    assert.ok(outcome.rig.count(BooksColumn.Gaps) > 10, `seed ${seed}: gaps were found`);
    assert.equal(outcome.rig.count(BooksColumn.Failed), 0, 'no false alarm of the cross-check');
    settle(outcome);
  }
});

test('Books: each lost update is found, by a gap or by the snapshot that follows', () => {
  // Losses far apart, so that each meets a Live book: then the gaps are as many as the losses.
  const prng = new Prng(5);
  const truth = new Truth(prng);
  const rig = new BooksRig();
  rig.turn();
  let lost = 0;
  for (let step = 0; step < 3000; step++) {
    rig.clock.advanceBy(50e6);
    const { first, last, previous, bids, asks } = truth.next();
    const isLost = step % 50 === 49;
    if (isLost) lost++;
    else rig.depth(first, last, previous, bids, asks);
    rig.turn();
    if (rig.wanted().length > 0) {
      const { last: at, bids: allBids, asks: allAsks } = truth.snapshot();
      rig.snapshot(at, allBids, allAsks);
    }
  }
  rig.turn();
  assert.equal(lost, 60);
  // The last one falls on the last step: nothing came after it that could tell.
  assert.equal(rig.count(BooksColumn.Gaps), 59);
  assert.equal(rig.count((BooksColumn.ResyncsByReason + StateReason.Gap) as BooksColumn), 59);
});

test('Books: any mix of faults, any seed: what is Live is true, and the book finds its way back', () => {
  const chance = fc.constantFrom(0, 0.01, 0.1, 0.4);
  fc.assert(
    fc.property(
      fc.integer(),
      fc.record({
        drop: chance,
        duplicate: chance,
        swap: chance,
        snapshotLost: chance,
        snapshotOld: chance,
        frameLost: chance,
        disconnect: chance,
        tickers: fc.boolean(),
      }),
      (seed, faults) => settle(run(seed, 150, faults)),
    ),
    { numRuns: 60 },
  );
});

test('Books: the hash of the ladder is that of its levels after thousands of updates', () => {
  const { rig, truth } = run(99, 5000, NO_FAULTS);
  const { high, low } = rig.agent.book(0)!.levels.hash;
  assert.equal(hashText(high, low), truth.book.hash);
});
