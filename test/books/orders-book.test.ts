/** OrdersBook as a table: in each of its states, what each event makes of it and what it tells. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BOOKS_COLUMNS, BooksColumn, createBooksCounters } from '../../src/books/books-counters.js';
import { ORDER_BOOKS_LIMITS } from '../../src/books/limits.js';
import { OrdersBook } from '../../src/books/orders-book.js';
import type { OrdersPublisher } from '../../src/books/orders-publisher.js';
import { StateReason, bookStateName, stateReasonName } from '../../src/domain/book-state.js';
import { Channel } from '../../src/domain/channel.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import type { HashedLedger } from '../../src/domain/hashed-ledger.js';
import { Side } from '../../src/domain/side.js';
import { CounterTable } from '../../src/rings/counters.js';
import * as R from '../../src/rings/record-types.js';
import { timeCell } from '../../src/time/clock.js';
import { instrument } from './../support/books-rig.js';

interface Order {
  readonly id: number;
  readonly side: Side;
  readonly price: number;
  readonly size: number;
  readonly owner?: number;
}
const bid = (id: number, price: number, size: number): Order => ({
  id,
  side: Side.Bid,
  price,
  size,
});
const ask = (id: number, price: number, size: number): Order => ({
  id,
  side: Side.Ask,
  price,
  size,
});

const BASE = [bid(1, 99, 5), bid(2, 99, 7), bid(3, 98, 1), ask(4, 101, 5), ask(5, 101, 6)];
const HEIGHT = 10;
const WHOLE = EventFlag.Snapshot | EventFlag.Last;

class Rig {
  /** What was told since the last `take`, in order. */
  private told: string[] = [];
  private nowNs = 1e9;
  readonly counters = new CounterTable(createBooksCounters(1), BOOKS_COLUMNS);
  readonly book: OrdersBook;
  orders: HashedLedger | null = null;

  constructor() {
    const say = (text: string): void => void this.told.push(text);
    const publisher: OrdersPublisher = {
      beginEpoch: () => say('epoch'),
      delta: (_book, levels, at, bids, asks) => {
        const pairs = Array.from({ length: bids + asks }, (_, i) =>
          [levels[at + 2 * i], levels[at + 2 * i + 1]].join('x'),
        );
        say(`delta ${pairs.slice(0, bids).join(' ')} | ${pairs.slice(bids).join(' ')}`);
      },
      snapshot: () => say('snapshot'),
      bbo: () => {},
      row: () => {},
      status: (book) => say(`${bookStateName(book.state)}/${stateReasonName(book.reason)}`),
      trade: () => say('trade'),
      wanted: (_id, reason) => {
        say(`wanted ${stateReasonName(reason)}`);
        return true;
      },
      orderChanges: (_book, orders, _events, count) => {
        this.orders = orders;
        say(`changes ${count}`);
      },
      orderStatus: () => {},
      orderSnapshot: (_book, orders) => {
        this.orders = orders;
        say(`orders ${orders.ledger.orderCount}`);
      },
    };
    this.book = new OrdersBook({
      instrument: instrument(0),
      limits: ORDER_BOOKS_LIMITS,
      publisher,
      counters: this.counters,
    });
    this.book.announce(StateReason.Starting, this.nowNs);
    this.take();
  }

  get state(): string {
    return `${bookStateName(this.book.state)}/${stateReasonName(this.book.reason)}`;
  }

  take(): string[] {
    const { told } = this;
    this.told = [];
    return told;
  }

  count(column: BooksColumn): number {
    return this.counters.get(0, column);
  }

  later(ns: number): void {
    this.nowNs += ns;
    this.book.onTime(this.nowNs);
  }

  private give(type: number, height: number, flags: number, rest: readonly number[] = []): void {
    const header = [0, flags, 5, this.nowNs, height, height, R.ABSENT, R.ABSENT];
    this.book.onRecord(type, Float64Array.from([...header, ...rest]), 0, timeCell(this.nowNs));
  }

  change(
    kind: number,
    height: number,
    { id, side, price, size, owner }: Order,
    sizeBefore: number = R.ABSENT,
    beforeId: number = R.ABSENT,
  ): void {
    const place = [kind, side, price, size, sizeBefore, id, beforeId];
    const identity = [7, 0, owner ?? 1, 2, 3, 4, 5, 0, 0, 0, 0];
    this.give(R.RecordType.OrderEvent, height, 0, [...place, ...identity]);
  }

  add(height: number, order: Order, beforeId?: number): void {
    this.change(R.OrderKind.New, height, order, R.ABSENT, beforeId);
  }

  update(height: number, order: Order, sizeBefore: number): void {
    this.change(R.OrderKind.Update, height, order, sizeBefore);
  }

  remove(height: number, order: Order): void {
    this.change(R.OrderKind.Remove, height, { ...order, size: 0 });
  }

  end(height: number): void {
    this.give(R.RecordType.BlockEnd, height, EventFlag.Last);
  }

  snapshot(height: number, orders: readonly Order[], flags: number = WHOLE): void {
    const rows = orders.flatMap(({ id, side, price, size, owner }) => [
      side,
      price,
      size,
      id,
      7,
      0,
      owner ?? 1,
      2,
      3,
      4,
      5,
      0,
      0,
      0,
      0,
    ]);
    this.give(R.RecordType.OrderSnapshot, height, flags, [orders.length, ...rows]);
  }

  announced(): void {
    this.give(R.RecordType.SnapshotAnnounced, R.ABSENT, 0);
  }

  source(state: number, reason: number = StateReason.None): void {
    this.give(R.RecordType.SourceState, R.ABSENT, 0, [state, Channel.Book, reason]);
  }

  refused(retryAfterNs: number): void {
    this.give(R.RecordType.SnapshotRefused, R.ABSENT, 0, [0, retryAfterNs]);
  }

  /** Ids in queue order. */
  queue(side: Side, price: number): number[] {
    const { ledger } = this.orders!;
    const ids: number[] = [];
    for (let slot = ledger.headAt(side, price); slot >= 0; slot = ledger.nextOf(slot))
      ids.push(ledger.idOf(slot));
    return ids;
  }
}

