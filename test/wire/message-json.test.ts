import assert from 'node:assert/strict';
import test from 'node:test';
import { HeadField } from '../../src/wire/head-fields.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { MessageEncoder } from '../../src/wire/encode.js';
import type { JsonMessage } from '../../src/wire/message-json.js';
import { flagNames, messageToJson } from '../../src/wire/message-json.js';
import { DEFINITION, ORIGIN_UNIX_NS, sampleHead, timeline } from './sample-messages.js';

const encoder = new MessageEncoder(timeline);
const decoder = new MessageDecoder();
const words = new Int32Array(4096);
const instrument = { name: 'binance-futures:BTCUSDT', priceDecimals: 2, sizeDecimals: 3 };
const NAME = new TextEncoder().encode(instrument.name);

function simpleHead(): Float64Array {
  const head = sampleHead();
  head[HeadField.Epoch] = 1785000000000001;
  head[HeadField.Sequence] = 12;
  head[HeadField.FirstSequence] = 10;
  head[HeadField.VenueSequence] = 5123107853551;
  head[HeadField.HashLow] = -1;
  head[HeadField.HashHigh] = 1;
  head[HeadField.ExchangeNs] = -1;
  head[HeadField.ReceivedNs] = 1;
  head[HeadField.AppliedNs] = 2;
  head[HeadField.PublishedNs] = 3;
  head[HeadField.StreamId] = 24;
  head[HeadField.InstrumentId] = 3;
  head[HeadField.Folded] = 2;
  head[HeadField.Flags] = 9;
  head[HeadField.State] = 1;
  head[HeadField.Reason] = 2;
  return head;
}

const HEAD_JSON = {
  epoch: '1785000000000001',
  sequence: '12',
  firstSequence: '10',
  venueSequence: '5123107853551',
  hash: '8589934591',
  exchangeNs: '0',
  receivedNs: String(ORIGIN_UNIX_NS + 1n),
  appliedNs: String(ORIGIN_UNIX_NS + 2n),
  publishedNs: String(ORIGIN_UNIX_NS + 3n),
  streamId: 24,
  instrumentId: 3,
  folded: 2,
  flags: ['last', 'conflated'],
  state: 'Live',
  reason: 'Aligned',
};

function shownMessage(bytes: number): JsonMessage {
  const type = decoder.decodeWords(words, 0, bytes);
  assert.ok(type > 0);
  // Through text: what a person gets.
  return JSON.parse(JSON.stringify(messageToJson(decoder, type, instrument))) as JsonMessage;
}

function shown(bytes: number): unknown {
  return shownMessage(bytes);
}

test('messageToJson: a delta and a snapshot show decimal text in the venue’s spelling', () => {
  const levels = Float64Array.from([6165970, 1486, 5, 0, 6165980, 981]);
  assert.deepEqual(shown(encoder.writeBookDelta(words, 0, simpleHead(), levels, 0, 2, 1)), {
    type: 'bookDelta',
    instrument: 'binance-futures:BTCUSDT',
    head: HEAD_JSON,
    bids: [
      ['61659.70', '1.486'],
      ['0.05', '0.000'],
    ],
    asks: [['61659.80', '0.981']],
  });
  const bytes = encoder.writeBookSnapshot(words, 0, simpleHead(), levels, 0, 1, 0, 20, 2, 3, NAME);
  assert.deepEqual(shown(bytes), {
    type: 'bookSnapshot',
    instrument: 'binance-futures:BTCUSDT',
    head: HEAD_JSON,
    bids: [['61659.70', '1.486']],
    asks: [],
    priceExponent: -2,
    sizeExponent: -3,
    depth: 20,
  });
});

test('messageToJson: a BBO shows an empty side as null', () => {
  assert.deepEqual(
    shown(encoder.writeBbo(words, 0, simpleHead(), 6165970, 1486, 0, 0, 7, 0, 2, 3)),
    {
      type: 'bbo',
      instrument: 'binance-futures:BTCUSDT',
      head: HEAD_JSON,
      bid: ['61659.70', '1.486'],
      ask: null,
      bidOrders: 7,
      askOrders: 0,
    },
  );
});

