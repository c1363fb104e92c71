/**
 * What every venue must hold to, as one spec that each venue's test runs with its own samples: frames
 * of one run as the venue sends them, with the instruments they concern.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Channel } from '../../src/domain/channel.js';
import type { Instrument } from '../../src/domain/instrument.js';
import { FaultError } from '../../src/faults/fault.js';
import * as R from '../../src/rings/record-types.js';
import { ParseResult, SequenceVerdict } from '../../src/venues/venue.js';
import type { Venue } from '../../src/venues/venue.js';
import { CollectingSink, TEST_TIMELINE } from './scratch-frames.js';

export interface VenueSamples {
  readonly instruments: readonly Instrument[];
  /** Whole frames as text, in the order in which they came. */
  readonly frames: readonly string[];
}

export interface VenueUnderTest {
  readonly name: string;
  readonly create: (options: {
    restUrl?: string;
    webSocketUrl?: string;
    settings?: Record<string, string>;
  }) => Venue;
  /** Null: nothing to run on here; the tests that need samples say so and skip. */
  readonly samples: () => VenueSamples | null;
  /** How many instruments fit on all channels, where that is less than PLANNED_INSTRUMENTS. */
  readonly instrumentsMax?: number;
  /** Does this subscribe frame ask for that stream? By default it names the key. */
  readonly asksFor?: (frame: string, key: string) => boolean;
}

const PLANNED_INSTRUMENTS = 450;

