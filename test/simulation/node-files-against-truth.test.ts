/**
 * A node's files, simulated with all their faults, through the ingest room into order-by-order books:
 * no Live book ever differs from the true one, order by order, and every fault is recovered from.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BooksColumn } from '../../src/books/books-counters.js';
import { BookState } from '../../src/domain/book-state.js';
import { NodeFilesRig } from '../support/node-files-rig.js';

function assertTrue(rig: NodeFilesRig): void {
  assert.deepEqual([rig.verdicts.different, rig.verdicts.unknown], [0, 0], rig.examples.join('\n'));
}

/** Every order of every market, in queue order. */
function assertSameOrders(rig: NodeFilesRig): void {
  for (let market = 0; market < 3; market++) {
    assert.deepEqual(rig.ordersNow(market), rig.chain.ordersNow(market), `market ${market}`);
  }
}

for (const layout of ['by-block', 'streaming'] as const) {
  test(`Node files, ${layout}: every block's book is the true one, in queue order too`, async (t) => {
    const rig = new NodeFilesRig({ layout, seed: 7 });
    t.after(() => rig.close());
    await rig.run(4000);
    rig.chain.endBlock(rig.clock.nowNs());
    await rig.catchUp();
    assert.ok(rig.allLive);
    assertTrue(rig);
    assert.ok(rig.verdicts.same > 60, `${rig.verdicts.same} compared`);
    assert.equal(rig.verdicts.left, 0);
    assert.ok(
      rig.chain.scribes.some((scribe) => scribe.insertsBefore > 0),
      'places were claimed',
    );
    assert.ok(
      rig.chain.scribes.some((scribe) => scribe.residuals > 0),
      'remainders came and went',
    );
    if (layout === 'by-block') assertSameOrders(rig);
  });
}

test('Node files: an hour that ends in the midst of the stream loses nothing', async (t) => {
  // 2026-09-21 13:59:58.5 UTC
  const originUnixNs = 1_789_999_198_500_000_000n;
  const rig = new NodeFilesRig({ layout: 'by-block', seed: 8, originUnixNs });
  t.after(() => rig.close());
  await rig.run(4000);
  await rig.catchUp();
  assertTrue(rig);
  assert.ok(rig.allLive);
  assert.equal(rig.verdicts.left, 0);
});

for (const fault of ['cut', 'late'] as const) {
  test(`Node files: lines that come in pieces or late (${fault}) lose nothing`, async (t) => {
    const rig = new NodeFilesRig({ layout: 'by-block', seed: 9 });
    t.after(() => rig.close());
    await rig.run(500);
    rig.writer.setFaults({ [fault]: 0.3 });
    await rig.run(3000);
    rig.writer.setFaults({});
    await rig.run(500);
    assert.ok(rig.writer.faultsDone[fault] > 10);
    assertTrue(rig);
    assert.equal(rig.verdicts.left, 0);
    assert.ok(rig.verdicts.same > 60);
  });
}

for (const fault of ['torn', 'missing', 'truncated'] as const) {
  test(`Node files: after a ${fault} block of diffs no Live book is wrong, and all come back`, async (t) => {
    const rig = new NodeFilesRig({ layout: 'by-block', seed: 10 });
    t.after(() => rig.close());
    await rig.run(1000);
    assert.ok(rig.allLive);
    const before = rig.verdicts.left;
    rig.writer.orderFault('diffs', fault);
    await rig.run(1000);
    assert.equal(rig.writer.faultsDone[fault], 1);
    assert.ok(rig.verdicts.left > before, 'it is told');
    await rig.run(6000);
    assert.ok(rig.allLive, 'all come back');
    assertTrue(rig);
  });
}

test('Node files: one source that dies is told; the books go on or wait, and none is wrong', async (t) => {
  const rig = new NodeFilesRig({ layout: 'by-block', seed: 11 });
  t.after(() => rig.close());
  await rig.run(1000);
  rig.writer.stopSource('fills', 'lost');
  rig.writer.stopSource('statuses', 'kept');
  await rig.run(2500);
  const silent = rig.reports.flatMap((report) =>
    report.kind === 'source' && report.state === 'silent' ? [report.source] : [],
  );
  assert.deepEqual(silent.sort(), ['fills', 'statuses']);
  rig.writer.resumeSource('fills');
  rig.writer.resumeSource('statuses');
  await rig.run(2500);
  assert.ok(rig.allLive);
  assertTrue(rig);
  rig.writer.stopSource('diffs', 'lost');
  await rig.run(2000);
  for (let market = 0; market < 3; market++) assert.notEqual(rig.state(market), BookState.Live);
  rig.writer.resumeSource('diffs');
  await rig.run(6000);
  assert.ok(rig.allLive);
  assertTrue(rig);
});

test('Node files: snapshots refused, cut short or old do not make a wrong book', async (t) => {
  const rig = new NodeFilesRig({ layout: 'by-block', seed: 12 });
  t.after(() => rig.close());
  rig.snapshotFaults.push('refused', 'cut');
  await rig.run(9000);
  assert.ok(rig.allLive);
  assert.ok(rig.snapshotsGiven >= 3);
  rig.snapshotFaults.push('stale', 'stale');
  rig.writer.orderFault('diffs', 'missing');
  await rig.run(12_000);
  assert.ok(rig.allLive);
  assertTrue(rig);
});

test('Node files: every order is validated against fresh snapshots while the stream goes on', async (t) => {
  const rig = new NodeFilesRig({ layout: 'by-block', seed: 13, validateEveryNs: 1e9 });
  t.after(() => rig.close());
  await rig.run(5000);
  assert.ok(rig.snapshotsGiven >= 4);
  assert.ok(rig.allLive);
  assertTrue(rig);
  assert.equal(rig.verdicts.left, 0);
  assert.equal(rig.count(BooksColumn.Failed), 0);
});

test('Node files: a wrong validation snapshot is never shown as Live; one book says Suspect and returns', async (t) => {
  const rig = new NodeFilesRig({ layout: 'by-block', seed: 14, validateEveryNs: 1e9 });
  t.after(() => rig.close());
  await rig.run(1500);
  rig.snapshotFaults.push('wrong');
  await rig.run(8000);
  assert.equal(rig.count(BooksColumn.ValidationsFailed), 1);
  assert.equal(rig.count(BooksColumn.Resyncs), 1, 'the other instruments are not touched');
  assert.ok(rig.allLive);
  assertTrue(rig);
});
