/** Streams of the fake feed and their messages as bytes, through the wire encoder. Test support. */
import type { WebSocket } from 'ws';
import {
  CONTEXT_VALUE_DOUBLES,
  ContextField,
  DOUBLES_PER_DECIMAL,
  contextBit,
} from '../../src/domain/context-fields.js';
import { Trading } from '../../src/domain/definition.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, levelHashLane } from '../../src/domain/level-hash.js';
import type { Prng } from '../../src/domain/prng.js';
import { SystemClock, readTimelineOrigin } from '../../src/time/system-clock.js';
import { Timeline } from '../../src/time/timeline.js';
import { MessageEncoder } from '../../src/wire/encode.js';
import { HEAD_DOUBLES, HeadField } from '../../src/wire/head-fields.js';
import type { FakeInstrument, FakeMarket, Levels } from './fake-market.js';

export type FakeChannel = 'book' | 'bbo' | 'trades' | 'status' | 'context';

interface Logged {
  readonly firstSequence: number;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

export interface FakeStream {
  readonly id: number;
  readonly channel: FakeChannel;
  readonly instrument: FakeInstrument;
  readonly depth: number;
  epoch: number;
  sequence: number;
  /** What subscribers of this depth hold. */
  readonly view: readonly [Levels, Levels];
  readonly log: Logged[];
  readonly subscribers: Set<WebSocket>;
}

const MEGABYTE = 1 << 20;
const SIDES = [0, 1] as const;

export class FakeMessages {
  /** Instruments whose next book message carries a wrong hash. */
  readonly falsifyNext = new Set<string>();
  /** Levels a side that a part of a snapshot holds. */
  snapshotPartLevels = 1024;
  venueSequence = 1000;
  readonly originUnixUs: number;
  private readonly market: FakeMarket;
  private readonly prng: Prng;
  private readonly clock: SystemClock;
  private readonly encoder: MessageEncoder;
  private readonly words = new Int32Array(MEGABYTE);
  private readonly head = new Float64Array(HEAD_DOUBLES);

  constructor(market: FakeMarket, prng: Prng) {
    const origin = readTimelineOrigin();
    this.market = market;
    this.prng = prng;
    this.clock = new SystemClock(origin.monotonicNs);
    this.encoder = new MessageEncoder(new Timeline(origin.unixNs));
    this.originUnixUs = Number(origin.unixNs / 1000n);
  }

  /** The stream's view becomes the true book, cut at its depth. */
  fillView(stream: FakeStream): void {
    for (const side of SIDES) {
      stream.view[side].clear();
      for (const [price, size] of this.topOf(stream, side)) stream.view[side].set(price, size);
    }
  }

  /** What changed since the last message of the stream; its sequence has been moved on already. */
  delta(stream: FakeStream, folded: number): Uint8Array {
    const pairs: number[][] = [[], []];
    for (const side of SIDES) {
      const now = new Map(this.topOf(stream, side));
      const before = stream.view[side];
      for (const [price, size] of now)
        if (before.get(price) !== size) pairs[side]!.push(price, size);
      for (const price of before.keys()) if (!now.has(price)) pairs[side]!.push(price, 0);
      before.clear();
      for (const [price, size] of now) before.set(price, size);
    }
    const flags = EventFlag.Last | (folded > 0 ? EventFlag.Conflated : 0);
    const head = this.fillHead(stream, flags, folded);
    const levels = Float64Array.from(pairs.flat());
    const [bids, asks] = [pairs[0]!.length / 2, pairs[1]!.length / 2];
    return this.copy(this.encoder.writeBookDelta(this.words, 0, head, levels, 0, bids, asks));
  }

  bbo(stream: FakeStream): Uint8Array {
    const [bid] = this.market.levels(stream.instrument, 0, 1);
    const [ask] = this.market.levels(stream.instrument, 1, 1);
    const head = this.fillHead(stream, EventFlag.Last);
    const { encoder, words } = this;
    const { priceDecimals: price, sizeDecimals: size } = stream.instrument;
    return this.copy(
      encoder.writeBbo(words, 0, head, bid![0], bid![1], ask![0], ask![1], 3, 4, price, size),
    );
  }

  status(stream: FakeStream): Uint8Array {
    const head = this.fillHead(stream, EventFlag.Last);
    const { priceDecimals, sizeDecimals, tick: tickSize } = stream.instrument;
    const definition = {
      priceDecimals,
      sizeDecimals,
      tickSize,
      lotSize: 1,
      priceSignificantFigures: 0,
      trading: Trading.Trading,
    };
    const sinceNs = this.clock.nowNs();
    return this.copy(this.encoder.writeStatus(this.words, 0, head, sinceNs, definition));
  }

