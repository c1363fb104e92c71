/** A replay of made recordings, whole and damaged, against the market that made them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ReplayRun } from '../../src/node/replay-run.js';
import type { ReplaySummary } from '../../src/node/replay-run.js';
import { CaptureRun } from '../../src/replay/capture-run.js';
import { surveyCapture } from '../../src/replay/capture-survey.js';
import { Pacer } from '../../src/replay/pacer.js';
import type { LineMode } from '../../src/replay/replay-lines.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';
import { venueById } from '../../src/venues/registry.js';
import { MadeMarket } from '../support/made-capture.js';
import { faultWith } from '../venues/venue-contract.js';

const directory = mkdtempSync(join(tmpdir(), 'ringside-replay-'));
after(() => {
  rmSync(directory, { recursive: true });
});
let files = 0;

interface Line {
  readonly instrument: string;
  readonly venueSequence: string;
  readonly state: string;
  readonly bid: [string, string] | null;
  readonly ask: [string, string] | null;
  readonly bids: [string, string][];
  readonly asks: [string, string][];
  readonly type: string;
  readonly head: { readonly state: string; readonly reason: string };
}

async function replay(
  contents: readonly string[],
  mode: LineMode = 'bbo',
  depth = 5,
): Promise<{ lines: Line[]; summary: ReplaySummary; run: ReplayRun }> {
  const paths = contents.map((content) => {
    const path = join(directory, `made-${files++}`);
    writeFileSync(path, content);
    return path;
  });
  const { facts, firstSecond } = await surveyCapture(venueById('binance-futures'), paths, () => {});
  const venue = venueById('binance-futures', { settings: facts.settings });
  const run = new ReplayRun({ venue, facts, wanted: facts.instruments, firstSecond, mode, depth });
  for await (const batch of new CaptureRun(paths).batches())
    for (const entry of batch) run.step(entry);
  run.close();
  const lines = run.lines
    .takeLines()
    .split('\n')
    .filter((line) => line !== '');
  return { lines: lines.map((line) => JSON.parse(line) as Line), summary: run.summary(), run };
}

/** `count` updates with the snapshot among them, in lines. */
function madeLines(market: MadeMarket, count: number, snapshotAt = 5): string[] {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    if (i === snapshotAt) lines.push(market.snapshotLine());
    lines.push(market.update());
    if (i % 3 === 0) lines.push(market.tickerLine());
  }
  return lines;
}

function assertTruth(lines: readonly Line[], market: MadeMarket): void {
  const truth = new Map(market.updates.map((update) => [update.u, update]));
  for (const line of lines) {
    const { bid, ask } = truth.get(Number(line.venueSequence))!;
    assert.deepEqual([line.bid, line.ask], [bid, ask]);
    assert.equal(line.state, 'Live');
  }
}

test('Replay: every update behind the snapshot gives one line with the true best', async () => {
  const market = new MadeMarket('BTCUSDT', 1);
  const { lines, summary } = await replay([madeLines(market, 300).join('')]);
  // the update that ends at the snapshot is its anchor: it counts, the four before are stale
  assert.deepEqual(
    lines.map((line) => Number(line.venueSequence)),
    market.updates.slice(4).map(({ u }) => u),
  );
  assertTruth(lines, market);
  const { applied, stale, gaps, resyncs, crossed, faults, snapshots } = summary;
  assert.deepEqual(
    { applied, stale, gaps, resyncs, crossed, faults, snapshots },
    { applied: 296, stale: 4, gaps: 0, resyncs: 0, crossed: 0, faults: 0, snapshots: 1 },
  );
  assert.equal(summary.instruments[0]!.failed, 0);
  assert.ok(summary.instruments[0]!.passed > 90);
});

test('Replay: a lost update is a gap; nothing is shown until the next snapshot', async () => {
  const market = new MadeMarket('BTCUSDT', 2);
  const lines = madeLines(market, 100);
  const lostAt = lines.indexOf(market.updates[50]!.line);
  lines.splice(lostAt, 1);
  lines.push(market.snapshotLine(), ...madeLines(market, 50, -1));
  const { lines: shown, summary } = await replay([lines.join('')]);
  assertTruth(shown, market);
  const ids = shown.map((line) => Number(line.venueSequence));
  const expected = market.updates.filter((_, i) => (i >= 4 && i < 50) || i >= 99).map(({ u }) => u);
  assert.deepEqual(ids, expected);
  assert.equal(summary.gaps, 1);
  assert.equal(summary.resyncs, 1);
});

test('Replay: repeated updates and snapshots of a whole book change nothing', async () => {
  const market = new MadeMarket('BTCUSDT', 3);
  const lines = madeLines(market, 100);
  const repeated = lines.flatMap((line, i) => (i % 9 === 8 ? [line, line, line] : [line]));
  repeated.push(market.snapshotLine());
  const { lines: shown, summary } = await replay([repeated.join('')]);
  assert.equal(shown.length, 96);
  assertTruth(shown, market);
  assert.equal(summary.gaps + summary.resyncs + summary.faults, 0);
});

