/**
 * The whole node from one seed, in one thread on a virtual clock: exchange, ingest, rings, books,
 * broadcast and clients. Every book that a client is shown as Live is held against the true one; the
 * same seed sends the same bytes. Longer: test/nightly/whole-node-soak.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playWholeNode } from '../support/whole-node.js';

const SEED = Number(process.env['RINGSIDE_TEST_SEED'] ?? 2026);

for (const faulty of [false, true]) {
  test(`Whole node, ${faulty ? 'under every fault' : 'on a clean line'}: no client sees an untrue Live book`, async (t) => {
    const { watchers, rig, views } = await playWholeNode({
      seed: SEED,
      faulty,
      milliseconds: 3_000,
    });
    const told = `seed ${SEED}`;
    assert.equal(rig.verdicts.different, 0, `${told}: ${rig.verdicts.examples.join('; ')}`);
    let same = 0;
    for (const [name, watcher] of Object.entries(watchers)) {
      const { counts, hashes, errors } = watcher;
      assert.deepEqual(errors, [], `${told}: ${name}`);
      assert.equal(counts.different, 0, `${told}: ${name} was shown an untrue book`);
      assert.equal(counts.gaps, 0, `${told}: ${name} met a hole in a stream`);
      assert.equal(counts.mismatches, 0, `${told}: ${name} met a wrong hash`);
      assert.equal(counts.heartbeatLosses, 0, `${told}: ${name} was told of a loss by a heartbeat`);
      assert.ok(counts.messages > 100, `${name}: ${counts.messages} messages`);
      assert.equal(hashes.failed, 0);
      same += counts.same;
      t.diagnostic(`${name}: ${JSON.stringify(counts)}`);
    }
    assert.ok(same > 500, `${same} Live books were compared`);
    assert.ok(watchers.slow.counts.folded > 0, 'the slow reader got merged deltas');
    assert.ok(watchers.returning.counts.resumed > 10, 'the returning reader resumed');
    assert.equal(views.different, 0, 'a view of five levels is the top of the book');
    assert.ok(views.same > 50, `${views.same} views were compared`);
    rig.close();
  });
}

test('Whole node: the same seed sends the same bytes, another seed does not', async () => {
  const play = async (seed: number) => {
    const { watchers, rig } = await playWholeNode({ seed, faulty: true, milliseconds: 1_200 });
    rig.close();
    return Object.values(watchers).map((watcher) => watcher.hash);
  };
  const first = await play(SEED);
  assert.deepEqual(await play(SEED), first);
  assert.notDeepEqual(await play(SEED + 1), first);
});