const REACH = {
  Unsourced: () => new Rig(),
  Syncing: () => {
    const rig = new Rig();
    rig.source(R.SourceState.Up);
    rig.end(HEIGHT);
    return rig;
  },
  Loading: () => {
    const rig = REACH.Syncing();
    rig.snapshot(HEIGHT, BASE.slice(0, 2), EventFlag.Snapshot);
    return rig;
  },
  Live: () => {
    const rig = REACH.Syncing();
    rig.snapshot(HEIGHT, BASE);
    return rig;
  },
  Stale: () => {
    const rig = REACH.Live();
    rig.source(R.SourceState.Silent, StateReason.StreamSilent);
    return rig;
  },
  Lagging: () => {
    const rig = REACH.Live();
    rig.source(R.SourceState.Silent, StateReason.SourceLagging);
    return rig;
  },
  Suspect: () => {
    const rig = REACH.Live();
    rig.later(2e9);
    rig.source(R.SourceState.Lost, StateReason.Disconnected);
    return rig;
  },
} as const;
type Place = keyof typeof REACH;

const EVENTS = {
  'a block': (rig) => {
    rig.add(11, bid(6, 100, 2));
    rig.end(11);
  },
  'an empty block': (rig) => rig.end(11),
  'a block of the past': (rig) => {
    rig.add(9, bid(6, 100, 2));
    rig.end(9);
  },
  'an update of another size before': (rig) => rig.update(11, bid(1, 99, 3), 6),
  'an update at another price': (rig) => rig.update(11, bid(1, 98, 3), 5),
  'an order that rests already': (rig) => rig.add(11, bid(1, 99, 5)),
  'a removal of nobody': (rig) => rig.remove(11, bid(77, 99, 5)),
  'a removal on the other side': (rig) => rig.remove(11, ask(1, 99, 5)),
  'an order before nobody': (rig) => rig.add(11, bid(6, 99, 2), 77),
  'an order before one at another price': (rig) => rig.add(11, bid(6, 99, 2), 3),
  'a price that no book holds': (rig) => rig.add(11, bid(6, 2 ** 52, 2)),
  'a crossed block': (rig) => {
    rig.add(11, bid(6, 101, 2));
    rig.end(11);
  },
  'a snapshot': (rig) => rig.snapshot(HEIGHT, BASE),
  'an old snapshot': (rig) => rig.snapshot(HEIGHT - 2, BASE),
  'a crossed snapshot': (rig) => rig.snapshot(HEIGHT, [...BASE, bid(6, 101, 2)]),
  'a snapshot with an order twice': (rig) => rig.snapshot(HEIGHT, [...BASE, BASE[0]!]),
  'the end of a snapshot only': (rig) => rig.snapshot(HEIGHT, BASE.slice(2), EventFlag.Last),
  'its source up': (rig) => rig.source(R.SourceState.Up),
  'its source silent': (rig) => rig.source(R.SourceState.Silent, StateReason.StreamSilent),
  'its source late': (rig) => rig.source(R.SourceState.Silent, StateReason.SourceLagging),
  'its source lost': (rig) => rig.source(R.SourceState.Lost, StateReason.Disconnected),
  'a hole': (rig) => rig.source(R.SourceState.FrameLost, StateReason.Gap),
  'a refusal': (rig) => rig.refused(0),
  'a new reader': (rig) => rig.book.retell(1e9),
} satisfies Record<string, (rig: Rig) => void>;
type Event = keyof typeof EVENTS;

