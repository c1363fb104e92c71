/** The futures parser on frames as the venue sends them and on every oddity. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/domain/channel.js';
import { parseDecimal } from '../../src/domain/decimal.js';
import { Aggressor } from '../../src/domain/side.js';
import * as R from '../../src/rings/record-types.js';
import { FuturesParser } from '../../src/venues/binance-futures/parse.js';
import { ParseResult } from '../../src/venues/venue.js';
import { DEPTH, INSTRUMENTS, RECEIVED_NS, parse } from './futures-parsing.js';
import { CollectingSink, TEST_TIMELINE, levelsOf } from './scratch-frames.js';

test('Futures parser: a depth update becomes one event with exact mantissas', () => {
  for (const text of [DEPTH, `{"stream":"btcusdt@depth@100ms","data":${DEPTH}}`]) {
    const { result, event, isSlow, instrumentId, channel } = parse(text);
    assert.equal(result, ParseResult.Events);
    assert.equal(isSlow, false);
    assert.equal(instrumentId, 3);
    assert.equal(channel, Channel.Book);
    assert.equal(event!.recordType, R.RecordType.DepthUpdate);
    assert.deepEqual(event!.doubles.slice(0, 10), [
      3,
      1,
      123e6,
      RECEIVED_NS,
      157,
      160,
      149,
      120e6,
      2,
      1,
    ]);
    assert.deepEqual(levelsOf(event!), {
      bids: [
        [6165970, 1486],
        [999, 0],
      ],
      asks: [[6165980, 981]],
    });
  }
});

test('Futures parser: the form of 2026, with ps and st, stays on the fast path', () => {
  const text =
    '{"e":"depthUpdate","E":123456789,"T":123456788,"s":"BTCUSDT","ps":"BTCUSDT","st":1,"U":157,' +
    '"u":160,"pu":149,"b":[["0.24","10"]],"a":[["0.26","100.5"]],"later":null}';
  const { event, isSlow } = parse(text);
  assert.equal(isSlow, false);
  assert.deepEqual(levelsOf(event!), { bids: [[24, 10_000]], asks: [[26, 100_500]] });
});

test('Futures parser: book tickers are read whether e or u comes first', () => {
  const rest = '"s":"ETHUSD_PERP","ps":"ETHUSD","b":"2682.17","B":"159","a":"2682.18","A":"3794"';
  for (const head of ['"u":55,"e":"bookTicker"', '"e":"bookTicker","u":55']) {
    const { event, isSlow, channel } = parse(
      `{${head},${rest},"T":1700000000001,"E":1700000000002}`,
    );
    assert.equal(isSlow, false);
    assert.equal(channel, Channel.Bbo);
    assert.deepEqual(event!.doubles, [
      7,
      1,
      2e6,
      RECEIVED_NS,
      55,
      55,
      -1,
      1e6,
      268217,
      159,
      268218,
      3794,
    ]);
  }
});

test('Futures parser: an aggregate trade whose buyer was the maker was a sale', () => {
  const text =
    '{"e":"aggTrade","E":1700000000002,"a":5933014,"s":"BTCUSDT","p":"0.10","q":"100","f":100,"l":105,' +
    '"T":1700000000001,"m":true,"st":1,"nq":"100"}';
  const { event, isSlow, channel } = parse(text);
  assert.equal(isSlow, false);
  assert.equal(channel, Channel.Trades);
  assert.deepEqual(event!.doubles, [
    3,
    1,
    2e6,
    RECEIVED_NS,
    5933014,
    5933014,
    -1,
    1e6,
    10,
    100_000,
    Aggressor.Sell,
    5933014,
  ]);
});

test('Futures parser: a trade is taken with its id, one that was off the book is not', () => {
  const trade = (type: string): string =>
    `{"e":"trade","E":1700000000000,"T":1700000000000,"s":"BTCUSDT","t":8,"p":"1.5","q":"2"${type},"m":false}`;
  for (const type of ['', ',"X":"MARKET"', ',"X":"LIMIT"']) {
    const { result, event } = parse(trade(type), 'trade');
    assert.equal(result, ParseResult.Events);
    assert.deepEqual(event!.doubles.slice(4), [8, 8, -1, 0, 150, 2000, Aggressor.Buy, 8]);
  }
  for (const type of ['INSURANCE_FUND', 'ADL', 'NA']) {
    assert.equal(parse(trade(`,"X":"${type}"`), 'trade').result, ParseResult.Ignored);
  }
});

test('Futures parser: a trade covers the ids of off-book trades right before it, and no others', () => {
  const sink = new CollectingSink();
  const parser = new FuturesParser(INSTRUMENTS, 'trade', TEST_TIMELINE, sink);
  const send = (symbol: string, id: number, type: string): void => {
    const bytes = new TextEncoder().encode(
      `{"e":"trade","E":1,"T":1,"s":"${symbol}","t":${id},"p":"1","q":"2","X":"${type}","m":true}`,
    );
    parser.parse(bytes, 0, bytes.length, 0);
  };
  send('BTCUSDT', 10, 'MARKET');
  send('BTCUSDT', 11, 'ADL');
  send('SHIBUSDT', 99, 'ADL');
  send('BTCUSDT', 12, 'INSURANCE_FUND');
  send('BTCUSDT', 13, 'MARKET');
  send('BTCUSDT', 14, 'MARKET');
  send('BTCUSDT', 15, 'NA');
  // 16 is lost: the gap must stay one
  send('BTCUSDT', 17, 'MARKET');
  send('SHIBUSDT', 100, 'MARKET');
  const ranges = sink.events.map(({ doubles }) => [
    doubles[R.SEQUENCE_FIRST],
    doubles[R.SEQUENCE_LAST],
  ]);
  assert.deepEqual(ranges, [
    [10, 10],
    [11, 13],
    [14, 14],
    [17, 17],
    [99, 100],
  ]);
});

test('Futures parser: the trade channel that was not chosen is ignored', () => {
  const trade =
    '{"e":"trade","E":1,"T":1,"s":"BTCUSDT","t":8,"p":"1","q":"2","X":"MARKET","m":true}';
  assert.equal(parse(trade, 'aggTrade').result, ParseResult.Ignored);
});

test('Futures parser: answers to requests are control frames', () => {
  const frames = [
    '{"result":null,"id":1}',
    '{"id":1,"result":["btcusdt@depth"]}',
    '{"code":2,"msg":"Invalid request: request ID must be an unsigned integer"}',
    '{"error":{"code":3,"msg":"Invalid JSON"},"id":2}',
    '{"e":"serverShutdown","E":1700000000000}',
    '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}',
  ];
  for (const frame of frames) assert.equal(parse(frame).result, ParseResult.Control, frame);
});

test('Futures parser: types that are known and not used are ignored, unknown ones are a fault', () => {
  assert.equal(parse('{"e":"kline","E":1,"s":"BTCUSDT","k":{"t":1}}').result, ParseResult.Ignored);
  assert.equal(parse('{"e":"orbit","E":1}').result, ParseResult.UnknownType);
  assert.equal(
    parse('{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}').result,
    ParseResult.UnknownType,
  );
  assert.equal(parse('{"stream":"!ticker@arr","data":[{}]}').result, ParseResult.UnknownType);
});

test('Futures parser: a symbol that is not ours is a fault that names nobody', () => {
  const { result, instrumentId, channel } = parse(DEPTH.replaceAll('BTCUSDT', 'BTCUSDC'));
  assert.equal(result, ParseResult.UnknownSymbol);
  assert.equal(instrumentId, -1);
  assert.equal(channel, Channel.Book);
});

test('Futures parser: digits that would be lost are a precision fault that names the instrument', () => {
  for (const text of ['61659.701', '90071992547409.93', '0.0000000001']) {
    const { result, instrumentId } = parse(DEPTH.replace('61659.70', text));
    assert.equal(result, ParseResult.Precision, text);
    assert.equal(instrumentId, 3);
  }
});

test('Futures parser: decimals of every plain form give the same mantissa as the slow reading', () => {
  const texts = [
    '0',
    '7',
    '12',
    '123',
    '1234',
    '12345',
    '123456',
    '1234567',
    '12345678',
    '123456789',
    '90071992547409',
    '0.0',
    '0.5',
    '0.50',
    '0.500',
    '0.5000000000',
    '.5',
    '5.',
    '007.25',
    '1234.56',
    '12345.67',
    '1234567.89',
    '12345678.9',
    '123456789.01',
    '90071992547409.91',
    '90071992547409.9100000',
  ];
  for (const text of texts) {
    for (const [symbol, decimals] of [
      ['BTCUSDT', 2],
      ['SHIBUSDT', 8],
      ['1000PEPEUSDT', 7],
    ] as const) {
      const frame = DEPTH.replace('BTCUSDT', symbol).replace(
        /"b":.*/,
        `"b":[["${text}","1"]],"a":[]}`,
      );
      const { result, event } = parse(frame);
      let expected: number | null = null;
      try {
        expected = parseDecimal(text, decimals);
      } catch {
        // stays null: a fault
      }
      if (expected === null) assert.ok(result < 0, `${text} at ${decimals}`);
      else assert.equal(levelsOf(event!).bids[0]![0], expected, `${text} at ${decimals}`);
    }
  }
});

