/** Snapshots of large books: made in slices while blocks go on, shared, sent in pieces, bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BroadcastColumn } from '../../../src/broadcast/broadcast-counters.js';
import type { MemoryClient } from '../../../src/broadcast/memory-server.js';
import { StateReason } from '../../../src/domain/book-state.js';
import { syntheticBlock } from '../../support/synthetic-node.js';
import { ApiRoom, error, response, subscribe, texts, unsubscribe } from './api-room.js';

const ORDERS = 6_000;
const L4 = { type: 'l4Book', coin: 'BTC' };
const L4_TEXT = JSON.stringify(L4);
const NOT_READY = error('Order book not ready for streaming (waiting for snapshot): BTC');

interface Snapshot {
  readonly height: number;
  readonly seq: number;
  readonly epoch: number;
  readonly levels: [unknown[], unknown[]];
}
interface Updates {
  readonly height: number;
  readonly seq: number;
  readonly prevSeq: number;
  readonly epoch: number;
  readonly book_diffs: { oid: number; raw_book_diff: unknown }[];
}

/** What an l4Book reader was told, checked for continuity. */
class Told {
  readonly snapshots: Snapshot[] = [];
  readonly updates: Updates[] = [];
  readonly errors: string[] = [];
  /** Updates since the last Snapshot. */
  readonly oids = new Set<number>();
  snapshotText = '';
  private sequence = -1;
  private height = -1;

  constructor(readonly client: MemoryClient) {
    client.send(subscribe(L4));
  }

  read(): this {
    for (const text of texts(this.client)) {
      if (text === response('subscribe', L4_TEXT)) continue;
      const { channel, data } = JSON.parse(text) as {
        channel: string;
        data: { Snapshot?: Snapshot; Updates?: Updates };
      };
      if (channel === 'error') this.errors.push(text);
      else if (channel !== 'l4Book') continue;
      else if (data.Snapshot !== undefined) this.begin(data.Snapshot, text);
      else this.go(data.Updates!);
    }
    return this;
  }

  private begin(snapshot: Snapshot, text: string): void {
    this.snapshots.push(snapshot);
    this.snapshotText = text;
    this.sequence = snapshot.seq;
    this.height = snapshot.height;
    this.oids.clear();
    for (const order of snapshot.levels.flat()) this.oids.add((order as { oid: number }).oid);
  }

  private go(update: Updates): void {
    assert.ok(this.snapshots.length > 0, 'the Snapshot comes first');
    assert.equal(update.prevSeq, this.sequence);
    assert.equal(update.height, this.height + 1);
    this.sequence = update.seq;
    this.height = update.height;
    this.updates.push(update);
    for (const { oid, raw_book_diff: diff } of update.book_diffs) {
      if (diff === 'remove') assert.ok(this.oids.delete(oid));
      else this.oids.add(oid);
    }
  }
}

const counter = (room: ApiRoom, column: number): number => room.rig.counters.get(0, column);
const heldBytes = (room: ApiRoom): number => {
  // Gauges are set from time to time.
  room.settle(60);
  return counter(room, BroadcastColumn.ApiSnapshotBytes);
};

test('Snapshot: those who ask while one is made share it, and blocks go on meanwhile for all', async () => {
  const room = await ApiRoom.open({ orders: ORDERS });
  const readers = [new Told(room.connect())];
  let block = 0;
  const trades = room.connect();
  trades.send(subscribe({ type: 'trades', coin: 'BTC' }));
  for (let turn = 0; turn < 40; turn++) {
    if (turn === 2 || turn === 4) readers.push(new Told(room.connect()));
    if (turn % 2 === 0) room.rig.append(syntheticBlock(++block, 'BTC'));
    room.turn();
  }
  room.settle();
  assert.ok(texts(trades).length > block / 2, 'other readers were told all the time');
  const [first] = readers.map((reader) => reader.read());
  for (const reader of readers) {
    assert.equal(reader.snapshots.length, 1);
    assert.equal(reader.snapshotText, first!.snapshotText);
    assert.ok(reader.updates.length > 10);
    assert.equal(reader.updates.at(-1)!.height, 1000 + block);
  }
  assert.equal(counter(room, BroadcastColumn.ApiSnapshots), 1);
  room.settle(1_100);
  const late = new Told(room.connect());
  room.settle(2_000);
  late.read();
  assert.deepEqual(late.oids, first!.oids, 'all end with the same orders');
  assert.equal(heldBytes(room), 0);
  assert.equal(counter(room, BroadcastColumn.ApiSnapshots), 2);
});

test('Snapshot: whoever asks within a second gets the same one and the blocks since, later a new one', async () => {
  const room = await ApiRoom.open({ orders: ORDERS });
  const first = new Told(room.connect());
  room.settle();
  room.rig.append(syntheticBlock(1, 'BTC'));
  room.settle();
  const second = new Told(room.connect());
  room.settle();
  assert.equal(second.read().snapshotText, first.read().snapshotText);
  assert.deepEqual(second.updates, first.updates);
  assert.equal(second.updates.length, 1);
  room.settle(1_100);
  const third = new Told(room.connect());
  room.settle();
  assert.equal(third.read().snapshots[0]!.height, 1001);
  assert.deepEqual(third.oids, first.oids);
});

