import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { StateReason } from '../../src/domain/book-state.js';
import { Channel } from '../../src/domain/channel.js';
import { definedBy } from '../../src/domain/definition.js';
import { ShardRouter } from '../../src/ingest/shard-router.js';
import { DoorbellRinger, DoorbellWaiter, createDoorbell } from '../../src/rings/doorbell.js';
import {
  DEFINED,
  FEED_HEADER_DOUBLES,
  INSTRUMENT,
  RECEIVED_NS,
  REFUSED_REASON,
  RETRY_AFTER_NS,
  RecordType,
  SEQUENCE_LAST,
  SOURCE_CHANNEL,
  SOURCE_REASON,
  SOURCE_STATE,
  SourceState,
} from '../../src/rings/record-types.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import { toyInstruments } from '../support/toy-venue.js';

class Shard {
  readonly ring: RingProducer;
  readonly bell: DoorbellRinger;
  readonly waiter: DoorbellWaiter;
  readonly consumer: RingConsumer;
  readonly read: string[] = [];

  constructor(words: number) {
    const buffer = createRing(words);
    const bell = createDoorbell();
    this.ring = new RingProducer(buffer);
    this.bell = new DoorbellRinger(bell);
    this.waiter = new DoorbellWaiter(bell);
    this.consumer = new RingConsumer(buffer);
  }

  poll(recordsMax = 1_000): string[] {
    const { doubles } = this.consumer;
    this.consumer.poll(
      {
        onRecord: (type, slot) => {
          const id = doubles[slot + INSTRUMENT]!;
          if (type === RecordType.SourceState) {
            const state = doubles[slot + SOURCE_STATE]!;
            const name = Object.entries(SourceState).find(([, value]) => value === state)![0];
            this.read.push(
              `${name} ${id} ${doubles[slot + SOURCE_CHANNEL]} ${doubles[slot + SOURCE_REASON]}`,
            );
          } else if (type === RecordType.SnapshotRefused) {
            this.read.push(
              `refused ${id} ${doubles[slot + REFUSED_REASON]} ${doubles[slot + RETRY_AFTER_NS]}`,
            );
          } else this.read.push(`${type} ${id} ${doubles[slot + SEQUENCE_LAST]}`);
        },
      },
      recordsMax,
    );
    return this.read.splice(0);
  }
}

function event(
  instrumentId: number,
  sequence: number,
  doubles = FEED_HEADER_DOUBLES,
): Float64Array {
  const made = new Float64Array(doubles);
  made[INSTRUMENT] = instrumentId;
  made[RECEIVED_NS] = 5;
  made[SEQUENCE_LAST] = sequence;
  return made;
}

function send(router: ShardRouter, instrumentId: number, sequence: number): boolean {
  const made = event(instrumentId, sequence);
  return router.accept(RecordType.DepthUpdate, made, made.length);
}

test('ShardRouter: events go to the shard of their instrument and are seen after the flush', () => {
  const shards = [new Shard(1024), new Shard(1024)];
  const router = new ShardRouter(shards, new Int32Array([0, 1, 0]));
  for (const shard of shards) shard.waiter.prepare();
  send(router, 0, 10);
  send(router, 2, 11);
  assert.deepEqual(shards[0]!.poll(), []);
  router.flush();
  assert.deepEqual(shards[0]!.poll(), ['1 0 10', '1 2 11']);
  assert.deepEqual(shards[1]!.poll(), []);
  const ignore = (): void => {};
  assert.equal(shards[0]!.waiter.waitAsync(ignore, ignore), false, 'its bell was rung');
  assert.equal(shards[1]!.waiter.waitAsync(ignore, ignore), true, 'the other one was not');
});

test('ShardRouter: a full ring drops, counts, and says so before anything later', () => {
  const shard = new Shard(128);
  const router = new ShardRouter([shard], new Int32Array([0, 0]));
  const sent = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((sequence) => send(router, 0, sequence));
  const fitting = sent.filter(Boolean).length;
  assert.ok(fitting > 3 && fitting < 10);
  assert.equal(router.dropped, 10 - fitting);
  assert.equal(router.hasBacklog, true);
  router.flush();
  assert.equal(shard.poll().length, fitting);
  send(router, 1, 50);
  router.flush();
  assert.deepEqual(shard.poll(), [`FrameLost 0 ${Channel.Book} ${StateReason.RingFull}`, '1 1 50']);
  assert.equal(router.hasBacklog, false);
});

test('ShardRouter: the mark of a loss is written by a flush alone, when no event follows', () => {
  const shard = new Shard(128);
  const router = new ShardRouter([shard], new Int32Array([0]));
  while (send(router, 0, 1)) router.flush();
  shard.poll();
  router.flush();
  assert.deepEqual(shard.poll(), [`FrameLost 0 ${Channel.Book} ${StateReason.RingFull}`]);
});

test('ShardRouter: an event that can never fit is a loss with its own reason', () => {
  const shard = new Shard(128);
  const router = new ShardRouter([shard], new Int32Array([0]));
  assert.equal(router.accept(RecordType.DepthSnapshot, event(0, 1, 64), 64), false);
  router.flush();
  assert.deepEqual(shard.poll(), [`FrameLost 0 ${Channel.Book} ${StateReason.BufferOverflow}`]);
  assert.equal(router.tooLarge, 1);
});

