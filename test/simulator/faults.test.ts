/**
 * Faults on the simulated venue: each happens as often as asked, is counted, and can be noticed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/domain/channel.js';
import { Prng } from '../../src/domain/prng.js';
import { FaultError } from '../../src/faults/fault.js';
import { corrupted } from '../../src/simulator/corruption.js';
import { parseFaults } from '../../src/simulator/fault-settings.js';
import { NaiveFuturesBook, strictDepthFrame } from '../support/naive-futures-client.js';
import type { Snapshot } from '../support/naive-futures-client.js';
import { simulatedVenueRig } from '../support/simulated-venue-rig.js';

const STREAM = '/public/ws/btcusdt@depth@0ms';

/** Frames of 4 s at 1,000 a second, with what was counted. */
function frames(faults: Parameters<typeof simulatedVenueRig>[0]) {
  const rig = simulatedVenueRig({ markets: 1, ...faults });
  const client = rig.connect(STREAM);
  rig.advance(4000);
  return { rig, client, texts: client.frames, counters: rig.venue.counters };
}

const ids = (texts: string[]): number[] =>
  texts.map((text) => (JSON.parse(text) as { u: number }).u);
const near = (count: number, expected: number): boolean =>
  Math.abs(count - expected) < expected * 0.35;

test('Without faults nothing is lost, doubled or out of order, and all counters are 0', () => {
  const { texts, counters } = frames({});
  const got = ids(texts);
  assert.deepEqual(
    got,
    [...new Set(got)].sort((a, b) => a - b),
  );
  assert.equal(counters.frames, texts.length);
  const { frames: sent, ...others } = counters;
  assert.ok(sent > 3500);
  for (const value of Object.values(others)) {
    assert.ok(typeof value === 'number' ? value === 0 : value.every((count) => count === 0));
  }
});

test('Dropped frames are missing, one for each that is counted', () => {
  const { texts, counters } = frames({ faults: { drop: 0.1 } });
  assert.ok(near(counters.dropped, 400));
  assert.equal(texts.length, counters.frames - counters.dropped);
  assert.equal(counters.bookDropped[0], counters.dropped);
});

test('Duplicated frames come twice, one after the other', () => {
  const { texts, counters } = frames({ faults: { duplicate: 0.1 } });
  assert.ok(near(counters.duplicated, 400));
  assert.equal(
    texts.filter((text, index) => text === texts[index - 1]).length,
    counters.duplicated,
  );
});

test('Reordered frames come after the next', () => {
  const { texts, counters } = frames({ faults: { reorder: 0.1 } });
  const got = ids(texts);
  const inversions = got.filter((id, index) => index > 0 && id < got[index - 1]!).length;
  assert.ok(near(counters.reordered, 380));
  assert.ok(Math.abs(inversions - counters.reordered) <= 1);
  assert.ok(Math.abs(texts.length - counters.frames) <= 1);
});

test('Corrupt frames are refused by a strict reader, or say what the true ones said', () => {
  const clean = frames({ seed: 4 });
  const prng = new Prng(11);
  let refused = 0;
  let harmless = 0;
  const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  for (let round = 0; round < 4; round++) {
    for (const text of clean.texts) {
      const frame = strictDepthFrame(text)!;
      const damaged = asText(corrupted(new Uint8Array(Buffer.from(text)), prng));
      assert.notEqual(damaged, text);
      const read = strictDepthFrame(damaged);
      if (read === null || read.s !== frame.s) {
        refused++;
      } else {
        harmless++;
        for (const key of ['U', 'u', 'pu', 'b', 'a'] as const)
          assert.deepEqual(read[key], frame[key], damaged);
      }
    }
  }
  assert.ok(refused > harmless * 20, `${refused} refused, ${harmless} harmless`);
});

test('A stalled connection falls silent, then gives what waited; a half-open one does not', () => {
  const rig = simulatedVenueRig({ markets: 1 });
  const client = rig.connect(STREAM);
  rig.advance(500);
  rig.venue.stallAll(1000);
  const before = client.frames.length;
  client.session!.onText('{"method":"LIST_SUBSCRIPTIONS","id":1}');
  rig.advance(900);
  assert.equal(client.frames.length, before);
  assert.deepEqual(client.answers, []);
  rig.advance(200);
  assert.equal(client.frames.length, rig.venue.counters.frames, 'all that waited came');
  const got = ids(client.frames);
  assert.deepEqual(
    got,
    [...new Set(got)].sort((a, b) => a - b),
  );
  rig.venue.stallAll(0);
  const stalledAt = client.frames.length;
  rig.advance(60_000);
  assert.equal(client.frames.length, stalledAt);
  assert.equal(client.closed, null, 'the connection stays open');
  assert.ok(client.frozen, 'and nobody reads what the client sends');
  assert.equal(rig.venue.counters.stalls, 2);
  assert.equal(rig.venue.counters.lost, rig.venue.counters.frames - stalledAt);
  rig.advance(600_000);
  assert.equal(client.closed?.['code'], 1006, 'in the end it is given up');
  assert.equal(rig.venue.sessionsCount, 0);
});

test('Stalls and disconnects happen by the second and connection', () => {
  const rig = simulatedVenueRig({ markets: 1, ratePerSecond: 10, faults: { disconnect: 0.2 } });
  let cut = 0;
  let client = rig.connect(STREAM);
  for (let second = 0; second < 200; second++) {
    rig.advance(1000);
    if (client.closed === null) continue;
    assert.equal(client.closed.code, 1006);
    cut++;
    client = rig.connect(STREAM);
  }
  assert.ok(near(cut, 40));
  assert.equal(rig.venue.counters.disconnects, cut);
  assert.equal(rig.venue.sessionsCount, 1);
});