test('Futures parser: a quote where a long decimal would end does not end it', () => {
  // price and size stand so that the bytes at the expected places are quotes of something else
  const frame = DEPTH.replace('"61659.70","1.486"', '"1.","6","7.70","1.486"');
  assert.equal(parse(frame).result, ParseResult.Malformed);
  assert.equal(parse(DEPTH.replace('"61659.70"', '"61659."70"')).result, ParseResult.Malformed);
  assert.equal(parse(DEPTH.replace('"61659.70"', '"6165",70"')).result, ParseResult.Malformed);
  assert.equal(parse(DEPTH.replace('"61659.70"', '"61659:70"')).result, ParseResult.Malformed);
  assert.equal(parse(DEPTH.replace('"61659.70"', '"6165a.70"')).result, ParseResult.Malformed);
});

test('Futures parser: an event with far more levels than the scratch holds is read whole', () => {
  const side = (first: number): string =>
    Array.from({ length: 20_000 }, (_, i) => `["${first + i}.25","${i}.5"]`).join(',');
  const { event, isSlow } = parse(
    DEPTH.replace(/"b":.*/, `"b":[${side(1)}],"a":[${side(50_000)}]}`),
  );
  assert.equal(isSlow, false);
  const { bids, asks } = levelsOf(event!);
  assert.equal(bids.length, 20_000);
  assert.deepEqual(bids[19_999], [2_000_025, 19_999_500]);
  assert.deepEqual(asks[19_999], [6_999_925, 19_999_500]);
});

