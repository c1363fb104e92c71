import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { Channel, streamIdOf } from '../../src/domain/channel.js';
import { LineArbiter } from '../../src/ingest/line-arbiter.js';
import { StreamWatch, WatchFlag, slotCount } from '../../src/ingest/stream-watch.js';
import {
  ABSENT,
  FEED_HEADER_DOUBLES,
  RecordType,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
  TRADE_DOUBLES,
  TRADE_ID,
} from '../../src/rings/record-types.js';

const SLOT = streamIdOf(0, Channel.Book);
const SLOTS = slotCount(0);

interface Line {
  readonly arbiter: LineArbiter;
  readonly old: StreamWatch;
  readonly successor: StreamWatch;
  /** [previous, last] of what was passed on. */
  readonly passed: [number, number][];
}

function line(heldEventsMax = 128): Line {
  const passed: [number, number][] = [];
  const sink = {
    accept: (_type: number, event: Float64Array): boolean => {
      passed.push([event[SEQUENCE_PREVIOUS]!, event[SEQUENCE_LAST]!]);
      return true;
    },
  };
  const slots = new Int32Array([SLOT]);
  const arbiter = new LineArbiter(sink, slots, SLOTS, heldEventsMax);
  const old = new StreamWatch(SLOTS);
  const successor = new StreamWatch(SLOTS);
  old.begin(slots, 0);
  successor.begin(slots, 0);
  return { arbiter, old, successor, passed };
}

function offer(to: Line, watch: StreamWatch, previous: number, last: number, type = 1): void {
  const event = new Float64Array(FEED_HEADER_DOUBLES);
  event[SEQUENCE_FIRST] = ABSENT;
  event[SEQUENCE_PREVIOUS] = previous;
  event[SEQUENCE_LAST] = last;
  watch.sequence[SLOT] = last;
  to.arbiter.offer(watch, SLOT, type, event, event.length);
}

/** A run of ids with the gaps that venue numbers have. */
const ids = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 10, maxLength: 60 })
  .map((steps) => {
    let id = 100;
    return steps.map((step) => (id += step));
  });

const scenario = fc.record({
  ids,
  /** Where the successor's subscription begins, and how both sockets are interleaved. */
  join: fc.nat(9),
  begin: fc.nat(5),
  order: fc.array(fc.boolean(), { minLength: 200, maxLength: 200 }),
  /** A socket that dies on the way: after so many turns. */
  death: fc.nat(150),
});

test('LineArbiter: any interleaving of two sockets is one gapless line without duplicates', () => {
  fc.assert(
    fc.property(scenario, ({ ids, join, begin, order }) => {
      const made = line();
      let oldAt = 0;
      let newAt = Math.max(join, 1);
      const step = (fromSuccessor: boolean): void => {
        const at = fromSuccessor ? newAt++ : oldAt++;
        if (at >= ids.length) return;
        const previous = at === 0 ? 99 : ids[at - 1]!;
        offer(made, fromSuccessor ? made.successor : made.old, previous, ids[at]!);
      };
      for (; oldAt <= begin;) offerAlone(made, ids, oldAt++);
      made.arbiter.begin(made.old, made.successor);
      for (const fromSuccessor of order) step(fromSuccessor);
      while (oldAt < ids.length) step(false);
      while (newAt < ids.length) step(true);
      assertWhole(made.passed);
      assert.equal(made.passed.length, ids.length, 'every event went on');
      assert.equal(made.arbiter.isJoined(SLOT), true);
    }),
    { numRuns: 2_000 },
  );
});

