/** The decoder: inverse of the encoder, and reader of any other legal layout. */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as flatbuffers from 'flatbuffers';
import { DEFINITION_DOUBLES, writeDefinition } from '../../src/domain/definition.js';
import { DecodeError, MessageDecoder } from '../../src/wire/decode.js';
import { MessageEncoder } from '../../src/wire/encode.js';
import { HEAD_DOUBLES, HeadField } from '../../src/wire/head-fields.js';
import { BodyType, DECIMALS_UNTOLD } from '../../src/wire/message-layout.js';
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
const decoder = new MessageDecoder();
const words = new Int32Array(1 << 16);
const bytes = new Uint8Array(words.buffer);
const NAME = new TextEncoder().encode('binance-futures:BTCUSDT');

const TIMES = [
  HeadField.ExchangeNs,
  HeadField.ReceivedNs,
  HeadField.AppliedNs,
  HeadField.PublishedNs,
];

function assertHeadEquals(head: Float64Array): void {
  const exact = [
    decoder.exchangeUnixNs(),
    decoder.receivedUnixNs(),
    decoder.appliedUnixNs(),
    decoder.publishedUnixNs(),
  ];
  for (let i = 0; i < HEAD_DOUBLES; i++) {
    const time = TIMES.findIndex((field) => field === i);
    if (time < 0) {
      assert.equal(decoder.head[i], head[i], `head field ${i}`);
    } else {
      const unixNs = ORIGIN_UNIX_NS + BigInt(head[i]!);
      assert.equal(exact[time], unixNs);
      assert.equal(decoder.head[i], Number(unixNs));
    }
  }
}

test('MessageDecoder: a delta of the encoder comes back, at any byte offset', () => {
  const head = sampleHead();
  const levels = sampleLevels(150);
  for (const [bids, asks] of [
    [0, 0],
    [1, 2],
    [70, 80],
  ] as const) {
    const length = encoder.writeBookDelta(words, 0, head, levels, 0, bids, asks);
    for (const shift of [0, 1, 3, 8]) {
      const moved = new Uint8Array(length + shift + 5);
      moved.set(bytes.subarray(0, length), shift);
      assert.equal(decoder.decode(moved, shift, length), BodyType.BookDelta);
      assertHeadEquals(head);
      assert.equal(decoder.bidsCount, bids);
      assert.equal(decoder.asksCount, asks);
      assert.deepEqual(
        decoder.levels.slice(0, (bids + asks) * 2),
        levels.slice(0, (bids + asks) * 2),
      );
    }
    assert.equal(decoder.decodeWords(words, 0, length), BodyType.BookDelta);
  }
});

test('MessageDecoder: snapshot, BBO, trades, status and heartbeat of the encoder come back', () => {
  const head = sampleHead();
  const levels = sampleLevels(10);
  let length = encoder.writeBookSnapshot(words, 0, head, levels, 0, 4, 6, 20, 2, 3, NAME);
  assert.equal(decoder.decode(bytes, 0, length), BodyType.BookSnapshot);
  assertHeadEquals(head);
  assert.deepEqual([decoder.depth, decoder.priceDecimals, decoder.sizeDecimals], [20, 2, 3]);
  assert.equal(decoder.instrumentName(), 'binance-futures:BTCUSDT');
  assert.deepEqual(decoder.levels.slice(0, 20), levels);

  length = encoder.writeBbo(words, 0, head, 1, -2, 3, 2 ** 53 - 1, 5, 6, 2, 3);
  assert.equal(decoder.decode(bytes, 0, length), BodyType.Bbo);
  assertHeadEquals(head);
  assert.deepEqual([...decoder.bbo], [1, -2, 3, 2 ** 53 - 1, 5, 6]);

  const trades = sampleTrades(40);
  length = encoder.writeTrades(words, 0, head, trades, 0, 40, 2, 3);
  assert.equal(decoder.decode(bytes, 0, length), BodyType.Trades);
  assertHeadEquals(head);
  assert.equal(decoder.tradesCount, 40);
  for (let i = 0; i < 40; i++) {
    for (const field of [0, 1, 2, 4]) {
      assert.equal(decoder.trades[i * 5 + field], trades[i * 5 + field]);
    }
    const timelineNs = trades[i * 5 + 3]!;
    const unixNs = timelineNs === -1 ? 0n : ORIGIN_UNIX_NS + BigInt(timelineNs);
    assert.equal(decoder.tradeExchangeUnixNs(i), unixNs);
    assert.equal(decoder.trades[i * 5 + 3], Number(unixNs));
  }

  length = encoder.writeStatus(words, 0, head, 5_000_000_000, DEFINITION);
  assert.equal(decoder.decode(bytes, 0, length), BodyType.Status);
  assertHeadEquals(head);
  assert.equal(decoder.sinceUnixNs(), ORIGIN_UNIX_NS + 5_000_000_000n);

  const positions = samplePositions(33);
  length = encoder.writeHeartbeat(words, 0, 77, positions, 33);
  assert.equal(decoder.decode(bytes, 0, length), BodyType.Heartbeat);
  assert.equal(decoder.publishedUnixNs(), ORIGIN_UNIX_NS + 77n);
  assert.equal(decoder.positionsCount, 33);
  assert.deepEqual(decoder.positions.slice(0, 33 * 4), positions);
});

