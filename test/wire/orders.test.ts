import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as flatbuffers from 'flatbuffers';
import fc from '../support/reproducible.js';
import {
  Message,
  OrdersDelta,
  OrdersSnapshot,
  Trades,
} from '../../src/wire/generated/ringside/wire.js';
import { Timeline } from '../../src/time/timeline.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { HEAD_DOUBLES, HeadField } from '../../src/wire/head-fields.js';
import {
  BodyType,
  ORDER_CHANGE_FIELDS,
  ORDER_FIELDS,
  PARTIES_FIELDS,
} from '../../src/wire/message-layout.js';
import { OrdersEncoder } from '../../src/wire/orders-encode.js';
import { verifyMessage } from '../../src/wire/verifier.js';

const timeline = new Timeline(1_778_002_750_000_000_000n);
const encoder = new OrdersEncoder(timeline);
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const order = fc.tuple(
  fc.integer({ min: 0, max: 1 }),
  whole,
  whole,
  whole,
  whole,
  fc.nat({ max: 2 ** 13 - 1 }),
  ...Array.from({ length: 9 }, () => uint32),
);

function headOf(): Float64Array {
  const head = new Float64Array(HEAD_DOUBLES);
  head[HeadField.Epoch] = 1_778_002_750_000_123;
  head[HeadField.Sequence] = 77;
  head[HeadField.FirstSequence] = 77;
  head[HeadField.VenueSequence] = 985148182;
  head[HeadField.StreamId] = 4;
  head[HeadField.Flags] = 1;
  head[HeadField.State] = 1;
  return head;
}

function bodyOf<Body>(
  bytes: Uint8Array,
  body: Body & { __init(i: number, bb: flatbuffers.ByteBuffer): unknown },
): Body {
  const message = Message.getRootAsMessage(new flatbuffers.ByteBuffer(bytes));
  assert.ok(message.body(body as never));
  return body;
}

test('OrdersEncoder: a snapshot reads the same by the generated accessors and by the decoder', () => {
  fc.assert(
    fc.property(fc.array(order, { maxLength: 20 }), (orders) => {
      const fields = Float64Array.from(orders.flat());
      const name = new TextEncoder().encode('hyperliquid-node:BTC');
      const bytes = encoder.ordersSnapshotBytes(orders.length, name.length);
      const words = new Int32Array(bytes / 4);
      const written = encoder.writeOrdersSnapshot(
        words,
        0,
        headOf(),
        fields,
        0,
        orders.length,
        99,
        1,
        5,
        name,
      );
      assert.equal(written, bytes);
      const message = new Uint8Array(words.buffer);
      assert.equal(verifyMessage(message), null);
      const decoder = new MessageDecoder();
      assert.equal(decoder.decode(message, 0, bytes), BodyType.OrdersSnapshot);
      assert.deepEqual([...decoder.orders.subarray(0, fields.length)], [...fields]);
      assert.equal(decoder.ordersTotal, 99);
      assert.equal(decoder.priceDecimals, 1);
      assert.equal(decoder.sizeDecimals, 5);
      assert.equal(decoder.instrumentName(), 'hyperliquid-node:BTC');
      const body = bodyOf(message, new OrdersSnapshot());
      assert.equal(body.ordersLength(), orders.length);
      assert.equal(body.instrument(), 'hyperliquid-node:BTC');
      orders.forEach((expected, i) => {
        const got = body.orders(i)!;
        assert.equal(got.orderId(), BigInt(expected[3]));
        assert.equal(got.price(), BigInt(expected[1]));
        assert.equal(got.ownerHigh(), (BigInt(expected[6]!) << 32n) | BigInt(expected[7]!));
        assert.equal(got.ownerLow(), expected[10]);
        assert.equal(got.clientIdLow(), (BigInt(expected[13]!) << 32n) | BigInt(expected[14]!));
        assert.equal(got.side(), expected[0]);
      });
    }),
  );
});

test('OrdersEncoder: changes read the same by the generated accessors and by the decoder', () => {
  const change = fc.tuple(
    order,
    fc.integer({ min: 0, max: 2 }),
    fc.integer({ min: -1, max: 1e9 }),
    fc.nat(1e9),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const fields = Float64Array.from(changes.flat(2) as number[]);
      assert.equal(fields.length, changes.length * ORDER_CHANGE_FIELDS);
      const bytes = encoder.ordersDeltaBytes(changes.length);
      const words = new Int32Array(bytes / 4);
      assert.equal(encoder.writeOrdersDelta(words, 0, headOf(), fields, 0, changes.length), bytes);
      const message = new Uint8Array(words.buffer);
      assert.equal(verifyMessage(message), null);
      const decoder = new MessageDecoder();
      assert.equal(decoder.decode(message, 0, bytes), BodyType.OrdersDelta);
      assert.deepEqual([...decoder.orders.subarray(0, fields.length)], [...fields]);
      const body = bodyOf(message, new OrdersDelta());
      changes.forEach(([expected, kind, before, anchor], i) => {
        const got = body.changes(i)!;
        assert.equal(got.order()!.orderId(), BigInt(expected[3]));
        assert.equal(got.kind(), kind);
        assert.equal(got.sizeBefore(), BigInt(before));
        assert.equal(got.beforeOrderId(), BigInt(anchor));
      });
    }),
  );
});

test('OrdersEncoder: trades carry their parties, and trades without them stay as they were', () => {
  const trades = Float64Array.from([813080, 33, 316059956208702, 3_024_000_000, 0]);
  const parties = Float64Array.from({ length: PARTIES_FIELDS }, (_, i) => 0xdead0000 + i);
  const bytes = encoder.tradesWithPartiesBytes(1);
  const words = new Int32Array(bytes / 4);
  assert.equal(
    encoder.writeTradesWithParties(words, 0, headOf(), trades, 0, parties, 0, 1, 2, 3),
    bytes,
  );
  const message = new Uint8Array(words.buffer);
  assert.equal(verifyMessage(message), null);
  const decoder = new MessageDecoder();
  assert.equal(decoder.decode(message, 0, bytes), BodyType.Trades);
  assert.equal(decoder.hasParties, true);
  assert.deepEqual([...decoder.parties.subarray(0, PARTIES_FIELDS)], [...parties]);
  const body = bodyOf(message, new Trades());
  assert.equal(body.parties(0)!.sellerLow(), 0xdead0009);
  assert.equal(body.parties(0)!.hashD(), (0xdead0010n << 32n) | 0xdead0011n);
  const plain = new Int32Array(encoder.tradesBytes(1) / 4);
  encoder.writeTrades(plain, 0, headOf(), trades, 0, 1, 2, 3);
  assert.equal(decoder.decode(new Uint8Array(plain.buffer), 0, plain.byteLength), BodyType.Trades);
  assert.equal(decoder.hasParties, false);
  assert.equal(bodyOf(new Uint8Array(plain.buffer), new Trades()).partiesLength(), 0);
  assert.equal(ORDER_FIELDS, 15);
});