test('messageToJson: a BBO and trades are shown at their own scale, whatever the instrument is by now', () => {
  const bbo = shownMessage(
    encoder.writeBbo(words, 0, simpleHead(), 6165970, 1486, 0, 0, 7, 0, 4, 1),
  );
  assert.deepEqual(bbo.type === 'bbo' && bbo.bid, ['616.5970', '148.6']);
  const trade = Float64Array.from([6165970, 1486, 9, 5, 1]);
  const trades = shownMessage(encoder.writeTrades(words, 0, simpleHead(), trade, 0, 1, 0, 5));
  const [first] = trades.type === 'trades' ? trades.trades : [];
  assert.deepEqual([first?.price, first?.size], ['6165970', '0.01486']);
});

test('messageToJson: trades, status and heartbeat show 64-bit numbers as strings', () => {
  const trades = Float64Array.from([6165970, 1, 2 ** 53 - 1, 5, 1]);
  assert.deepEqual(shown(encoder.writeTrades(words, 0, simpleHead(), trades, 0, 1, 2, 3)), {
    type: 'trades',
    instrument: 'binance-futures:BTCUSDT',
    head: HEAD_JSON,
    trades: [
      {
        price: '61659.70',
        size: '0.001',
        tradeId: '9007199254740991',
        exchangeNs: String(ORIGIN_UNIX_NS + 5n),
        aggressor: 'Sell',
      },
    ],
  });
  assert.deepEqual(shown(encoder.writeStatus(words, 0, simpleHead(), 9, DEFINITION)), {
    type: 'status',
    instrument: 'binance-futures:BTCUSDT',
    head: HEAD_JSON,
    sinceNs: String(ORIGIN_UNIX_NS + 9n),
    definition: {
      tickSize: '85899346.02',
      lotSize: '0.007',
      priceExponent: -2,
      sizeExponent: -3,
      significantFigures: 5,
      trading: 'Halted',
    },
  });
  const positions = Float64Array.from([1785000000000001, 13, 24, 3]);
  assert.deepEqual(shown(encoder.writeHeartbeat(words, 0, 4, positions, 1)), {
    type: 'heartbeat',
    publishedNs: String(ORIGIN_UNIX_NS + 4n),
    streams: [{ epoch: '1785000000000001', nextSequence: '13', streamId: 24, instrumentId: 3 }],
  });
});

test('messageToJson: a context shows values as the venue wrote them, null for those not told', () => {
  const values = new Float64Array(33);
  values.set([84148, 0, 1], 0); // mark
  values.set([0, 18952, 10], 12); // funding
  values.set([0, -6413454, 10], 15); // premium
  values.set([4161029539, 6949653625, 10], 30); // day's notional
  const present = 1 | (1 << 4) | (1 << 5) | (1 << 10);
  const none = {
    indexPrice: null,
    midPrice: null,
    previousDayPrice: null,
    impactBidPrice: null,
    impactAskPrice: null,
    openInterest: null,
    dayVolume: null,
  };
  assert.deepEqual(shown(encoder.writeContext(words, 0, simpleHead(), present, values, 0, 9)), {
    type: 'context',
    instrument: 'binance-futures:BTCUSDT',
    head: HEAD_JSON,
    ...none,
    markPrice: '84148.0',
    fundingRate: '0.0000018952',
    premium: '-0.0006413454',
    dayNotional: '4161029539.6949653625',
    nextFundingNs: String(ORIGIN_UNIX_NS + 9n),
  });
  const bytes = encoder.writeContext(words, 0, simpleHead(), 0, values, 0, -1);
  assert.equal((shown(bytes) as { nextFundingNs: unknown }).nextFundingNs, null);
});

test('flagNames: every known bit has its name, an unknown one keeps its number', () => {
  assert.deepEqual(flagNames(63), [
    'last',
    'snapshot',
    'resumed',
    'conflated',
    'synthetic',
    'continued',
  ]);
  assert.deepEqual(flagNames(0), []);
  assert.deepEqual(flagNames(1 | 0x4000), ['last', '16384']);
});