  /** Mark price, funding and the next funding time; nothing else is told. */
  context(stream: FakeStream): Uint8Array {
    const [bid] = this.market.levels(stream.instrument, 0, 1);
    const { priceDecimals } = stream.instrument;
    const scale = 10 ** priceDecimals;
    const values = new Float64Array(CONTEXT_VALUE_DOUBLES);
    values.set([Math.floor(bid![0] / scale), bid![0] % scale, priceDecimals]);
    values.set([0, -this.prng.nextInt(100_000), 8], ContextField.FundingRate * DOUBLES_PER_DECIMAL);
    const told = contextBit(ContextField.MarkPrice) | contextBit(ContextField.FundingRate);
    const head = this.fillHead(stream, EventFlag.Last);
    const nextNs = this.clock.nowNs() + 3600e9;
    return this.copy(this.encoder.writeContext(this.words, 0, head, told, values, 0, nextNs));
  }

  trade(stream: FakeStream): Uint8Array {
    const [ask] = this.market.levels(stream.instrument, 1, 1);
    const head = this.fillHead(stream, EventFlag.Last);
    const trade = Float64Array.of(ask![0], 5, this.venueSequence, this.clock.nowNs(), 0);
    const { priceDecimals: price, sizeDecimals: size } = stream.instrument;
    return this.copy(this.encoder.writeTrades(this.words, 0, head, trade, 0, 1, price, size));
  }

  /** In-band parts take a sequence each; an anchor's parts share that of the stream. */
  snapshotParts(stream: FakeStream, inBand: boolean): Uint8Array[] {
    const bids = [...stream.view[0]];
    const asks = [...stream.view[1]];
    const size = this.snapshotPartLevels;
    const parts = Math.max(1, Math.ceil(Math.max(bids.length, asks.length) / size));
    const name = new TextEncoder().encode(stream.instrument.name);
    const { priceDecimals, sizeDecimals } = stream.instrument;
    const { encoder, words } = this;
    return Array.from({ length: parts }, (_, part) => {
      if (inBand) stream.sequence += 1;
      const first = part === 0 ? EventFlag.Snapshot : EventFlag.Continued;
      const last = part === parts - 1 ? EventFlag.Last : 0;
      const [b, a] = [bids, asks].map((side) => side.slice(part * size, (part + 1) * size));
      const levels = Float64Array.from([...b!.flat(), ...a!.flat()]);
      const head = this.fillHead(stream, first | last);
      const counts = [b!.length, a!.length, stream.depth, priceDecimals, sizeDecimals] as const;
      return this.copy(encoder.writeBookSnapshot(words, 0, head, levels, 0, ...counts, name));
    });
  }

  heartbeat(streams: readonly FakeStream[]): Uint8Array {
    const positions = Float64Array.from(
      streams.flatMap(({ epoch, sequence, id, instrument }) => [
        epoch,
        sequence + 1,
        id,
        instrument.id,
      ]),
    );
    const { encoder, words, clock } = this;
    return this.copy(encoder.writeHeartbeat(words, 0, clock.nowNs(), positions, streams.length));
  }

  private topOf(stream: FakeStream, side: 0 | 1): [number, number][] {
    const depth = stream.depth === 0 ? Infinity : stream.depth;
    return this.market.levels(stream.instrument, side, depth);
  }

  private fillHead(stream: FakeStream, flags: number, folded = 0): Float64Array {
    const { head, prng } = this;
    const nowNs = this.clock.nowNs();
    const [low, high] = stream.channel === 'book' ? this.hashOf(stream) : [0, 0];
    head[HeadField.Epoch] = stream.epoch;
    head[HeadField.Sequence] = stream.sequence;
    head[HeadField.FirstSequence] = stream.sequence - folded;
    head[HeadField.VenueSequence] = this.venueSequence;
    head[HeadField.HashLow] = low;
    head[HeadField.HashHigh] = high;
    head[HeadField.ExchangeNs] = nowNs - 2.1e6 - prng.nextInt(900_000);
    head[HeadField.ReceivedNs] = nowNs - 31_000 - prng.nextInt(9_000);
    head[HeadField.AppliedNs] = nowNs - 18_000 - prng.nextInt(4_000);
    head[HeadField.PublishedNs] = nowNs;
    head[HeadField.StreamId] = stream.id;
    head[HeadField.InstrumentId] = stream.instrument.id;
    head[HeadField.Folded] = folded;
    head[HeadField.Flags] = flags;
    head[HeadField.State] = stream.instrument.state;
    head[HeadField.Reason] = stream.instrument.reason;
    return head;
  }

  private hashOf(stream: FakeStream): [low: number, high: number] {
    let low = 0;
    let high = 0;
    for (const side of SIDES) {
      for (const [price, size] of stream.view[side]) {
        low ^= levelHashLane(HASH_SEED_LOW, side, price, size);
        high ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
      }
    }
    if (this.falsifyNext.delete(stream.instrument.name)) low ^= 1;
    return [low, high];
  }

  private copy(bytes: number): Uint8Array {
    return new Uint8Array(this.words.buffer, 0, bytes).slice();
  }
}
