/** The simulated Hyperliquid's frames: aggregated books against the direct computation, contexts, mids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Side } from '../../src/domain/side.js';
import { Exchange } from '../../src/simulator/exchange.js';
import { HyperliquidDialect } from '../../src/simulator/hyperliquid-dialect.js';
import { hyperliquidSpecs } from '../../src/simulator/hyperliquid-specs.js';
import type { Market } from '../../src/simulator/market.js';
import { Timeline } from '../../src/time/timeline.js';

const MINUTE_MS = 60_000;

interface Level {
  readonly px: string;
  readonly sz: string;
  readonly n: number;
}
interface Book {
  readonly coin: string;
  readonly levels: readonly [readonly Level[], readonly Level[]];
}

class Client {
  readonly frames: string[] = [];
  readonly controls: string[] = [];
  closed = false;
  private readonly session;

  constructor(readonly rig: Rig) {
    this.session = rig.dialect.openSession('/ws', {
      data: (frame) => this.frames.push(Buffer.from(frame).toString()),
      control: (text) => this.controls.push(text),
      close: () => (this.closed = true),
    })!;
  }

  subscribe(subscription: object): void {
    const text = JSON.stringify({ method: 'subscribe', subscription });
    this.session.onText(text, this.rig.exchange.timeNs);
  }

  /** The data of all frames of a channel. */
  of<T>(channel: string): T[] {
    return this.frames
      .map((text) => JSON.parse(text) as { channel: string; data: T })
      .filter((frame) => frame.channel === channel)
      .map(({ data }) => data);
  }
}

class Rig {
  readonly exchange = new Exchange({
    specs: hyperliquidSpecs(),
    seed: 5,
    ratePerSecond: 400,
    startNs: 0,
    truthWindow: 64,
  });
  readonly dialect = new HyperliquidDialect({
    exchange: this.exchange,
    timeline: new Timeline(1_790_000_000_000_000_000n),
    bookEveryMs: 500,
  });

  constructor() {
    this.exchange.listener = this.dialect;
    this.advance(2_000);
  }

  advance(ms: number): void {
    const endNs = this.exchange.timeNs + ms * 1e6;
    while (this.exchange.timeNs < endNs) {
      this.exchange.runUntil(Math.min(endNs, this.exchange.timeNs + 20e6), Infinity);
    }
  }

  ask(question: object): unknown {
    const request = {
      method: 'POST',
      target: '/info',
      remoteAddress: '127.0.0.1',
      body: JSON.stringify(question),
    };
    const wishes = { stale: false, refuseStatus: 0 };
    return JSON.parse(String(this.dialect.answer(request, wishes, 0).body));
  }

  market(symbol: string): Market {
    return this.exchange.markets.find(({ spec }) => spec.symbol === symbol)!;
  }
}

/** Buckets as the documentation describes them: each price down (bids) or up (asks) to a multiple. */
function bucketsOf(book: Book, side: 0 | 1, decimals: number, figures: number, mantissa: number) {
  const buckets = new Map<bigint, { size: number; n: number }>();
  for (const { px, sz, n } of book.levels[side]) {
    const scaled = BigInt(Math.round(Number(px) * 10 ** decimals)) * 10n ** BigInt(8 - decimals);
    const exponent = Math.max(0, String(scaled).length - figures);
    const step = BigInt(mantissa) * 10n ** BigInt(exponent);
    const down = (scaled / step) * step;
    const edge = side === 0 || down === scaled ? down : down + step;
    const bucket = buckets.get(edge) ?? { size: 0, n: 0 };
    buckets.set(edge, { size: bucket.size + Number(sz), n: bucket.n + n });
  }
  return [...buckets].map(([edge, { size, n }]) => [Number(edge) / 1e8, size, n] as const);
}

/** Every level of the coin as the engine has it. */
function wholeBook(market: Market): Book {
  const side = (which: Side): Level[] => {
    const levels = market.engine.book.sideOf(which);
    return Array.from({ length: levels.count }, (_, rank) => {
      const level = levels.at(rank);
      const { priceDecimals, sizeDecimals } = market.spec;
      return {
        px: (levels.price[level]! / 10 ** priceDecimals).toFixed(priceDecimals),
        sz: (levels.size[level]! / 10 ** sizeDecimals).toFixed(sizeDecimals),
        n: levels.orders[level]!,
      };
    });
  };
  return { coin: market.spec.symbol, levels: [side(Side.Bid), side(Side.Ask)] };
}

const AGGREGATIONS = [
  { nSigFigs: 2 },
  { nSigFigs: 3 },
  { nSigFigs: 4 },
  { nSigFigs: 5 },
  { nSigFigs: 5, mantissa: 2 },
  { nSigFigs: 5, mantissa: 5 },
] as const;