test('A late snapshot is held back, a stale one is an old book, and both are counted', () => {
  const rig = simulatedVenueRig({ markets: 1, dialect: { staleSnapshotAgeMs: 1000 } });
  rig.advance(5000);
  rig.venue.setFaults({ lateSnapshot: 1, lateSnapshotMs: 750 });
  const late = rig.get('/fapi/v1/depth?symbol=BTCUSDT&limit=1000');
  assert.equal(late.delayNs, 750e6);
  assert.equal(rig.get('/fapi/v1/time').delayNs, 0);
  rig.venue.setFaults({ lateSnapshot: 0, staleSnapshot: 1 });
  const stale = JSON.parse(rig.get('/fapi/v1/depth?symbol=BTCUSDT&limit=1000').body) as Snapshot;
  const behind = rig.venue.exchange.markets[0]!.lastUpdateId - stale.lastUpdateId;
  assert.ok(behind > 1000, `${behind} ids old`);
  const spec = rig.venue.exchange.markets[0]!.spec;
  const book = new NaiveFuturesBook(spec.priceDecimals, spec.sizeDecimals);
  book.onSnapshot(stale);
  assert.equal(
    book.hash(),
    rig.truth.hashAt('BTCUSDT', stale.lastUpdateId),
    'old, but true of its id',
  );
  assert.equal(rig.venue.counters.lateSnapshots, 1);
  assert.equal(rig.venue.counters.staleSnapshots, 1);
});

test('REST requests are refused on request', () => {
  const rig = simulatedVenueRig({ markets: 1, faults: { refuse429: 1 } });
  const answer = rig.get('/fapi/v1/depth?symbol=BTCUSDT');
  assert.equal(answer.status, 429);
  assert.equal(answer.headers['Retry-After'], '1');
  rig.venue.setFaults({ refuse429: 0, refuse418: 1 });
  assert.equal(rig.get('/fapi/v1/time').status, 418);
  rig.venue.setFaults({ refuse418: 0 });
  rig.venue.orderAnswer({ refuseStatus: 429 });
  assert.equal(rig.get('/fapi/v1/time').status, 429);
  assert.equal(rig.get('/fapi/v1/time').status, 200);
  assert.deepEqual([rig.venue.counters.refused429, rig.venue.counters.refused418], [2, 1]);
});

test('An ordered fault meets the next frames of its market and channel, and no others', () => {
  const rig = simulatedVenueRig({ markets: 2 });
  const client = rig.connect('/public/ws/btcusdt@depth@0ms/ethusdt@depth@0ms/btcusdt@bookTicker');
  rig.venue.orderFault('drop', 3, 1, Channel.Book);
  rig.advance(1000);
  const { counters } = rig.venue;
  assert.equal(counters.dropped, 3);
  assert.deepEqual([...counters.bookDropped], [0, 3]);
  let previous = 0;
  for (const frame of client.take() as { s: string; e: string; pu: number; u: number }[]) {
    if (frame.e !== 'depthUpdate' || frame.s !== 'BTCUSDT') continue;
    assert.ok(previous === 0 || frame.pu === previous);
    previous = frame.u;
  }
});

test('Under all faults at once a strict client holds no untrue book, and finds every loss', () => {
  const seed = Number(process.env['RINGSIDE_TEST_SEED'] ?? 31);
  const rig = simulatedVenueRig({
    seed,
    ratePerSecond: 2000,
    markets: 3,
    faults: { drop: 0.01, duplicate: 0.01, reorder: 0.01, corrupt: 0.01, staleSnapshot: 0.2 },
  });
  let checked = 0;
  let gaps = 0;
  for (const { spec } of rig.venue.exchange.markets) {
    const book = new NaiveFuturesBook(spec.priceDecimals, spec.sizeDecimals);
    let asked = false;
    const ask = (): void => {
      asked = true;
      const body = rig.get(`/fapi/v1/depth?symbol=${spec.symbol}&limit=1000`).body;
      rig.clock.schedule(20e6, () => {
        asked = false;
        book.onSnapshot(JSON.parse(body) as Snapshot);
      });
    };
    rig.connect(`/public/ws/${spec.symbol.toLowerCase()}@depth@0ms`).onFrame = (bytes) => {
      const frame = strictDepthFrame(Buffer.from(bytes).toString('latin1'));
      if (frame === null || frame.s !== spec.symbol) return;
      if (!book.onFrame(frame)) gaps++;
      if (!book.live && !asked && book.position === 0) ask();
      if (!book.live) return;
      checked++;
      assert.equal(book.hash(), rig.truth.hashAt(spec.symbol, book.position), `seed ${seed}`);
    };
  }
  rig.advance(1200);
  assert.ok(checked > 200, `${checked} checked`);
  assert.ok(gaps > 10, `${gaps} gaps`);
});

test('Fault texts are read, and what is wrong with them is named', () => {
  assert.deepEqual(parseFaults('drop=0.01, stallMs=500,'), { drop: 0.01, stallMs: 500 });
  assert.deepEqual(parseFaults(''), {});
  for (const text of ['fall=1', 'drop=2', 'drop=x', 'drop', 'drop=-0.1', 'stallMs=1e12']) {
    assert.throws(
      () => parseFaults(text),
      (error: unknown) => error instanceof FaultError && error.code === 'BAD_CONFIG',
    );
  }
});
