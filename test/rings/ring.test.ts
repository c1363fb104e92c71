/** The ring in one thread: every edge, at capacities where edges are all there is. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/reproducible.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { RingGauge } from '../../src/rings/ring-gauge.js';
import {
  CAPACITY_WORDS_MIN,
  HEAD_WORD,
  RECORDS_WORD,
  TAIL_WORD,
  createRing,
  recordBytesMax,
} from '../../src/rings/ring-layout.js';
import { RECORD_TOO_LARGE, RING_FULL, RingProducer } from '../../src/rings/ring-producer.js';

/** Positions whose next steps cross the sign bit, the end of 32 bits, or neither. */
const POSITIONS = [0, 2 ** 31 - 8, 2 ** 31, 2 ** 32 - 8, 2 ** 32 - 2];

function ringOf(capacityWords: number, firstPosition = 0) {
  const buffer = createRing(capacityWords, firstPosition);
  return { buffer, producer: new RingProducer(buffer), consumer: new RingConsumer(buffer) };
}

/** Everything there is now: [typeId, first double, bytes]. */
function drain(consumer: RingConsumer): number[][] {
  const records: number[][] = [];
  const handler = {
    onRecord(typeId: number, slot: number, bytes: number): void {
      records.push([typeId, bytes > 0 ? consumer.doubles[slot]! : -1, bytes]);
    },
  };
  while (consumer.poll(handler, 3) > 0);
  return records;
}

function put(producer: RingProducer, typeId: number, value: number, doubles = 1): number {
  const slot = producer.tryClaim(typeId, doubles * 8);
  if (slot >= 0 && doubles > 0) producer.doubles[slot] = value;
  return slot;
}

test('Ring: nothing is seen before commit, everything after it, once', () => {
  const { producer, consumer } = ringOf(64);
  put(producer, 7, 1.5);
  put(producer, 8, 2.5, 2);
  assert.deepEqual(drain(consumer), []);
  assert.ok(consumer.isEmpty());
  producer.commit();
  assert.ok(!consumer.isEmpty());
  assert.deepEqual(drain(consumer), [
    [7, 1.5, 8],
    [8, 2.5, 16],
  ]);
  assert.deepEqual(drain(consumer), []);
});

test('Ring: payload lengths are rounded up to 8 bytes, and an empty record is a record', () => {
  const { producer, consumer } = ringOf(64);
  for (const bytes of [0, 1, 7, 8, 9]) assert.ok(producer.tryClaim(5, bytes) >= 0);
  producer.commit();
  assert.deepEqual(
    drain(consumer).map(([, , bytes]) => bytes),
    [0, 8, 8, 8, 16],
  );
});

for (const firstPosition of POSITIONS) {
  test(`Ring: fills to the last word, refuses, and has room again after a poll (from ${firstPosition})`, () => {
    const { producer, consumer } = ringOf(16, firstPosition);
    let sent = 0;
    let received = 0;
    for (let round = 0; round < 40; round++) {
      while (put(producer, 3, sent) !== RING_FULL) sent++;
      producer.commit();
      assert.ok(producer.usedWords() > 12, 'no room is left that a record would fit into');
      for (const [typeId, value] of drain(consumer)) {
        assert.deepEqual([typeId, value], [3, received]);
        received++;
      }
      assert.equal(producer.usedWords(), 0);
    }
    assert.equal(received, sent);
    assert.ok(sent >= 40 * 3, 'at most one record less than four a round, where padding is needed');
  });
}

test('Ring: a record of half the ring fits from every position, one word more never does', () => {
  for (const capacityWords of [16, 32, 1024]) {
    const bytesMax = recordBytesMax(capacityWords);
    for (let offset = 0; offset < capacityWords; offset += 2) {
      const { producer, consumer } = ringOf(capacityWords, 2 ** 32 - capacityWords + offset);
      assert.ok(producer.tryClaim(9, bytesMax) >= 0, `offset ${offset}`);
      producer.commit();
      assert.deepEqual(
        drain(consumer).map(([typeId, , bytes]) => [typeId, bytes]),
        [[9, bytesMax]],
      );
      for (const bytes of [bytesMax + 1, 2 ** 32, 2 ** 32 + 8, Infinity, Number.NaN]) {
        assert.equal(producer.tryClaim(9, bytes), RECORD_TOO_LARGE);
      }
    }
  }
});

test('Ring: no record is split across the end, and the padding is never handed out', () => {
  const { producer, consumer } = ringOf(16);
  for (let i = 0; i < 200; i++) {
    const doubles = i % 4;
    const slot = put(producer, 4, i, doubles);
    assert.ok(slot >= 0);
    assert.ok(slot * 2 >= RECORDS_WORD && slot * 2 + doubles * 2 <= RECORDS_WORD + 16);
    producer.commit();
    assert.deepEqual(drain(consumer), [[4, doubles > 0 ? i : -1, doubles * 8]]);
  }
});

