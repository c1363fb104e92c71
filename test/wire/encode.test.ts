/** The encoder against the readers that flatc generates: every field, every message type. */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as flatbuffers from 'flatbuffers';
import { HeadField } from '../../src/wire/head-fields.js';
import { MessageEncoder } from '../../src/wire/encode.js';
import * as wire from '../../src/wire/generated/ringside/wire.js';
import {
  DEFINITION,
  ORIGIN_UNIX_NS,
  sampleContext,
  sampleHead,
  sampleLevels,
  samplePositions,
  sampleTrades,
  timeline,
} from './sample-messages.js';

const encoder = new MessageEncoder(timeline);
const AT = 6;
const GUARD = 0x5a5a5a5a;

/** Runs `write` into a dirty buffer and checks that exactly the announced bytes were touched. */
function written(bytesAnnounced: number, write: (words: Int32Array) => number): Uint8Array {
  const words = new Int32Array(AT + bytesAnnounced / 4 + 4).fill(GUARD);
  const bytes = write(words);
  assert.equal(bytes, bytesAnnounced);
  assert.equal(bytes % 8, 0);
  assert.ok(
    words.subarray(0, AT).every((word) => word === GUARD),
    'nothing before it is touched',
  );
  assert.ok(
    words.subarray(AT + bytes / 4).every((word) => word === GUARD),
    'nothing behind it',
  );
  return new Uint8Array(words.buffer).slice(AT * 4, AT * 4 + bytes);
}

function messageOf(bytes: Uint8Array, type: wire.Body): wire.Message {
  const buffer = new flatbuffers.ByteBuffer(bytes);
  assert.ok(wire.Message.bufferHasIdentifier(buffer));
  const message = wire.Message.getRootAsMessage(buffer);
  assert.equal(message.bodyType(), type);
  return message;
}

const unixNs = (timelineNs: number): bigint =>
  timelineNs === -1 ? 0n : ORIGIN_UNIX_NS + BigInt(timelineNs);

function assertHead(actual: wire.Head | null, head: Float64Array): void {
  assert.ok(actual);
  assert.equal(actual.epoch(), BigInt(head[HeadField.Epoch]!));
  assert.equal(actual.sequence(), BigInt(head[HeadField.Sequence]!));
  assert.equal(actual.firstSequence(), BigInt(head[HeadField.FirstSequence]!));
  assert.equal(actual.venueSequence(), BigInt(Math.max(0, head[HeadField.VenueSequence]!)));
  const hash =
    (BigInt(head[HeadField.HashHigh]! >>> 0) << 32n) | BigInt(head[HeadField.HashLow]! >>> 0);
  assert.equal(actual.hash(), hash);
  assert.equal(actual.exchangeNs(), unixNs(head[HeadField.ExchangeNs]!));
  assert.equal(actual.receivedNs(), unixNs(head[HeadField.ReceivedNs]!));
  assert.equal(actual.appliedNs(), unixNs(head[HeadField.AppliedNs]!));
  assert.equal(actual.publishedNs(), unixNs(head[HeadField.PublishedNs]!));
  assert.equal(actual.streamId(), head[HeadField.StreamId]);
  assert.equal(actual.instrumentId(), head[HeadField.InstrumentId]);
  assert.equal(actual.folded(), head[HeadField.Folded]);
  assert.equal(actual.flags(), head[HeadField.Flags]);
  assert.equal(actual.state(), head[HeadField.State]);
  assert.equal(actual.reason(), head[HeadField.Reason]);
}

function assertSides(
  body: wire.BookDelta | wire.BookSnapshot,
  levels: Float64Array,
  bids: number,
  asks: number,
): void {
  assert.equal(body.bidsLength(), bids);
  assert.equal(body.asksLength(), asks);
  for (let i = 0; i < bids + asks; i++) {
    const level = i < bids ? body.bids(i) : body.asks(i - bids);
    assert.equal(level?.price(), BigInt(levels[i * 2]!));
    assert.equal(level?.size(), BigInt(levels[i * 2 + 1]!));
  }
}

