/** A node's files under faults: whatever happens to them, no Live book is ever wrong. */
import assert from 'node:assert/strict';
import { renameSync, truncateSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { MadeOrder } from '../support/made-node.js';
import { bytesOf } from '../support/made-node.js';
import { MadeNodeRig, type RigOptions } from '../support/made-node-rig.js';

const { Column } = MadeNodeRig;
const LAYOUTS = ['by-block', 'streaming'] as const;

async function started(t: TestContext, options: RigOptions): Promise<MadeNodeRig> {
  const rig = new MadeNodeRig(options);
  t.after(() => rig.dispose());
  await rig.run(100);
  await rig.blocks(6);
  await rig.run(400);
  rig.assertWhole();
  return rig;
}

/** Until all books are whole again. */
async function recovers(rig: MadeNodeRig): Promise<void> {
  await rig.blocks(10);
  await rig.run(400);
  rig.assertWhole();
}

for (const layout of LAYOUTS) {
  test(`Node files, ${layout}: every block's book is the market's, in queue order`, async (t) => {
    const rig = await started(t, { layout });
    await rig.blocks(40);
    await rig.run(400);
    rig.assertWhole();
    assert.ok(rig.compared > 60, `${rig.compared} books were compared`);
    assert.equal(rig.count('BTC', Column.Resyncs), 0);
    assert.equal(rig.snapshotsAsked, 1);
  });

  test(`Node files, ${layout}: a line cut anywhere waits for its rest`, async (t) => {
    const rig = await started(t, { layout });
    for (let i = 0; i < 12; i++) {
      const { diffs, statuses, fills } = rig.made.makeBlock();
      const at = Math.floor((diffs.length * i) / 12);
      rig.made.write('diffs', diffs.slice(0, at));
      rig.made.write('statuses', statuses.slice(0, 40));
      await rig.run(60);
      rig.made.write('statuses', statuses.slice(40));
      rig.made.write('diffs', diffs.slice(at));
      rig.made.write('fills', fills);
      await rig.run(30);
    }
    await rig.run(400);
    rig.assertWhole();
    assert.equal(rig.count('BTC', Column.Resyncs), 0);
  });

  test(`Node files, ${layout}: diffs before statuses and after them give the same book`, async (t) => {
    const rig = await started(t, { layout });
    for (let i = 0; i < 10; i++) {
      const { diffs, statuses } = rig.made.makeBlock();
      rig.made.write(i % 2 === 0 ? 'diffs' : 'statuses', i % 2 === 0 ? diffs : statuses);
      await rig.run(20);
      rig.made.write(i % 2 === 0 ? 'statuses' : 'diffs', i % 2 === 0 ? statuses : diffs);
      await rig.run(50);
    }
    await rig.run(600);
    rig.assertWhole();
    assert.equal(rig.count('BTC', Column.Resyncs), 0);
  });

  test(`Node files, ${layout}: a dead status source costs identities, not the book`, async (t) => {
    const rig = await started(t, { layout });
    for (let i = 0; i < 20; i++) {
      rig.made.write('diffs', rig.made.makeBlock().diffs);
      await rig.run(70);
    }
    await rig.run(700);
    rig.assertWhole();
    const silent = rig.reports.some(
      (r) => r.kind === 'source' && r.source === 'statuses' && r.state === 'silent',
    );
    assert.ok(silent, 'its silence is told');
    assert.equal(rig.count('BTC', Column.Resyncs), 0);
  });

  test(`Node files, ${layout}: silent diffs make the books Stale, and Live when they go on`, async (t) => {
    const rig = await started(t, { layout });
    await rig.run(1_500);
    assert.equal(rig.state('BTC'), 'Stale StreamSilent');
    await recovers(rig);
    assert.equal(rig.count('BTC', Column.Resyncs), 0);
  });

  test(`Node files, ${layout}: a malformed line makes its books Suspect until a snapshot`, async (t) => {
    const rig = await started(t, { layout });
    rig.made.makeBlock();
    rig.made.write('diffs', '{"local_time":"2026-05-05T17:39:13.3","block_ti\n');
    await rig.blocks(1);
    await rig.run(300);
    assert.ok(
      rig.states.some((line) => line.startsWith('BTC Suspect')),
      rig.states.join(', '),
    );
    await recovers(rig);
    assert.ok(rig.count('BTC', Column.Resyncs) >= 1);
  });

  test(`Node files, ${layout}: a file that was cut and written anew is a break`, async (t) => {
    const rig = await started(t, { layout });
    truncateSync(rig.made.fileOf('diffs'), 0);
    await rig.run(120);
    await recovers(rig);
    assert.ok(rig.reports.some((r) => r.kind === 'source' && r.state === 'replaced'));
    assert.ok(rig.count('BTC', Column.Resyncs) >= 1);
  });

  test(`Node files, ${layout}: the next hour's file continues the last one's`, async (t) => {
    const rig = await started(t, { layout });
    for (const hour of [18, 19]) {
      rig.made.hour = hour;
      await rig.blocks(8);
    }
    await rig.run(400);
    rig.assertWhole();
    assert.equal(rig.count('BTC', Column.Resyncs), 0);
  });

  test(`Node files, ${layout}: full rings hold the reader back and lose nothing`, async (t) => {
    const rig = await started(t, { layout, ringWords: 2 ** 16 });
    for (let i = 0; i < 600; i++) rig.made.writeBlock();
    await rig.run(900);
    rig.assertWhole();
    assert.equal(rig.count('BTC', Column.Resyncs), 0);
  });

  test(`Node files, ${layout}: a node behind its chain is told and not shown as Live`, async (t) => {
    const rig = await started(t, { layout });
    rig.made.lagMs = 30_000;
    await rig.blocks(4);
    assert.equal(rig.state('BTC'), 'Stale SourceLagging');
    await rig.blocks(2);
    assert.equal(rig.state('ETH'), 'Stale SourceLagging');
    rig.made.lagMs = 300;
    await recovers(rig);
    assert.equal(rig.count('BTC', Column.Resyncs), 0);
  });
}

test('Node files, by-block: a block that never came is a hole, and no book is Live across it', async (t) => {
  const rig = await started(t, { layout: 'by-block' });
  const lost = rig.made.makeBlock();
  rig.made.write('statuses', lost.statuses);
  await recovers(rig);
  const hole = rig.reports.find((report) => report.kind === 'hole');
  assert.deepEqual(hole, { kind: 'hole', from: rig.made.height - 10, to: rig.made.height - 10 });
  assert.equal(rig.count('BTC', Column.Gaps), 1);
});

test('Node files: a snapshot older than the blocks seen is refused, and asked for again', async (t) => {
  const rig = new MadeNodeRig({ layout: 'by-block' });
  t.after(() => rig.dispose());
  // The first block that is read is the next one: this does not reach it.
  const old = rig.made.snapshotText(() => {}, rig.made.height - 1);
  let given = 0;
  rig.giveSnapshot = async () => bytesOf(given++ < 2 ? old : rig.made.snapshotText());
  await rig.blocks(3);
  assert.match(rig.state('BTC'), /^Syncing/);
  await rig.blocks(20);
  await rig.run(300);
  rig.assertWhole();
  assert.ok(rig.count('BTC', Column.SnapshotsTooOld) >= 1);
});

test('Node files: a snapshot that stands ahead of the files is not passed before they reach it', async (t) => {
  const rig = new MadeNodeRig({ layout: 'by-block' });
  t.after(() => rig.dispose());
  const blocks = Array.from({ length: 5 }, () => rig.made.makeBlock());
  rig.giveSnapshot = async () => bytesOf(rig.made.snapshotText());
  for (const { diffs, statuses } of blocks) {
    rig.made.write('statuses', statuses);
    rig.made.write('diffs', diffs);
    await rig.run(40);
  }
  await recovers(rig);
  assert.equal(rig.count('BTC', Column.Resyncs), 0);
});

test('Node files: read from a file of the past, they are caught up from its height', async (t) => {
  const rig = new MadeNodeRig({ layout: 'by-block', fromBeginning: true });
  t.after(() => rig.dispose());
  for (let i = 0; i < 5; i++) rig.made.writeBlock();
  rig.made.hour = 18;
  const text = rig.made.snapshotText();
  for (let i = 0; i < 9; i++) rig.made.writeBlock();
  rig.giveSnapshot = async () => bytesOf(text);
  await rig.run(300);
  rig.assertWhole();
});

const FAULTS: readonly [string, (orders: MadeOrder[]) => void][] = [
  ['a size', (orders) => (orders[3]!.size += 1)],
  ['a missing order', (orders) => orders.splice(3, 1)],
  ['an extra order', (orders) => orders.push({ ...orders[3]!, oid: 7 })],
  ['the owner', (orders) => (orders[3] = { ...orders[3]!, user: `0x${'f'.repeat(40)}` })],
  [
    'the queue',
    (orders) => {
      const at = orders.findIndex((a, i) =>
        orders.some((b, j) => j > i && a.side === b.side && a.price === b.price),
      );
      const [first] = orders.splice(at, 1);
      orders.push(first!);
    },
  ],
];
for (const [what, spoil] of FAULTS) {
  test(`Node files: validation finds ${what} that differs, in that instrument only`, async (t) => {
    const rig = await started(t, { layout: 'by-block', validateEveryNs: 2e9 });
    await rig.blocks(40);
    assert.ok(rig.count('BTC', Column.Validations) > 0, 'books were validated');
    assert.equal(rig.count('BTC', Column.ValidationsFailed), 0);
    rig.mayDiffer.add('BTC');
    let spoiled = 0;
    rig.giveSnapshot = async () =>
      bytesOf(
        rig.made.snapshotText((orders) => {
          if (spoiled++ === 0) spoil(orders.get('BTC')!);
        }),
      );
    const epochBefore = rig.count('ETH', Column.BookEpoch);
    const seen = rig.states.length;
    const isSpoiled = (): boolean => spoiled > 0;
    for (let i = 0; i < 60 && !isSpoiled(); i++) await rig.blocks(1);
    await rig.blocks(3);
    assert.equal(rig.count('BTC', Column.ValidationsFailed), 1);
    assert.ok(rig.states.slice(seen).includes('BTC Suspect IntegrityMismatch'));
    // The next true snapshot, or an event that contradicts the false one, puts it right.
    await rig.blocks(70);
    await rig.run(300);
    rig.assertWhole();
    assert.equal(rig.count('ETH', Column.ValidationsFailed), 0);
    assert.equal(rig.count('ETH', Column.BookEpoch), epochBefore);
  });
}

test('Node files: a stale snapshot does not pass for a validation', async (t) => {
  const rig = await started(t, { layout: 'by-block', validateEveryNs: 2e9 });
  const stale = rig.made.snapshotText();
  rig.giveSnapshot = async () => bytesOf(stale);
  await rig.blocks(40);
  rig.assertWhole();
  assert.ok(rig.count('BTC', Column.Unverifiable) > 0);
  assert.equal(rig.count('BTC', Column.ValidationsFailed), 0);
  assert.equal(rig.count('BTC', Column.Resyncs), 0);
});

test('Node files: a snapshot of the past has the files read again, for the book that needs it', async (t) => {
  const rig = await started(t, { layout: 'by-block', validateEveryNs: 2e9 });
  const past = rig.made.snapshotText();
  let isSpoiled = false;
  rig.giveSnapshot = async () => {
    if (isSpoiled) return { ...bytesOf(past), isPast: true };
    isSpoiled = true;
    return bytesOf(rig.made.snapshotText((orders) => (orders.get('BTC')![3]!.size += 1)));
  };
  for (let i = 0; i < 60 && rig.count('BTC', Column.ValidationsFailed) === 0; i++)
    await rig.blocks(1);
  await rig.blocks(70);
  await rig.run(300);
  rig.assertWhole();
  const rewound = rig.reports.find((report) => report.kind === 'rewound');
  assert.ok(rewound?.kind === 'rewound' && rewound.to > rewound.from + 10);
  assert.equal(rig.count('BTC', Column.Resyncs), 1);
  assert.equal(rig.count('ETH', Column.Resyncs), 0, 'the other has its blocks already');
});

test('Node files: a snapshot from before the files is refused by its code, and nothing is shown', async (t) => {
  const rig = new MadeNodeRig({ layout: 'by-block' });
  t.after(() => rig.dispose());
  const old = rig.made.snapshotText(() => {}, rig.made.height - 5);
  rig.giveSnapshot = async () => ({ ...bytesOf(old), isPast: true });
  await rig.blocks(20);
  assert.match(rig.state('BTC'), /^Syncing/);
  const failed = rig.reports.find((report) => report.kind === 'snapshot-failed');
  assert.ok(failed?.kind === 'snapshot-failed');
  assert.equal(failed.code, 'SNAPSHOT_TOO_OLD');
  assert.match(failed.message, /stands at \d+, the files begin at \d+ only/);
  rig.giveSnapshot = async () => bytesOf(rig.made.snapshotText());
  await rig.blocks(60);
  await rig.run(300);
  rig.assertWhole();
});

test('Node files: a snapshot that is refused, cut or malformed is asked for again', async (t) => {
  const rig = new MadeNodeRig({ layout: 'by-block' });
  t.after(() => rig.dispose());
  const answers = [
    () => Promise.reject(new Error('status 422')),
    async () => bytesOf(rig.made.snapshotText().slice(0, 900)),
    async () => bytesOf('[1,[["BTC",{}]]]'),
  ];
  rig.giveSnapshot = () => (answers.shift() ?? (async () => bytesOf(rig.made.snapshotText())))();
  await rig.blocks(130);
  await rig.run(300);
  rig.assertWhole();
  assert.equal(rig.reports.filter((report) => report.kind === 'snapshot-failed').length, 3);
});

test('Node files: coins that are new, and instruments that a snapshot does not hold, are told', async (t) => {
  const rig = new MadeNodeRig({ layout: 'by-block' });
  t.after(() => rig.dispose());
  rig.giveSnapshot = async () =>
    bytesOf(
      rig.made.snapshotText((orders) => {
        orders.set('NEW', orders.get('ETH')!);
        orders.delete('ETH');
      }),
    );
  await rig.blocks(8);
  assert.match(rig.state('BTC'), /^Live/);
  assert.match(rig.state('ETH'), /^Syncing/);
  assert.deepEqual(
    rig.reports.find((report) => report.kind === 'unlisted'),
    { kind: 'unlisted', coins: ['NEW'] },
  );
  assert.deepEqual(
    rig.reports.find((report) => report.kind === 'missing'),
    { kind: 'missing', instruments: ['hyperliquid-node:ETH'] },
  );
  assert.ok(rig.snapshotsAsked <= 2, 'a missing coin does not keep the node writing snapshots');
});

test('Node files: a diffs file that another one replaced is read anew, and the books with it', async (t) => {
  const rig = await started(t, { layout: 'by-block' });
  const file = rig.made.fileOf('diffs');
  writeFileSync(`${file}.new`, rig.made.makeBlock().diffs);
  renameSync(`${file}.new`, file);
  await rig.run(120);
  await recovers(rig);
  assert.ok(rig.reports.some((r) => r.kind === 'source' && r.state === 'replaced'));
});