test('Ring: shrinkLast gives the room back, also right behind padding', () => {
  const { producer, consumer } = ringOf(32);
  put(producer, 1, 10, 7);
  producer.commit();
  drain(consumer);
  put(producer, 1, 11, 3);
  producer.commit();
  drain(consumer);
  // Position 24: 14 words do not fit into the 8 that are left, so padding stands before this one.
  const slot = put(producer, 2, 12, 6);
  assert.equal(slot * 2, RECORDS_WORD + 2);
  producer.shrinkLast(8);
  put(producer, 3, 13);
  producer.commit();
  assert.deepEqual(drain(consumer), [
    [2, 12, 8],
    [3, 13, 8],
  ]);
});

test('Ring: shrinkLast refuses to lengthen, and knows nothing to shorten after commit or abort', () => {
  const { producer } = ringOf(64);
  put(producer, 1, 1, 2);
  assert.throws(() => producer.shrinkLast(24), /only become shorter/);
  producer.shrinkLast(16);
  producer.commit();
  assert.throws(() => producer.shrinkLast(8), /not committed/);
  put(producer, 1, 1, 2);
  producer.abort();
  assert.throws(() => producer.shrinkLast(8), /not committed/);
});

test('Ring: abort forgets the uncommitted claims and their padding', () => {
  const { producer, consumer } = ringOf(16);
  put(producer, 1, 1, 3);
  producer.commit();
  assert.deepEqual(drain(consumer), [[1, 1, 24]]);
  put(producer, 2, 2, 2);
  put(producer, 2, 3, 2);
  producer.abort();
  assert.equal(producer.usedWords(), 0);
  put(producer, 3, 4);
  producer.commit();
  assert.deepEqual(drain(consumer), [[3, 4, 8]]);
});

test('Ring: a record whose handler throws is not met twice, those behind it are not lost', () => {
  const { producer, consumer } = ringOf(64, 2 ** 32 - 8);
  for (let i = 0; i < 5; i++) put(producer, 1, i);
  producer.commit();
  const seen: number[] = [];
  const handler = {
    onRecord(_typeId: number, slot: number): void {
      const value = consumer.doubles[slot]!;
      seen.push(value);
      if (value === 2) throw new Error('poison');
    },
  };
  assert.throws(() => consumer.poll(handler, 100), /poison/);
  assert.equal(producer.usedWords(), 8, 'three of five are freed at once');
  assert.equal(consumer.poll(handler, 100), 2);
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
});

test('Ring: an impossible length in memory ends the poll instead of hanging it', () => {
  for (const length of [0, 1, -4, 17, 2 ** 31 - 1]) {
    const { producer, consumer } = ringOf(16);
    put(producer, 1, 1);
    producer.commit();
    consumer.words[RECORDS_WORD] = length;
    assert.throws(() => consumer.poll({ onRecord() {} }, 10), /impossible length/);
  }
});

test('Ring: a replaced writer continues where the last commit stood and is noticed once', () => {
  const { buffer, producer, consumer } = ringOf(64);
  put(producer, 1, 1);
  producer.commit();
  put(producer, 1, 666);
  const successor = new RingProducer(buffer);
  successor.announceNewWriter();
  put(successor, 2, 2);
  successor.commit();
  assert.ok(consumer.takeWriterChange());
  assert.ok(!consumer.takeWriterChange());
  assert.deepEqual(drain(consumer), [
    [1, 1, 8],
    [2, 2, 8],
  ]);
});

test('Ring: a replaced reader continues at the last freed record, or skips to the end', () => {
  const { buffer, producer, consumer } = ringOf(64);
  for (let i = 0; i < 4; i++) put(producer, 1, i);
  producer.commit();
  consumer.poll({ onRecord() {} }, 2);
  const successor = new RingConsumer(buffer);
  assert.deepEqual(
    drain(successor).map(([, value]) => value),
    [2, 3],
  );
  put(producer, 1, 9);
  producer.commit();
  successor.skipToTail();
  assert.deepEqual(drain(successor), []);
  assert.equal(producer.usedWords(), 0);
});

test('Ring: gauge and high-water mark tell the truth of a known history', () => {
  const { buffer, producer, consumer } = ringOf(64, 2 ** 31 - 4);
  const gauge = new RingGauge(buffer);
  for (let i = 0; i < 5; i++) put(producer, 1, i);
  assert.deepEqual([gauge.usedWords(), gauge.highWaterWords()], [0, 0]);
  producer.commit();
  assert.deepEqual(
    [gauge.usedWords(), gauge.highWaterWords(), gauge.capacityWords()],
    [20, 20, 64],
  );
  consumer.poll({ onRecord() {} }, 4);
  put(producer, 1, 9);
  producer.commit();
  assert.deepEqual([gauge.usedWords(), gauge.highWaterWords()], [8, 20]);
});

test('Ring: bad capacities and odd first positions are refused', () => {
  for (const capacity of [0, 8, 15, 24, 2 ** 28, 16.5, Number.NaN]) {
    assert.throws(() => createRing(capacity), /power of two/);
  }
  assert.throws(() => createRing(16, 1), /8-byte aligned/);
  assert.ok(createRing(CAPACITY_WORDS_MIN).byteLength > 0);
});

