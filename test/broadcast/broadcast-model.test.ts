/**
 * Random clients against the truth: whatever they do, what a client holds is right for the position
 * it was told, and every break is spelled out (the replica fails at the first that is not).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { StateReason } from '../../src/domain/book-state.js';
import { sorted, type Replica } from './support/replica.js';
import { subscribe, TestRoom, type TestClient } from './support/room.js';

const INSTRUMENTS = 2;
const CLIENTS = 4;
/** More of them by hand: RUNS=5000; with SHRINK=1 a failure is made small. */
const RUNS = Number(process.env['RUNS'] ?? 60);
const KINDS = [
  { channel: 'book', depth: 0 },
  { channel: 'book', depth: 3 },
  { channel: 'book', depth: 20 },
  { channel: 'bbo', depth: 0 },
  { channel: 'trades', depth: 0 },
  { channel: 'status', depth: 0 },
] as const;

interface Wanted {
  readonly symbol: number;
  readonly kind: number;
  readonly lossless: boolean;
  streamId: number;
}

/** A client that comes back with resume whenever it was cut off. */
class Reader {
  test: TestClient;
  wanted = new Map<number, Wanted>();
  private nextId = 1;
  private readonly room: TestRoom;

  constructor(room: TestRoom) {
    this.room = room;
    this.test = room.connect();
  }

  get replica(): Replica {
    return this.test.replica;
  }

  want(symbol: number, kind: number, lossless: boolean): void {
    const key = symbol * KINDS.length + kind;
    if (this.wanted.has(key)) return;
    const wanted: Wanted = { symbol, kind, lossless, streamId: -1 };
    this.wanted.set(key, wanted);
    this.ask(wanted);
  }

  drop(symbol: number, kind: number): void {
    const key = symbol * KINDS.length + kind;
    const wanted = this.wanted.get(key);
    if (wanted === undefined) return;
    this.wanted.delete(key);
    const { channel, depth } = KINDS[kind]!;
    const more = channel === 'book' ? { depth } : {};
    this.test.send({ op: 'unsubscribe', id: 0, channel, instrument: `test:SYM${symbol}`, ...more });
  }

  /** Reads what came; comes back if it was closed. */
  settle(): void {
    this.test.settle();
    this.readAnswers();
    const { closeCode } = this.test.client;
    if (closeCode === null) return;
    assert.equal(closeCode, 4008, 'nobody is closed for another reason here');
    const some = [...this.wanted.values()].some(
      ({ lossless, kind }) => lossless || KINDS[kind]!.channel === 'trades',
    );
    const forgotten = this.everLossless;
    assert.ok(some || forgotten, 'only a client with a lossless stream is closed for being slow');
    this.comeBack();
  }
  everLossless = false;

  comeBack(): void {
    this.test.client.drop();
    this.test.settle();
    this.readAnswers();
    this.test = this.room.connect({}, this.replica);
    this.everLossless = false;
    for (const wanted of this.wanted.values()) this.ask(wanted);
  }

  private ask(wanted: Wanted): void {
    const { channel, depth } = KINDS[wanted.kind]!;
    if (wanted.lossless || channel === 'trades') this.everLossless = true;
    const copy = this.replica.streams.get(wanted.streamId);
    const resume =
      copy === undefined || !copy.anchored
        ? {}
        : { resume: { epoch: String(copy.epoch), sequence: String(copy.sequence) } };
    this.test.send(
      subscribe(channel, wanted.symbol, {
        id: this.nextId++,
        mode: wanted.lossless ? 'lossless' : 'conflated',
        ...(channel === 'book' ? { depth } : {}),
        ...resume,
      }),
    );
  }

  private readAnswers(): void {
    for (const answer of this.replica.answers.splice(0)) {
      if (answer['op'] === 'error')
        assert.equal(answer['code'], 'SLOW_CONSUMER', JSON.stringify(answer));
      if (answer['op'] !== 'subscribed') continue;
      const symbol = Number(String(answer['instrument']).slice('test:SYM'.length));
      const kind = KINDS.findIndex(
        (each) => each.channel === answer['channel'] && each.depth === answer['depth'],
      );
      const wanted = this.wanted.get(symbol * KINDS.length + kind);
      if (wanted !== undefined) wanted.streamId = answer['streamId'] as number;
    }
  }
}

