/**
 * A client's side, written only from the contract: follows one connection's frames, holds a book a
 * stream, and fails at the first message that does not continue what it has without saying so.
 */
import assert from 'node:assert/strict';
import { BookState } from '../../../src/domain/book-state.js';
import { EventFlag } from '../../../src/domain/event-flags.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, levelHashLane } from '../../../src/domain/level-hash.js';
import type { Frame } from '../../../src/broadcast/memory-server.js';
import { MessageDecoder } from '../../../src/wire/decode.js';
import { HeadField } from '../../../src/wire/head-fields.js';
import { BodyType } from '../../../src/wire/message-layout.js';
import { verifyMessage } from '../../../src/wire/verifier.js';

export interface StreamCopy {
  readonly channel: string;
  readonly bids: Map<number, number>;
  readonly asks: Map<number, number>;
  epoch: number;
  sequence: number;
  state: number;
  /** Between the parts of a snapshot or of an event. */
  partial: boolean;
  /** Its anchor has arrived, as far as it has one: from here it can resume. */
  anchored: boolean;
  depth: number;
  messages: number;
  conflated: number;
  foldedTotal: number;
  snapshots: number;
  resumedFlags: number;
  bbo: number[];
  trades: number[];
}

export class Replica {
  readonly streams = new Map<number, StreamCopy>();
  readonly answers: Record<string, unknown>[] = [];
  heartbeats = 0;
  private readonly decoder = new MessageDecoder();