const ALIGNED = ['epoch', 'snapshot', 'orders 5', 'Live/Aligned'];
const TOLD = 'delta 100x2 | ';
const MISMATCH = ['Suspect/IntegrityMismatch', 'wanted IntegrityMismatch'];
const SYNCING = 'Syncing/Starting';
const CONTRADICTIONS: readonly Event[] = [
  'an update of another size before',
  'an update at another price',
  'an order that rests already',
  'a removal of nobody',
  'a removal on the other side',
  'an order before nobody',
  'an order before one at another price',
];
const MISFIT = ['Suspect/PrecisionLost', 'wanted PrecisionLost'];

/** [state it was in, event, state it is in then, what it told] */
type Row = readonly [Place, Event, string, readonly string[]];
const TABLE: readonly Row[] = [
  ['Unsourced', 'a snapshot', 'Live/Aligned', ALIGNED],
  ['Unsourced', 'its source up', SYNCING, ['wanted Starting']],
  ['Unsourced', 'a block', SYNCING, ['wanted Starting']],
  ['Unsourced', 'its source silent', SYNCING, []],
  ['Unsourced', 'its source lost', 'Syncing/Disconnected', ['Syncing/Disconnected']],
  ['Unsourced', 'a new reader', SYNCING, ['epoch', SYNCING]],

  ['Syncing', 'a block', SYNCING, []],
  ['Syncing', 'a block of the past', SYNCING, []],
  ['Syncing', 'a snapshot', 'Live/Aligned', ALIGNED],
  ['Syncing', 'an old snapshot', SYNCING, []],
  ['Syncing', 'a crossed snapshot', SYNCING, []],
  ['Syncing', 'a snapshot with an order twice', SYNCING, []],
  ['Syncing', 'the end of a snapshot only', SYNCING, []],
  ['Syncing', 'its source up', SYNCING, []],
  ['Syncing', 'its source silent', SYNCING, []],
  ['Syncing', 'its source lost', 'Syncing/Disconnected', ['Syncing/Disconnected']],
  ['Syncing', 'a hole', 'Syncing/Gap', ['Syncing/Gap']],
  ['Syncing', 'a refusal', SYNCING, []],
  ['Syncing', 'a new reader', SYNCING, ['epoch', SYNCING]],

  ['Loading', 'a block', SYNCING, []],
  ['Loading', 'the end of a snapshot only', 'Live/Aligned', ALIGNED],
  ['Loading', 'a snapshot', 'Live/Aligned', ALIGNED],
  ['Loading', 'its source silent', SYNCING, []],
  ['Loading', 'a hole', 'Syncing/Gap', ['Syncing/Gap']],
  ['Loading', 'a refusal', SYNCING, []],
  ['Loading', 'a new reader', SYNCING, ['epoch', SYNCING]],

  ['Live', 'a block', 'Live/Aligned', [TOLD, 'changes 1']],
  ['Live', 'an empty block', 'Live/Aligned', []],
  ['Live', 'a block of the past', 'Live/Aligned', []],
  ['Live', 'a crossed block', 'Suspect/Crossed', ['Suspect/Crossed', 'wanted Crossed']],
  ['Live', 'a snapshot', 'Live/Aligned', []],
  ['Live', 'a crossed snapshot', 'Live/Aligned', []],
  ['Live', 'the end of a snapshot only', 'Live/Aligned', []],
  ['Live', 'its source up', 'Live/Aligned', []],
  ['Live', 'its source silent', 'Stale/StreamSilent', ['Stale/StreamSilent']],
  ['Live', 'its source late', 'Stale/SourceLagging', ['Stale/SourceLagging']],
  [
    'Live',
    'its source lost',
    'Suspect/Disconnected',
    ['Suspect/Disconnected', 'wanted Disconnected'],
  ],
  ['Live', 'a hole', 'Suspect/Gap', ['Suspect/Gap', 'wanted Gap']],
  ['Live', 'a refusal', 'Live/Aligned', []],
  ['Live', 'a new reader', 'Live/Aligned', ALIGNED],

  ['Stale', 'a block', 'Live/StreamResumed', ['Live/StreamResumed', TOLD, 'changes 1']],
  ['Stale', 'an empty block', 'Live/StreamResumed', ['Live/StreamResumed']],
  ['Stale', 'a block of the past', 'Stale/StreamSilent', []],
  ['Stale', 'its source silent', 'Stale/StreamSilent', []],
  ['Stale', 'its source late', 'Stale/SourceLagging', ['Stale/SourceLagging']],
  ['Stale', 'a hole', 'Suspect/Gap', ['Suspect/Gap', 'wanted Gap']],
  ['Stale', 'a snapshot', 'Stale/StreamSilent', []],

  // A node that is behind writes what is past: true, and not the present.
  ['Lagging', 'a block', 'Stale/SourceLagging', [TOLD, 'changes 1']],
  ['Lagging', 'an empty block', 'Stale/SourceLagging', []],
  ['Lagging', 'its source up', 'Stale/SourceLagging', []],
  ['Lagging', 'a hole', 'Suspect/Gap', ['Suspect/Gap', 'wanted Gap']],

  ['Suspect', 'a block', 'Suspect/Disconnected', []],
  ['Suspect', 'a snapshot', 'Live/Aligned', ALIGNED],
  ['Suspect', 'a crossed snapshot', 'Suspect/Disconnected', []],
  ['Suspect', 'its source up', 'Suspect/Disconnected', []],
  ['Suspect', 'its source silent', 'Suspect/Disconnected', []],
  ['Suspect', 'a hole', 'Suspect/Gap', ['Suspect/Gap']],
  ['Suspect', 'a new reader', 'Suspect/Disconnected', ['epoch', 'Suspect/Disconnected']],
  ['Live', 'a price that no book holds', 'Suspect/PrecisionLost', MISFIT],
  ['Stale', 'a price that no book holds', 'Suspect/PrecisionLost', MISFIT],
  ['Suspect', 'a price that no book holds', 'Suspect/Disconnected', []],
  ...CONTRADICTIONS.flatMap((event): Row[] => [
    ['Syncing', event, SYNCING, []],
    ['Loading', event, SYNCING, []],
    ['Live', event, 'Suspect/IntegrityMismatch', MISMATCH],
    ['Stale', event, 'Suspect/IntegrityMismatch', MISMATCH],
    ['Suspect', event, 'Suspect/Disconnected', []],
  ]),
];

