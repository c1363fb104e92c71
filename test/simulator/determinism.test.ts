/** The same seed gives the same market, whatever the turns in which it is run. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { simulatedVenueRig } from '../support/simulated-venue-rig.js';
import type { RigOptions } from '../support/simulated-venue-rig.js';

function framesHash(
  options: RigOptions,
  stepsMs: readonly number[],
): { hash: string; frames: number } {
  const rig = simulatedVenueRig({ ratePerSecond: 3000, ...options });
  const hash = createHash('sha256');
  const names = ['btcusdt', 'ethusdt', 'xrpusdt'].flatMap((symbol) =>
    ['depth@0ms', 'depth@100ms', 'bookTicker', 'trade'].map((suffix) => `${symbol}@${suffix}`),
  );
  let frames = 0;
  const client = rig.connect(`/public/stream?streams=${names.join('/')}`);
  client.onFrame = (bytes) => {
    frames++;
    hash.update(bytes).update('\n');
  };
  for (let passed = 0, step = 0; passed < 1200; step++) {
    const next = Math.min(stepsMs[step % stepsMs.length]!, 1200 - passed);
    rig.advance(next);
    passed += next;
  }
  hash.update(rig.get('/fapi/v1/depth?symbol=BTCUSDT&limit=1000').body);
  return { hash: hash.digest('hex'), frames };
}

test('The same seed gives the same frames and books, another seed others', () => {
  const first = framesHash({ seed: 5 }, [1200]);
  assert.ok(first.frames > 3000);
  assert.deepEqual(framesHash({ seed: 5 }, [1200]), first);
  assert.notEqual(framesHash({ seed: 6 }, [1200]).hash, first.hash);
});

test('Frames do not depend on how time is cut into turns', () => {
  const first = framesHash({ seed: 5 }, [1200]);
  assert.deepEqual(framesHash({ seed: 5 }, [1, 7, 90, 3, 240]), first);
});

test('Faults have a dice of their own: they do not change the market', () => {
  const clean = simulatedVenueRig({ seed: 9 });
  const faulty = simulatedVenueRig({
    seed: 9,
    faults: { drop: 0.1, corrupt: 0.1, duplicate: 0.1, reorder: 0.1 },
  });
  for (const rig of [clean, faulty]) {
    rig.connect('/public/ws/btcusdt@depth@0ms').onFrame = () => {};
    rig.advance(1000);
  }
  assert.deepEqual(faulty.truth.book('BTCUSDT'), clean.truth.book('BTCUSDT'));
  assert.ok(faulty.venue.counters.dropped > 0);
});
