/**
 * What the steps of the data path cost on this machine at this moment: short loops over the node's
 * own code, for `serve --explain`. The main thread is busy meanwhile: never while a node runs. Cold.
 */
import type { Instrument } from '../domain/instrument.js';
import { Side } from '../domain/side.js';
import { Ladder } from '../books/ladder.js';
import { invariant } from '../faults/invariant.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { createRing } from '../rings/ring-layout.js';
import { RingProducer } from '../rings/ring-producer.js';
import { RecordType } from '../rings/record-types.js';
import type { Clock } from '../time/clock.js';
import { Timeline } from '../time/timeline.js';
import { FuturesParser } from '../venues/binance-futures/parse.js';
import { ParseResult } from '../venues/venue.js';
import { MessageEncoder } from '../wire/encode.js';
import { HEAD_DOUBLES } from '../wire/head-fields.js';

/** Levels of the update whose way through the node is counted: a usual one. */
export const UPDATE_LEVELS = 20;

/** Each in ns. */
export interface StepCosts {
  readonly clockReadNs: number;
  /** One update of UPDATE_LEVELS levels written to a ring and read again, without waiting. */
  readonly ringRecordNs: number;
  /** A Binance depth frame of UPDATE_LEVELS levels, bytes to event. */
  readonly parseNs: number;
  /** One level. */
  readonly ladderNs: number;
  /** A delta of UPDATE_LEVELS levels. */
  readonly encodeNs: number;
}

/** A step is repeated for so long, of which the first third warms it up. */
const STEP_NS = 45e6;
const ROUNDS_KEPT_MIN = 5;

export function measureSteps(clock: Clock): StepCosts {
  const cost = (operations: number, step: () => void): number => costOf(clock, operations, step);
  return {
    clockReadNs: cost(500, () => {
      for (let i = 0; i < 500; i++) clock.nowNs();
    }),
    ringRecordNs: cost(RECORDS, createRingStep()),
    parseNs: cost(FRAMES, createParseStep()),
    ladderNs: cost(LADDER_UPDATES, createLadderStep()),
    encodeNs: cost(MESSAGES, createEncodeStep()),
  };
}

/** Median of a step's rounds, an operation. */
function costOf(clock: Clock, operations: number, step: () => void): number {
  const beganNs = clock.nowNs();
  const rounds: number[] = [];
  for (;;) {
    const fromNs = clock.nowNs();
    if (fromNs - beganNs > STEP_NS && rounds.length >= ROUNDS_KEPT_MIN) break;
    step();
    const nowNs = clock.nowNs();
    if (nowNs - beganNs > STEP_NS / 3) rounds.push((nowNs - fromNs) / operations);
  }
  return quantileOf(rounds, 0.5);
}

/** Of values that need not be sorted; at least one. */
export function quantileOf(values: readonly number[], quantile: number): number {
  invariant(values.length > 0, 'a quantile is of something');
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]!;
}

const RECORDS = 64;
/** Head of a depth event, and price and size of each level. */
const RECORD_DOUBLES = 10 + UPDATE_LEVELS * 2;

class RecordReader {
  sum = 0;
  private readonly ring: RingConsumer;
  constructor(ring: RingConsumer) {
    this.ring = ring;
  }
  onRecord(_typeId: number, slot: number, payloadBytes: number): void {
    for (let i = 0; i < payloadBytes >>> 3; i++) this.sum += this.ring.doubles[slot + i]!;
  }
}

function createRingStep(): () => void {
  const buffer = createRing(2 ** 16);
  const producer = new RingProducer(buffer);
  const consumer = new RingConsumer(buffer);
  const reader = new RecordReader(consumer);
  return () => {
    for (let record = 0; record < RECORDS; record++) {
      const slot = producer.tryClaim(RecordType.DepthUpdate, RECORD_DOUBLES * 8);
      for (let i = 0; i < RECORD_DOUBLES; i++) producer.doubles[slot + i] = i;
      producer.commit();
      consumer.poll(reader, 1);
    }
  };
}

const FRAMES = 50;

const INSTRUMENT: Instrument = {
  id: 0,
  venue: 'binance-futures',
  symbol: 'BTCUSDT',
  name: 'binance-futures:BTCUSDT',
  base: 'BTC',
  quote: 'USDT',
  kind: 'perpetual',
  priceDecimals: 2,
  sizeDecimals: 3,
  tickSize: 10,
  lotSize: 1,
  priceSignificantFigures: 0,
  trading: 0,
};

function depthFrame(): Uint8Array {
  const side = (sign: number): string[][] =>
    Array.from({ length: UPDATE_LEVELS / 2 }, (_, rank) => [
      (61_659.7 + sign * (1 + rank * 3)).toFixed(2),
      (0.5 + rank * 1.25).toFixed(3),
    ]);
  const data = {
    e: 'depthUpdate',
    E: 1_785_000_123_456,
    T: 1_785_000_123_454,
    s: INSTRUMENT.symbol,
    U: 5_123_107_832_349,
    u: 5_123_107_836_349,
    pu: 5_123_107_832_339,
    b: side(-1),
    a: side(1),
  };
  return Buffer.from(JSON.stringify({ stream: 'btcusdt@depth@0ms', data }));
}

function createParseStep(): () => void {
  let levels = 0;
  const sink = {
    accept(_type: number, event: Float64Array): boolean {
      levels += event[8]! + event[9]!;
      return true;
    },
  };
  const timeline = new Timeline(1_785_000_000_000_000_000n);
  const parser = new FuturesParser([INSTRUMENT], 'trade', timeline, sink);
  const frame = depthFrame();
  invariant(parser.parse(frame, 0, frame.length, 0) === ParseResult.Events, 'the frame is read');
  invariant(levels === UPDATE_LEVELS, 'every level of the frame is read');
  return () => {
    for (let i = 0; i < FRAMES; i++) parser.parse(frame, 0, frame.length, i);
  };
}

const LADDER_UPDATES = 1_000;

/** Changes, removals and returns of 500 levels on both sides of a touch that stands. */
function createLadderStep(): () => void {
  const ladder = new Ladder(INSTRUMENT.tickSize);
  let at = 1;
  return () => {
    for (let i = 0; i < LADDER_UPDATES; i++) {
      at = (Math.imul(at, 1_103_515_245) + 12_345) >>> 0;
      const side = (at >>> 16) & 1;
      const distance = 10 * (1 + ((at >>> 17) % 500));
      const size = (at >>> 8) % 3 === 0 ? 0 : 1 + (at >>> 12);
      ladder.set(side === 0 ? Side.Bid : Side.Ask, 6_165_970 + (side * 2 - 1) * distance, size);
    }
  };
}

const MESSAGES = 100;

function createEncodeStep(): () => void {
  const encoder = new MessageEncoder(new Timeline(1_785_000_000_000_000_000n));
  const half = UPDATE_LEVELS / 2;
  const words = new Int32Array(new SharedArrayBuffer(encoder.bookDeltaBytes(half, half)));
  const head = new Float64Array(HEAD_DOUBLES).map((_, field) => 1_000 + field);
  const levels = new Float64Array(UPDATE_LEVELS * 2).map((_, i) => 6_165_970 + i);
  return () => {
    for (let i = 0; i < MESSAGES; i++)
      encoder.writeBookDelta(words, 0, head, levels, 0, half, half);
  };
}