test('Hyperliquid dialect: aggregated books are the direct computation on the whole book', () => {
  const rig = new Rig();
  for (const coin of ['BTC', 'ETH', 'kPEPE', 'PURR/USDC']) {
    const market = rig.market(coin);
    const { priceDecimals } = market.spec;
    for (const aggregation of AGGREGATIONS) {
      const client = new Client(rig);
      client.subscribe({ type: 'l2Book', coin, ...aggregation });
      let truth: Book | null = null;
      // The engine stands still between the end of a block and the command after it.
      while (client.frames.length === 0) {
        rig.exchange.runUntil(rig.exchange.timeNs + 1e6, Infinity);
        truth = wholeBook(market);
      }
      const [book] = client.of<Book>('l2Book');
      const { nSigFigs, mantissa = 1 } = { mantissa: undefined, ...aggregation };
      for (const side of [0, 1] as const) {
        const expected = bucketsOf(truth!, side, priceDecimals, nSigFigs, mantissa ?? 1).slice(
          0,
          20,
        );
        const told = book!.levels[side];
        const where = `${coin} ${JSON.stringify(aggregation)} side ${side}`;
        assert.equal(told.length, expected.length, where);
        let same = 0;
        told.forEach(({ px, n }, i) => {
          if (Math.abs(Number(px) - expected[i]![0]) < 1e-9 && n === expected[i]![2]) same++;
        });
        // A command between the block's end and our look may have changed one level of a side.
        assert.ok(same >= told.length - 1, `${where}: ${same} of ${told.length}`);
      }
      assert.ok(JSON.parse(client.controls.at(-1)!).data.subscription.nSigFigs === nSigFigs);
    }
  }
});

test('Hyperliquid dialect: by REST an aggregated book is of the block, its sizes add up', () => {
  const rig = new Rig();
  const plain = rig.ask({ type: 'l2Book', coin: 'BTC' }) as Book;
  for (const aggregation of AGGREGATIONS) {
    const book = rig.ask({ type: 'l2Book', coin: 'BTC', ...aggregation }) as Book;
    for (const side of [0, 1] as const) {
      const [first] = book.levels[side];
      const { nSigFigs, mantissa = 1 } = { mantissa: undefined, ...aggregation };
      const [expected] = bucketsOf(plain, side, 1, nSigFigs, mantissa ?? 1);
      assert.equal(Number(first!.px), expected![0]);
      assert.ok(Number(first!.sz) >= expected![1] - 1e-9, 'the whole book counts, not its best 20');
    }
  }
  assert.equal(rig.ask({ type: 'l2Book', coin: 'BTC', nSigFigs: 6 }), null);
});

test('Hyperliquid dialect: an aggregation that the venue does not know drops the connection', () => {
  const rig = new Rig();
  for (const wrong of [{ nSigFigs: 6 }, { nSigFigs: 4, mantissa: 2 }, { mantissa: 5 }]) {
    const client = new Client(rig);
    client.subscribe({ type: 'l2Book', coin: 'BTC', ...wrong });
    assert.ok(client.closed, JSON.stringify(wrong));
    assert.deepEqual(client.controls, []);
  }
});

test('Hyperliquid dialect: mids are those of one dex, contexts of spot have a channel of their own', () => {
  const rig = new Rig();
  const client = new Client(rig);
  client.subscribe({ type: 'allMids' });
  client.subscribe({ type: 'activeAssetCtx', coin: 'BTC' });
  client.subscribe({ type: 'activeAssetCtx', coin: '@107' });
  rig.advance(1_500);
  const [mids] = client.of<{ mids: Record<string, string> }>('allMids');
  assert.ok('BTC' in mids!.mids && '@107' in mids!.mids && 'PURR/USDC' in mids!.mids);
  assert.ok(!('xyz:SP500' in mids!.mids));
  const dex = new Client(rig);
  dex.subscribe({ type: 'allMids', dex: 'xyz' });
  rig.advance(200);
  const [ofDex] = dex.of<{ mids: Record<string, string> }>('allMids');
  assert.deepEqual(Object.keys(ofDex!.mids), ['xyz:SP500']);
  assert.equal(client.of<{ coin: string }>('activeAssetCtx')[0]!.coin, 'BTC');
  const [spot] = client.of<{ coin: string; ctx: object }>('activeSpotAssetCtx');
  assert.equal(spot!.coin, '@107');
  assert.ok(!('funding' in spot!.ctx) && 'circulatingSupply' in spot!.ctx);
});

test('Hyperliquid dialect: a day of trades moves volume and notional together', () => {
  const rig = new Rig();
  const client = new Client(rig);
  client.subscribe({ type: 'activeAssetCtx', coin: 'BTC' });
  rig.advance(MINUTE_MS / 6);
  type Context = { ctx: { dayBaseVlm: string; dayNtlVlm: string; funding: string } };
  const contexts = client.of<Context>('activeAssetCtx');
  const [first, last] = [contexts[0]!.ctx, contexts.at(-1)!.ctx];
  const volume = Number(last.dayBaseVlm) - Number(first.dayBaseVlm);
  const notional = Number(last.dayNtlVlm) - Number(first.dayNtlVlm);
  assert.ok(volume > 0);
  assert.ok(notional / volume > 70_000 && notional / volume < 95_000, `${notional / volume}`);
  assert.ok(new Set(contexts.map(({ ctx }) => ctx.funding)).size > 1);
});