test('Futures parser: what is unusual but valid JSON is read by the strict parser alike', () => {
  const spaced = JSON.stringify(JSON.parse(DEPTH), null, 2);
  const swapped = DEPTH.replace(/("b":\[\[.*\]\]),("a":\[\[.*\]\])\}/, '$2,$1}');
  const escaped = DEPTH.replace('"s":"BTCUSDT"', '"\\u0073":"BTC\\u0055SDT"');
  const dataFirst = `{"data":${DEPTH},"stream":"btcusdt@depth"}`;
  const nested = DEPTH.replace('"U":157', '"junk":{"b":[[1,{"a":"]]"}]],"s":"X"},"U":157');
  const expected = parse(DEPTH).event;
  for (const text of [spaced, swapped, escaped, dataFirst, nested]) {
    const { event, isSlow } = parse(text);
    assert.equal(isSlow, true, text);
    assert.deepEqual(event, expected);
  }
});

test('Futures parser: every truncation of a frame is a fault', () => {
  const text = `{"stream":"btcusdt@depth@100ms","data":${DEPTH}}`;
  for (let length = 0; length < text.length; length++) {
    assert.ok(parse(text.slice(0, length)).result < 0, text.slice(0, length));
  }
});

test('Futures parser: rubbish, names twice, wrong kinds of value are malformed', () => {
  const frames = [
    '',
    'null',
    '[]',
    '"x"',
    '{',
    '{}x',
    `${DEPTH}}`,
    `${DEPTH} ${DEPTH}`,
    DEPTH.replace('"u":160', '"u":160,"u":161'),
    DEPTH.replace('"s":"BTCUSDT"', '"s":"BTCUSDT","s":"ETHUSD_PERP"'),
    DEPTH.replace('"u":160', '"u":"160"'),
    DEPTH.replace('"u":160', '"u":1.6e2'),
    DEPTH.replace('"u":160', '"u":-160'),
    DEPTH.replace('"u":160', '"u":0160'),
    DEPTH.replace('"u":160', '"u":156'),
    DEPTH.replace('"61659.70"', '"-61659.70"'),
    DEPTH.replace('"61659.70"', '"6e4"'),
    DEPTH.replace('"61659.70"', '61659.70'),
    DEPTH.replace('"61659.70"', '""'),
    DEPTH.replace('["61659.70","1.486"]', '["61659.70"]'),
    DEPTH.replace('["61659.70","1.486"]', '["61659.70","1.486","1"]'),
    DEPTH.replace(',"pu":149', ''),
    DEPTH.replace('"BTCUSDT"', 'null'),
  ];
  for (const frame of frames) {
    const { result } = parse(frame);
    assert.ok(
      result === ParseResult.Malformed || result === ParseResult.UnknownType,
      `${result} ${frame}`,
    );
  }
});