for (const [bids, asks] of [
  [0, 0],
  [1, 0],
  [0, 1],
  [3, 2],
  [20, 20],
  [500, 700],
] as const) {
  test(`MessageEncoder: a delta of ${bids} bids and ${asks} asks reads back through generated code`, () => {
    const head = sampleHead();
    const levels = sampleLevels(bids + asks + 3);
    const bytes = written(encoder.bookDeltaBytes(bids, asks), (words) =>
      encoder.writeBookDelta(words, AT, head, levels, 6, bids, asks),
    );
    const body = messageOf(bytes, wire.Body.BookDelta).body(new wire.BookDelta()) as wire.BookDelta;
    assertHead(body.head(), head);
    assertSides(body, levels.subarray(6), bids, asks);
  });

  test(`MessageEncoder: a snapshot of ${bids} bids and ${asks} asks reads back through generated code`, () => {
    const head = sampleHead();
    const levels = sampleLevels(bids + asks);
    const name = new TextEncoder().encode('binance-futures:BTCUSDT'.slice(0, 16 + (bids % 8)));
    const bytes = written(encoder.bookSnapshotBytes(bids, asks, name.length), (words) =>
      encoder.writeBookSnapshot(words, AT, head, levels, 0, bids, asks, 1000, 2, 8, name),
    );
    const body = messageOf(bytes, wire.Body.BookSnapshot).body(
      new wire.BookSnapshot(),
    ) as wire.BookSnapshot;
    assertHead(body.head(), head);
    assertSides(body, levels, bids, asks);
    assert.equal(body.depth(), 1000);
    assert.equal(body.priceExponent(), -2);
    assert.equal(body.sizeExponent(), -8);
    assert.equal(body.instrument(), new TextDecoder().decode(name));
  });
}

test('MessageEncoder: names of every length modulo 8 stay whole and NUL-terminated', () => {
  for (let length = 0; length <= 17; length++) {
    const name = new TextEncoder().encode('kraken:BTC/USDxyz'.slice(0, length));
    const bytes = written(encoder.bookSnapshotBytes(1, 1, length), (words) =>
      encoder.writeBookSnapshot(words, AT, sampleHead(), sampleLevels(2), 0, 1, 1, 0, 0, 0, name),
    );
    const body = messageOf(bytes, wire.Body.BookSnapshot).body(
      new wire.BookSnapshot(),
    ) as wire.BookSnapshot;
    assert.equal(body.instrument(), new TextDecoder().decode(name));
  }
});

test('MessageEncoder: a negative price (a spread) keeps its sign', () => {
  const levels = Float64Array.from([-1, 5, -4294967296, 6, -4294967297, 7, -(2 ** 53 - 1), 8]);
  const bytes = written(encoder.bookDeltaBytes(2, 2), (words) =>
    encoder.writeBookDelta(words, AT, sampleHead(), levels, 0, 2, 2),
  );
  const body = messageOf(bytes, wire.Body.BookDelta).body(new wire.BookDelta()) as wire.BookDelta;
  assertSides(body, levels, 2, 2);
});

test('MessageEncoder: a BBO reads back through generated code', () => {
  const head = sampleHead();
  head[HeadField.VenueSequence] = -1;
  head[HeadField.ExchangeNs] = -1;
  const bytes = written(encoder.bboBytes, (words) =>
    encoder.writeBbo(words, AT, head, 6165970, 1486, 6165980, 2 ** 52, 4, 0xffffffff, 2, 3),
  );
  const body = messageOf(bytes, wire.Body.Bbo).body(new wire.Bbo()) as wire.Bbo;
  assertHead(body.head(), head);
  assert.deepEqual(
    [body.bid()?.price(), body.bid()?.size(), body.ask()?.price(), body.ask()?.size()],
    [6165970n, 1486n, 6165980n, 2n ** 52n],
  );
  assert.deepEqual([body.bidOrders(), body.askOrders()], [4, 0xffffffff]);
});

test('MessageEncoder: trades read back through generated code', () => {
  const trades = sampleTrades(9);
  const bytes = written(encoder.tradesBytes(7), (words) =>
    encoder.writeTrades(words, AT, sampleHead(), trades, 10, 7, 2, 3),
  );
  const body = messageOf(bytes, wire.Body.Trades).body(new wire.Trades()) as wire.Trades;
  assertHead(body.head(), sampleHead());
  assert.equal(body.tradesLength(), 7);
  for (let i = 0; i < 7; i++) {
    const at = 10 + i * 5;
    const trade = body.trades(i);
    assert.equal(trade?.price(), BigInt(trades[at]!));
    assert.equal(trade?.size(), BigInt(trades[at + 1]!));
    assert.equal(trade?.tradeId(), BigInt(trades[at + 2]!));
    assert.equal(trade?.exchangeNs(), unixNs(trades[at + 3]!));
    assert.equal(trade?.aggressor(), trades[at + 4]);
  }
});

