/** `ringside verify` as a process: what passes, what each kind of damage is called, exit codes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { EXIT } from '../../src/cli/exit-codes.js';
import type { VerifyReport } from '../../src/cli/verify.js';
import { capturesDirectory } from '../support/captures.js';
import { MadeMarket } from '../support/made-capture.js';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.js');
const directory = mkdtempSync(join(tmpdir(), 'ringside-verify-'));
after(() => rmSync(directory, { recursive: true }));

const UPDATES = 300;
const SNAPSHOT_AT = 3;

/** Lines of a run with a ticker for every update; what stands at each line can be changed. */
function madeLines(symbol = 'BTCUSDT', withSnapshot = true): string[] {
  const market = new MadeMarket(symbol, 5);
  const lines: string[] = [];
  for (let i = 0; i < UPDATES; i++) {
    lines.push(market.update(), market.tickerLine());
    if (i === SNAPSHOT_AT && withSnapshot) lines.push(market.snapshotLine());
  }
  return lines;
}

function fileOf(name: string, lines: readonly string[]): string {
  const path = join(directory, name);
  writeFileSync(path, gzipSync(lines.join('')));
  return path;
}

function verify(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'verify', ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { code: status, stdout, stderr };
}

function report(...args: string[]): { code: number | null; stderr: string; report: VerifyReport } {
  const { code, stdout, stderr } = verify('--json', ...args);
  return { code, stderr, report: JSON.parse(stdout) as VerifyReport };
}

test('ringside verify: a whole capture passes, with every denominator', () => {
  const { code, report: found, stderr } = report(fileOf('whole.gz', madeLines()));
  assert.equal(code, EXIT.Ok, stderr);
  assert.match(stderr, /^PASSED \d+ of \d+ checks passed\n$/);
  const applied = UPDATES - SNAPSHOT_AT;
  const [book] = found.instruments;
  assert.equal(found.verdict, 'passed');
  assert.deepEqual(
    [book!.state, book!.applied, book!.stale, book!.gaps, book!.resyncs, book!.crossed],
    ['Live', applied, SNAPSHOT_AT, 0, 0, 0],
  );
  const { aligned, continuity, uncrossed, bestPrices, trades, recorded } = found.checks;
  const whole = (checked: number) => ({ checked, passed: checked, failed: 0, unverifiable: 0 });
  assert.deepEqual([aligned, continuity, uncrossed], [whole(1), whole(applied), whole(applied)]);
  assert.equal(bestPrices.failed, 0);
  assert.equal(bestPrices.checked + bestPrices.unverifiable >= applied, true);
  assert.ok(bestPrices.passed >= applied - 2, `${bestPrices.passed} best prices compared`);
  assert.equal(trades.checked, 0);
  assert.ok(recorded.checked === 0 && recorded.unverifiable > 0, 'no recorder of ours wrote it');
  assert.match(book!.hash, /^[0-9a-f]{16}$/);
});

