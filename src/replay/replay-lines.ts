/**
 * What the books put out, as lines of JSON. Replay thread. It decodes the finished messages and keeps
 * its own copy of every book from them, so that each line is what a client of the feed would hold; the
 * hash that each message carries is compared with that copy.
 *
 *     bbo      one line an applied update: {"instrument","sequence","venueSequence","exchangeNs",
 *              "state","bid":[price,size]|null,"ask":…}
 *     book     the same with "bids":[[price,size],…],"asks":… to a depth
 *     trades   {"instrument","sequence","tradeId","exchangeNs","price","size","aggressor"}
 *     events   every message as `?format=json` has it (wire/message-json.ts)
 */
import { bookStateName } from '../domain/book-state.js';
import { formatDecimal } from '../domain/decimal.js';
import { EventFlag } from '../domain/event-flags.js';
import type { Instrument } from '../domain/instrument.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, hashText, levelHashLane } from '../domain/level-hash.js';
import { Side } from '../domain/side.js';
import { InvariantError } from '../faults/invariant.js';
import { OUT_ENVELOPE_DOUBLES, OUT_INSTRUMENT, OUT_MESSAGE_BYTES } from '../rings/record-types.js';
import type { RecordHandler, RingConsumer } from '../rings/ring-consumer.js';
import type { Agent } from '../runtime/agent.js';
import { MessageDecoder } from '../wire/decode.js';
import { HeadField } from '../wire/head-fields.js';
import { messageToJson } from '../wire/message-json.js';
import { BodyType } from '../wire/message-layout.js';
import { MirrorSide } from './mirror-side.js';

export type LineMode = 'bbo' | 'book' | 'trades' | 'context' | 'events' | 'none';

export interface ReplayLinesOptions {
  readonly mode: LineMode;
  /** Levels a side in a `book` line. */
  readonly depth: number;
  /** By id. */
  readonly instruments: ReadonlyMap<number, Instrument>;
  readonly input: RingConsumer;
  /** Each frame is a whole book: then a snapshot is an applied update too, with a line of its own. */
  readonly snapshotInEveryFrame?: boolean;
}

const RECORDS_PER_TURN = 256;

class Mirror {
  readonly bids = new MirrorSide(Side.Bid);
  readonly asks = new MirrorSide(Side.Ask);
  hashLow = 0;
  hashHigh = 0;

  constructor(readonly instrument: Instrument) {}

  clear(): void {
    this.bids.clear();
    this.asks.clear();
    this.hashLow = 0;
    this.hashHigh = 0;
  }

  apply(levels: Float64Array, bidsCount: number, asksCount: number): void {
    for (let i = 0; i < bidsCount + asksCount; i++) {
      const side = i < bidsCount ? this.bids : this.asks;
      const price = levels[i * 2]!;
      const size = levels[i * 2 + 1]!;
      const before = side.set(price, size);
      if (before !== 0) this.mix(side.side, price, before);
      if (size !== 0) this.mix(side.side, price, size);
    }
  }

  private mix(side: number, price: number, size: number): void {
    this.hashLow ^= levelHashLane(HASH_SEED_LOW, side, price, size);
    this.hashHigh ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
  }
}

export class ReplayLines implements Agent, RecordHandler {
  readonly name = 'replay-lines';
  /** Updates whose hash was compared with the copy's. */
  hashesChecked = 0;
  private readonly decoder = new MessageDecoder();
  private readonly mirrors = new Map<number, Mirror>();
  private readonly lines: string[] = [];
  private pendingChars = 0;

  constructor(private readonly options: ReplayLinesOptions) {
    for (const [id, instrument] of options.instruments)
      this.mirrors.set(id, new Mirror(instrument));
  }

  doWork(): number {
    return this.options.input.poll(this, RECORDS_PER_TURN);
  }

  onClose(): void {}

  /** Characters of lines that wait to be taken. */
  get waitingChars(): number {
    return this.pendingChars;
  }

  /** All lines made since the last call, each with its end. */
  takeLines(): string {
    const text = this.lines.join('');
    this.lines.length = 0;
    this.pendingChars = 0;
    return text;
  }

  /** The hash of an instrument's book as sixteen hex digits. */
  hashOf(instrumentId: number): string {
    const mirror = this.mirrors.get(instrumentId);
    return mirror === undefined ? hashText(0, 0) : hashText(mirror.hashHigh, mirror.hashLow);
  }

  /** The XOR of the hashes of all books: the hash of the book where there is one. */
  hashOfAll(): string {
    let low = 0;
    let high = 0;
    for (const mirror of this.mirrors.values()) {
      low ^= mirror.hashLow;
      high ^= mirror.hashHigh;
    }
    return hashText(high, low);
  }