test('LineArbiter: a successor that dies leaves a gapless line, or says that it does not', () => {
  let holes = 0;
  let runs = 0;
  fc.assert(
    fc.property(scenario, ({ ids, join, order, death }) => {
      const made = line();
      offerAlone(made, ids, 0);
      let oldAt = 1;
      let newAt = Math.max(join, 1);
      made.arbiter.begin(made.old, made.successor);
      for (const fromSuccessor of order.slice(0, death)) {
        const at = fromSuccessor ? newAt++ : oldAt++;
        if (at >= ids.length) continue;
        offer(made, fromSuccessor ? made.successor : made.old, ids[at - 1]!, ids[at]!);
      }
      const whole = made.arbiter.giveBack(SLOT);
      made.arbiter.end('old');
      const before = made.passed.length;
      for (; oldAt < ids.length; oldAt++) {
        if (made.old.flags[SLOT]! >= 4) offer(made, made.old, ids[oldAt - 1]!, ids[oldAt]!);
        else made.passed.push([ids[oldAt - 1]!, ids[oldAt]!]);
      }
      runs++;
      if (whole) {
        assertWhole(made.passed);
        assert.equal(made.passed.length, ids.length);
      } else {
        holes++;
        assertWhole(made.passed.slice(0, before));
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(holes < runs / 50, `${holes} of ${runs} could not be saved`);
});

function offerAlone(made: Line, ids: readonly number[], at: number): void {
  const previous = at === 0 ? 99 : ids[at - 1]!;
  made.old.sequence[SLOT] = ids[at]!;
  made.passed.push([previous, ids[at]!]);
}

function assertWhole(passed: readonly (readonly [number, number])[]): void {
  for (let i = 1; i < passed.length; i++) assert.equal(passed[i]![0], passed[i - 1]![1]);
}

test('LineArbiter: a successor that cuts elsewhere does not join until a common cut', () => {
  const made = line();
  offerAlone(made, [100], 0);
  made.arbiter.begin(made.old, made.successor);
  offer(made, made.old, 100, 106);
  offer(made, made.successor, 103, 108);
  offer(made, made.old, 106, 110);
  offer(made, made.successor, 108, 113);
  assert.equal(made.arbiter.isJoined(SLOT), false);
  offer(made, made.old, 110, 113);
  offer(made, made.successor, 113, 115);
  offer(made, made.old, 113, 116);
  assert.equal(made.arbiter.isJoined(SLOT), true);
  assert.deepEqual(
    made.passed.map(([, last]) => last),
    [100, 106, 110, 113, 115],
  );
});

test('LineArbiter: a ticker joins at the first event that is not older, and never goes back', () => {
  const made = line();
  made.old.sequence[SLOT] = 50;
  made.arbiter.begin(made.old, made.successor);
  offer(made, made.successor, ABSENT, 49, RecordType.BookTicker);
  offer(made, made.old, ABSENT, 52, RecordType.BookTicker);
  offer(made, made.successor, ABSENT, 51, RecordType.BookTicker);
  offer(made, made.successor, ABSENT, 55, RecordType.BookTicker);
  offer(made, made.old, ABSENT, 54, RecordType.BookTicker);
  assert.deepEqual(
    made.passed.map(([, last]) => last),
    [52, 55],
  );
});

test('LineArbiter: events without numbers stay with the old socket until it is closed', () => {
  const made = line();
  made.arbiter.begin(made.old, made.successor);
  offer(made, made.successor, ABSENT, ABSENT);
  offer(made, made.old, ABSENT, ABSENT);
  assert.equal(made.arbiter.isJoined(SLOT), false);
  assert.equal(made.passed.length, 1);
});

test('LineArbiter: more held events than allowed start the run anew and still join', () => {
  const made = line(4);
  offerAlone(made, [100], 0);
  made.arbiter.begin(made.old, made.successor);
  for (let id = 103; id < 113; id++) offer(made, made.successor, id - 1, id);
  for (let id = 101; id < 113; id++) offer(made, made.old, id - 1, id);
  offer(made, made.successor, 112, 113);
  assertWhole(made.passed);
  assert.equal(made.passed.at(-1)![1], 113);
  assert.equal(made.arbiter.isJoined(SLOT), true);
});

test('LineArbiter: a refused frame matters on the authority only', () => {
  const made = line();
  made.old.sequence[SLOT] = 100;
  made.arbiter.begin(made.old, made.successor);
  offer(made, made.successor, 101, 102);
  assert.equal(made.arbiter.spoil(made.successor, SLOT), false);
  assert.equal(made.arbiter.spoil(made.old, SLOT), true);
  offer(made, made.old, 100, 101);
  assert.equal(made.arbiter.isJoined(SLOT), false, 'what was held before the broken frame is gone');
  offer(made, made.successor, 101, 102);
  assert.equal(made.arbiter.spoil(made.successor, SLOT), true);
});

test('LineArbiter: a successor that is always behind takes over without a hole', () => {
  const made = line();
  made.old.sequence[SLOT] = 100;
  made.arbiter.begin(made.old, made.successor);
  for (let id = 101; id < 110; id++) {
    offer(made, made.old, id - 1, id);
    if (id > 104) offer(made, made.successor, id - 4, id - 3);
  }
  assert.equal(made.arbiter.isJoined(SLOT), true);
  made.arbiter.end('successor');
  for (let id = 107; id < 113; id++) offer(made, made.successor, id - 1, id);
  assertWhole(made.passed);
  assert.deepEqual([made.passed.length, made.passed.at(-1)![1]], [12, 112], 'each once');
  assert.equal(made.successor.flags[SLOT]! & 4, 0);
});

test('LineArbiter: a successor that is behind and cuts elsewhere proves nothing', () => {
  const made = line();
  made.old.sequence[SLOT] = 100;
  made.arbiter.begin(made.old, made.successor);
  for (let id = 102; id < 140; id += 2) {
    offer(made, made.old, id - 2, id);
    if (id > 110) offer(made, made.successor, id - 9, id - 7);
  }
  assert.equal(made.arbiter.isJoined(SLOT), false);
});

/** A trade without numbers, by its id (ABSENT: it has none either). */
function offerTrade(to: Line, watch: StreamWatch, tradeId: number): void {
  const event = new Float64Array(TRADE_DOUBLES).fill(ABSENT);
  event[TRADE_ID] = tradeId;
  to.arbiter.offer(watch, SLOT, RecordType.TradeParties, event, event.length);
}

test('LineArbiter: events without numbers that may be told twice come from both once joined', () => {
  for (const kind of ['contexts', 'trades'] as const) {
    const to = line();
    const bring = (watch: StreamWatch): void => {
      if (kind === 'trades') offerTrade(to, watch, 5);
      else offer(to, watch, ABSENT, ABSENT, RecordType.ContextUpdate);
    };
    to.arbiter.begin(to.old, to.successor);
    bring(to.old);
    assert.equal(to.arbiter.isJoined(SLOT), false);
    bring(to.successor);
    assert.equal(to.arbiter.isJoined(SLOT), true);
    bring(to.old);
    bring(to.successor);
    assert.equal(to.passed.length, 4, kind);
    assert.equal(to.arbiter.spoil(to.old, SLOT), false, 'what one lost, the other brings');
    to.arbiter.release(SLOT);
    bring(to.old);
    assert.equal(to.passed.length, 5);
    assert.equal(to.arbiter.giveBack(SLOT), true, 'the old one was never left out');
    to.arbiter.end('old');
    assert.equal(to.old.flags[SLOT]! & WatchFlag.Arbitrated, 0);
  }
});

test('LineArbiter: trades with neither number nor id never join, and go on after a failed overlap', () => {
  const to = line();
  to.arbiter.begin(to.old, to.successor);
  offerTrade(to, to.successor, ABSENT);
  assert.equal(to.arbiter.isJoined(SLOT), false);
  assert.equal(to.passed.length, 0);
  to.arbiter.release(SLOT);
  offerTrade(to, to.successor, ABSENT);
  assert.equal(to.passed.length, 1, 'given to the successor as it is');
  to.arbiter.giveBack(SLOT);
  to.arbiter.end('old');
  offerTrade(to, to.old, ABSENT);
  assert.equal(to.passed.length, 2, 'the old socket is heard again');
});
