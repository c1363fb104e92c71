import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutputLane } from '../../src/books/output-lane.js';
import { Prng } from '../../src/domain/prng.js';
import { createDoorbell, DoorbellRinger } from '../../src/rings/doorbell.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';

test('OutputLane: keeps the order through spill and ring, whatever the reader does', () => {
  const prng = new Prng(31);
  const ring = createRing(512);
  const lane = new OutputLane({
    ring: new RingProducer(ring),
    bell: new DoorbellRinger(createDoorbell()),
  });
  const reader = new RingConsumer(ring);
  const read: number[] = [];
  const handler = {
    onRecord: (typeId: number, slot: number, payloadBytes: number): void => {
      const number = reader.doubles[slot]!;
      read.push(number);
      assert.equal(typeId, 1 + (number % 7));
      const last = slot + payloadBytes / 8 - 1;
      assert.equal(reader.doubles[last], payloadBytes > 8 ? -number : number);
    },
  };
  let written = 0;
  let spilledMax = 0;
  for (let step = 0; step < 4000; step++) {
    // Bursts that exceed the ring many times over, and calm.
    const burst = prng.chance(0.01) ? 900 : prng.nextInt(4);
    for (let i = 0; i < burst; i++) {
      const length = 1 + prng.nextInt(20);
      const slot = lane.claim(1 + (written % 7), length * 8);
      lane.doubles[slot] = written;
      if (length > 1) lane.doubles[slot + length - 1] = -written;
      written++;
    }
    spilledMax = Math.max(spilledMax, lane.spilledBytes);
    if (prng.chance(0.5)) lane.flush();
    lane.commit();
    if (prng.chance(0.7)) reader.poll(handler, 1 + prng.nextInt(60));
  }
  for (let i = 0; i < 100_000 && (lane.isSpilled || !reader.isEmpty()); i++) {
    lane.flush();
    lane.commit();
    reader.poll(handler, 1000);
  }
  assert.ok(spilledMax > 65_536, 'the spill grew while it held messages');
  assert.equal(lane.isSpilled, false);
  assert.deepEqual(
    read,
    Array.from({ length: written }, (_, i) => i),
  );
});