  onRecord(_typeId: number, slot: number): void {
    const { doubles, words } = this.options.input;
    const mirror = this.mirrors.get(doubles[slot + OUT_INSTRUMENT]!);
    if (mirror === undefined) throw new InvariantError('a message of an instrument of this replay');
    const at = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    const type = this.decoder.decodeWords(words, at, doubles[slot + OUT_MESSAGE_BYTES]!);
    if (type < 0) throw new InvariantError('the books write messages that can be read');
    switch (type) {
      case BodyType.BookSnapshot:
        this.onSnapshot(mirror);
        break;
      case BodyType.BookDelta:
        this.onDelta(mirror);
        break;
      case BodyType.Trades:
        if (this.options.mode === 'trades') this.writeTrades(mirror.instrument);
        break;
      case BodyType.Context:
        if (this.options.mode === 'context') this.writeContext(mirror.instrument);
        break;
      default:
        break;
    }
    if (this.options.mode === 'events') {
      this.write(JSON.stringify(messageToJson(this.decoder, type, mirror.instrument)));
    }
  }

  private onSnapshot(mirror: Mirror): void {
    const { decoder } = this;
    const flags = decoder.head[HeadField.Flags]!;
    if ((flags & EventFlag.Snapshot) !== 0) mirror.clear();
    mirror.apply(decoder.levels, decoder.bidsCount, decoder.asksCount);
    if ((flags & EventFlag.Last) === 0) return;
    this.checkHash(mirror);
    if (this.options.snapshotInEveryFrame === true) this.writeBook(mirror);
  }

  private onDelta(mirror: Mirror): void {
    const { decoder } = this;
    mirror.apply(decoder.levels, decoder.bidsCount, decoder.asksCount);
    if ((decoder.head[HeadField.Flags]! & EventFlag.Last) === 0) return;
    this.checkHash(mirror);
    this.writeBook(mirror);
  }

  private writeBook(mirror: Mirror): void {
    const { options } = this;
    if (options.mode === 'bbo') this.write(this.bookLine(mirror, 1, true));
    else if (options.mode === 'book') this.write(this.bookLine(mirror, options.depth, false));
  }

  private checkHash(mirror: Mirror): void {
    const { head } = this.decoder;
    this.hashesChecked++;
    const isSame =
      (head[HeadField.HashLow]! | 0) === mirror.hashLow &&
      (head[HeadField.HashHigh]! | 0) === mirror.hashHigh;
    if (!isSame) throw new InvariantError('a book rebuilt from its deltas has the hash they carry');
  }

  private bookLine(mirror: Mirror, depth: number, isBbo: boolean): string {
    const { head } = this.decoder;
    const bids = this.sideText(mirror.bids, depth, mirror.instrument);
    const asks = this.sideText(mirror.asks, depth, mirror.instrument);
    return (
      `{"instrument":${JSON.stringify(mirror.instrument.name)},"sequence":${head[HeadField.Sequence]}` +
      `,"venueSequence":"${head[HeadField.VenueSequence]}"` +
      `,"exchangeNs":"${this.decoder.exchangeUnixNs()}"` +
      `,"state":"${bookStateName(head[HeadField.State]!)}"` +
      (isBbo
        ? `,"bid":${bids === '' ? 'null' : bids},"ask":${asks === '' ? 'null' : asks}}`
        : `,"bids":[${bids}],"asks":[${asks}]}`)
    );
  }

  private sideText(side: MirrorSide, depth: number, instrument: Instrument): string {
    let text = '';
    const count = Math.min(depth, side.count);
    for (let rank = 0; rank < count; rank++) {
      const price = formatDecimal(side.priceAt(rank), instrument.priceDecimals);
      const size = formatDecimal(side.sizeAt(rank), instrument.sizeDecimals);
      text += `${rank === 0 ? '' : ','}["${price}","${size}"]`;
    }
    return text;
  }

  private writeTrades(instrument: Instrument): void {
    const message = messageToJson(this.decoder, BodyType.Trades, instrument);
    if (message.type !== 'trades') throw new InvariantError('trades are shown as trades');
    for (const { price, size, tradeId, exchangeNs, aggressor } of message.trades) {
      const sequence = this.decoder.head[HeadField.Sequence];
      const { name } = instrument;
      this.write(
        JSON.stringify({ instrument: name, sequence, tradeId, exchangeNs, price, size, aggressor }),
      );
    }
  }

  /** The whole context each time something of it, or its state, changed. */
  private writeContext(instrument: Instrument): void {
    const message = messageToJson(this.decoder, BodyType.Context, instrument);
    if (message.type !== 'context') throw new InvariantError('a context is shown as a context');
    // Before the first update there is nothing to show.
    if (message.head.state === 'Syncing') return;
    const { type: _type, head, instrument: name, ...values } = message;
    const { sequence, exchangeNs, receivedNs, state, reason } = head;
    this.write(
      JSON.stringify({
        instrument: name,
        sequence: Number(sequence),
        exchangeNs,
        receivedNs,
        state,
        reason,
        ...values,
      }),
    );
  }

  private write(line: string): void {
    this.lines.push(line, '\n');
    this.pendingChars += line.length + 1;
  }
}
