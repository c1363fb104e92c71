/** Frames of the simulated Binance USDⓈ-M: their form, their ids, and that they tell the truth. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { test } from 'node:test';
import { parseDecimal } from '../../src/domain/decimal.js';
import { capturesDirectory } from '../support/captures.js';
import { NaiveFuturesBook, strictDepthFrame } from '../support/naive-futures-client.js';
import type { Snapshot } from '../support/naive-futures-client.js';
import { ORIGIN_UNIX_NS, simulatedVenueRig } from '../support/simulated-venue-rig.js';

const ALL = ['depth@0ms', 'depth@100ms', 'depth', 'depth@500ms', 'bookTicker', 'trade'];

/** A value's form: keys in order, kinds, and the number of decimals of decimal texts left open. */
function formOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? ['any'] : [formOf(value[0])];
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([key, item]) => [key, formOf(item)]);
  }
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? 'decimal' : typeof value;
}

function formText(value: unknown): string {
  return JSON.stringify(formOf(value)).replaceAll('["any"]', '[["decimal"]]');
}

test('Frames are compact JSON; a raw one is the combined one without its wrapping', () => {
  const rig = simulatedVenueRig();
  const names = ALL.map((suffix) => `btcusdt@${suffix}`);
  const combined = rig.connect(`/public/stream?streams=${names.join('/')}`);
  const raw = rig.connect('/public/ws');
  raw.session!.onText(JSON.stringify({ method: 'SUBSCRIBE', params: names, id: 1 }));
  rig.advance(2000);
  assert.ok(combined.frames.length > 300);
  assert.equal(raw.frames.length, combined.frames.length);
  for (const [index, text] of combined.frames.entries()) {
    assert.equal(JSON.stringify(JSON.parse(text)), text);
    assert.match(text, /^\{"stream":"btcusdt@[A-Za-z0-9@]+","data":\{"e":"/);
    assert.ok(text.endsWith(`"data":${raw.frames[index]}}`));
  }
});

test('Frames and bodies have the form of recorded ones, key by key in the same order', (t) => {
  const directory = capturesDirectory();
  if (directory === null) return t.skip('no captures: forms are not compared with recorded frames');
  const recorded = new Map<string, string>();
  const keep = (value: Record<string, unknown>): void => {
    const data = (value['data'] ?? value) as Record<string, unknown>;
    const kind = typeof data['e'] === 'string' ? data['e'] : 'snapshot';
    const levels = ['b', 'a', 'bids', 'asks'].every(
      (key) => !Array.isArray(data[key]) || (data[key] as unknown[]).length > 0,
    );
    if (levels && !recorded.has(kind)) recorded.set(kind, formText(value));
  };
  const gz = join(directory, 'binance/hftbacktest/usdm_btcusdt_20240718.gz');
  for (const line of gunzipSync(readFileSync(gz)).toString().split('\n').slice(0, 3000)) {
    if (line !== '') keep(JSON.parse(line.slice(line.indexOf(' ') + 1)) as Record<string, unknown>);
  }
  const text = join(directory, 'binance/cryptofeed/BINANCE_FUTURES-1125a2.0.6397a047');
  for (const line of readFileSync(text, 'utf8').split('\n')) {
    const found = /^\d+\.\d+: (\{"stream":"[a-z]+@aggTrade".*)$/.exec(line);
    if (found !== null) keep(JSON.parse(found[1]!) as Record<string, unknown>);
  }
  const rig = simulatedVenueRig({ markets: 1 });
  const publicClient = rig.connect(
    '/public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade',
  );
  const market = rig.connect('/market/stream?streams=btcusdt@aggTrade');
  rig.advance(3000);
  const seen = new Set<string>();
  for (const frame of [...publicClient.frames, ...market.frames]) {
    const value = JSON.parse(frame) as { data: { e: string; b?: unknown; a?: unknown } };
    const { e, b, a } = value.data;
    if (e === 'depthUpdate' && ((b as unknown[]).length === 0 || (a as unknown[]).length === 0))
      continue;
    assert.equal(formText(value), recorded.get(e), e);
    seen.add(e);
  }
  assert.deepEqual([...seen].sort(), ['aggTrade', 'bookTicker', 'depthUpdate', 'trade']);
  const body = rig.get('/fapi/v1/depth?symbol=BTCUSDT&limit=1000').body;
  assert.equal(formText(JSON.parse(body)), recorded.get('snapshot'));
  const info = /-> [\d.]+: (\{"timezone".*)/.exec(
    readFileSync(join(directory, 'binance/cryptofeed/BINANCE_FUTURES.0'), 'utf8'),
  );
  const ours = JSON.parse(rig.get('/fapi/v1/exchangeInfo').body) as unknown;
  const theirs = JSON.parse(info![1]!) as unknown;
  const normal = (value: unknown) => formText(value).replaceAll('[["decimal"]]', '["any"]');
  assert.equal(normal(ours), normal(theirs));
});

test('Frames of 2026 carry `ps` and `st` besides', () => {
  const rig = simulatedVenueRig({ markets: 1, dialect: { extendedFrames: true } });
  const client = rig.connect('/public/ws/btcusdt@depth@0ms/btcusdt@bookTicker');
  const market = rig.connect('/market/ws/btcusdt@aggTrade');
  rig.advance(1000);
  const keys = new Map<string, string>();
  for (const frame of [...client.take(), ...market.take()])
    keys.set(String(frame['e']), Object.keys(frame).join());
  assert.deepEqual(Object.fromEntries(keys), {
    depthUpdate: 'e,E,T,s,ps,st,U,u,pu,b,a',
    bookTicker: 'e,u,s,b,B,a,A,T,E,st,ps',
    aggTrade: 'e,E,a,s,p,q,f,l,T,m,st',
  });
});

for (const [suffix, intervalMs] of [
  ['depth@0ms', 0],
  ['depth@100ms', 100],
  ['depth', 250],
  ['depth@500ms', 500],
] as const) {
  test(`A snapshot and ${suffix} diffs rebuild the true book at every update id`, () => {
    const rig = simulatedVenueRig({ ratePerSecond: 1500 });
    const specs = rig.venue.exchange.markets.map((market) => market.spec);
    for (const spec of specs) {
      const client = rig.connect(`/public/ws/${spec.symbol.toLowerCase()}@${suffix}`);
      const book = new NaiveFuturesBook(spec.priceDecimals, spec.sizeDecimals);
      let first = true;
      let consecutive = 0;
      let previous = 0;
      let previousMs = 0;
      let frames = 0;
      client.onFrame = (bytes) => {
        const frame = strictDepthFrame(Buffer.from(bytes).toString());
        assert.ok(frame !== null);
        if (first) {
          // Asked for while frames are on their way, answered a little later.
          const body = rig.get(`/fapi/v1/depth?symbol=${spec.symbol}&limit=1000`).body;
          rig.clock.schedule(30e6, () => assert.ok(book.onSnapshot(JSON.parse(body) as Snapshot)));
          first = false;
        }
        if (previous !== 0) {
          assert.equal(frame.pu, previous);
          if (frame.U === previous + 1) consecutive++;
          const ms = (frame as unknown as { E: number }).E;
          if (intervalMs > 0) assert.ok(ms - previousMs >= intervalMs, 'one frame an interval');
          previousMs = ms;
        }
        assert.ok(frame.U <= frame.u && frame.pu < frame.U);
        previous = frame.u;
        frames++;
        assert.ok(book.onFrame(frame), 'no gap');
        if (book.live) assert.equal(book.hash(), rig.truth.hashAt(spec.symbol, frame.u));
      };
      rig.advance(suffix === 'depth@500ms' ? 4000 : 1500);
      assert.ok(book.live, spec.symbol);
      assert.equal(book.gaps, 0);
      assert.ok(book.applied > 2);
      assert.ok(consecutive <= frames * 0.4, 'ids are those of the whole exchange');
      const now = rig.truth.book(spec.symbol);
      assert.equal(now.bids.length / 2, rig.truth.at(spec.symbol, now.updateId)!.bidLevels);
      client.close(1000, '');
    }
  });
}

test('bookTicker: its id is a book update id, and its sides are the best there', () => {
  const rig = simulatedVenueRig({ markets: 3 });
  const client = rig.connect('/public/ws/btcusdt@bookTicker/ethusdt@bookTicker/solusdt@bookTicker');
  rig.advance(2000);
  const frames = client.take() as Record<string, string>[];
  assert.ok(frames.length > 200);
  for (const frame of frames) {
    const spec = rig.venue.exchange.markets[rig.truth.indexOf(frame['s']!)]!.spec;
    const truth = rig.truth.at(frame['s']!, Number(frame['u']));
    assert.ok(truth !== null);
    assert.equal(parseDecimal(frame['b']!, spec.priceDecimals), truth.bidPrice);
    assert.equal(parseDecimal(frame['B']!, spec.sizeDecimals), truth.bidSize);
    assert.equal(parseDecimal(frame['a']!, spec.priceDecimals), truth.askPrice);
    assert.equal(parseDecimal(frame['A']!, spec.sizeDecimals), truth.askSize);
  }
});

test('aggTrade frames cover the trade frames, id by id', () => {
  const rig = simulatedVenueRig({ markets: 1 });
  const trades = rig.connect('/public/ws/btcusdt@trade');
  const aggregates = rig.connect('/market/ws/btcusdt@aggTrade');
  rig.advance(3000);
  const single = trades.take();
  let next = 0;
  let lastId = 0;
  for (const taken of aggregates.take()) {
    const frame = taken as unknown as {
      a: number;
      f: number;
      l: number;
      p: string;
      q: string;
      m: boolean;
    };
    const covered = single.slice(next, next + frame.l - frame.f + 1);
    next += covered.length;
    assert.equal(covered[0]!['t'], frame.f);
    assert.equal(covered.at(-1)!['t'], frame.l);
    let sum = 0;
    for (const trade of covered) {
      assert.equal(trade['p'], frame.p);
      assert.equal(trade['m'], frame.m);
      assert.equal(trade['X'], 'MARKET');
      sum += parseDecimal(String(trade['q']), 3);
    }
    assert.equal(sum, parseDecimal(frame.q, 3));
    assert.ok(lastId === 0 || frame.a === lastId + 1);
    lastId = frame.a;
  }
  assert.equal(next, single.length);
  assert.ok(next > 20);
});

test('Event and transaction times are the exchange clock in milliseconds', () => {
  const rig = simulatedVenueRig({ markets: 1 });
  const client = rig.connect('/public/ws/btcusdt@depth@100ms');
  rig.advance(1000);
  const from = Number(ORIGIN_UNIX_NS / 1_000_000n);
  for (const frame of client.take() as Record<string, number>[]) {
    assert.ok(frame['T']! >= from && frame['T']! <= frame['E']! && frame['E']! <= from + 1000);
  }
});