test('Snapshot: a client that leaves while it is made or sent costs the others nothing', async () => {
  const room = await ApiRoom.open({ orders: ORDERS });
  const [leaver, stopper, other] = [room.connect(), room.connect(), room.connect()];
  const told = [leaver, stopper, other].map((client) => new Told(client));
  room.turn();
  room.turn();
  leaver.drop();
  stopper.send(unsubscribe(L4));
  for (let turn = 0; turn < 8; turn++) room.turn();
  other.pause();
  const amid = new Told(room.connect());
  amid.client.pause();
  for (let turn = 0; turn < 8; turn++) room.turn();
  amid.client.drop();
  other.resume();
  room.rig.append(syntheticBlock(1, 'BTC'));
  room.settle();
  assert.deepEqual(texts(stopper), [
    response('subscribe', L4_TEXT),
    response('unsubscribe', L4_TEXT),
  ]);
  const last = told[2]!.read();
  assert.equal(last.snapshots.length, 1);
  assert.deepEqual(
    last.updates.map(({ height }) => height),
    [1001],
  );
  other.drop();
  room.settle(1_100);
  assert.equal(heldBytes(room), 0);
  assert.equal(room.server.connections.size, 1);
});

test('Snapshot: what else its reader follows comes after it, in order, and nothing is missing', async () => {
  const room = await ApiRoom.open({ orders: ORDERS });
  const client = room.connect();
  const control = room.connect();
  for (const each of [client, control]) {
    each.send(subscribe({ type: 'l2Book', coin: 'BTC', nLevels: 1 }));
    each.send(subscribe({ type: 'trades', coin: 'BTC' }));
  }
  const told = new Told(client);
  for (let turn = 0; turn < 8; turn++) room.turn();
  // Its socket takes nothing for a while: half a megabyte of the Snapshot stands in it.
  client.pause();
  for (let block = 1; block <= 6; block++) {
    room.rig.append(syntheticBlock(block, 'BTC'));
    room.settle();
  }
  client.send({ method: 'ping' });
  const before = texts(client);
  client.resume();
  room.settle();
  const all = [...before, ...texts(client)];
  assert.equal(all.at(-1), '{"channel":"pong"}');
  const plain = (text: string): boolean => /^\{"channel":"(l2Book|trades)"/.test(text);
  assert.deepEqual(all.filter(plain), texts(control).filter(plain));
  for (const text of all) client.inbox.push({ kind: 'text', text });
  assert.equal(told.read().snapshots.length, 1);
  assert.equal(told.updates.length, 6);
});

test('Snapshot: a book that is lost while it is made is told at once; told anew, all begin anew', async () => {
  const room = await ApiRoom.open({ orders: ORDERS });
  const reader = new Told(room.connect());
  room.settle();
  const waiting = new Told(room.connect());
  room.settle(1_100);
  const making = new Told(room.connect());
  room.turn();
  room.turn();
  room.feed.orders!.lose(StateReason.IntegrityMismatch, room.clock.nowNs());
  room.turn();
  assert.deepEqual(texts(making.client), [response('subscribe', L4_TEXT), NOT_READY]);
  assert.deepEqual(waiting.read().errors, [NOT_READY]);
  assert.deepEqual(reader.read().errors, [NOT_READY]);
  const refused = room.connect();
  refused.send(subscribe(L4));
  assert.deepEqual(texts(refused), [error('Unable to grab order book snapshot: Snapshot Failed')]);
  // The books are asked to tell everything again.
  room.settle(1_200);
  room.rig.append(syntheticBlock(1, 'BTC'));
  room.settle();
  for (const told of [reader.read(), waiting.read(), making.read()]) {
    assert.equal(told.snapshots.at(-1)!.levels.flat().length, ORDERS);
    assert.equal(told.updates.at(-1)!.height, 1001);
  }
  assert.ok(reader.snapshots[1]!.seq > reader.snapshots[0]!.seq);
  assert.equal(making.snapshots.length, 1);
  room.settle(1_100);
  assert.equal(heldBytes(room), 0);
});

test('Snapshot: a reader that takes none of it is closed, with the reason in the close frame', async () => {
  const room = await ApiRoom.open({ orders: ORDERS, limits: { stalledNsMax: 200e6 } });
  const client = room.connect();
  client.send(subscribe(L4));
  client.pause();
  room.settle(400);
  client.resume();
  assert.equal(client.closeCode, 4008);
  assert.equal(client.closeReason, 'slow reader');
  room.settle(1_100);
  assert.equal(heldBytes(room), 0);
  assert.equal(counter(room, BroadcastColumn.ApiClosedSlow), 1);
});

test('Snapshot: one that takes it slower than the blocks come is closed when too much waits behind', async () => {
  const room = await ApiRoom.open({
    orders: ORDERS,
    limits: { losslessBytesMax: 2_000, highWaterBytes: 1_500, lowWaterBytes: 1_000 },
  });
  const client = room.connect();
  client.send(subscribe(L4));
  room.settle();
  texts(client);
  const slow = room.connect();
  slow.send(subscribe(L4));
  slow.pause();
  for (let block = 1; block <= 20; block++) {
    room.rig.append(syntheticBlock(block, 'BTC'));
    room.settle(30);
  }
  slow.resume();
  assert.equal(slow.closeCode, 4008);
  assert.equal(client.closeCode, null);
});