export function testVenueContract(venueUnderTest: VenueUnderTest): void {
  const { name, create, samples } = venueUnderTest;
  const asksFor = venueUnderTest.asksFor ?? ((frame, key) => frame.includes(`"${key}"`));
  test(`${name}: a setting that it does not have is refused`, () => {
    assert.throws(() => create({ settings: { colour: 'red' } }), faultWith('BAD_CONFIG'));
  });

  test(`${name}: an endpoint that is no URL is refused`, () => {
    assert.throws(() => create({ webSocketUrl: 'http://127.0.0.1:1' }), faultWith('BAD_CONFIG'));
    assert.throws(() => create({ restUrl: 'nowhere' }), faultWith('BAD_CONFIG'));
  });

  test(`${name}: all URLs are below the endpoints that were given`, () => {
    const venue = create({
      restUrl: 'http://127.0.0.1:9100/',
      webSocketUrl: 'ws://127.0.0.1:9101/',
    });
    const [instrument] = manyInstruments(1);
    const plans = venue.planConnections([instrument!], [Channel.Book, Channel.Bbo, Channel.Trades]);
    assert.ok(plans.length > 0);
    for (const { url } of plans) assert.match(url, /^ws:\/\/127\.0\.0\.1:9101\/[^/]/);
    assert.match(venue.instrumentsRequest().url, /^http:\/\/127\.0\.0\.1:9100\/[^/]/);
    assert.match(venue.snapshotRequest(instrument!).url, /^http:\/\/127\.0\.0\.1:9100\/[^/]/);
  });

  test(`${name}: a plan carries every wanted stream exactly once, within its limits`, () => {
    const venue = create({});
    const instruments = manyInstruments(venueUnderTest.instrumentsMax ?? PLANNED_INSTRUMENTS);
    const channels = [Channel.Book, Channel.Bbo, Channel.Trades];
    const plans = venue.planConnections(instruments, channels);
    const seen = new Set<string>();
    for (const plan of plans) {
      for (const { instrumentId, channel } of plan.streams) {
        assert.ok(!seen.has(`${instrumentId}/${channel}`), 'a stream is planned once');
        seen.add(`${instrumentId}/${channel}`);
      }
      for (const { key } of plan.streams) {
        const asked = plan.subscribeFrames.filter((frame) => asksFor(frame, key));
        assert.equal(asked.length, 1, `${key} is subscribed to once, on its own connection`);
      }
    }
    assert.equal(seen.size, instruments.length * channels.length);
    assert.equal(new Set(plans.map((plan) => plan.name)).size, plans.length);
  });

  test(`${name}: a snapshot's weight fits the budget`, () => {
    const venue = create({});
    const { weight } = venue.snapshotRequest(manyInstruments(1)[0]!);
    assert.ok(weight >= 0 && weight <= venue.limits.restWeight.count);
  });

  test(`${name}: a sequencer keeps updates until it has a snapshot, again after a reset`, () => {
    const sequencer = create({}).createSequencer();
    for (let round = 0; round < 2; round++) {
      assert.equal(sequencer.position, R.ABSENT);
      assert.equal(sequencer.judge(10, 12, 9), SequenceVerdict.Buffer);
      assert.equal(sequencer.position, R.ABSENT);
      sequencer.onSnapshot(5);
      sequencer.reset();
    }
  });

  const needsSamples = (t: TestContext): VenueSamples | null => {
    const found = samples();
    if (found === null) t.skip('no captures: set RINGSIDE_CAPTURES');
    return found;
  };

  test(`${name}: real frames are all read on the fast path, into whole numbers`, (t) => {
    const found = needsSamples(t);
    if (found === null) return;
    const sink = new CollectingSink();
    const parser = create({}).createParser(found.instruments, TEST_TIMELINE, sink);
    for (const frame of found.frames) {
      const bytes = new TextEncoder().encode(frame);
      const before = sink.events.length;
      const slowBefore = parser.slowPathCount;
      const result = parser.parse(bytes, 0, bytes.length, 1);
      assert.ok(
        result === ParseResult.Events || result === ParseResult.Ignored,
        frame.slice(0, 200),
      );
      if (result === ParseResult.Ignored) continue;
      assert.equal(parser.slowPathCount, slowBefore, frame.slice(0, 200));
      assert.ok(sink.events.length > before);
    }
    assert.ok(sink.events.length > 0);
    for (const { doubles } of sink.events) {
      assert.ok(found.instruments.some(({ id }) => id === doubles[R.INSTRUMENT]));
      // times of a recording are far from the test's timeline: whole, not exact
      const isExact = (value: number, index: number): boolean =>
        index === R.EXCHANGE_NS || index === R.ENGINE_NS
          ? Number.isInteger(value)
          : Number.isSafeInteger(value);
      assert.ok(doubles.every(isExact));
      assert.equal(doubles[R.RECEIVED_NS], 1);
    }
  });

  test(`${name}: real frames say the same with white space, which needs the strict parser`, (t) => {
    const found = needsSamples(t);
    if (found === null) return;
    const plain = new CollectingSink();
    const spaced = new CollectingSink();
    const venue = create({});
    const plainParser = venue.createParser(found.instruments, TEST_TIMELINE, plain);
    const spacedParser = venue.createParser(found.instruments, TEST_TIMELINE, spaced);
    for (const frame of found.frames) {
      const a = new TextEncoder().encode(frame);
      const b = new TextEncoder().encode(JSON.stringify(JSON.parse(frame), null, 1));
      assert.equal(plainParser.parse(a, 0, a.length, 7), spacedParser.parse(b, 0, b.length, 7));
    }
    assert.deepEqual(plain.events, spaced.events);
    assert.equal(spacedParser.slowPathCount, found.frames.length);
  });

  test(`${name}: a real frame that was cut anywhere is never taken`, (t) => {
    const found = needsSamples(t);
    if (found === null) return;
    const sink = new CollectingSink();
    const parser = create({}).createParser(found.instruments, TEST_TIMELINE, sink);
    for (const frame of found.frames.slice(0, 40)) {
      const bytes = new TextEncoder().encode(frame);
      for (let end = 0; end < bytes.length; end += 1 + (end % 7)) {
        assert.ok(parser.parse(bytes, 0, end, 1) < 0);
      }
    }
    assert.equal(sink.events.length, 0);
  });
}

function manyInstruments(count: number): Instrument[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    venue: 'x',
    symbol: `COIN${id}USDT`,
    name: `x:COIN${id}USDT`,
    base: `COIN${id}`,
    quote: 'USDT',
    kind: 'perpetual',
    priceDecimals: 2,
    sizeDecimals: 3,
    tickSize: 1,
    lotSize: 1,
    priceSignificantFigures: 0,
    trading: 0,
  }));
}

export function faultWith(code: string): (error: unknown) => boolean {
  return (error) => error instanceof FaultError && error.code === code;
}
