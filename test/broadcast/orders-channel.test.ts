/** The orders channel from a made node's files to clients in memory: anchors, deltas, resume, slowness. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { BroadcastAgent } from '../../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS } from '../../src/broadcast/broadcast-counters.js';
import { resolveLimits, type BroadcastLimits } from '../../src/broadcast/limits.js';
import { MemoryClient, MemoryServer } from '../../src/broadcast/memory-server.js';
import { parseControl } from '../../src/client/control-messages.js';
import { Outcome, StreamState } from '../../src/client/stream-state.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { createCounterTable } from '../../src/rings/counters.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { Timeline } from '../../src/time/timeline.js';
import { nodeInstrument } from '../../src/venues/hyperliquid-node/coins.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { HeadField } from '../../src/wire/head-fields.js';
import { BodyType } from '../../src/wire/message-layout.js';
import { MadeNodeRig } from '../support/made-node-rig.js';
import { TestRoom, subscribe } from './support/room.js';
import { timeCell } from '../../src/time/clock.js';

const BTC = 'hyperliquid-node:BTC';

class Room {
  readonly rig: MadeNodeRig;
  readonly server: MemoryServer;
  readonly agent: BroadcastAgent;

  constructor(t: TestContext, limits: Partial<BroadcastLimits> = {}) {
    const ring = createRing(2 ** 18);
    this.rig = new MadeNodeRig({ layout: 'by-block', broadcast: ring });
    t.after(() => this.rig.dispose());
    this.server = new MemoryServer(resolveLimits(limits));
    this.agent = new BroadcastAgent({
      instruments: ['BTC', 'ETH'].map((coin, id) => nodeInstrument(coin, id, null)),
      orders: true,
      inputs: [new RingConsumer(ring)],
      server: this.server,
      clock: this.rig.clock,
      timeline: new Timeline(0n),
      counters: createCounterTable(1, BROADCAST_COLUMNS),
      limits,
      version: 'test',
    });
    void this.agent.listen('127.0.0.1', 0);
    this.rig.afterTurn = () => {
      this.agent.doWork(timeCell(this.rig.clock.nowNs()));
      this.server.turn();
    };
  }

  connect(request: { query?: string } = {}): Reader {
    const client = this.server.connect(request);
    assert.ok(client instanceof MemoryClient);
    return new Reader(client);
  }
}

/** A client that keeps the orders as the published client does. */
class Reader {
  readonly client: MemoryClient;
  readonly stream = new StreamState(
    'orders',
    BTC,
    {},
    { checked: 0, passed: 0, failed: 0, unverifiable: 0 },
    (error) => {
      throw error;
    },
  );
  readonly kinds: string[] = [];
  readonly flags: number[] = [];
  readonly errors: string[] = [];
  readonly texts: string[] = [];
  private readonly decoder = new MessageDecoder();

  constructor(client: MemoryClient) {
    this.client = client;
    this.stream.on(({ kind }) => this.kinds.push(kind));
  }

  ask(more: Record<string, unknown> = {}): void {
    this.client.send({ op: 'subscribe', id: 1, channel: 'orders', instrument: BTC, ...more });
  }

  read(): void {
    for (const frame of this.client.take()) {
      if (frame.kind === 'text') {
        this.texts.push(frame.text);
        const answer = parseControl(frame.text);
        if (answer.op === 'subscribed') this.stream.anchor(answer);
        if (answer.op === 'error') this.errors.push(`${answer.code} ${answer.message}`);
        continue;
      }
      const type = this.decoder.decode(frame.bytes, 0, frame.bytes.length);
      if (type === BodyType.Heartbeat) continue;
      this.flags.push(this.decoder.head[HeadField.Flags]!);
      assert.equal(this.stream.handle(type, this.decoder), Outcome.Used);
    }
  }
}

