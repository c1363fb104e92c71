/**
 * Clients of bench node-latency: when each block's last message was read, on loopback. They look at
 * the few bytes that tell the block and keep the rest unread.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { BookState } from '../src/domain/book-state.js';
import { invariant } from '../src/faults/invariant.js';
import { DecodeError, MessageDecoder } from '../src/wire/decode.js';
import { HeadField } from '../src/wire/head-fields.js';
import { BodyType } from '../src/wire/message-layout.js';
import { readTimelineOrigin } from '../src/time/system-clock.js';
import { monotonicNs } from './node-writer.js';

/** When a block's messages were read; for the feed also the node's own times, all CLOCK_MONOTONIC. */
export interface BlockReading {
  /** Of the last message. */
  readNs: number;
  messages: number;
  receivedNs: number;
  appliedNs: number;
  publishedNs: number;
}

export abstract class BlockClient {
  /** By height. */
  readonly readings = new Map<number, BlockReading>();
  bytes = 0;
  protected constructor(protected readonly socket: WebSocket) {}

  close(): void {
    this.socket.terminate();
  }

  protected note(height: number, readNs: number): BlockReading {
    let reading = this.readings.get(height);
    if (reading === undefined) {
      reading = { readNs, messages: 0, receivedNs: -1, appliedNs: -1, publishedNs: -1 };
      this.readings.set(height, reading);
    }
    reading.readNs = readNs;
    reading.messages++;
    return reading;
  }
}

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
  await once(socket, 'open');
  return socket;
}

const JSON_CHANNELS = ['l2Book', 'trades', 'l4Book'] as const;
const HEAD_CHARS = 160;
const TIME = /"time":(\d+)/;
const HEIGHT = /"Updates":\{"time":\d+,"height":(\d+)/;

/** l2Book, trades and l4Book of BTC on one connection, as clients of order_book_server have them. */
export class DropInClient extends BlockClient {
  /** Block time in ms → levels of the l2Book message. */
  readonly books = new Map<number, Buffer>();
  private readonly heightAt: (blockMs: number) => number;

  private constructor(socket: WebSocket, heightAt: (blockMs: number) => number) {
    super(socket);
    this.heightAt = heightAt;
  }

  static async open(url: string, heightAt: (blockMs: number) => number): Promise<DropInClient> {
    const client = new DropInClient(await connect(url), heightAt);
    const { socket } = client;
    let answers = 0;
    const answered = new Promise<void>((settle) => {
      socket.on('message', (bytes: Buffer) => {
        if (client.onMessage(bytes, monotonicNs())) return;
        if (++answers === JSON_CHANNELS.length) settle();
      });
    });
    for (const type of JSON_CHANNELS) {
      const subscription = { type, coin: 'BTC' };
      socket.send(JSON.stringify({ method: 'subscribe', subscription }));
    }
    await answered;
    return client;
  }

  /** False if it is an answer. */
  private onMessage(bytes: Buffer, readNs: number): boolean {
    this.bytes += bytes.length;
    const head = bytes.toString('latin1', 0, HEAD_CHARS);
    if (head.startsWith('{"channel":"subscriptionResponse"')) return false;
    if (head.startsWith('{"channel":"l4Book"')) {
      const height = HEIGHT.exec(head);
      if (height !== null) this.note(Number(height[1]), readNs);
    } else if (head.startsWith('{"channel":"l2Book"')) {
      const blockMs = Number(TIME.exec(head)![1]);
      this.note(this.heightAt(blockMs), readNs);
      this.books.set(blockMs, bytes.subarray(bytes.indexOf('"levels"')));
    } else if (head.startsWith('{"channel":"trades"')) {
      const time = TIME.exec(bytes.toString('latin1', 0, 4 * HEAD_CHARS));
      this.note(this.heightAt(Number(time![1])), readNs);
    }
    return true;
  }
}

const FEED_CHANNELS = ['orders', 'bbo'] as const;

/** The channels `orders` and `bbo` of the binary feed. */
export class FeedBlockClient extends BlockClient {
  private readonly decoder = new MessageDecoder();
  /** Unix − monotonic of this machine, as this process reads them. */
  private readonly offsetNs: number;

  private constructor(socket: WebSocket) {
    super(socket);
    const origin = readTimelineOrigin();
    this.offsetNs = Number(origin.unixNs - origin.monotonicNs);
  }

  static async open(url: string): Promise<FeedBlockClient> {
    const client = new FeedBlockClient(await connect(url));
    const { socket } = client;
    let answers = 0;
    const answered = new Promise<void>((settle) => {
      socket.on('message', (bytes: Buffer, isBinary: boolean) => {
        if (isBinary) client.onMessage(bytes, monotonicNs());
        else if (++answers === FEED_CHANNELS.length) settle();
      });
    });
    FEED_CHANNELS.forEach((channel, id) => {
      const instrument = 'hyperliquid-node:BTC';
      socket.send(JSON.stringify({ op: 'subscribe', id, channel, instrument, mode: 'lossless' }));
    });
    await answered;
    return client;
  }

  private onMessage(bytes: Buffer, readNs: number): void {
    this.bytes += bytes.length;
    const { decoder, offsetNs } = this;
    const type = decoder.decode(bytes, 0, bytes.length);
    invariant(type >= 0, `the feed's messages can be decoded (${nameOf(type)})`);
    if (type !== BodyType.OrdersDelta && type !== BodyType.Bbo) return;
    const { head } = decoder;
    // The best is told again when the silence after the last block is.
    if (head[HeadField.State] !== BookState.Live) return;
    const reading = this.note(head[HeadField.VenueSequence]!, readNs);
    reading.receivedNs = head[HeadField.ReceivedNs]! - offsetNs;
    reading.appliedNs = head[HeadField.AppliedNs]! - offsetNs;
    reading.publishedNs = Math.max(reading.publishedNs, head[HeadField.PublishedNs]! - offsetNs);
  }
}

function nameOf(code: number): string {
  return Object.entries(DecodeError).find(([, value]) => value === code)?.[0] ?? String(code);
}
