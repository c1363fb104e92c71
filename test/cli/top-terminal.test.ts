/** `ringside top` in a real pseudo terminal (tmux) and in a pipe. Skipped, loudly, without tmux. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FakeFeed } from '../support/fake-feed.js';
import { until as waitUntil } from '../support/until.js';

const top = resolve(import.meta.dirname, '../../src/cli/top.js');
const socket = `ringside-test-${process.pid}`;
const hasTmux = spawnSync('tmux', ['-V']).status === 0;

/** Runs the command alone, as the program would. */
function script(parameters: string[]): string {
  return (
    `import('${top}').then(async ({ topCommand }) => {` +
    `try { await topCommand().parseAsync(${JSON.stringify(parameters)}, { from: 'user' }); }` +
    'catch (error) { console.error(error.code, error.message); process.exitCode = 9; } })'
  );
}

function tmux(...parameters: string[]): string {
  return spawnSync('tmux', ['-L', socket, ...parameters], { encoding: 'utf8' }).stdout;
}

function until(condition: () => boolean, what: string): Promise<void> {
  return waitUntil(condition, () => `${what}; screen:\n${screen()}`, 50);
}

const screen = (): string => tmux('capture-pane', '-p', '-t', 'top');

async function startFeed(t: TestContext): Promise<FakeFeed> {
  const feed = new FakeFeed({ instruments: 6, levels: 40, heartbeatMs: 200 });
  await feed.listen();
  t.after(() => feed.stop());
  return feed;
}

function runPiped(
  parameters: string[],
): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', script(parameters)]);
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

test('Top: lives in a terminal, obeys keys, follows a resize, and leaves it as it was', async (t) => {
  if (!hasTmux) {
    console.error('TOP TERMINAL TEST SKIPPED: no tmux');
    t.skip('no tmux: install the package tmux');
    return;
  }
  const feed = await startFeed(t);
  feed.run(20, 6);
  t.after(() => tmux('kill-server'));
  const quoted = `'${script(['--url', feed.url]).replaceAll("'", `'"'"'`)}'`;
  const command = `echo before; '${process.execPath}' -e ${quoted}; echo code=$?; sleep 60`;
  tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'top', '-x', '110', '-y', '30', command);
  await until(() => screen().includes('binance-futures:BTCUSDT  ● Live'), 'the first book is Live');
  const first = screen();
  await until(() => screen() !== first, 'the ladder moves');
  tmux('send-keys', '-t', 'top', 'Down', 'Tab');
  await until(() => screen().includes('binance-futures:SOLUSDT  ● Live'), 'keys choose another');
  tmux('send-keys', '-t', 'top', 'd');
  tmux('resize-window', '-t', 'top', '-x', '60', '-y', '16');
  await until(() => screen().includes('SOLUSDT') && !screen().includes('│'), 'it has shrunk');
  assert.ok(
    screen()
      .split('\n')
      .every((line) => line.length <= 60),
  );
  tmux('send-keys', '-t', 'top', 'q');
  await until(() => screen().includes('code=0'), 'it has ended');
  assert.ok(screen().includes('before'), 'what was on the screen is there again');
  assert.ok(!screen().includes('Ringside'));
});

test('Top: in a pipe it prints lines until it is stopped', async (t) => {
  const feed = await startFeed(t);
  const child = spawn(process.execPath, ['-e', script(['ETHUSDT', '--url', feed.url])]);
  let out = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  await until(() => out.includes('\n'), 'a line has come');
  child.kill('SIGTERM');
  assert.equal(await closed, 0);
  assert.match(out, /^binance-futures:ETHUSDT {2}Live {2}bid \d+\.\d\d × \d+\.\d{3} {2}ask /);
});

test('Top: --once --json prints one whole book and exits with 0', async (t) => {
  const feed = await startFeed(t);
  const { code, out } = await runPiped([
    'SOLUSDT',
    '--once',
    '--json',
    '--depth',
    '3',
    '--url',
    feed.url,
  ]);
  assert.equal(code, 0);
  const book = JSON.parse(out) as { instrument: string; bids: string[][]; asks: string[][] };
  assert.equal(book.instrument, 'binance-futures:SOLUSDT');
  assert.equal(book.bids.length, 3);
  assert.equal(book.asks.length, 3);
});

test('Top: an unknown instrument is named with those there are', async (t) => {
  const feed = await startFeed(t);
  const { code, err } = await runPiped(['NOPE', '--once', '--url', feed.url]);
  assert.equal(code, 9);
  assert.match(
    err,
    /^UNKNOWN_SYMBOL the node has no instrument NOPE; it has binance-futures:BTCUSDT/,
  );
});

test('Top: without a node it says so and exits with 12', async () => {
  const { code, err } = await runPiped(['--once', '--wait', '1', '--url', 'ws://127.0.0.1:9']);
  assert.equal(code, 12);
  assert.match(err, /NODE_UNREACHABLE.*no node answers at ws:\/\/127\.0\.0\.1:9 within 1 s/);
});

test('Top: a node that wants a token is obeyed, and said so', async (t) => {
  const feed = await startFeed(t);
  feed.token = 'sesame';
  const without = await runPiped(['--once', '--url', feed.url]);
  assert.equal(without.code, 9);
  assert.match(without.err, /^UNAUTHORIZED the node asks for a token: --token or RINGSIDE_TOKEN/);
  const given = await runPiped(['--once', '--url', feed.url, '--token', 'sesame']);
  assert.equal(given.code, 0, given.err);
});