for (const [place, event, state, told] of TABLE) {
  test(`OrdersBook: ${place}, then ${event}, is ${state}`, () => {
    const rig = REACH[place]();
    // So that the series of attempts of a book that was Live is over.
    rig.later(2e9);
    rig.take();
    EVENTS[event](rig);
    assert.equal(rig.state, state);
    assert.deepEqual(rig.take(), told);
  });
}

test('OrdersBook: a contradiction is told at once, before the block ends, and no diff after it is applied', () => {
  const rig = REACH.Live();
  rig.later(2e9);
  rig.take();
  rig.update(11, bid(2, 99, 3), 7);
  assert.deepEqual(rig.take(), []);
  rig.update(11, bid(1, 99, 3), 6);
  assert.deepEqual(rig.take(), MISMATCH);
  rig.add(11, bid(6, 100, 2));
  rig.end(11);
  rig.end(12);
  assert.deepEqual(rig.take(), []);
  // The rest of block 11 is no whole block: a snapshot before it does not connect, one of it does.
  rig.snapshot(10, BASE);
  assert.equal(rig.state, 'Suspect/IntegrityMismatch');
  assert.equal(rig.count(BooksColumn.SnapshotsTooOld), 1);
  rig.snapshot(11, BASE);
  assert.equal(rig.state, 'Live/Aligned');
});