test('MessageEncoder: a status reads back through generated code', () => {
  const bytes = written(encoder.statusBytes, (words) =>
    encoder.writeStatus(words, AT, sampleHead(), 123_456_789, DEFINITION),
  );
  const body = messageOf(bytes, wire.Body.Status).body(new wire.Status()) as wire.Status;
  assertHead(body.head(), sampleHead());
  assert.equal(body.sinceNs(), unixNs(123_456_789));
});

test('MessageEncoder: a context reads back through generated code, with any of its values absent', () => {
  const values = sampleContext();
  const masks = [0, 0x7ff, ...Array.from({ length: 11 }, (_, i) => 1 << i), 0x555, 0x2aa];
  for (const present of masks) {
    const nextFundingNs = present === 0 ? -1 : 77_000_000_000;
    const bytes = written(encoder.contextBytes, (words) =>
      encoder.writeContext(words, AT, sampleHead(), present, values, 0, nextFundingNs),
    );
    const body = messageOf(bytes, wire.Body.Context).body(new wire.Context()) as wire.Context;
    assertHead(body.head(), sampleHead());
    const told = [
      body.markPrice(),
      body.indexPrice(),
      body.midPrice(),
      body.previousDayPrice(),
      body.fundingRate(),
      body.premium(),
      body.impactBidPrice(),
      body.impactAskPrice(),
      body.openInterest(),
      body.dayVolume(),
      body.dayNotional(),
    ];
    told.forEach((value, i) => {
      if ((present & (1 << i)) === 0) return assert.equal(value, null);
      const [whole, fraction, places] = values.subarray(i * 3, i * 3 + 3);
      assert.deepEqual(
        [value!.whole(), value!.fraction(), value!.places()],
        [BigInt(whole!), BigInt(fraction!), places],
      );
    });
    assert.equal(body.nextFundingNs(), unixNs(nextFundingNs));
  }
});

test('MessageEncoder: a heartbeat reads back through generated code', () => {
  const positions = samplePositions(5);
  for (const count of [0, 1, 5]) {
    const bytes = written(encoder.heartbeatBytes(count), (words) =>
      encoder.writeHeartbeat(words, AT, 55, positions, count),
    );
    const body = messageOf(bytes, wire.Body.Heartbeat).body(new wire.Heartbeat()) as wire.Heartbeat;
    assert.equal(body.publishedNs(), unixNs(55));
    assert.equal(body.streamsLength(), count);
    for (let i = 0; i < count; i++) {
      const position = body.streams(i);
      assert.equal(position?.epoch(), BigInt(positions[i * 4]!));
      assert.equal(position?.nextSequence(), BigInt(positions[i * 4 + 1]!));
      assert.equal(position?.streamId(), positions[i * 4 + 2]);
      assert.equal(position?.instrumentId(), positions[i * 4 + 3]);
    }
  }
});

test('MessageEncoder: patchPublishedNs changes that field and no other byte', () => {
  const words = new Int32Array(512);
  const levels = sampleLevels(4);
  const name = new TextEncoder().encode('a:B');
  const writers: ((head: Float64Array) => number)[] = [
    (head) => encoder.writeBookDelta(words, 0, head, levels, 0, 2, 2),
    (head) => encoder.writeBookSnapshot(words, 0, head, levels, 0, 2, 2, 0, 1, 1, name),
    (head) => encoder.writeBbo(words, 0, head, 1, 2, 3, 4, 5, 6, 2, 3),
    (head) => encoder.writeTrades(words, 0, head, sampleTrades(2), 0, 2, 2, 3),
    (head) => encoder.writeStatus(words, 0, head, 1, DEFINITION),
    (head) => encoder.writeContext(words, 0, head, 0x5a5, sampleContext(), 0, 1),
  ];
  for (const write of writers) {
    const head = sampleHead();
    const bytes = write(head);
    encoder.patchPublishedNs(words, 0, 9_000_000_001);
    const patched = words.slice(0, bytes / 4);
    head[HeadField.PublishedNs] = 9_000_000_001;
    write(head);
    assert.deepEqual(patched, words.slice(0, bytes / 4));
  }
});