type Step =
  | { readonly kind: 'claim'; readonly doubles: number; readonly shrinkTo: number }
  | { readonly kind: 'commit' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'poll'; readonly max: number; readonly throwAt: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      doubles: fc.nat(9),
      shrinkTo: fc.nat(12),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('poll' as const),
      max: fc.integer({ min: 1, max: 5 }),
      throwAt: fc.nat(20),
    }),
  },
);

/** The ring as a list, with positions that never wrap: what is easy to be sure of. */
class ModelRing {
  readonly capacity: number;
  claimed: number;
  published: number;
  head: number;
  private open: { value: number; doubles: number; end: number }[] = [];
  private queue: { value: number; doubles: number; end: number }[] = [];

  constructor(capacity: number, firstPosition: number) {
    this.capacity = capacity;
    this.claimed = this.published = this.head = firstPosition;
  }

  /** Null if there is no room now, undefined if never. */
  claim(value: number, doubles: number): boolean | undefined {
    const words = 2 + 2 * doubles;
    if (words > this.capacity / 2) return undefined;
    const untilEnd = this.capacity - (this.claimed % this.capacity);
    const start = words > untilEnd ? this.claimed + untilEnd : this.claimed;
    if (start + words - this.head > this.capacity) return false;
    this.claimed = start + words;
    this.open.push({ value, doubles, end: this.claimed });
    return true;
  }

  shrink(doubles: number): void {
    const last = this.open.at(-1)!;
    this.claimed -= 2 * (last.doubles - doubles);
    last.doubles = doubles;
    last.end = this.claimed;
  }

  commit(): void {
    this.queue.push(...this.open.splice(0));
    this.published = this.claimed;
  }

  abort(): void {
    this.open = [];
    this.claimed = this.published;
  }

  poll(): { value: number; doubles: number } | undefined {
    const next = this.queue.shift();
    if (next !== undefined) this.head = next.end;
    return next;
  }
}

test('Ring: any sequence of claims, shrinks, commits, aborts, polls and throws equals a plain list', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(16, 32, 64),
      fc.constantFrom(...POSITIONS, 2 ** 32 - 14, 2 ** 31 - 14),
      fc.array(step, { minLength: 1, maxLength: 120 }),
      (capacity, firstPosition, steps) => {
        const { buffer, producer, consumer } = ringOf(capacity, firstPosition);
        const model = new ModelRing(capacity, firstPosition);
        let value = 0;
        for (const next of steps) {
          if (next.kind === 'claim') {
            value++;
            const wanted = model.claim(value, next.doubles);
            const slot = producer.tryClaim(1 + (value % 9), next.doubles * 8);
            if (wanted === undefined) assert.equal(slot, RECORD_TOO_LARGE);
            else if (!wanted) assert.equal(slot, RING_FULL);
            else {
              assert.ok(slot >= 0);
              for (let i = 0; i < next.doubles; i++) producer.doubles[slot + i] = value + i;
              if (next.shrinkTo < next.doubles) {
                producer.shrinkLast(next.shrinkTo * 8);
                model.shrink(next.shrinkTo);
              }
            }
          } else if (next.kind === 'commit') {
            producer.commit();
            model.commit();
          } else if (next.kind === 'abort') {
            producer.abort();
            model.abort();
          } else {
            pollBoth(consumer, model, next.max, next.throwAt);
          }
          const words = new Int32Array(buffer);
          assert.equal(words[TAIL_WORD], model.published | 0);
          assert.equal(words[HEAD_WORD], model.head | 0);
        }
      },
    ),
    { numRuns: 600 },
  );
});

function pollBoth(consumer: RingConsumer, model: ModelRing, max: number, throwAt: number): void {
  let handed = 0;
  const handler = {
    onRecord(typeId: number, slot: number, bytes: number): void {
      const wanted = model.poll();
      assert.ok(wanted, 'the ring handed out a record that is not there');
      assert.equal(bytes, wanted.doubles * 8);
      assert.equal(typeId, 1 + (wanted.value % 9));
      for (let i = 0; i < wanted.doubles; i++) {
        assert.equal(consumer.doubles[slot + i], wanted.value + i);
      }
      if (handed++ === throwAt) throw new RangeError('thrown on purpose');
    },
  };
  try {
    const count = consumer.poll(handler, max);
    assert.equal(count, handed);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

test('Ring: a new reader is noticed once by the writer, a new writer once by the reader', () => {
  const { producer, consumer } = ringOf(64);
  assert.ok(!producer.takeReaderChange() && !consumer.takeWriterChange());
  consumer.announceNewReader();
  producer.announceNewWriter();
  assert.ok(producer.takeReaderChange() && consumer.takeWriterChange());
  assert.ok(!producer.takeReaderChange() && !consumer.takeWriterChange());
});
