/** The room's data structures against naive twins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { Side } from '../../src/domain/side.js';
import { HASH_SEED_LOW, levelHashLane } from '../../src/domain/level-hash.js';
import { History, HistoryBudget } from '../../src/broadcast/history.js';
import { Applied, BookMirror } from '../../src/broadcast/book-mirror.js';
import { LevelTable } from '../../src/broadcast/level-table.js';
import { MirrorSide } from '../../src/broadcast/mirror-side.js';
import { parseRequest } from '../../src/broadcast/requests.js';
import { TokenBucket } from '../../src/broadcast/token-bucket.js';
import { TouchedLevels } from '../../src/broadcast/touched-levels.js';
import { Timeline } from '../../src/time/timeline.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { MessageEncoder } from '../../src/wire/encode.js';
import { HEAD_DOUBLES } from '../../src/wire/head-fields.js';

test('History: holds the newest messages that fit, byte for byte, and nothing across a break', () => {
  const message = fc.record({
    words: fc.integer({ min: 2, max: 300 }),
    skip: fc.nat(40),
    epoch: fc.nat(60),
  });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 200 }),
      fc.integer({ min: 64, max: 4096 }),
      (messages, bytesMax) => {
        const budget = new HistoryBudget(4096);
        const history = new History(budget, 64, bytesMax);
        let kept: { sequence: number; bytes: number[] }[] = [];
        let sequence = 2 ** 32 - 20;
        let epoch = 1;
        for (const { words, skip, epoch: renew } of messages) {
          const even = words & ~1;
          const source = Int32Array.from({ length: even + 4 }, (_, i) => sequence * 31 + i);
          const breaks = skip === 0 || renew === 0;
          sequence += skip === 0 ? 2 : 1;
          if (renew === 0) epoch++;
          history.append(new Uint8Array(source.buffer, 8, even * 4), epoch, sequence);
          if (breaks) kept = [];
          kept.push({ sequence, bytes: [...new Uint8Array(source.buffer, 8, even * 4)] });
          if (history.size === 0) kept = [];
          kept = kept.slice(kept.length - history.size);
          assert.equal(kept.length, history.size, 'nothing is there that should not be');
          if (history.size > 0)
            assert.equal(history.newestSequence, sequence, 'the newest is there');
          for (const each of kept)
            assert.deepEqual([...history.messageAt(each.sequence)], each.bytes);
          assert.equal(history.covers(epoch, sequence + 1), false);
          assert.equal(history.covers(epoch, sequence), history.size > 0);
          assert.equal(history.covers(epoch + 1, sequence), false);
          assert.ok(budget.usedBytes <= bytesMax);
        }
        history.dispose();
        assert.equal(budget.usedBytes, 0);
      },
    ),
    { numRuns: 60 },
  );
});

test('Mirror side: any sequence of changes gives the levels, sizes and hash of a sorted map', () => {
  const change = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat(4));
  for (const side of [Side.Bid, Side.Ask]) {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 400 }),
        fc.integer({ min: 0, max: 301 }),
        (changes, probe) => {
          const mirror = new MirrorSide(side, 1024);
          const twin = new Map<number, number>();
          for (const [price, size] of changes) {
            assert.equal(mirror.set(price, size), twin.get(price) ?? 0, 'the size before');
            if (size === 0) twin.delete(price);
            else twin.set(price, size);
          }
          const expected = [...twin].sort((a, b) =>
            side === Side.Bid ? b[0] - a[0] : a[0] - b[0],
          );
          const held = Array.from({ length: mirror.count }, (_, rank) => [
            mirror.priceAt(rank),
            mirror.sizeAt(rank),
          ]);
          assert.deepEqual(held, expected);
          assert.equal(mirror.sizeOf(probe), twin.get(probe) ?? 0);
          const asGood = expected.filter(([price]) =>
            side === Side.Bid ? price >= probe : price <= probe,
          );
          assert.equal(mirror.countToPrice(probe), asGood.length);
          let lane = 0;
          for (const [price, size] of twin) lane ^= levelHashLane(HASH_SEED_LOW, side, price, size);
          assert.equal(mirror.hashLow(), lane);
        },
      ),
      { numRuns: 60 },
    );
  }
});

test('Mirror side: it refuses to grow without bound', () => {
  const mirror = new MirrorSide(Side.Bid, 64);
  let refused = 0;
  for (let price = 1; price <= 1000; price++) if (mirror.set(price, 1) < 0) refused++;
  assert.ok(refused > 0 && mirror.count <= 128);
});

/** Prices that collide, lie far apart, are negative (the wire can say so) or beyond 32 bits. */
const anyPrice = fc.oneof(
  fc.integer({ min: 1, max: 200 }),
  fc.integer({ min: -3, max: 3 }).map((n) => n * 2 ** 32 + 7),
  fc.integer({ min: -(2 ** 21), max: 2 ** 21 - 1 }).map((n) => n * 2 ** 32),
);
const anySize = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 2 ** 20 }).map((n) => n * 2 ** 33),
);