test('ShardRouter: states that found no room are written in order, the outdated ones left out', () => {
  const shard = new Shard(128);
  const router = new ShardRouter([shard], new Int32Array([0]));
  while (send(router, 0, 1)) router.flush();
  const { Book } = Channel;
  router.writeSourceState(0, Book, SourceState.Silent, StateReason.StreamSilent, 9);
  router.writeSourceState(0, Book, SourceState.Lost, StateReason.Disconnected, 9);
  router.writeSourceState(0, Book, SourceState.Up, StateReason.None, 9);
  router.writeSnapshotRefused(0, StateReason.SnapshotRefused, 77, 9);
  shard.poll();
  router.flush();
  assert.deepEqual(shard.poll(), [
    `FrameLost 0 ${Book} ${StateReason.RingFull}`,
    `Lost 0 ${Book} ${StateReason.Disconnected}`,
    `Up 0 ${Book} ${StateReason.None}`,
  ]);
  router.flush();
  assert.deepEqual(shard.poll(), [`refused 0 ${StateReason.SnapshotRefused} 77`]);
  assert.equal(router.hasBacklog, false);
});

test('ShardRouter: whatever the reader does, a hole is always announced before the event after it', () => {
  const step = fc.record({
    instrument: fc.nat(2),
    read: fc.oneof(fc.constant(0), fc.nat(6)),
    flush: fc.boolean(),
  });
  const steps = fc.array(step, { minLength: 50, maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(steps, (schedule) => {
      const shard = new Shard(128);
      const router = new ShardRouter([shard], new Int32Array([0, 0, 0]));
      const next = [1, 1, 1];
      const read: string[] = [];
      for (const { instrument, read: records, flush } of schedule) {
        send(router, instrument, next[instrument]!++);
        if (flush) router.flush();
        if (records > 0) read.push(...shard.poll(records));
      }
      for (let i = 0; i < 20; i++) {
        router.flush();
        read.push(...shard.poll());
      }
      assertHolesAnnounced(read, next);
    }),
    { numRuns: 300 },
  );
});

/** Follows each instrument's numbers: after a hole a FrameLost must have stood in between. */
function assertHolesAnnounced(read: readonly string[], next: readonly number[]): void {
  const last = [0, 0, 0];
  const excused = [false, false, false];
  for (const record of read) {
    const [word, id, sequence] = record.split(' ');
    const instrument = Number(id);
    if (word === 'FrameLost') {
      excused[instrument] = true;
      continue;
    }
    const whole = Number(sequence) === last[instrument]! + 1;
    assert.ok(whole || excused[instrument], `${record} after ${last[instrument]}`);
    last[instrument] = Number(sequence);
    excused[instrument] = false;
  }
  for (const id of [0, 1, 2])
    assert.ok(excused[id] || last[id] === next[id]! - 1, 'the end counts too');
}

test('ShardRouter: whatever finds room, no event is read before the definition it was parsed by', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant({ kind: 'event' as const, count: 1 }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'define' as const, count: 1 }) },
    {
      weight: 2,
      arbitrary: fc.nat(12).map((count) => ({ kind: 'poll' as const, count })),
    },
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
      const buffer = createRing(512);
      const bell = new DoorbellRinger(createDoorbell());
      const router = new ShardRouter([{ ring: new RingProducer(buffer), bell }], new Int32Array(2));
      const consumer = new RingConsumer(buffer);
      const instruments = toyInstruments(2);
      const written = [0, 0];
      const known = [0, 0];
      let events = 0;
      const poll = (count: number): void => {
        consumer.poll(
          {
            onRecord: (type, slot) => {
              const { doubles } = consumer;
              const id = doubles[slot + INSTRUMENT]!;
              if (type === RecordType.InstrumentDefined) {
                known[id] = definedBy(instruments[id]!, doubles, slot + DEFINED).tickSize;
              } else if (type === RecordType.DepthUpdate) {
                events++;
                assert.equal(doubles[slot + SEQUENCE_LAST], known[id]);
              }
            },
          },
          count,
        );
      };
      let turn = 0;
      for (const { kind, count } of steps) {
        const id = turn++ % 2;
        if (kind === 'poll') poll(count);
        else if (kind === 'define') {
          written[id] = written[id]! + 1;
          router.writeDefinition({ ...instruments[id]!, tickSize: written[id] }, turn);
        } else {
          const event = new Float64Array(FEED_HEADER_DOUBLES + 8);
          event[INSTRUMENT] = id;
          event[RECEIVED_NS] = turn;
          event[SEQUENCE_LAST] = written[id]!;
          router.accept(RecordType.DepthUpdate, event, event.length);
        }
        router.flush();
      }
      poll(1_000);
      router.flush();
      poll(1_000);
      assert.deepEqual(known, written, 'the last definition comes in the end');
      assert.ok(events <= steps.length);
    }),
  );
});
