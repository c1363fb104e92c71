/** The room's data structures against naive twins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { Side } from '../../src/domain/side.js';
import { HASH_SEED_LOW, levelHashLane } from '../../src/domain/level-hash.js';
import { History, HistoryBudget } from '../../src/broadcast/history.js';
import { MirrorSide } from '../../src/broadcast/mirror-side.js';
import { parseRequest } from '../../src/broadcast/requests.js';
import { TokenBucket } from '../../src/broadcast/token-bucket.js';
import { TouchedLevels } from '../../src/broadcast/touched-levels.js';

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
          history.append(source, 2, even * 4, epoch, sequence);
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