function wordsOf(levels: readonly (readonly [number, number])[]): Int32Array {
  const words = new Int32Array(levels.length * 4);
  const longs = new BigInt64Array(words.buffer);
  levels.forEach(([price, size], i) => {
    longs[i * 2] = BigInt(price);
    longs[i * 2 + 1] = BigInt(size);
  });
  return words;
}

test('Level table: any sequence of changes gives the levels, order and hash of a sorted map', () => {
  for (const side of [Side.Bid, Side.Ask]) {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(anyPrice, anySize), { maxLength: 60 }), { maxLength: 12 }),
        (messages) => {
          const table = new LevelTable(side, 1024);
          const twin = new Map<number, number>();
          for (const levels of messages) {
            assert.ok(table.setAll(wordsOf(levels), 0, levels.length));
            for (const [price, size] of levels) {
              if (size === 0) twin.delete(price);
              else twin.set(price, size);
            }
            assert.equal(table.count, twin.size);
          }
          const ranked = new MirrorSide(side, 1024);
          ranked.load(table);
          const expected = [...twin].sort((a, b) =>
            side === Side.Bid ? b[0] - a[0] : a[0] - b[0],
          );
          const held = Array.from({ length: ranked.count }, (_, rank) => [
            ranked.priceAt(rank),
            ranked.sizeAt(rank),
          ]);
          assert.deepEqual(held, expected);
          assert.equal(table.hashLow(), ranked.hashLow());
          assert.equal(table.hashHigh(), ranked.hashHigh());
          const again = new LevelTable(side, 1024);
          ranked.moveTo(again);
          assert.equal(again.hashLow(), table.hashLow());
          assert.equal(again.count, table.count);
          assert.equal(ranked.count, 0);
        },
      ),
      { numRuns: 80 },
    );
  }
});

test('Level table: numbers beyond 2^53 and more levels than it may hold are refused', () => {
  const table = new LevelTable(Side.Bid, 64);
  const tooLarge = wordsOf([[5, 1]]);
  for (const word of [1, 3]) {
    const words = tooLarge.slice();
    words[word] = 2 ** 21;
    assert.equal(table.setAll(words, 0, 1), false);
  }
  assert.equal(table.count, 0);
  let refused = 0;
  for (let price = 1; price <= 1000 && refused === 0; price++) if (!table.set(price, 1)) refused++;
  assert.ok(refused > 0 && table.count <= 128);
});