test('Futures parser: bytes that are not UTF-8 are malformed', () => {
  const bytes = new TextEncoder().encode(
    DEPTH.replace('"ps"', '"p~"').replace('"s":"BTC', '"x":"~","s":"BTC'),
  );
  bytes[bytes.indexOf(0x7e)] = 0xff;
  assert.equal(parse(bytes).result, ParseResult.Malformed);
});

test('Futures parser: a sink without room is told apart from a bad frame', () => {
  const sink = new CollectingSink();
  sink.isFull = true;
  const parser = new FuturesParser(INSTRUMENTS, 'aggTrade', TEST_TIMELINE, sink);
  const bytes = new TextEncoder().encode(DEPTH);
  assert.equal(parser.parse(bytes, 0, bytes.length, 0), ParseResult.SinkFull);
  assert.equal(parser.lastInstrumentId, 3);
});

test('Futures parser: frames in an adopted receive buffer are read in place, also at its very end', () => {
  const sink = new CollectingSink();
  const parser = new FuturesParser(INSTRUMENTS, 'aggTrade', TEST_TIMELINE, sink);
  const frame = new TextEncoder().encode(DEPTH);
  const receive = new Uint8Array(frame.length * 4);
  parser.adoptReceiveBuffer(receive.buffer);
  for (let i = 0; i < 4; i++) receive.set(frame, i * frame.length);
  for (let i = 0; i < 4; i++) {
    const result = parser.parse(receive, i * frame.length, (i + 1) * frame.length, RECEIVED_NS);
    assert.equal(result, ParseResult.Events);
    assert.deepEqual(sink.events[i], parse(DEPTH).event);
  }
  // what follows a cut frame in the buffer must not complete it
  const cut = parser.parse(receive, 0, frame.length - 30, RECEIVED_NS);
  assert.equal(cut, ParseResult.Malformed);
});