test('Replay: a damaged frame is counted and its book taken anew, not continued', async () => {
  const market = new MadeMarket('BTCUSDT', 4);
  const lines = madeLines(market, 60);
  const at = lines.indexOf(market.updates[30]!.line);
  lines[at] = lines[at]!.replace('"b":[["', '"b":[["x');
  const { lines: shown, summary, run } = await replay([lines.join('')]);
  assert.equal(summary.faults, 1);
  assert.equal(summary.resyncs, 1);
  assert.match(run.feed.firstFault!.text, /depthUpdate/);
  assert.equal(shown.length, 30 - 4);
  assert.equal(summary.instruments[0]!.state, 'Suspect');
});

test('Replay: two markets in two files are one run, each snapshot belongs to the symbol of its file', async () => {
  const btc = new MadeMarket('BTCUSDT', 5);
  const eth = new MadeMarket('ETHUSDT', 6);
  const contents = [madeLines(btc, 80).join(''), madeLines(eth, 90, 20).join('')];
  const { lines, summary } = await replay(contents);
  for (const market of [btc, eth]) {
    const own = lines.filter(({ instrument }) => instrument.endsWith(market.symbol));
    assertTruth(own, market);
  }
  assert.deepEqual(
    summary.instruments.map(({ applied, stale }) => [applied, stale]),
    [
      [76, 4],
      [71, 19],
    ],
  );
  // the run's hash is the XOR of the books' hashes
  const hashes = summary.instruments.map(({ hash }) => BigInt(`0x${hash}`));
  assert.equal(BigInt(`0x${summary.hash}`), hashes[0]! ^ hashes[1]!);
});

test('Replay: a snapshot that could be of several symbols is given to none of them', async () => {
  const btc = new MadeMarket('BTCUSDT', 7);
  const eth = new MadeMarket('ETHUSDT', 8);
  const content = [...madeLines(btc, 20), ...madeLines(eth, 20)].join('');
  const { lines, summary, run } = await replay([content]);
  assert.equal(lines.length, 0);
  assert.equal(run.feed.counts.snapshotsOrphaned, 2);
  assert.deepEqual(
    summary.instruments.map(({ state }) => state),
    ['Syncing', 'Syncing'],
  );
});

test('Replay: book lines carry the wanted depth, best first, events carry every message', async () => {
  const make = (): [MadeMarket, string] => {
    const market = new MadeMarket('BTCUSDT', 9);
    return [market, madeLines(market, 40).join('')];
  };
  const [market, content] = make();
  const { lines } = await replay([content], 'book', 3);
  assert.equal(lines.length, 36);
  for (const [i, { bids, asks }] of lines.entries()) {
    const { bid, ask } = market.updates[i + 4]!;
    assert.deepEqual([bids[0], asks[0]], [bid, ask]);
    assert.equal(bids.length, 3);
    assert.ok(
      Number(bids[0]![0]) > Number(bids[1]![0]) && Number(asks[1]![0]) < Number(asks[2]![0]),
    );
  }
  const { lines: events } = await replay([make()[1]], 'events');
  const count = (type: string): number => events.filter((event) => event.type === type).length;
  assert.equal(count('bookDelta'), 36);
  assert.equal(count('bookSnapshot'), 1);
  assert.ok(count('bbo') > 0 && count('status') > 0);
  assert.equal(events.find(({ type }) => type === 'bookSnapshot')!.head.state, 'Live');
});

test('Replay: decimals are the longest that the recording writes', async () => {
  const market = new MadeMarket('BTCUSDT', 10);
  const content = madeLines(market, 30).join('').replaceAll('.000"', '"');
  const { lines } = await replay([content]);
  assertTruth(lines, market);
});

test("Replay: a recording without the venue's traffic, or of spot, is refused", async () => {
  await assert.rejects(replay(['1723161255 {"hello":1}\n']), faultWith('CAPTURE_MALFORMED'));
  const spot = madeLines(new MadeMarket('BTCUSDT', 11), 5)
    .join('')
    .replace(/"pu":\d+,/g, '');
  await assert.rejects(replay([spot]), /spot/);
});

test('Pacer: waits as long as the recording says, divided by the speed', async () => {
  const clock = new VirtualClock(5e9);
  const pacer = new Pacer(clock, 10);
  assert.equal(pacer.isDue(100e9), true);
  assert.equal(pacer.isDue(120e9), false);
  const waited = pacer.wait();
  clock.advanceTo(6.9e9);
  assert.equal(pacer.isDue(120e9), false);
  clock.advanceTo(7e9);
  await waited;
  assert.equal(pacer.isDue(120e9), true);
  assert.equal(new Pacer(clock, Infinity).isDue(1e18), true);
});
