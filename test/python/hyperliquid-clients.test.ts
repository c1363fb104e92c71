/**
 * Python clients that others wrote, unchanged, against a live server with made-up blocks:
 * `hyperliquid-python-sdk` starts and follows books; `websockets` reads a large compressed `l4Book`.
 * Skipped, loudly, where no Python has them (PYTHON_WITH_CLIENTS names one).
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { apiExtras } from '../../src/broadcast/hyperliquid-api/hyperliquid-api.js';
import { resolveLimits } from '../../src/broadcast/limits.js';
import { UwsServer } from '../../src/broadcast/uws-server.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { nodeInstrument } from '../../src/venues/hyperliquid-node/coins.js';
import { NodeApiRig } from '../support/node-api-rig.js';
import {
  syntheticBlock,
  writeLargeSnapshot,
  writeSyntheticSnapshot,
} from '../support/synthetic-node.js';
import { pause } from '../support/until.js';

const SCRIPT = join(resolve(import.meta.dirname, '../../..'), 'test/python/hyperliquid_clients.py');
const UPDATES = 20;
const python = [process.env['PYTHON_WITH_CLIENTS'], 'python3'].find(
  (candidate) =>
    candidate !== undefined &&
    spawnSync(candidate, ['-c', 'import hyperliquid.info, websockets']).status === 0,
);
const skip = python === undefined ? 'no python with hyperliquid-python-sdk and websockets' : false;
if (skip !== false) console.error(`PYTHON CLIENTS OF HYPERLIQUID SKIPPED: ${skip}`);

/** A room that turns and gets blocks by itself; its port. */
async function liveRoom(t: TestContext, coins: readonly string[], path: string): Promise<number> {
  const rig = new NodeApiRig({
    snapshotPath: path,
    instruments: coins.map((coin, id) => nodeInstrument(coin, id, 5 - id)),
    server: new UwsServer({ limits: resolveLimits(), extras: apiExtras(true) }),
    clock: new SystemScheduler(readTimelineOrigin().monotonicNs),
    format: 'official',
  });
  const port = await rig.agent.listen('127.0.0.1', 0);
  const turns = setInterval(() => rig.turn(), 1);
  let n = 0;
  const blocks = setInterval(() => rig.append(syntheticBlock(++n, 'BTC')), 40);
  t.after(() => {
    clearInterval(turns);
    clearInterval(blocks);
    rig.close();
  });
  const body = '{"type":"l2Book","coin":"BTC"}';
  const url = `http://127.0.0.1:${port}/info`;
  while ((await fetch(url, { method: 'POST', body })).status !== 200) await pause(5);
  return port;
}

function run(words: readonly string[]): Promise<Record<string, unknown>> {
  const child = spawn(python!, [SCRIPT, ...words]);
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk.toString()));
  return new Promise((settle, refuse) => {
    child.on('close', (code) => {
      if (code === 0) settle(JSON.parse(out.join('')) as Record<string, unknown>);
      else refuse(new Error(err.join('')));
    });
  });
}

test('hyperliquid-python-sdk starts, asks and subscribes', { skip }, async (t) => {
  const port = await liveRoom(t, ['BTC', 'ETH'], writeSyntheticSnapshot(['BTC', 'ETH']));
  const got = await run(['sdk', `http://127.0.0.1:${port}`]);
  assert.deepEqual(got['assets'], { BTC: 0, ETH: 1 });
  assert.deepEqual(got['decimals'], { BTC: 5 });
  assert.deepEqual(got['mids'], { BTC: '100.5', ETH: '100.5' });
  assert.deepEqual([got['contexts'], got['spot'], got['dexs']], [2, 0, [null]]);
  assert.ok(Number(got['candles']) >= 1);
  const book = got['book'] as { coin: string; levels: { px: string }[][] };
  assert.deepEqual([book.coin, book.levels[1]![0]!.px], ['BTC', '101.0']);
  const channels = got['channels'] as Record<string, never>;
  assert.deepEqual(Object.keys(channels).sort(), ['allMids', 'bbo', 'l2Book', 'trades']);
});

test(
  'websockets reads a large l4Book with permessage-deflate as ws does without',
  { skip },
  async (t) => {
    const port = await liveRoom(t, ['BTC'], writeLargeSnapshot('BTC', 10_000));
    const url = `ws://127.0.0.1:${port}/ws`;
    const running = run(['l4', url, String(UPDATES)]);
    // Within the second in which a Snapshot is shared, or of another block: then it says so by `height`.
    const socket = new WebSocket(url, { perMessageDeflate: false });
    t.after(() => socket.terminate());
    const digests = new Set<string>();
    socket.on('message', (data: Buffer) => {
      if (data.subarray(0, 60).includes('"Snapshot"')) {
        digests.add(createHash('sha256').update(data).digest('hex'));
        socket.send('{"method":"unsubscribe","subscription":{"type":"l4Book","coin":"BTC"}}');
      } else if (!data.includes('"method":"subscribe"') && !data.includes('Updates')) ask();
    });
    const ask = (): void =>
      socket.send('{"method":"subscribe","subscription":{"type":"l4Book","coin":"BTC"}}');
    socket.once('open', ask);
    const got = await running;
    assert.match(String(got['extensions']), /permessage-deflate/);
    const sequences = got['updates'] as number[];
    assert.deepEqual(
      sequences,
      sequences.map((_, i) => sequences[0]! + i),
    );
    assert.ok(digests.has(String(got['digest'])), 'both read the same Snapshot');
  },
);