test('Orders channel: snapshot, then every block, equal to the sender by hash', async (t) => {
  const room = new Room(t);
  await room.rig.blocks(5);
  const early = room.connect();
  early.ask();
  await room.rig.blocks(10);
  const late = room.connect();
  late.ask({ mode: 'lossless' });
  await room.rig.blocks(10);
  early.read();
  late.read();
  assert.deepEqual(early.kinds.slice(0, 2), ['snapshot', 'delta']);
  assert.equal(early.kinds.filter((kind) => kind === 'snapshot').length, 1);
  assert.ok(late.kinds.length >= 8);
  assert.equal(early.stream.orders.hash, late.stream.orders.hash);
  const truth = room.rig.made.truth.get(room.rig.made.height)!.get('BTC')!;
  assert.equal(early.stream.orders.count, truth.split('\n').length);
  const [first] = early.stream.orders.bestQueue(0);
  assert.ok(truth.startsWith(`B ${first!.price / 1e6} ${first!.size} ${first!.orderId} `));
});

test('Orders channel: a reader goes on from its position, or is told that it cannot', async (t) => {
  const room = new Room(t);
  await room.rig.blocks(5);
  const reader = room.connect();
  reader.ask();
  await room.rig.blocks(3);
  reader.read();
  reader.client.drop();
  await room.rig.blocks(6);
  const point = reader.stream.tracker.resumePoint!;
  const again = room.connect();
  again.ask({ resume: { epoch: String(point.epoch), sequence: String(point.sequence) } });
  await room.rig.run(5);
  const frames = again.client.take();
  const answer = frames.find(
    (frame) => frame.kind === 'text' && frame.text.includes('"subscribed"'),
  );
  assert.match(answer?.kind === 'text' ? answer.text : '', /"resumed":true/);
  assert.equal(frames.filter((frame) => frame.kind === 'binary').length, 6);
  const stranger = room.connect();
  stranger.ask({ resume: { epoch: '1', sequence: '1' } });
  await room.rig.run(5);
  stranger.read();
  assert.deepEqual(stranger.kinds, ['snapshot']);
});

test('Orders channel: states are told in its own sequence, and a new book as a snapshot', async (t) => {
  const room = new Room(t);
  await room.rig.blocks(5);
  const reader = room.connect();
  reader.ask();
  await room.rig.run(5);
  room.rig.made.makeBlock();
  await room.rig.blocks(12);
  await room.rig.run(300);
  reader.read();
  assert.ok(reader.kinds.includes('status'), 'the loss is told');
  assert.equal(reader.kinds.filter((kind) => kind === 'snapshot').length, 2);
  assert.equal(reader.stream.book.isLive, true);
  room.rig.assertWhole();
});

test('Orders channel: a slow conflated reader gets what it missed, or a snapshot that says so', async (t) => {
  const limits = { highWaterBytes: 2_048, lowWaterBytes: 512, historyBytesMin: 2_048 };
  const room = new Room(t, { ...limits, historyBytesMax: 4_096, losslessBytesMax: 65_536 });
  await room.rig.blocks(5);
  const reader = room.connect();
  reader.ask();
  await room.rig.run(5);
  reader.client.pause();
  await room.rig.blocks(60);
  reader.client.resume();
  await room.rig.blocks(20);
  reader.read();
  const conflated = reader.flags.filter((flags) => (flags & EventFlag.Conflated) !== 0).length;
  assert.ok(conflated >= 1, 'a snapshot says that it stands for what was missed');
  assert.equal(reader.stream.book.isLive, true);
  const truth = room.rig.made.truth.get(room.rig.made.height)!.get('BTC')!;
  assert.equal(reader.stream.orders.count, truth.split('\n').length);
});

test('Orders channel: the same as JSON', async (t) => {
  const room = new Room(t);
  await room.rig.blocks(5);
  const client = room.server.connect({ query: 'format=json' });
  assert.ok(client instanceof MemoryClient);
  client.send({ op: 'subscribe', id: 1, channel: 'orders', instrument: BTC });
  await room.rig.blocks(2);
  const texts = client.take().map((frame) => (frame.kind === 'text' ? frame.text : ''));
  const types = texts.map((text) => (JSON.parse(text) as { type?: string }).type);
  assert.ok(types.includes('ordersSnapshot') && types.includes('ordersDelta'), types.join());
});

test('Orders channel: refused where the venue tells levels only', () => {
  const room = new TestRoom();
  const client = room.connect();
  client.send(subscribe('orders', 0));
  room.turn();
  const answers = client.client.take().map((frame) => (frame.kind === 'text' ? frame.text : ''));
  assert.match(answers.at(-1)!, /"code":"UNKNOWN_CHANNEL".*levels, not orders/);
});