test('ringside verify: a missing update fails continuity, and the reason says where', () => {
  const lines = madeLines();
  lines.splice(201, 1);
  assert.match(lines[201]!, /bookTicker/);
  const { code, report: found, stderr } = report(fileOf('missing.gz', lines));
  assert.equal(code, EXIT.CheckFailed);
  assert.equal(found.verdict, 'failed');
  assert.equal(found.checks.continuity.failed, 1);
  assert.equal(found.checks.aligned.failed, 1, 'no second snapshot: the book is not Live again');
  assert.match(
    stderr,
    /^FAILED binance-futures:BTCUSDT: 1 of \d+ updates do not continue the one before \(and 1 more/,
  );
});

test("ringside verify: a best price that is not the venue's own fails, and only that", () => {
  const lines = madeLines();
  const at = lines.findIndex((line, i) => i > 300 && line.includes('bookTicker'));
  lines[at] = lines[at]!.replace(/"B":"[^"]+"/, '"B":"77.777"');
  const { code, report: found, stderr } = report(fileOf('ticker.gz', lines));
  assert.equal(code, EXIT.CheckFailed);
  assert.equal(found.checks.bestPrices.failed, 1);
  assert.equal(found.checks.continuity.failed, 0);
  assert.match(stderr, /best bid and ask differ from the venue's own at 1 of \d+ updates/);
});

test('ringside verify: a frame that cannot be read fails', () => {
  const lines = madeLines();
  const at = lines.findIndex((line, i) => i > 400 && line.includes('depthUpdate'));
  lines.splice(at, 0, lines[at]!.replace('"b":[[', '"b":[[oops'));
  const { code, report: found } = report(fileOf('torn.gz', lines));
  assert.equal(code, EXIT.CheckFailed);
  assert.equal(found.checks.frames.failed, 1);
});

test('ringside verify: without a snapshot nothing is checked, and that is no pass', () => {
  const { code, report: found, stderr } = report(fileOf('bare.gz', madeLines('BTCUSDT', false)));
  assert.equal(code, EXIT.CheckFailed);
  assert.equal(found.verdict, 'unverified');
  assert.equal(found.checks.aligned.unverifiable, 1);
  assert.match(stderr, /^UNVERIFIED nothing could be checked: no snapshot for 1 of 1 books/);
});

test('ringside verify: frames that the recorder marked as lost fail', () => {
  const lines = ['# ringside capture 1 venue=binance-futures\n', ...madeLines()];
  lines.splice(50, 0, '# lost frames=7 bytes=900\n');
  const { code, report: found, stderr } = report(fileOf('lost.gz', lines));
  assert.equal(code, EXIT.CheckFailed);
  assert.equal(found.checks.recorded.failed, 7);
  assert.match(stderr, /7 of \d+ frames were lost by the recorder/);
});

test('ringside verify: a cut capture that passes up to the cut has an exit code of its own', () => {
  const bytes = gzipSync(madeLines().join(''));
  const path = join(directory, 'cut.gz');
  writeFileSync(path, bytes.subarray(0, bytes.length - 2000));
  const { code, report: found, stderr } = report(path);
  assert.equal(code, EXIT.BadCapture);
  assert.equal(found.verdict, 'passed');
  assert.equal(found.truncated.length, 1);
  assert.match(stderr, /^CAPTURE_TRUNCATED /);
});

test('ringside verify: the table has a row for each book, chosen by --instrument, and one for all', () => {
  const both = [fileOf('b.gz', madeLines()), fileOf('e.gz', madeLines('ETHUSDT'))];
  const { code, stdout } = verify(...both);
  assert.equal(code, EXIT.Ok);
  const rows = stdout.split('\n').map((line) => line.split(/\s{2,}/));
  assert.deepEqual(
    rows.slice(0, 4).map(([name]) => name),
    ['instrument', 'binance-futures:BTCUSDT', 'binance-futures:ETHUSDT', 'all'],
  );
  assert.equal(rows[3]![1], '2/2 aligned');
  const one = report(...both, '--instrument', 'ETHUSDT').report;
  assert.deepEqual(
    one.instruments.map(({ instrument }) => instrument),
    ['binance-futures:ETHUSDT'],
  );
  assert.equal(verify(...both, '--instrument', 'ETHUSD').code, EXIT.UnknownSymbol);
});

const DIRECTORY = capturesDirectory();
const skip = DIRECTORY === null ? 'no captures: set RINGSIDE_CAPTURES' : false;

test('ringside verify: real captures pass', { skip }, () => {
  const cryptofeed = join(DIRECTORY!, 'binance', 'cryptofeed');
  const parts = ['', '.http.0', '.ws.1'].map((part) =>
    join(cryptofeed, `BINANCE_FUTURES${part}.0`),
  );
  const { code, report: found } = report(...parts);
  assert.equal(code, EXIT.Ok);
  assert.deepEqual(found.checks.bestPrices, {
    checked: 721,
    passed: 721,
    failed: 0,
    unverifiable: 8,
  });
  assert.deepEqual(found.checks.aligned, { checked: 4, passed: 4, failed: 0, unverifiable: 0 });
  assert.equal(found.checks.trades.checked, 87);
});

test("ringside verify: a Hyperliquid node's files pass, order by order", { skip }, () => {
  const home = join(DIRECTORY!, 'hyperliquid');
  const snapshot = join(home, 'packethog/hl_dual_validator/source/snapshot_985148181.json.gz');
  const data = join(home, 'derived', 'dual_985148182_985148206');
  const args = ['--venue', 'hyperliquid-node', '--data', data, '--snapshot', snapshot];
  const { code, stdout, stderr } = verify(...args, '--json');
  assert.equal(code, EXIT.Ok, stderr);
  const found = JSON.parse(stdout) as { blocks: number; checks: VerifyReport['checks'] };
  assert.equal(found.blocks, 24);
  assert.deepEqual((found.checks as unknown as Record<string, unknown>)['diffs'], {
    checked: 1110,
    passed: 1110,
    failed: 0,
    unverifiable: 0,
  });
});
