/**
 * The context channel from the books' ring to clients in memory: anchors, what slow readers get, holes,
 * a worker that ends; and how the published client shows it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BroadcastAgent } from '../../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS } from '../../src/broadcast/broadcast-counters.js';
import { resolveLimits } from '../../src/broadcast/limits.js';
import { MemoryClient, MemoryServer } from '../../src/broadcast/memory-server.js';
import { parseControl } from '../../src/client/control-messages.js';
import type { ContextEvent } from '../../src/client/feed-events.js';
import { Outcome, StreamState } from '../../src/client/stream-state.js';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { ContextField } from '../../src/domain/context-fields.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { createCounterTable } from '../../src/rings/counters.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { BodyType } from '../../src/wire/message-layout.js';
import { BooksRig, TIMELINE, instrument } from '../support/books-rig.js';
import { timeCell } from '../../src/time/clock.js';

const NAME = 'test:S0USDT';
const { MarkPrice, FundingRate } = ContextField;

/** Books with contexts in front of a broadcast room; `lose` takes messages out of the ring between. */
class Room {
  readonly books = new BooksRig({ contexts: true });
  readonly server = new MemoryServer(resolveLimits());
  private readonly agent: BroadcastAgent;
  private readonly ring: RingConsumer;

  constructor(contexts = true) {
    this.ring = new RingConsumer(this.books.outputRings[0]!);
    this.agent = new BroadcastAgent({
      instruments: [instrument(0)],
      contexts,
      inputs: [this.ring],
      server: this.server,
      clock: this.books.clock,
      timeline: TIMELINE,
      counters: createCounterTable(1, BROADCAST_COLUMNS),
      version: 'test',
    });
    void this.agent.listen('127.0.0.1', 0);
    this.turn();
  }

  turn(): void {
    this.books.clock.advanceBy(1e6);
    this.books.turn(false);
    this.agent.doWork(timeCell(this.books.clock.nowNs()));
    this.server.turn();
  }

  mark(whole: number): void {
    this.books.contextUpdate({ [MarkPrice]: [whole, 5, 1] });
    this.turn();
  }

  /** What the books have written is never read by the broadcaster. */
  lose(whole: number): void {
    this.books.contextUpdate({ [MarkPrice]: [whole, 5, 1] });
    this.books.turn(false);
    this.ring.poll({ onRecord() {} }, 1000);
  }

  loseWriter(): void {
    this.agent.onWriterLost(0);
    this.turn();
  }

  connect(request: { query?: string } = {}): Reader {
    const client = this.server.connect(request);
    assert.ok(client instanceof MemoryClient);
    return new Reader(client);
  }
}

class Reader {
  readonly stream = new StreamState(
    'context',
    NAME,
    {},
    { checked: 0, passed: 0, failed: 0, unverifiable: 0 },
    (error) => {
      throw error;
    },
  );
  readonly events: ContextEvent[] = [];
  readonly errors: string[] = [];
  readonly texts: string[] = [];
  private readonly decoder = new MessageDecoder();

  constructor(readonly client: MemoryClient) {
    this.stream.on((event) => this.events.push(event));
  }

  ask(more: Record<string, unknown> = {}): void {
    this.client.send({ op: 'subscribe', id: 1, channel: 'context', instrument: NAME, ...more });
  }

  read(): ContextEvent[] {
    const before = this.events.length;
    for (const frame of this.client.take()) {
      if (frame.kind === 'text') {
        this.texts.push(frame.text);
        if (!frame.text.startsWith('{"op"')) continue;
        const answer = parseControl(frame.text);
        if (answer.op === 'subscribed') this.stream.anchor(answer);
        if (answer.op === 'error') this.errors.push(answer.code);
        continue;
      }
      const type = this.decoder.decode(frame.bytes, 0, frame.bytes.length);
      if (type === BodyType.Heartbeat) continue;
      assert.equal(this.stream.handle(type, this.decoder), Outcome.Used);
    }
    return this.events.slice(before);
  }
}