test('MessageDecoder: a context of the encoder comes back, and nothing of one before it', () => {
  const head = sampleHead();
  const values = sampleContext();
  for (const present of [0x7ff, 0, 0x401, 0x3fe]) {
    const length = encoder.writeContext(words, 0, head, present, values, 0, present === 0 ? -1 : 9);
    assert.equal(decoder.decode(bytes, 0, length), BodyType.Context);
    assertHeadEquals(head);
    assert.equal(decoder.contextPresent, present);
    assert.equal(decoder.nextFundingUnixNs(), present === 0 ? 0n : ORIGIN_UNIX_NS + 9n);
    for (let i = 0; i < 11; i++) {
      const isPresent = (present & (1 << i)) !== 0;
      const expected = isPresent ? values.slice(i * 3, i * 3 + 3) : new Float64Array(3);
      assert.deepEqual(decoder.context.slice(i * 3, i * 3 + 3), expected);
    }
  }
});

test('MessageDecoder: a context laid out by the generated Builder is read; one beyond 2^53 is not', () => {
  const built = (whole: bigint, places: number): Uint8Array => {
    const builder = new flatbuffers.Builder(64);
    wire.Context.startContext(builder);
    wire.Context.addHead(
      builder,
      wire.Head.createHead(builder, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10, 11, 12, 13, 1, 2),
    );
    wire.Context.addFundingRate(builder, wire.Decimal.createDecimal(builder, whole, -5n, places));
    const context = wire.Context.endContext(builder);
    wire.Message.finishMessageBuffer(
      builder,
      wire.Message.createMessage(builder, wire.Body.Context, context),
    );
    return builder.asUint8Array().slice();
  };
  const message = built(-3n, 2);
  assert.equal(decoder.decode(message, 0, message.length), BodyType.Context);
  assert.equal(decoder.contextPresent, 1 << 4);
  assert.deepEqual([...decoder.context.subarray(12, 15)], [-3, -5, 2]);
  assert.equal(decoder.nextFundingUnixNs(), 0n);
  for (const beyond of [built(2n ** 53n, 2), built(1n, 16)]) {
    assert.equal(decoder.decode(beyond, 0, beyond.length), DecodeError.Precision);
  }
});

test('MessageDecoder: a message laid out by the generated Builder is read as well', () => {
  const builder = new flatbuffers.Builder(64);
  const name = builder.createString('kraken:BTC/USD');
  wire.BookSnapshot.startAsksVector(builder, 1);
  wire.Level.createLevel(builder, 6n, -7n);
  const asks = builder.endVector();
  wire.BookSnapshot.startBidsVector(builder, 2);
  wire.Level.createLevel(builder, 3n, 4n);
  wire.Level.createLevel(builder, 1n, 2n ** 53n - 1n);
  const bids = builder.endVector();
  wire.BookSnapshot.startBookSnapshot(builder);
  wire.BookSnapshot.addInstrument(builder, name);
  wire.BookSnapshot.addBids(builder, bids);
  wire.BookSnapshot.addPriceExponent(builder, -1);
  wire.BookSnapshot.addAsks(builder, asks);
  wire.BookSnapshot.addHead(
    builder,
    wire.Head.createHead(builder, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10, 11, 12, 13, 1, 2),
  );
  const body = wire.BookSnapshot.endBookSnapshot(builder);
  wire.Message.finishMessageBuffer(
    builder,
    wire.Message.createMessage(builder, wire.Body.BookSnapshot, body),
  );
  const built = builder.asUint8Array();
  assert.equal(decoder.decode(built, 0, built.length), BodyType.BookSnapshot);
  assert.deepEqual([...decoder.head], [1, 2, 3, 4, 5, 0, 6, 7, 8, 9, 10, 11, 12, 13, 1, 2]);
  assert.deepEqual([decoder.bidsCount, decoder.asksCount], [2, 1]);
  assert.deepEqual(Array.from(decoder.levels.slice(0, 6)), [1, 2 ** 53 - 1, 3, 4, 6, -7]);
  assert.deepEqual([decoder.priceDecimals, decoder.sizeDecimals, decoder.depth], [1, 0, 0]);
  assert.equal(decoder.instrumentName(), 'kraken:BTC/USD');
});