test('OrdersBook: blocks kept while the snapshot was on its way are applied from its height on', () => {
  const rig = REACH.Syncing();
  rig.remove(11, bid(1, 99, 5));
  rig.end(11);
  rig.add(12, bid(6, 99, 4), 2);
  rig.end(12);
  rig.take();
  rig.snapshot(HEIGHT, BASE);
  const told = ['delta 99x7 | ', 'changes 1', 'delta 99x11 | ', 'changes 1'];
  assert.deepEqual(rig.take(), [...ALIGNED, ...told]);
  assert.deepEqual(rig.queue(Side.Bid, 99), [6, 2]);
  // The snapshot of a later height holds block 11 already.
  const other = REACH.Syncing();
  other.remove(11, bid(1, 99, 5));
  other.end(11);
  other.take();
  other.snapshot(11, BASE.slice(1));
  assert.deepEqual(other.take(), ['epoch', 'snapshot', 'orders 4', 'Live/Aligned']);
});

test('OrdersBook: an order inserted in front of another stands there, and the block tells levels once', () => {
  const rig = REACH.Live();
  rig.take();
  rig.add(11, bid(6, 99, 4), 2);
  rig.add(11, bid(7, 99, 1));
  rig.add(11, bid(8, 97, 1), R.ABSENT);
  rig.remove(11, bid(8, 97, 1));
  rig.update(11, ask(4, 101, 2), 5);
  rig.end(11);
  assert.deepEqual(rig.take(), ['delta 99x17 97x0 | 101x8', 'changes 5']);
  assert.deepEqual(rig.queue(Side.Bid, 99), [1, 6, 2, 7]);
  assert.equal(rig.book.bidOrders, 4);
});

test('OrdersBook: a reader that is new amid a block is told the whole book at its end, once', () => {
  const rig = REACH.Live();
  rig.take();
  rig.add(11, bid(6, 100, 2));
  rig.book.retell(1e9);
  rig.remove(11, bid(3, 98, 1));
  assert.deepEqual(rig.take(), []);
  rig.end(11);
  assert.deepEqual(rig.take(), ALIGNED);
  rig.remove(12, bid(6, 100, 2));
  rig.end(12);
  assert.deepEqual(rig.take(), ['delta 100x0 | ', 'changes 1']);
  // And if the book is lost before the block ends, that is what it is told.
  rig.remove(13, bid(2, 99, 7));
  rig.book.retell(1e9);
  rig.source(R.SourceState.FrameLost, StateReason.Gap);
  assert.ok(rig.take().join().includes('epoch,Suspect/Gap'));
});