test('Book mirror: whoever looks at the sides, when and how often, sees the same book', () => {
  const event = fc.record({
    levels: fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.nat(3)), { maxLength: 30 }),
    bids: fc.nat(30),
    look: fc.boolean(),
    touch: fc.boolean(),
  });
  const encoder = new MessageEncoder(new Timeline(1_700_000_000_000_000_000n));
  const head = new Float64Array(HEAD_DOUBLES);
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.nat(4), (events, rankedMessages) => {
      const mirror = new BookMirror(2, 3, { mirrorLevelsMax: 1024, rankedMessages });
      const twin = [new Map<number, number>(), new Map<number, number>()] as const;
      const decoder = new MessageDecoder();
      for (const { levels, bids: bidsWanted, look, touch } of events) {
        const bids = Math.min(bidsWanted, levels.length);
        const asks = levels.length - bids;
        const words = new Int32Array(encoder.bookDeltaBytes(bids, asks) / 4);
        const bytes = encoder.writeBookDelta(
          words,
          0,
          head,
          Float64Array.from(levels.flat()),
          0,
          bids,
          asks,
        );
        mirror.beginEvent();
        if (touch || mirror.applyWords(words, 0, bytes) === Applied.Not) {
          assert.ok(decoder.decodeWords(words, 0, bytes) > 0);
          assert.ok(mirror.apply(decoder, touch));
        }
        levels.forEach(([price, size], i) => {
          const side = twin[i < bids ? 0 : 1];
          if (size === 0) side.delete(price);
          else side.set(price, size);
        });
        assert.deepEqual([mirror.bidsCount, mirror.asksCount], [twin[0].size, twin[1].size]);
        const before = [mirror.hashLow(), mirror.hashHigh()];
        if (!look) continue;
        for (const [side, map] of [
          [mirror.bids, twin[0]],
          [mirror.asks, twin[1]],
        ] as const) {
          const best = [...map.keys()].sort((a, b) => (b - a) * side.sign);
          assert.deepEqual(
            best.map((_, rank) => side.priceAt(rank)),
            best,
          );
          for (const [price, size] of map) assert.equal(side.sizeOf(price), size);
        }
        assert.ok(mirror.hashMatches(before[0]!, before[1]!));
      }
    }),
    { numRuns: 100 },
  );
});

test('Touched levels: the first size of each price is kept, however often it is touched', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.tuple(fc.nat(150), fc.nat(9)), { maxLength: 300 }), { maxLength: 5 }),
      (events) => {
        const touched = new TouchedLevels();
        for (const event of events) {
          touched.clear();
          const twin = new Map<number, number>();
          for (const [price, size] of event) {
            touched.note(price, size);
            if (!twin.has(price)) twin.set(price, size);
          }
          assert.equal(touched.count, twin.size);
          for (let i = 0; i < touched.count; i++)
            assert.equal(touched.before[i], twin.get(touched.prices[i]!));
          for (let price = 0; price <= 150; price++)
            assert.equal(touched.has(price), twin.has(price));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('Token bucket: never more than burst plus rate times time', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40_000_000 }), { maxLength: 300 }), (gapsNs) => {
      const bucket = new TokenBucket(50, 10, 0);
      let now = 0;
      let taken = 0;
      for (const gap of gapsNs) {
        now += gap;
        if (bucket.take(now)) taken++;
        assert.ok(taken <= 10 + (now / 1e9) * 50 + 1e-6);
      }
    }),
  );
  const bucket = new TokenBucket(50, 1, 0);
  assert.deepEqual([bucket.take(0), bucket.take(1e6), bucket.take(20e6)], [true, false, true]);
});

test('Requests: no text whatever makes the parser throw or touches a prototype', () => {
  const keys = fc.constantFrom(
    'op',
    'id',
    'channel',
    'instrument',
    'depth',
    'mode',
    'resume',
    'token',
    '__proto__',
    'constructor',
    'streamId',
  );
  const values = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('subscribe', 'unsubscribe', 'ping', 'auth', 'book', 'lossless'),
  );
  const objects = fc
    .array(fc.tuple(keys, values), { maxLength: 8 })
    .map(
      (pairs) =>
        `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
    );
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.json(), objects),
      (text) => {
        const result = parseRequest(text, 5000);
        assert.equal(typeof result.op, 'string');
        if (result.op === 'subscribe') assert.ok(result.depth >= 0 && result.depth <= 5000);
        assert.equal(({} as Record<string, unknown>)['op'], undefined);
      },
    ),
    { numRuns: 3000 },
  );
});
