/** The verifier, and mutation fuzz of verifier and decoder together with the generated readers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import * as flatbuffers from 'flatbuffers';
import { Prng } from '../../src/domain/prng.js';
import { DecodeError, MessageDecoder } from '../../src/wire/decode.js';
import { OrdersEncoder } from '../../src/wire/orders-encode.js';
import * as wire from '../../src/wire/generated/ringside/wire.js';
import { BODY_SHAPES, verifyMessage } from '../../src/wire/verifier.js';
import {
  ORDER_CHANGE_FIELDS,
  ORDER_FIELDS,
  PARTIES_FIELDS,
} from '../../src/wire/message-layout.js';
import {
  DEFINITION,
  sampleContext,
  sampleHead,
  sampleLevels,
  samplePositions,
  sampleTrades,
  timeline,
} from './sample-messages.js';

const encoder = new OrdersEncoder(timeline);
const decoder = new MessageDecoder();
const IDENTIFIER = new TextEncoder().encode('RSD1');
const NAME = new TextEncoder().encode('binance-futures:BTCUSDT');

function encoded(write: (words: Int32Array) => number): Uint8Array {
  const words = new Int32Array(4096);
  return new Uint8Array(words.buffer).slice(0, write(words));
}

/** The same bodies as `samples`, laid out by the generated Builder: other offsets, shared vtables. */
function built(type: wire.Body, body: (builder: flatbuffers.Builder) => number): Uint8Array {
  const builder = new flatbuffers.Builder(64);
  wire.Message.finishMessageBuffer(
    builder,
    wire.Message.createMessage(builder, type, body(builder)),
  );
  return builder.asUint8Array().slice();
}

const builtHead = (builder: flatbuffers.Builder): number =>
  wire.Head.createHead(builder, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10, 11, 12, 13, 1, 2);

/** 1, 2, 3, …: any whole numbers do for fields of orders and parties. */
const counting = (length: number): Float64Array => Float64Array.from({ length }, (_, i) => i + 1);

const samples = new Map<string, Uint8Array>([
  [
    'large snapshot',
    encoded((w) =>
      encoder.writeBookSnapshot(w, 0, sampleHead(), sampleLevels(150), 0, 70, 80, 0, 2, 3, NAME),
    ),
  ],
  ['delta', encoded((w) => encoder.writeBookDelta(w, 0, sampleHead(), sampleLevels(9), 0, 4, 5))],
  [
    'snapshot',
    encoded((w) =>
      encoder.writeBookSnapshot(w, 0, sampleHead(), sampleLevels(9), 0, 4, 5, 9, 2, 3, NAME),
    ),
  ],
  ['bbo', encoded((w) => encoder.writeBbo(w, 0, sampleHead(), 1, 2, 3, 4, 5, 6, 2, 3))],
  ['trades', encoded((w) => encoder.writeTrades(w, 0, sampleHead(), sampleTrades(3), 0, 3, 2, 3))],
  [
    'context',
    encoded((w) => encoder.writeContext(w, 0, sampleHead(), 0x7df, sampleContext(), 0, 7)),
  ],
  [
    'empty context',
    encoded((w) => encoder.writeContext(w, 0, sampleHead(), 0, sampleContext(), 0, -1)),
  ],
  ['status', encoded((w) => encoder.writeStatus(w, 0, sampleHead(), 7, DEFINITION))],
  ['heartbeat', encoded((w) => encoder.writeHeartbeat(w, 0, 7, samplePositions(3), 3))],
  [
    'trades with parties',
    encoded((w) =>
      encoder.writeTradesWithParties(
        w,
        0,
        sampleHead(),
        sampleTrades(3),
        0,
        counting(3 * PARTIES_FIELDS),
        0,
        3,
        2,
        3,
      ),
    ),
  ],
  [
    'orders snapshot',
    encoded((w) =>
      encoder.writeOrdersSnapshot(
        w,
        0,
        sampleHead(),
        counting(4 * ORDER_FIELDS),
        0,
        4,
        9,
        2,
        3,
        NAME,
      ),
    ),
  ],
  [
    'orders delta',
    encoded((w) =>
      encoder.writeOrdersDelta(w, 0, sampleHead(), counting(3 * ORDER_CHANGE_FIELDS), 0, 3),
    ),
  ],
  [
    'built status',
    built(wire.Body.Status, (builder) => {
      wire.Status.startStatus(builder);
      wire.Status.addSinceNs(builder, 5n);
      wire.Status.addHead(builder, builtHead(builder));
      return wire.Status.endStatus(builder);
    }),
  ],
  [
    'built trades',
    built(wire.Body.Trades, (builder) => {
      wire.Trades.startTradesVector(builder, 1);
      wire.Trade.createTrade(builder, 1n, 2n, 3n, 4n, 1);
      const trades = builder.endVector();
      wire.Trades.startTrades(builder);
      wire.Trades.addTrades(builder, trades);
      wire.Trades.addHead(builder, builtHead(builder));
      return wire.Trades.endTrades(builder);
    }),
  ],
]);

