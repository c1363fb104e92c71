/**
 * A recording of the simulated exchange, over real sockets, and back: replayed, each book has the hash
 * of the true one, and verify finds nothing to complain of.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { EXIT } from '../../src/cli/exit-codes.js';
import type { VerifyReport } from '../../src/cli/verify.js';
import { Channel } from '../../src/domain/channel.js';
import { RecordRun } from '../../src/node/record-run.js';
import type { RecordOptions, RecordSummary } from '../../src/node/record-run.js';
import { ReplayRun } from '../../src/node/replay-run.js';
import { CaptureRun } from '../../src/replay/capture-run.js';
import { surveyCapture } from '../../src/replay/capture-survey.js';
import { createSimulator } from '../../src/simulator/simulator.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { Timeline } from '../../src/time/timeline.js';
import { venueById } from '../../src/venues/registry.js';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.js');
const directory = mkdtempSync(join(tmpdir(), 'ringside-record-'));
after(() => rmSync(directory, { recursive: true }));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function startSimulator() {
  const origin = readTimelineOrigin();
  const simulator = createSimulator({
    scheduler: new SystemScheduler(origin.monotonicNs),
    timeline: new Timeline(origin.unixNs),
    markets: 4,
    ratePerSecond: 400,
    truthWindow: 1 << 14,
  });
  return { simulator, origin, urls: await simulator.start() };
}

type Overrides = Partial<RecordOptions> & { readonly directory: string };

/** Records until the market has stood still for a moment, so that nothing is under way. */
async function record(milliseconds: number, options: Overrides) {
  const { simulator, origin, urls } = await startSimulator();
  const ends: unknown[] = [];
  const run = new RecordRun({
    venue: venueById('binance-futures', { ...urls, settings: { depthInterval: '0ms' } }),
    symbols: 'all',
    channels: [Channel.Book, Channel.Bbo, Channel.Trades],
    allowPrivate: true,
    startTimeoutMs: 5_000,
    origin,
    seed: 3,
    bytesMax: Infinity,
    segmentBytesMax: Infinity,
    segmentNsMax: Infinity,
    reporter: {},
    onRetry: () => {},
    onEnd: (error) => ends.push(error),
    ...options,
  });
  await run.start();
  await pause(milliseconds);
  simulator.setRate(0);
  await pause(300);
  const summary = await run.stop();
  await simulator.stop();
  return { summary, simulator, ends };
}

async function replay(paths: readonly string[]) {
  const { facts, firstSecond } = await surveyCapture(venueById('binance-futures'), paths, () => {});
  const run = new ReplayRun({
    venue: venueById('binance-futures', { settings: facts.settings }),
    facts,
    wanted: facts.instruments,
    firstSecond,
    mode: 'none',
    depth: 1,
  });
  const capture = new CaptureRun(paths);
  for await (const batch of capture.batches()) for (const entry of batch) run.step(entry);
  run.close();
  return { capture, summary: run.summary() };
}

function verify(paths: readonly string[]): { code: number | null; report: VerifyReport } {
  const { status, stdout } = spawnSync(process.execPath, [MAIN, 'verify', '--json', ...paths], {
    encoding: 'utf8',
  });
  return { code: status, report: JSON.parse(stdout) as VerifyReport };
}

test('Recording: replayed, every book is the true one, and verify passes', async () => {
  const out = join(directory, 'whole');
  // Small segments, so that the run goes over several of them.
  const { summary, simulator, ends } = await record(2_000, {
    directory: out,
    segmentBytesMax: 10_000,
  });
  assert.deepEqual(ends, []);
  assert.ok(summary.segments.length > 1, `${summary.segments.length} segments`);
  assert.ok(summary.frames > 300, `${summary.frames} frames`);
  assert.deepEqual([summary.framesLost, summary.booksLive], [0, 4]);
  assert.deepEqual(
    readdirSync(out).map((name) => join(out, name)),
    [...summary.segments],
  );
  const { summary: replayed, capture } = await replay(summary.segments);
  assert.equal(replayed.frames, summary.frames);
  assert.equal(replayed.faults, 0);
  for (const { path, linesMalformed, truncation } of capture.files) {
    assert.deepEqual([path, linesMalformed, truncation], [path, 0, null]);
  }
  assert.equal(replayed.instruments.length, 4);
  for (const { instrument, state, hash, venueSequence } of replayed.instruments) {
    const symbol = instrument.split(':')[1]!;
    assert.equal(state, 'Live', instrument);
    assert.equal(hash, simulator.truth.hashAt(symbol, venueSequence), instrument);
  }
  const { code, report } = verify(summary.segments);
  assert.equal(code, EXIT.Ok, report.reason);
  assert.equal(report.verdict, 'passed');
  assert.ok(report.checks.bestPrices.passed > 100 && report.checks.trades.checked > 0);
  assert.deepEqual(report.checks.recorded, {
    checked: summary.frames,
    passed: summary.frames,
    failed: 0,
    unverifiable: 0,
  });
  cutAnywhere(summary);
});

/** A process that was killed leaves a torn last member: what stands before it is good. */
function cutAnywhere(summary: RecordSummary): void {
  const bytes = readFileSync(summary.segments[0]!);
  for (const part of [0.95, 0.999]) {
    const path = join(directory, `cut-${part}.txt.gz.part`);
    writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * part)));
    const { code, report } = verify([path]);
    assert.equal(code, EXIT.BadCapture, report.reason);
    assert.equal(report.verdict, 'passed');
    assert.ok(report.truncated.length === 1 && report.checks.continuity.passed > 0);
  }
}

test('Recording: --max-bytes ends it by itself, with whole files', async () => {
  const { summary, ends } = await record(1_500, {
    directory: join(directory, 'bounded'),
    bytesMax: 20_000,
  });
  assert.deepEqual(ends, [null], 'told once, and not as an error');
  assert.ok(summary.bytesWritten >= 20_000);
  const text = gunzipSync(readFileSync(summary.segments[0]!)).toString();
  assert.match(text, /^# ringside capture 1 venue=binance-futures segment=1\n/);
  assert.ok(text.endsWith('\n'));
});

test('Recording: a folder that cannot be written is told with a code', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const args = ['record', '--venue', 'binance-futures', '--out', join(file, 'below')];
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  assert.equal(status, EXIT.FileUnreadable);
  assert.match(stderr, /FILE_UNWRITABLE/);
});

test('ringside record: SIGINT closes the segment, tells the summary and exits with 0', async () => {
  const { simulator, urls } = await startSimulator();
  const out = join(directory, 'signal');
  const args = ['--venue', 'binance-futures', '--symbols', 'BTCUSDT,ETHUSDT', '--out', out];
  const child = spawn(
    process.execPath,
    [MAIN, 'record', ...args, '--rest-url', urls.restUrl, '--ws-url', urls.webSocketUrl, '--json'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const closed = new Promise((resolve) => child.on('close', resolve));
  for (let i = 0; i < 100 && !stderr.includes('subscribed'); i++) await pause(100);
  await pause(1_200);
  child.kill('SIGINT');
  const code = await closed;
  await simulator.stop();
  assert.equal(code, EXIT.Ok, stderr);
  const summary = JSON.parse(stderr.trimEnd().split('\n').at(-1)!) as RecordSummary;
  assert.deepEqual([summary.books, summary.booksLive, summary.framesLost], [2, 2, 0]);
  assert.deepEqual(readdirSync(out), [summary.segments[0]!.split('/').at(-1)]);
  const found = verify(summary.segments);
  assert.equal(found.code, EXIT.Ok, found.report.reason);
});