  feed(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (frame.kind === 'text') this.onText(frame.text);
      else this.onBinary(frame.bytes);
    }
  }

  /** Takes the first answer that fits, out of those not taken yet. */
  answer(op: string, id?: unknown): Record<string, unknown> {
    const index = this.answers.findIndex(
      (each) => each['op'] === op && (id === undefined || each['id'] === id),
    );
    assert.ok(index >= 0, `no ${op} answer among ${JSON.stringify(this.answers)}`);
    return this.answers.splice(index, 1)[0]!;
  }

  stream(id: number): StreamCopy {
    const found = this.streams.get(id);
    assert.ok(found !== undefined, `no messages of stream ${id}`);
    return found;
  }

  onText(text: string): void {
    const value = JSON.parse(text) as Record<string, unknown>;
    this.answers.push(value);
    if (value['op'] !== 'subscribed') return;
    const id = value['streamId'] as number;
    const resumed = value['resumed'] === true;
    const copy = resumed ? this.streams.get(id) : undefined;
    const at = { epoch: Number(value['epoch']), sequence: Number(value['sequence']) };
    if (resumed) {
      assert.ok(copy !== undefined, 'a resumed stream is one that the client knows');
      assert.deepEqual(
        { epoch: copy.epoch, sequence: copy.sequence },
        at,
        'it resumes where the client is',
      );
    } else {
      this.streams.set(id, emptyCopy(String(value['channel']), at, value['depth'] as number));
    }
  }

  onBinary(bytes: Uint8Array): void {
    assert.equal(verifyMessage(bytes), null, 'every message is a valid FlatBuffer');
    const { decoder } = this;
    const type = decoder.decode(bytes, 0, bytes.length);
    assert.ok(type > 0, `decode gave ${type}`);
    if (type === BodyType.Heartbeat) {
      this.onHeartbeat();
      return;
    }
    const { head } = decoder;
    const copy = this.stream(head[HeadField.StreamId]!);
    copy.messages++;
    copy.state = head[HeadField.State]!;
    const flags = head[HeadField.Flags]!;
    if ((flags & EventFlag.Resumed) !== 0) copy.resumedFlags++;
    if ((flags & EventFlag.Conflated) !== 0) {
      copy.conflated++;
      copy.foldedTotal += head[HeadField.Folded]!;
    }
    if (type === BodyType.BookSnapshot) this.onSnapshot(copy, flags);
    else this.onContinuing(copy, type, flags);
  }

  private onSnapshot(copy: StreamCopy, flags: number): void {
    const { head } = this.decoder;
    const sequence = head[HeadField.Sequence]!;
    if ((flags & EventFlag.Snapshot) !== 0) {
      copy.bids.clear();
      copy.asks.clear();
      copy.snapshots++;
    } else {
      assert.ok(
        (flags & EventFlag.Continued) !== 0 && copy.partial,
        'a further part follows a first one',
      );
      assert.ok(
        sequence === copy.sequence || sequence === copy.sequence + 1,
        'parts follow each other',
      );
    }
    const inStream = head[HeadField.Epoch] === copy.epoch && copy.anchored;
    if (inStream && (flags & EventFlag.Snapshot) !== 0) {
      const first = head[HeadField.FirstSequence]!;
      assert.ok(
        first <= copy.sequence + 1,
        `a snapshot in the stream covers what is missing: ${first}`,
      );
    }
    copy.epoch = head[HeadField.Epoch]!;
    copy.sequence = sequence;
    this.applyLevels(copy);
    this.finish(copy, flags);
    copy.anchored = !copy.partial;
  }

  private onContinuing(copy: StreamCopy, type: number, flags: number): void {
    const { head } = this.decoder;
    const epoch = head[HeadField.Epoch]!;
    const first = head[HeadField.FirstSequence]!;
    const sequence = head[HeadField.Sequence]!;
    const anchor = copy.messages === 1 && type !== BodyType.BookDelta && sequence === copy.sequence;
    if (!anchor && epoch === copy.epoch) {
      const text = `stream continues at ${copy.sequence + 1}, got ${first}..${sequence}`;
      // A value that stands for itself may cover more than is missing; levels and trades may not.
      const whole = type === BodyType.Bbo || type === BodyType.Status;
      assert.ok(whole ? first <= copy.sequence + 1 : first === copy.sequence + 1, text);
      assert.ok(whole ? sequence >= copy.sequence : sequence > copy.sequence, text);
      assert.equal(
        head[HeadField.Folded]!,
        sequence - first,
        'the count folded is that of the range',
      );
      if (sequence > first)
        assert.ok((flags & EventFlag.Conflated) !== 0, 'a folded message says so');
    } else if (!anchor) {
      assert.ok(epoch > copy.epoch, 'epochs only grow');
      assert.notEqual(type, BodyType.BookDelta, 'a delta never begins an epoch');
    }
    copy.epoch = epoch;
    copy.sequence = sequence;
    if (type === BodyType.BookDelta) {
      this.applyLevels(copy);
      this.finish(copy, flags);
    } else if (type === BodyType.Bbo) {
      copy.anchored = true;
      copy.bbo = [...this.decoder.bbo];
    } else if (type === BodyType.Status && copy.channel === 'status') {
      copy.anchored = true;
    } else if (type === BodyType.Trades) {
      copy.anchored = true;
      for (let i = 0; i < this.decoder.tradesCount; i++)
        copy.trades.push(this.decoder.trades[i * 5 + 2]!);
    }
  }

  private finish(copy: StreamCopy, flags: number): void {
    copy.partial = (flags & EventFlag.Last) === 0;
    if (copy.partial) return;
    const { head } = this.decoder;
    assert.equal(
      hashOf(copy, HASH_SEED_LOW),
      head[HeadField.HashLow]! | 0,
      `low lane of the hash: ${this.describe(copy, flags)}`,
    );
    assert.equal(
      hashOf(copy, HASH_SEED_HIGH),
      head[HeadField.HashHigh]! | 0,
      `high lane of the hash: ${this.describe(copy, flags)}`,
    );
    if (copy.depth > 0) {
      assert.ok(
        copy.bids.size <= copy.depth && copy.asks.size <= copy.depth,
        'a view keeps its depth',
      );
    }
  }

  private describe(copy: StreamCopy, flags: number): string {
    const { head } = this.decoder;
    const range = `${head[HeadField.FirstSequence]!}..${copy.sequence}`;
    return `stream ${head[HeadField.StreamId]!} depth ${copy.depth} at ${range}, flags ${flags}, state ${copy.state}`;
  }

  private applyLevels(copy: StreamCopy): void {
    const { levels, bidsCount, asksCount } = this.decoder;
    for (let i = 0; i < bidsCount + asksCount; i++) {
      const side = i < bidsCount ? copy.bids : copy.asks;
      const size = levels[i * 2 + 1]!;
      if (size === 0) side.delete(levels[i * 2]!);
      else side.set(levels[i * 2]!, size);
    }
  }

  private onHeartbeat(): void {
    this.heartbeats++;
    const { positions, positionsCount } = this.decoder;
    for (let i = 0; i < positionsCount; i++) {
      const copy = this.streams.get(positions[i * 4 + 2]!);
      assert.ok(copy !== undefined, 'a heartbeat names streams that the client has');
      if (positions[i * 4] !== copy.epoch) continue;
      assert.equal(positions[i * 4 + 1], copy.sequence + 1, 'a heartbeat tells the next sequence');
    }
  }
}

function emptyCopy(
  channel: string,
  at: { epoch: number; sequence: number },
  depth: number,
): StreamCopy {
  return {
    channel,
    bids: new Map(),
    asks: new Map(),
    ...at,
    depth,
    state: BookState.Syncing,
    partial: false,
    anchored: false,
    messages: 0,
    conflated: 0,
    foldedTotal: 0,
    snapshots: 0,
    resumedFlags: 0,
    bbo: [],
    trades: [],
  };
}

function hashOf(copy: StreamCopy, seed: number): number {
  let lane = 0;
  for (const [price, size] of copy.bids) lane ^= levelHashLane(seed, 0, price, size);
  for (const [price, size] of copy.asks) lane ^= levelHashLane(seed, 1, price, size);
  return lane;
}

/** A side of a copy, best first. */
export function sorted(copy: StreamCopy, side: 'bids' | 'asks'): [number, number][] {
  return [...copy[side]].sort((a, b) => (side === 'bids' ? b[0] - a[0] : a[0] - b[0]));
}