test('verifyMessage: accepts every message of the encoder and of the generated Builder', () => {
  for (const [name, bytes] of samples) {
    assert.equal(verifyMessage(bytes), null, name);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    assert.equal(verifyMessage(shifted.subarray(3)), null, `${name} at an odd address`);
  }
});

test('verifyMessage: every truncation is refused', () => {
  for (const [name, bytes] of samples) {
    // Only the padding behind a string, or behind a vtable at the end, belongs to nothing.
    const padding = name.endsWith('snapshot') ? 4 : name.endsWith('context') ? 2 : 0;
    for (let cut = 0; cut < bytes.length - padding; cut++) {
      assert.notEqual(verifyMessage(bytes.subarray(0, cut)), null, `${name} cut at ${cut}`);
    }
  }
});

test('verifyMessage: each rule has an input that only it refuses', () => {
  const cases: [string, string, (view: DataView) => void][] = [
    ['delta', 'file identifier', (v) => v.setUint8(4, 0)],
    ['delta', 'Message is outside', (v) => v.setUint32(0, 0xffff_fff0, true)],
    ['delta', 'Message is outside of the message or misaligned', (v) => v.setUint32(0, 18, true)],
    ['delta', 'vtable of Message is outside', (v) => v.setInt32(16, -70000, true)],
    [
      'delta',
      'vtable of Message is outside of the message or misaligned',
      (v) => v.setInt32(16, 7, true),
    ],
    ['delta', 'vtable of Message has an impossible', (v) => v.setUint16(8, 7, true)],
    ['delta', 'vtable of Message has an impossible', (v) => v.setUint16(8, 0xfffe, true)],
    ['delta', 'Message has an impossible', (v) => v.setUint16(10, 0xffff, true)],
    ['delta', 'body is required', (v) => v.setUint16(14, 0, true)],
    ['delta', 'no type', (v) => v.setUint16(12, 0, true)],
    ['delta', 'type NONE', (v) => v.setUint8(24, 0)],
    ['delta', 'body leads outside', (v) => v.setUint32(20, 0xffff_ff00, true)],
    ['delta', 'BookDelta.head is required', (v) => v.setUint16(30, 0, true)],
    ['delta', 'BookDelta.head is outside', (v) => v.setUint16(30, 16, true)],
    ['delta', 'BookDelta.bids leads', (v) => v.setUint32(40, 0, true)],
    ['delta', 'BookDelta.bids is longer', (v) => v.setUint32(140, 0x1000_0001, true)],
    [
      'delta',
      'BookDelta.bids has misaligned',
      (v) => {
        v.setUint32(40, 96, true);
        v.setUint32(136, 1, true);
      },
    ],
    ['snapshot', 'instrument does not end with NUL', (v) => v.setUint8(v.byteLength - 5, 65)],
    ['context', 'vtable of Context is outside', (v) => v.setInt32(44, -400, true)],
    ['context', 'Context.premium is outside', (v) => v.setUint16(408 + 4 + 2 * 6, 350, true)],
    ['trades with parties', 'Trades.parties has another length', (v) => v.setUint32(276, 2, true)],
    [
      'large snapshot',
      'exceeds the budget',
      (v) => {
        // Bids, asks and name all over the same bytes.
        const count = (v.byteLength - 160) / 16 - 1;
        v.setUint32(156, Math.floor(count), true);
        v.setUint32(140, 156 - 140, true);
        v.setUint32(148, 152 - 148, true);
        v.setUint32(152, v.byteLength - 152 - 5, true);
      },
    ],
  ];
  for (const [sample, message, spoil] of cases) {
    const bytes = samples.get(sample)!.slice();
    spoil(new DataView(bytes.buffer));
    assert.match(String(verifyMessage(bytes)), new RegExp(message.replace('.', '\\.')));
    assert.ok(
      decoder.decode(bytes, 0, bytes.length) < 0 || /misaligned|budget/.test(message),
      message,
    );
  }
});

