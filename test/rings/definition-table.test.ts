/** What each instrument is, for every thread: and that who goes to a ring's end knows what comes there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definedBy } from '../../src/domain/definition.js';
import { ShardRouter } from '../../src/ingest/shard-router.js';
import {
  DefinitionReader,
  DefinitionWriter,
  createDefinitionTable,
} from '../../src/rings/definition-table.js';
import { DoorbellRinger, createDoorbell } from '../../src/rings/doorbell.js';
import {
  DEFINED,
  FEED_HEADER_DOUBLES,
  RecordType,
  SEQUENCE_LAST,
} from '../../src/rings/record-types.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import { toyInstruments } from '../support/toy-venue.js';

test('DefinitionTable: holds what the instruments are, and the same object where nothing changed', () => {
  const instruments = toyInstruments(3);
  const table = createDefinitionTable(instruments);
  const reader = new DefinitionReader(table);
  for (const instrument of instruments) assert.equal(reader.read(instrument), instrument);
  new DefinitionWriter(table).write(1, { ...instruments[1]!, priceDecimals: 7, trading: 2 });
  assert.deepEqual(reader.read(instruments[1]!), {
    ...instruments[1]!,
    priceDecimals: 7,
    trading: 2,
  });
  assert.equal(reader.read(instruments[0]!), instruments[0]);
});

test('DefinitionTable: a row whose writer died inside it leaves the instrument as it was known', () => {
  const [instrument] = toyInstruments(1);
  const table = createDefinitionTable([instrument!]);
  Atomics.store(new Int32Array(table), 0, 3);
  assert.equal(new DefinitionReader(table).read(instrument!), instrument);
});

/**
 * The writer's steps, in the order that the table asks for, and a reader that takes over: it looks,
 * skips, looks again until nothing changes. Every way in which the one can happen between the steps of
 * the other, with one change and with two.
 */
test('DefinitionTable: two equal looks around a skip prove the scale, however the threads interleave', () => {
  let plays = 0;
  for (const versions of [1, 2]) {
    const stepsCount = versions * 4 + 1;
    for (let a = 0; a <= stepsCount; a++) {
      for (let b = a; b <= stepsCount; b++) {
        for (let c = b; c <= stepsCount; c++) {
          for (let d = c; d <= stepsCount; d++) {
            play(versions, [a, b, c, d]);
            plays++;
          }
        }
      }
    }
  }
  assert.ok(plays > 700, `${plays} plays`);
});

/** @param cuts how many of the writer's steps are done before each step of the reader's */
function play(versions: number, cuts: readonly number[]): void {
  const [instrument] = toyInstruments(1);
  const table = createDefinitionTable([instrument!]);
  const ring = createRing(2 ** 12);
  const bell = new DoorbellRinger(createDoorbell());
  const router = new ShardRouter([{ ring: new RingProducer(ring), bell }], new Int32Array(1));
  const writer = new DefinitionWriter(table);
  const event = (version: number): void => {
    const record = new Float64Array(FEED_HEADER_DOUBLES + 8);
    record[SEQUENCE_LAST] = version;
    router.accept(RecordType.DepthUpdate, record, record.length);
  };
  const steps: (() => void)[] = [];
  for (let version = 1; version <= versions; version++) {
    const next = { ...instrument!, tickSize: version + 1 };
    steps.push(() => event(version));
    steps.push(() => router.flush());
    steps.push(() => writer.write(0, next));
    steps.push(() => {
      router.writeDefinition(next, 0);
      router.flush();
    });
  }
  steps.push(() => {
    event(versions + 1);
    router.flush();
  });
  let done = 0;
  const until = (count: number): void => {
    while (done < Math.min(count, steps.length)) steps[done++]!();
  };
  const reader = new DefinitionReader(table);
  const consumer = new RingConsumer(ring);
  let known = instrument!;
  let look = 0;
  const takes = (): boolean => {
    until(cuts[look++] ?? 0);
    const now = reader.read(known);
    const changed = now !== known;
    known = now;
    return changed;
  };
  takes();
  do {
    until(cuts[look++] ?? 0);
    consumer.skipToTail();
  } while (takes());
  until(steps.length);
  const { doubles } = consumer;
  consumer.poll(
    {
      onRecord: (type, slot) => {
        if (type === RecordType.InstrumentDefined)
          known = definedBy(known, doubles, slot + DEFINED);
        else assert.equal(doubles[slot + SEQUENCE_LAST], known.tickSize, `cuts ${cuts.join(' ')}`);
      },
    },
    100,
  );
  assert.equal(known.tickSize, versions + 1);
}
