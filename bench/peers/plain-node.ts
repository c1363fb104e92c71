/**
 * The rival of the pipeline benches: the feed node that a good Node developer writes first. `ws` on both
 * sides, `JSON.parse`, a Map a side, the venue's rule of continuity, the generated FlatBuffers Builder.
 * One thread, no tricks, nothing left out that its client needs. A program of its own:
 *
 *     node plain-node.js http://127.0.0.1:PORT ws://127.0.0.1:PORT      prints {"port":N}
 */
import * as flatbuffers from 'flatbuffers';
import { WebSocket, WebSocketServer } from 'ws';
import * as wire from '../../src/wire/generated/ringside/wire.js';

const [restUrl, webSocketUrl] = process.argv.slice(2) as [string, string];
const SYMBOL = 'BTCUSDT';
const PRICE_SCALE = 100;
const SIZE_SCALE = 1000;

type Level = [price: string, size: string];

interface DepthUpdate {
  readonly E: number;
  readonly U: number;
  readonly u: number;
  readonly pu: number;
  readonly b: Level[];
  readonly a: Level[];
}

interface Snapshot {
  readonly lastUpdateId: number;
  readonly bids: Level[];
  readonly asks: Level[];
}

const bids = new Map<number, number>();
const asks = new Map<number, number>();
const builder = new flatbuffers.Builder(4096);
const epoch = BigInt(Date.now()) * 1000n;
const unixNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
let sequence = 0n;
let lastUpdateId = -1;
let isLive = false;
let kept: DepthUpdate[] = [];

function levelsOf(side: Level[]): { price: number; size: number }[] {
  return side.map(([price, size]) => ({
    price: Math.round(Number(price) * PRICE_SCALE),
    size: Math.round(Number(size) * SIZE_SCALE),
  }));
}

function apply(book: Map<number, number>, levels: { price: number; size: number }[]): void {
  for (const { price, size } of levels) {
    if (size === 0) book.delete(price);
    else book.set(price, size);
  }
}

function vectorOf(
  levels: { price: number; size: number }[],
  start: (count: number) => void,
): number {
  start(levels.length);
  for (const { price, size } of levels.toReversed()) {
    wire.Level.createLevel(builder, BigInt(price), BigInt(size));
  }
  return builder.endVector();
}

function encode(
  update: DepthUpdate,
  changedBids: { price: number; size: number }[],
  changedAsks: { price: number; size: number }[],
  receivedNs: bigint,
): Uint8Array {
  builder.clear();
  sequence += 1n;
  const asksOffset = vectorOf(changedAsks, (count) =>
    wire.BookDelta.startAsksVector(builder, count),
  );
  const bidsOffset = vectorOf(changedBids, (count) =>
    wire.BookDelta.startBidsVector(builder, count),
  );
  const exchangeNs = BigInt(update.E) * 1_000_000n;
  const now = unixNs();
  wire.BookDelta.startBookDelta(builder);
  const { Live } = wire.BookState;
  const head = wire.Head.createHead(
    builder,
    epoch,
    sequence,
    sequence,
    BigInt(update.u),
    0n,
    exchangeNs,
    receivedNs,
    now,
    now,
    8,
    0,
    0,
    1,
    Live,
    0,
  );
  wire.BookDelta.addHead(builder, head);
  wire.BookDelta.addBids(builder, bidsOffset);
  wire.BookDelta.addAsks(builder, asksOffset);
  const body = wire.BookDelta.endBookDelta(builder);
  const message = wire.Message.createMessage(builder, wire.Body.BookDelta, body);
  wire.Message.finishMessageBuffer(builder, message);
  return builder.asUint8Array().slice();
}

function onUpdate(update: DepthUpdate, receivedNs: bigint): void {
  if (lastUpdateId < 0) {
    kept.push(update);
    return;
  }
  if (update.u < lastUpdateId) return;
  if (isLive && update.pu !== lastUpdateId)
    throw new Error(`gap: ${update.pu}, not ${lastUpdateId}`);
  isLive = true;
  lastUpdateId = update.u;
  const changedBids = levelsOf(update.b);
  const changedAsks = levelsOf(update.a);
  apply(bids, changedBids);
  apply(asks, changedAsks);
  if (clients.size === 0) return;
  const bytes = encode(update, changedBids, changedAsks, receivedNs);
  for (const client of clients) client.send(bytes);
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
const clients = new Set<WebSocket>();
server.on('connection', (client) => {
  client.on('message', (text: Buffer) => {
    const request = JSON.parse(text.toString()) as { op: string; id: number };
    if (request.op !== 'subscribe') return;
    client.send(JSON.stringify({ op: 'subscribed', id: request.id, channel: 'book' }));
    clients.add(client);
  });
  client.on('close', () => clients.delete(client));
});

const venue = new WebSocket(`${webSocketUrl}/public/stream`, { perMessageDeflate: false });
venue.on('open', () => {
  const params = [`${SYMBOL.toLowerCase()}@depth@0ms`];
  venue.send(JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }));
  // The snapshot must be of a time at which updates already arrive.
  setTimeout(() => void align(), 100);
});
venue.on('message', (data: Buffer) => {
  const receivedNs = unixNs();
  const message = JSON.parse(data.toString()) as { data?: DepthUpdate };
  if (message.data !== undefined) onUpdate(message.data, receivedNs);
});

async function align(): Promise<void> {
  const response = await fetch(`${restUrl}/fapi/v1/depth?symbol=${SYMBOL}&limit=1000`);
  const snapshot = (await response.json()) as Snapshot;
  apply(bids, levelsOf(snapshot.bids));
  apply(asks, levelsOf(snapshot.asks));
  lastUpdateId = snapshot.lastUpdateId;
  const waiting = kept;
  kept = [];
  for (const update of waiting) onUpdate(update, unixNs());
  console.log(JSON.stringify({ port: (server.address() as { port: number }).port }));
}