test('verifyMessage: its shape of the schema is that of schemas/market-data.fbs', () => {
  const schema = readFileSync(
    join(import.meta.dirname, '..', '..', '..', 'schemas', 'market-data.fbs'),
    'utf8',
  );
  const members = /union Body \{([^}]*)\}/
    .exec(schema)![1]!
    .split(',')
    .map((name) => name.trim());
  assert.deepEqual(
    members,
    BODY_SHAPES.slice(1).map((shape) => shape!.name),
  );
  for (const shape of BODY_SHAPES.slice(1)) {
    const text = new RegExp(`table ${shape!.name} \\{([^}]*)\\}`).exec(schema)![1]!;
    const fields = [...text.matchAll(/^\s*(\w+):(\[?)(\w+)\]?\s*(?:= \d+)?(\(required\))?;/gm)];
    assert.deepEqual(
      fields.map(([, name, bracket, type, required]) => [
        name,
        type === 'string' ? 'string' : bracket === '[' ? 'vector' : 'inline',
        required !== undefined,
      ]),
      shape!.fields.map((field) => [field.name, field.kind, field.required === true]),
    );
  }
});

/** Reads every field of every element, as a trusting program would. */
function readAll(bytes: Uint8Array): void {
  const message = wire.Message.getRootAsMessage(new flatbuffers.ByteBuffer(bytes));
  switch (message.bodyType()) {
    case wire.Body.BookDelta:
    case wire.Body.BookSnapshot: {
      const snapshot = message.bodyType() === wire.Body.BookSnapshot;
      const body = message.body(
        snapshot ? new wire.BookSnapshot() : new wire.BookDelta(),
      ) as wire.BookSnapshot;
      body.head()!.reason();
      for (let i = 0; i < body.bidsLength(); i++) body.bids(i)!.size();
      for (let i = 0; i < body.asksLength(); i++) body.asks(i)!.size();
      if (snapshot)
        [body.depth(), body.priceExponent(), body.sizeExponent(), body.instrument()].join();
      break;
    }
    case wire.Body.Trades: {
      const body = message.body(new wire.Trades()) as wire.Trades;
      for (let i = 0; i < body.tradesLength(); i++) body.trades(i)!.aggressor();
      for (let i = 0; i < body.partiesLength(); i++) body.parties(i)!.sellerLow();
      break;
    }
    case wire.Body.Heartbeat: {
      const body = message.body(new wire.Heartbeat()) as wire.Heartbeat;
      for (let i = 0; i < body.streamsLength(); i++) body.streams(i)!.instrumentId();
      break;
    }
    case wire.Body.Bbo: {
      const body = message.body(new wire.Bbo()) as wire.Bbo;
      [body.head()!.reason(), body.bid()!.size(), body.ask()!.size(), body.askOrders()].join();
      break;
    }
    case wire.Body.Status: {
      const body = message.body(new wire.Status()) as wire.Status;
      [body.head()!.reason(), body.sinceNs()].join();
      break;
    }
    case wire.Body.Context: {
      const body = message.body(new wire.Context()) as wire.Context;
      [body.head()!.reason(), body.markPrice()?.places(), body.dayNotional()?.fraction()].join();
      [body.premium()?.whole(), body.nextFundingNs()].join();
      break;
    }
    case wire.Body.OrdersSnapshot: {
      const body = message.body(new wire.OrdersSnapshot()) as wire.OrdersSnapshot;
      for (let i = 0; i < body.ordersLength(); i++) body.orders(i)!.side();
      [body.head()!.reason(), body.orderCount(), body.instrument()].join();
      break;
    }
    case wire.Body.OrdersDelta: {
      const body = message.body(new wire.OrdersDelta()) as wire.OrdersDelta;
      for (let i = 0; i < body.changesLength(); i++) body.changes(i)!.kind();
      break;
    }
    case wire.Body.NONE:
    default:
  }
}

