/** Messages for the wire tests: made from a seed, so that a failure can be repeated. */
import { Trading } from '../../src/domain/definition.js';
import type { Definition } from '../../src/domain/definition.js';
import { Prng } from '../../src/domain/prng.js';
import { Timeline } from '../../src/time/timeline.js';
import { HEAD_DOUBLES, HeadField } from '../../src/wire/head-fields.js';

export const ORIGIN_UNIX_NS = 1_785_000_123_456_789_012n;
export const timeline = new Timeline(ORIGIN_UNIX_NS);

/** A head with every field set to something that another field does not have. */
export function sampleHead(prng = new Prng(7)): Float64Array {
  const head = new Float64Array(HEAD_DOUBLES);
  head[HeadField.Epoch] = 1_785_000_000_000_000 + prng.nextInt(1e6);
  head[HeadField.Sequence] = 2 ** 33 + prng.nextInt(1e9);
  head[HeadField.FirstSequence] = 2 ** 33 - 5;
  head[HeadField.VenueSequence] = 5_123_107_853_551 + prng.nextInt(1e6);
  head[HeadField.HashLow] = prng.nextUint32() | 0;
  head[HeadField.HashHigh] = prng.nextUint32() | 0;
  head[HeadField.ExchangeNs] = -12_345_678;
  head[HeadField.ReceivedNs] = 3_600e9 + prng.nextInt(1e9);
  head[HeadField.AppliedNs] = 3_601e9 + prng.nextInt(1e9);
  head[HeadField.PublishedNs] = 3_602e9 + prng.nextInt(1e9);
  head[HeadField.StreamId] = 0xfedcba98;
  head[HeadField.InstrumentId] = 77;
  head[HeadField.Folded] = 3;
  head[HeadField.Flags] = 0x8009;
  head[HeadField.State] = 3;
  head[HeadField.Reason] = 18;
  return head;
}

/** (price, size) pairs of every magnitude, the greatest mantissa and zero among them. */
export function sampleLevels(count: number, prng = new Prng(11)): Float64Array {
  const levels = new Float64Array(count * 2);
  for (let i = 0; i < levels.length; i++) {
    levels[i] = Math.floor(prng.nextFloat() * 2 ** (1 + prng.nextInt(53)));
  }
  if (count > 0) levels[1] = 0;
  if (count > 1) levels[2] = Number.MAX_SAFE_INTEGER;
  return levels;
}

export function sampleTrades(count: number, prng = new Prng(13)): Float64Array {
  const trades = new Float64Array(count * 5);
  for (let i = 0; i < count; i++) {
    trades[i * 5] = prng.nextInt(2 ** 40);
    trades[i * 5 + 1] = prng.nextInt(1e6);
    trades[i * 5 + 2] = 2 ** 50 + prng.nextInt(1e6);
    trades[i * 5 + 3] = i === 0 ? -1 : prng.nextInt(1e9);
    trades[i * 5 + 4] = i % 3;
  }
  return trades;
}

export function samplePositions(count: number, prng = new Prng(17)): Float64Array {
  const positions = new Float64Array(count * 4);
  for (let i = 0; i < count; i++) {
    positions[i * 4] = 1_785_000_000_000_000 + prng.nextInt(1e6);
    positions[i * 4 + 1] = 2 ** 35 + prng.nextInt(1e6);
    positions[i * 4 + 2] = prng.nextUint32();
    positions[i * 4 + 3] = prng.nextInt(1000);
  }
  return positions;
}

/** Whole, fraction, places of eleven values, negative and greatest ones among them. */
export function sampleContext(prng = new Prng(19)): Float64Array {
  const values = new Float64Array(33);
  for (let i = 0; i < 11; i++) {
    const sign = i % 3 === 1 ? -1 : 1;
    const places = prng.nextInt(16);
    values[i * 3] = sign * (1 + prng.nextInt(2 ** 31));
    values[i * 3 + 1] = sign * Math.floor(prng.nextFloat() * 10 ** places);
    values[i * 3 + 2] = places;
  }
  values.set([999_999_999_999_999, 999_999_999_999_999, 15], 0);
  values.set([0, -6_413_454, 10], 15);
  return values;
}

/** With every field set to something that another field does not have. */
export const DEFINITION: Definition = {
  priceDecimals: 2,
  sizeDecimals: 3,
  tickSize: 2 ** 33 + 10,
  lotSize: 7,
  priceSignificantFigures: 5,
  trading: Trading.Halted,
};
