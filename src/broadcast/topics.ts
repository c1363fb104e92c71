/**
 * A stream: one instrument on one channel at one depth, with its position, its recent messages and
 * the two topics (binary, JSON) of those who follow it live. Broadcast thread.
 */
import type { Channel } from '../domain/channel.js';
import { streamIdOf, FIRST_VIEW_STREAM_ID } from '../domain/channel.js';
import type { History } from './history.js';

/** Every socket stays in this one, so that leaving its last topic never drops what is on its way. */
export const COMMON_TOPIC = 'all';

/** Depths fit below this, so that a view's stream id is the same each time it is made. */
const VIEW_DEPTHS = 8192;

export function viewStreamIdOf(instrumentId: number, depth: number): number {
  return FIRST_VIEW_STREAM_ID + instrumentId * VIEW_DEPTHS + depth;
}

export class Stream {
  readonly streamId: number;
  readonly instrumentId: number;
  readonly channel: Channel;
  /** Levels a side, 0 for the full book and for channels without levels. */
  readonly depth: number;
  readonly topic: string;
  readonly jsonTopic: string;
  readonly history: History;
  /** Position: of the last message delivered. Epoch 0: nothing yet. */
  epoch = 0;
  sequence = 0;
  /** Hash of the stream's book after that message; 0 on streams without a book. */
  hashLow = 0;
  hashHigh = 0;
  /** A message of our own took the next number: more of this epoch from the books is held back. */
  sealed = false;
  /** Sockets in the topics now; those that fell behind are not among them. */
  binaryJoined = 0;
  jsonJoined = 0;
  /** Subscriptions, in whatever phase. */
  subscriptions = 0;

  constructor(instrumentId: number, channel: Channel, depth: number, history: History) {
    this.instrumentId = instrumentId;
    this.channel = channel;
    this.depth = depth;
    this.streamId =
      depth === 0 ? streamIdOf(instrumentId, channel) : viewStreamIdOf(instrumentId, depth);
    this.topic = `b${this.streamId}`;
    this.jsonTopic = `j${this.streamId}`;
    this.history = history;
  }

  /** Its position is before that one, and something of it may still follow. */
  isBefore(epoch: number, sequence: number): boolean {
    if (epoch !== this.epoch) return epoch > this.epoch;
    return sequence > this.sequence && !this.sealed;
  }
}
