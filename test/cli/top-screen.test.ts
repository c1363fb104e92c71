import assert from 'node:assert/strict';
import { test } from 'node:test';
import pc from 'picocolors';
import { keysOf } from '../../src/cli/top-keys.js';
import { newTopModel, type TopModel } from '../../src/cli/top-model.js';
import { drawTop } from '../../src/cli/top-screen.js';
import { jsonLine, plainLadder, plainLine } from '../../src/cli/top-text.js';
import { LocalBook } from '../../src/client/index.js';
import { BookState, StateReason } from '../../src/domain/book-state.js';

const plain = pc.createColors(false);
const colored = pc.createColors(true);

function model(levels = 40): TopModel {
  const made = newTopModel('ws://127.0.0.1:9001', 20);
  const book = new LocalBook();
  book.priceDecimals = 2;
  book.sizeDecimals = 3;
  for (let i = 1; i <= levels; i++) {
    book.set(0, 6_000_000 - i, 1000 * i);
    book.set(1, 6_000_000 + i, 500 * i);
  }
  book.state = BookState.Live;
  book.reason = StateReason.Aligned;
  book.whole = true;
  book.sequence = 12_345;
  made.connection = 'live';
  made.book = book;
  made.bookAgeMs = 2.5;
  made.chosen = 1;
  made.instruments = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'].map((symbol) => ({
    name: `binance-futures:${symbol}`,
    symbol,
    state: BookState.Live,
    bid: '1.00',
    ask: '1.01',
  }));
  made.latency = [null, { samplesCount: 9, p50Ns: 4200, p99Ns: 91_000, maxNs: 1e6 }, null, null];
  return made;
}

/** Width on screen: every character used is one column wide; colours are none. */
function widthOf(line: string): number {
  // oxlint-disable-next-line no-control-regex -- colours are control sequences
  return line.replace(/\u001b\[[0-9;]*m/g, '').length;
}

test('TopScreen: fits every size of screen, with colours or without', () => {
  for (const colors of [plain, colored]) {
    for (let columns = 1; columns <= 160; columns += 3) {
      for (let rows = 1; rows <= 60; rows += 4) {
        const lines = drawTop(model(), { columns, rows, colors });
        assert.ok(lines.length <= rows, `${lines.length} lines on ${rows}`);
        for (const line of lines) {
          assert.ok(widthOf(line) <= columns, `${widthOf(line)} columns on ${columns}: ${line}`);
        }
      }
    }
  }
});

test('TopScreen: asks stand above bids with the best prices in the middle', () => {
  const text = drawTop(model(), { columns: 120, rows: 40, colors: plain });
  const at = (part: string): number => text.findIndex((line) => line.includes(part));
  assert.ok(at('60000.02') < at('60000.01'));
  assert.ok(at('60000.01') < at('spread 0.02'));
  assert.ok(at('spread') < at('59999.99'));
  assert.ok(at('59999.99') < at('59999.98'));
  assert.match(text[1]!, /binance-futures:ETHUSDT {2}● Live {2}sequence 12,345 {2}age 2.5 ms/);
  assert.ok(text.some((line) => line.includes('received → applied  4.2 µs / 91.0 µs')));
});

test('TopScreen: sums grow away from the touch', () => {
  const text = drawTop(model(), { columns: 80, rows: 40, colors: plain });
  const row = text.find((line) => line.includes('59999.97'))!;
  assert.match(row, /59999\.97\s+3\.000\s+6\.000/);
});

test('TopScreen: a depth below what fits shows no more than it', () => {
  const shallow = model();
  shallow.depth = 5;
  const text = drawTop(shallow, { columns: 80, rows: 60, colors: plain }).join('\n');
  assert.ok(text.includes('60000.05') && !text.includes('60000.06'));
});

test('TopScreen: without a connection nothing is called Live', () => {
  const lost = model();
  lost.connection = 'waiting';
  lost.reason = 'node stops';
  const text = drawTop(lost, { columns: 120, rows: 30, colors: plain }).join('\n');
  assert.ok(text.includes('✕ connection lost: node stops; trying again'));
  assert.ok(text.includes('No feed'));
  assert.ok(!text.includes('●'));
});

test('TopScreen: a state that is not Live says why', () => {
  const suspect = model();
  suspect.book!.state = BookState.Suspect;
  suspect.book!.reason = StateReason.Gap;
  const text = drawTop(suspect, { columns: 120, rows: 30, colors: plain }).join('\n');
  assert.ok(text.includes('▲ Suspect (Gap)'));
});

test('TopScreen: an empty model and an empty side are drawn too', () => {
  const empty = newTopModel('ws://x', 10);
  assert.ok(drawTop(empty, { columns: 80, rows: 24, colors: plain })[1]!.includes('waiting'));
  const oneSided = model();
  oneSided.book!.asks.clear();
  const text = drawTop(oneSided, { columns: 80, rows: 24, colors: plain }).join('\n');
  assert.ok(text.includes('spread –'));
});

test('Top text: one line, one ladder, one JSON object, all of the same book', () => {
  assert.match(
    plainLine(model()),
    /^binance-futures:ETHUSDT {2}Live {2}bid 59999\.99 × 1\.000 {2}ask 60000\.01 × 0\.500 /,
  );
  const ladder = plainLadder(model()).split('\n');
  assert.equal(ladder.length, 2 + 40 + 1);
  assert.match(ladder[21]!, /^ask\s+60000\.01\s+0\.500$/);
  assert.match(ladder[22]!, /^bid\s+59999\.99\s+1\.000$/);
  const json = JSON.parse(jsonLine(model())) as { bids: string[][]; state: string };
  assert.deepEqual(json.bids[0], ['59999.99', '1.000']);
  assert.equal(json.state, 'Live');
});

test('Top keys: letters, arrows in both modes, and several at once', () => {
  assert.deepEqual(keysOf('q'), ['quit']);
  assert.deepEqual(keysOf('\u0003'), ['quit']);
  assert.deepEqual(keysOf('\u001b[B\u001bOB\t'), ['next', 'next', 'next']);
  assert.deepEqual(keysOf('\u001b[A\u001b[Zd'), ['previous', 'previous', 'depth']);
  assert.deepEqual(keysOf('\u001b[1;5D\u001b[3~xyz'), [], 'others do nothing');
  assert.deepEqual(keysOf('\u001b'), []);
});