test('MessageDecoder: a BBO and trades tell their scale, a status what the venue says', () => {
  const bbo = encoder.writeBbo(words, 0, sampleHead(), 1, 2, 3, 4, 5, 6, 18, 0);
  assert.equal(decoder.decode(bytes, 0, bbo), BodyType.Bbo);
  assert.deepEqual([decoder.priceDecimals, decoder.sizeDecimals], [18, 0]);
  const trades = encoder.writeTrades(words, 0, sampleHead(), sampleTrades(2), 0, 2, 4, 7);
  assert.equal(decoder.decode(bytes, 0, trades), BodyType.Trades);
  assert.deepEqual([decoder.priceDecimals, decoder.sizeDecimals], [4, 7]);
  const status = encoder.writeStatus(words, 0, sampleHead(), 5, DEFINITION);
  assert.equal(decoder.decode(bytes, 0, status), BodyType.Status);
  assert.ok(decoder.hasDefinition);
  const target = new Float64Array(DEFINITION_DOUBLES);
  writeDefinition(DEFINITION, target, 0);
  assert.deepEqual(decoder.definition, target);
});

function decodeBuilt(builder: flatbuffers.Builder): number {
  const built = builder.asUint8Array();
  return decoder.decode(built, 0, built.length);
}

test('MessageDecoder: a message of an older node tells neither scale nor definition', () => {
  const head = (): number =>
    wire.Head.createHead(builder, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10, 11, 12, 13, 1, 2);
  const builder = new flatbuffers.Builder(256);
  wire.Bbo.startBbo(builder);
  wire.Bbo.addHead(builder, head());
  wire.Bbo.addBid(builder, wire.Level.createLevel(builder, 1n, 2n));
  wire.Bbo.addAsk(builder, wire.Level.createLevel(builder, 3n, 4n));
  const bbo = wire.Bbo.endBbo(builder);
  wire.Message.finishMessageBuffer(
    builder,
    wire.Message.createMessage(builder, wire.Body.Bbo, bbo),
  );
  assert.equal(decodeBuilt(builder), BodyType.Bbo);
  assert.deepEqual(
    [decoder.priceDecimals, decoder.sizeDecimals],
    [DECIMALS_UNTOLD, DECIMALS_UNTOLD],
  );
  builder.clear();
  wire.Status.startStatus(builder);
  wire.Status.addHead(builder, head());
  const status = wire.Status.endStatus(builder);
  wire.Message.finishMessageBuffer(
    builder,
    wire.Message.createMessage(builder, wire.Body.Status, status),
  );
  assert.equal(decodeBuilt(builder), BodyType.Status);
  assert.ok(!decoder.hasDefinition);
});

test('MessageDecoder: every truncation of every message is refused', () => {
  const lengths = [
    encoder.writeBookDelta(words, 0, sampleHead(), sampleLevels(6), 0, 3, 3),
    encoder.writeBookSnapshot(words, 1024, sampleHead(), sampleLevels(6), 0, 3, 3, 5, 2, 3, NAME),
    encoder.writeBbo(words, 2048, sampleHead(), 1, 2, 3, 4, 5, 6, 2, 3),
    encoder.writeTrades(words, 3072, sampleHead(), sampleTrades(2), 0, 2, 2, 3),
    encoder.writeStatus(words, 4096, sampleHead(), 5, DEFINITION),
    encoder.writeHeartbeat(words, 5120, 5, samplePositions(2), 2),
  ];
  lengths.forEach((length, index) => {
    const padding = index === 1 ? 4 : 0;
    for (let cut = 0; cut < length - padding; cut++) {
      assert.ok(decoder.decode(bytes, index * 4096, cut) < 0, `message ${index} cut at ${cut}`);
    }
    assert.ok(decoder.decode(bytes, index * 4096, length) > 0);
  });
});

test('MessageDecoder: a number that a double cannot hold is refused, not rounded', () => {
  const length = encoder.writeBookDelta(words, 0, sampleHead(), sampleLevels(2), 0, 1, 1);
  for (const [word, high] of [
    [36 + 1, 0x200000],
    [36 + 3, -0x200001],
    [13, 0x200000],
  ] as const) {
    const kept = words[word]!;
    words[word] = high;
    assert.equal(decoder.decode(bytes, 0, length), DecodeError.Precision);
    words[word] = kept;
  }
  assert.equal(decoder.decode(bytes, 0, length), BodyType.BookDelta);
});

test('MessageDecoder: a foreign identifier and an unknown body each have their code', () => {
  const length = encoder.writeStatus(words, 0, sampleHead(), 5, DEFINITION);
  bytes[4] = 0x58;
  assert.equal(decoder.decode(bytes, 0, length), DecodeError.WrongIdentifier);
  bytes[4] = 0x52;
  bytes[24] = 99;
  assert.equal(decoder.decode(bytes, 0, length), DecodeError.UnknownBody);
  bytes[24] = 0;
  assert.equal(decoder.decode(bytes, 0, length), DecodeError.MissingField);
  assert.equal(decoder.decode(bytes, -8, length), DecodeError.OutOfBounds);
  assert.equal(decoder.decode(bytes, 0, bytes.length + 1), DecodeError.OutOfBounds);
});
