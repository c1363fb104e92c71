/**
 * The one way a message reaches the readers of a stream: it moves the stream's position, is kept in
 * its history and handed once to the server, which fans it out. Broadcast thread, hot.
 */
import type { CounterTable } from '../rings/counters.js';
import type { MessageDecoder } from '../wire/decode.js';
import { messageToJson } from '../wire/message-json.js';
import type { JsonInstrument } from '../wire/message-json.js';
import { BroadcastColumn } from './broadcast-counters.js';
import type { BroadcastServer } from './broadcast-server.js';
import type { Stream } from './topics.js';

export class Outlet {
  private readonly server: BroadcastServer;
  private readonly counters: CounterTable;
  private readonly decoder: MessageDecoder;
  /** By instrument id. */
  private readonly described: JsonInstrument[] = [];
  /** Bytes published so far, each message once, whoever reads it. */
  bytesTotal = 0;

  constructor(server: BroadcastServer, counters: CounterTable, decoder: MessageDecoder) {
    this.server = server;
    this.counters = counters;
    this.decoder = decoder;
  }

  /** Name and decimals of an instrument, as they are at each time, for JSON. */
  describe(instrumentId: number, instrument: JsonInstrument): void {
    this.described[instrumentId] = instrument;
  }

  /** Publishes a finished message of `bytes` at `words[at]` under its position. Hot. */
  deliver(
    stream: Stream,
    words: Int32Array,
    at: number,
    bytes: number,
    epoch: number,
    sequence: number,
  ): void {
    stream.epoch = epoch;
    stream.sequence = sequence;
    // One view a message is what this thread leaves to the garbage collector: with it both the copy
    // and the server take the bytes as they stand.
    const message = new Uint8Array(words.buffer, words.byteOffset + at * 4, bytes);
    stream.history.append(message, epoch, sequence);
    const joined = stream.binaryJoined;
    if (joined > 0) {
      this.server.publish(stream.topic, message);
      this.count(joined, bytes);
    }
    if (stream.jsonJoined > 0) {
      const text = this.text(words, at, bytes, stream.instrumentId);
      this.server.publishText(stream.jsonTopic, text);
      this.count(stream.jsonJoined, text.length);
    }
  }

  /** The message as the text of a `?format=json` frame. */
  text(words: Int32Array, at: number, bytes: number, instrumentId: number): string {
    const type = this.decoder.decodeWords(words, at, bytes);
    return JSON.stringify(messageToJson(this.decoder, type, this.described[instrumentId] ?? null));
  }

  private count(joined: number, bytes: number): void {
    this.bytesTotal += bytes;
    this.counters.add(0, BroadcastColumn.Published, 1);
    this.counters.add(0, BroadcastColumn.Deliveries, joined);
    this.counters.add(0, BroadcastColumn.DeliveredBytes, joined * bytes);
  }
}