const action = fc.record({
  kind: fc.integer({ min: 0, max: 99 }),
  client: fc.nat(CLIENTS - 1),
  symbol: fc.nat(INSTRUMENTS - 1),
  what: fc.nat(KINDS.length - 1),
  amount: fc.integer({ min: 1, max: 12 }),
  lossless: fc.boolean(),
});
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly room: TestRoom;
  readonly readers: Reader[];
  private readonly open = new Set<number>();

  constructor(seed: number) {
    this.room = new TestRoom({
      instruments: INSTRUMENTS,
      seed,
      limits: {
        highWaterBytes: 3000,
        lowWaterBytes: 500,
        losslessBytesMax: 9000,
        turnBytesMax: 4000,
        pollRecordsMax: 4,
        socketBytesMax: 24_000,
        historyBytesMin: 1024,
        historyBytesMax: 8192,
        snapshotPartLevels: 16,
        rankedMessages: 3,
        hashCheckEvery: 5,
        connectionsPerAddressMax: 100,
        requestsBurst: 100_000,
      },
    });
    this.room.books.partLevels = 16;
    for (let id = 0; id < INSTRUMENTS; id++) this.room.books.align(id, 30);
    this.room.turn();
    this.readers = Array.from({ length: CLIENTS }, () => new Reader(this.room));
    this.readers.forEach((reader, i) => {
      reader.want(i % INSTRUMENTS, 0, i === 3);
      reader.want(i % INSTRUMENTS, 1 + (i % 2), false);
    });
  }

  turn(advanceNs = 1e6): void {
    this.room.turn(advanceNs);
    if (this.room.books.ring.takeReaderChange()) {
      for (let id = 0; id < INSTRUMENTS; id++) this.finishEvent(id);
      for (let id = 0; id < INSTRUMENTS; id++) this.room.books.retell(id);
    }
    for (const reader of this.readers) reader.settle();
  }

  act({ kind, client, symbol, what, amount, lossless }: Action): void {
    const { books } = this.room;
    const reader = this.readers[client]!;
    if (kind < 30) this.events(symbol, amount);
    else if (kind < 42) reader.want(symbol, what, lossless);
    else if (kind < 46) reader.drop(symbol, what);
    else if (kind < 56) reader.test.client.pause();
    else if (kind < 62) reader.test.client.read(amount * 400);
    else if (kind < 70) reader.test.client.resume();
    else if (kind < 76) reader.comeBack();
    else if (kind < 80) books.trade(symbol, amount);
    else if (kind < 84) this.beginEvent(symbol, amount);
    else if (kind < 88) this.finishEvent(symbol);
    else if (kind < 90) this.realign(symbol, amount * 4);
    else if (kind < 92) this.suspect(symbol);
    else if (kind < 93) books.skipBook(symbol, amount);
    else if (kind < 94) books.skipTrades(symbol, amount);
    else if (kind < 95) this.restart();
    else this.turn(amount * 1e6);
  }

  /** Everybody reads, the books are aligned where they were lost: all copies must be the truth. */
  conclude(): void {
    for (let id = 0; id < INSTRUMENTS; id++) this.realign(id, 25);
    for (let round = 0; round < 30; round++) {
      for (const reader of this.readers) reader.test.client.resume();
      do this.turn();
      while (!this.room.books.isTaken());
      if (round === 3) for (let id = 0; id < INSTRUMENTS; id++) this.events(id, 6);
    }
    for (const reader of this.readers) this.compare(reader);
  }

  private compare(reader: Reader): void {
    const { books } = this.room;
    for (const { symbol, kind, streamId } of reader.wanted.values()) {
      const copy = reader.replica.stream(streamId);
      const { channel, depth } = KINDS[kind]!;
      if (channel === 'book') {
        const most = depth === 0 ? Infinity : depth;
        assert.deepEqual(
          sorted(copy, 'bids'),
          books.levels(symbol, 'bids', most),
          `bids at depth ${depth}`,
        );
        assert.deepEqual(
          sorted(copy, 'asks'),
          books.levels(symbol, 'asks', most),
          `asks at depth ${depth}`,
        );
        assert.equal(copy.state, books.books[symbol]!.state);
        if (depth === 0) assert.equal(copy.sequence, books.books[symbol]!.sequence);
      } else if (channel === 'bbo') {
        const bid = books.levels(symbol, 'bids', 1)[0] ?? [0, 0];
        const ask = books.levels(symbol, 'asks', 1)[0] ?? [0, 0];
        assert.deepEqual(copy.bbo.slice(0, 4), [...bid, ...ask]);
      } else if (channel === 'status') {
        assert.equal(copy.state, books.books[symbol]!.state);
      } else {
        copy.trades.reduce((before, id) => (assert.ok(id > before, 'no trade comes twice'), id), 0);
      }
    }
  }

  private events(symbol: number, amount: number): void {
    this.finishEvent(symbol);
    for (let i = 0; i < amount; i++) this.room.books.event(symbol, 8, 1 + (i % 2));
  }

  /** The first messages of an event whose last one comes later. */
  private beginEvent(symbol: number, amount: number): void {
    this.open.add(symbol);
    this.room.books.eventPart(symbol, amount, false);
    this.room.books.ring.commit();
  }

  private finishEvent(symbol: number): void {
    if (!this.open.delete(symbol)) return;
    this.room.books.event(symbol, 3);
  }

  private realign(symbol: number, levels: number): void {
    this.open.delete(symbol);
    this.room.books.align(symbol, levels);
  }

  private suspect(symbol: number): void {
    this.finishEvent(symbol);
    this.room.books.suspect(symbol, StateReason.Gap);
  }

  private restart(): void {
    this.open.clear();
    this.room.books.restart();
    for (let id = 0; id < INSTRUMENTS; id++) this.room.books.align(id, 10);
  }
}

test('Broadcast: random clients always hold the truth of their position, or were told what is missing', () => {
  let merged = 0;
  let reanchored = 0;
  let resumed = 0;
  let closed = 0;
  let lost = 0;
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(action, { minLength: 40, maxLength: 250, size: 'max' }),
      (seed, actions) => {
        const world = new World(seed);
        for (const each of actions) world.act(each);
        world.conclude();
        merged += world.room.counter('Merged');
        reanchored += world.room.counter('Reanchored');
        resumed += world.room.counter('ResumesServed');
        closed += world.room.counter('ClosedSlow');
        lost += world.room.counter('SequenceGaps');
        assert.equal(world.room.counter('HashFailed'), 0);
        assert.equal(world.room.counter('Malformed'), 0);
      },
    ),
    { numRuns: RUNS, endOnFailure: process.env['SHRINK'] === undefined },
  );
  // The generator must really reach the paths that this test is about.
  for (const [name, count] of Object.entries({ merged, reanchored, resumed, closed, lost })) {
    assert.ok(count > 0, `${name} happened ${count} times`);
  }
});