/** Interesting values for an offset, a count or a length. */
const EDGES = [
  0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffc,
  0xffffffff,
];

function mutate(bytes: Uint8Array, prng: Prng): void {
  const view = new DataView(bytes.buffer);
  const times = 1 + prng.nextInt(4);
  for (let i = 0; i < times; i++) {
    // The structure stands mostly in the first bytes.
    const reach = prng.chance(0.7) ? Math.min(64, bytes.length) : bytes.length;
    const at = prng.nextInt(reach);
    switch (prng.nextInt(4)) {
      case 0:
        bytes[at] = bytes[at]! ^ (1 << prng.nextInt(8));
        break;
      case 1:
        bytes[at] = prng.nextInt(256);
        break;
      case 2:
        if (at + 4 <= bytes.length)
          view.setUint32(at & ~3, EDGES[prng.nextInt(EDGES.length)]!, true);
        break;
      default:
        if (at + 2 <= bytes.length) view.setUint16(at & ~1, prng.nextInt(bytes.length + 8), true);
    }
  }
}

const ACCEPTABLE: readonly number[] = [DecodeError.Precision, DecodeError.UnknownBody];

test('Fuzz: mutated messages never make decoder or verifier throw, and what is verified is readable', () => {
  const seed = Number(process.env['RINGSIDE_SEED'] ?? 20260101);
  const rounds = Number(process.env['RINGSIDE_FUZZ_ROUNDS'] ?? 60_000);
  const prng = new Prng(seed);
  const originals = [...samples.values()];
  let verified = 0;
  for (let round = 0; round < rounds; round++) {
    let bytes = originals[prng.nextInt(originals.length)]!.slice();
    mutate(bytes, prng);
    if (prng.chance(0.2)) bytes = bytes.slice(0, prng.nextInt(bytes.length + 1));
    const hint = `seed ${seed}, round ${round}: ${Buffer.from(bytes).toString('hex')}`;
    try {
      const problem = verifyMessage(bytes);
      const type = decoder.decode(bytes, 0, bytes.length);
      if (problem !== null) continue;
      verified++;
      assert.ok(type > 0 || ACCEPTABLE.includes(type), `verified, but decode says ${type}`);
      readAll(bytes);
    } catch (error) {
      throw new Error(hint, { cause: error });
    }
  }
  assert.ok(
    verified > rounds / 20 && verified < rounds * 0.95,
    `${verified} of ${rounds} verified`,
  );
});

test('Fuzz: bytes that are no message at all are refused without a throw', () => {
  const prng = new Prng(5);
  for (let round = 0; round < 5_000; round++) {
    const bytes = Uint8Array.from({ length: prng.nextInt(300) }, () => prng.nextInt(256));
    if (bytes.length >= 8 && prng.chance(0.5)) bytes.set(IDENTIFIER, 4);
    assert.notEqual(verifyMessage(bytes), undefined);
    assert.ok(Number.isInteger(decoder.decode(bytes, 0, bytes.length)));
  }
});