test('Context channel: the present value at once, then each change', () => {
  const room = new Room();
  const reader = room.connect();
  reader.ask();
  room.turn();
  const [first] = reader.read();
  assert.deepEqual([first!.state, first!.markPrice], [BookState.Syncing, null]);
  room.books.contextUpdate({ [MarkPrice]: [84148, 0, 1], [FundingRate]: [0, -125, 7] }, 9e9);
  room.turn();
  const [told] = reader.read();
  assert.equal(told!.state, BookState.Live);
  assert.equal(told!.markPrice!.text, '84148.0');
  assert.equal(told!.fundingRate!.text, '-0.0000125');
  assert.equal(told!.indexPrice, null);
  assert.equal(told!.nextFundingNs, TIMELINE.toUnixNs(9e9));
  assert.equal(JSON.stringify(told!.markPrice), '"84148.0"');
  const late = room.connect();
  late.ask();
  room.turn();
  assert.equal(late.read()[0]!.fundingRate!.text, '-0.0000125');
  assert.equal(reader.stream.book.state, BookState.Syncing, 'the book is another matter');
});

test('Context channel: a reader that was too slow gets the newest value, which says what it covers', () => {
  const room = new Room();
  const reader = room.connect();
  reader.ask();
  room.mark(1);
  reader.read();
  reader.client.pause();
  for (let i = 2; i < 3000; i++) room.mark(i);
  reader.client.resume();
  for (let i = 0; i < 50; i++) room.turn();
  const events = reader.read();
  const merged = events.filter(({ flags }) => (flags & EventFlag.Conflated) !== 0);
  assert.ok(merged.length >= 1, 'it was merged');
  assert.ok(events.length < 2900);
  assert.equal(events.at(-1)!.markPrice!.text, '2999.5');
  let next = events[0]!.firstSequence;
  for (const { firstSequence, sequence, folded } of events) {
    assert.equal(firstSequence, next, 'what is covered has no hole');
    assert.equal(sequence - firstSequence, folded);
    next = sequence + 1;
  }
});

test('Context channel: where messages never came, the next one covers their numbers', () => {
  const room = new Room();
  const reader = room.connect();
  reader.ask();
  room.mark(1);
  const [before] = reader.read().slice(-1);
  room.lose(2);
  room.lose(3);
  room.mark(4);
  const [after, ...more] = reader.read();
  assert.equal(more.length, 0);
  assert.equal(after!.markPrice!.text, '4.5');
  assert.equal(after!.firstSequence, before!.sequence + 1);
  assert.equal(after!.folded, 2);
  assert.ok((after!.flags & EventFlag.Conflated) !== 0);
});

test('Context channel: when the books thread is lost, the last value is told as what it is worth', () => {
  const room = new Room();
  const reader = room.connect();
  reader.ask();
  room.mark(1);
  reader.read();
  room.loseWriter();
  const [lost] = reader.read();
  assert.deepEqual([lost!.state, lost!.reason], [BookState.Suspect, StateReason.WorkerRestarted]);
  assert.equal(lost!.markPrice!.text, '1.5');
  assert.ok((lost!.flags & EventFlag.Synthetic) !== 0);
  room.mark(2);
  assert.equal(reader.read().length, 0, 'more of that epoch is held back');
});

test('Context channel: as JSON it is the values as text', () => {
  const room = new Room();
  const reader = room.connect({ query: 'format=json' });
  reader.ask();
  room.mark(84148);
  reader.read();
  const last = JSON.parse(reader.texts.at(-1)!) as Record<string, unknown>;
  assert.equal(last['type'], 'context');
  assert.equal(last['markPrice'], '84148.5');
  assert.equal(last['openInterest'], null);
});

test('Context channel: it is refused where the node takes no contexts', () => {
  const room = new Room(false);
  const reader = room.connect();
  reader.ask();
  room.turn();
  reader.read();
  assert.deepEqual(reader.errors, ['UNKNOWN_CHANNEL']);
  room.mark(5);
  assert.equal(reader.read().length, 0);
});