/** A Live book that was asked to keep what comes until the snapshot of block 10 is there. */
function validating(): Rig {
  const rig = REACH.Live();
  rig.later(2e9);
  rig.announced();
  rig.take();
  return rig;
}

test('OrdersBook: a validation that finds every order the same passes and tells nothing', () => {
  const rig = validating();
  rig.add(11, bid(6, 100, 2));
  rig.end(11);
  rig.snapshot(HEIGHT, BASE);
  rig.remove(12, bid(6, 100, 2));
  rig.end(12);
  const { Validations, ValidationsFailed, Unverifiable } = BooksColumn;
  assert.deepEqual(
    [Validations, ValidationsFailed, Unverifiable].map((c) => rig.count(c)),
    [1, 0, 0],
  );
  assert.equal(rig.state, 'Live/Aligned');
});

const WRONG: readonly (readonly [string, readonly Order[]])[] = [
  ['a size', [bid(1, 99, 6), ...BASE.slice(1)]],
  ['a price', [...BASE.slice(0, 2), bid(3, 97, 1), ...BASE.slice(3)]],
  ['an owner', [{ ...BASE[0]!, owner: 9 }, ...BASE.slice(1)]],
  ['the queue', [BASE[1]!, BASE[0]!, ...BASE.slice(2)]],
  ['an order more', [...BASE, ask(9, 102, 1)]],
  ['an order less', BASE.slice(1)],
  ['an id', [bid(9, 99, 5), ...BASE.slice(1)]],
];
for (const [what, orders] of WRONG) {
  test(`OrdersBook: a validation in which ${what} differs makes the book Suspect, and a second one tells`, () => {
    const rig = validating();
    rig.snapshot(HEIGHT, orders);
    assert.equal(rig.state, 'Live/Aligned');
    rig.end(11);
    assert.deepEqual(rig.take(), MISMATCH);
    rig.snapshot(11, orders);
    assert.equal(rig.state, 'Live/Aligned');
  });
}

const UNVERIFIABLE: Readonly<Record<string, (rig: Rig) => void>> = {
  'a snapshot from before the events kept': (rig) => rig.snapshot(HEIGHT - 1, BASE),
  'a snapshot that contradicts itself': (rig) => rig.snapshot(HEIGHT, [...BASE, BASE[0]!]),
  'a snapshot that the venue’s own diffs contradict': (rig) => {
    rig.remove(11, bid(3, 98, 1));
    rig.snapshot(HEIGHT, [...BASE.slice(0, 2), ...BASE.slice(3)]);
  },
  'a snapshot that never came before the next was asked for': (rig) => {
    rig.snapshot(HEIGHT + 50, BASE);
    rig.announced();
  },
};
for (const [what, happen] of Object.entries(UNVERIFIABLE)) {
  test(`OrdersBook: ${what} proves nothing: the book stays Live, counted as unverifiable`, () => {
    const rig = validating();
    happen(rig);
    rig.end(11);
    assert.equal(rig.state, 'Live/Aligned');
    assert.equal(rig.count(BooksColumn.Unverifiable), 1);
    assert.equal(rig.count(BooksColumn.ValidationsFailed), 0);
  });
}

test('OrdersBook: checks have their denominator', () => {
  const rig = REACH.Live();
  rig.update(11, bid(1, 99, 3), 5);
  rig.remove(11, bid(3, 98, 1));
  rig.end(11);
  rig.remove(12, bid(3, 98, 1));
  const { Checked, Passed, Failed } = BooksColumn;
  assert.deepEqual(
    [Checked, Passed, Failed].map((c) => rig.count(c)),
    [3, 2, 1],
  );
});
