/**
 * Status lines of a Hyperliquid node: what is learned from a line that stands in a scanner's memory is what
 * is learned from the same line elsewhere, where each kind is searched for by itself.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { capturesDirectory } from '../support/captures.js';
import { ORDER_EVENT_DOUBLES, ORDER_ID } from '../../src/rings/record-types.js';
import { nodeInstrument } from '../../src/venues/hyperliquid-node/coins.js';
import { NodeInstruments } from '../../src/venues/hyperliquid-node/node-instruments.js';
import { StatusScanner } from '../../src/venues/hyperliquid-node/parse-statuses.js';
import { LineMemory, StatusKind } from '../../src/venues/scan/line-memory.js';

const INSTRUMENTS = new NodeInstruments([nodeInstrument('BTC', 3, 5)]);
const HEIGHT = 985148182;
/** Orders that are asked for. */
const OIDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const MEMORIES = [true, false].map((withVectors) => {
  const memory = LineMemory.create(withVectors);
  assert.ok(memory?.usesVectors === withVectors, 'both are compiled: npm run build:code');
  return memory;
});

interface Learned {
  readonly count: number;
  readonly held: number;
  readonly unreadable: number;
  readonly claims: readonly number[][];
  readonly identities: readonly (readonly number[] | null)[];
}

/** All that a new scanner learns from bytes, of the orders with these ids. */
function learned(
  memory: LineMemory | null,
  line: Buffer,
  start: number,
  end: number,
  oids: readonly number[],
): Learned {
  const claims: number[][] = [];
  const scanner = new StatusScanner(
    INSTRUMENTS,
    { onClaim: (height, oid, claim) => void claims.push([height, oid, claim]) },
    memory,
  );
  const count = scanner.learn(line, start, end, HEIGHT);
  scanner.learnGone(line, start, end, HEIGHT);
  const identities = oids.map((oid) => {
    const event = new Float64Array(ORDER_EVENT_DOUBLES);
    event[ORDER_ID] = oid;
    return scanner.identify(event) ? [...event] : null;
  });
  return { count, held: scanner.held, unreadable: scanner.unreadable, claims, identities };
}

/** The same from each memory, with what belongs to no line before and behind it. */
function assertAgree(text: Buffer, oids: readonly number[] = OIDS): Learned {
  const around = Buffer.from('"status":"open"');
  const whole = Buffer.concat([around, text, around]);
  const start = around.length;
  const end = start + text.length;
  const expected = learned(null, whole, start, end, oids);
  for (const memory of MEMORIES) {
    while (memory.lines.length < whole.length) assert.ok(memory.widen());
    for (const at of [0, memory.lines.length - whole.length]) {
      memory.lines.set(whole, at);
      const result = learned(memory, memory.lines, at + start, at + end, oids);
      assert.deepEqual(result, expected, text.toString('latin1', 0, 2000));
    }
  }
  return expected;
}

const KINDS = ['open', 'open', 'canceled', 'triggered', 'badAloPxRejected', 'opened', 'ope'];
const status = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    oid: fc.constantFrom(...OIDS),
    coin: fc.constantFrom('BTC', 'BTC', 'BTC', 'ETH'),
    isTrigger: fc.constantFrom('false', 'false', 'true'),
    tif: fc.constantFrom('"Alo"', '"Alo"', '"Gtc"', 'null'),
    placedMs: fc.integer({ min: 1_778_002_753_000, max: 1_778_002_753_999 }),
    cloid: fc.constantFrom('null', '"0x000000000000000018acac9b634b5137"'),
    builder: fc.constantFrom('null', '{"b":"0x4f235c15474f984504b0f188755021ae45c2fa65","f":1}'),
  })
  .map(
    (e) =>
      `{"time":"2026-05-05T17:39:13.024084407","user":"0x4f235c15474f984504b0f188755021ae45c2fa65",` +
      `"hash":null,"builder":${e.builder},"status":"${e.kind}","order":{"coin":"${e.coin}",` +
      `"side":"A","limitPx":"65045.0","sz":"0.0003","oid":${e.oid},"timestamp":${e.placedMs},` +
      `"triggerCondition":"N/A","isTrigger":${e.isTrigger},"triggerPx":"0.0","children":[],` +
      `"isPositionTpsl":false,"reduceOnly":false,"orderType":"Limit","origSz":"0.0003",` +
      `"tif":${e.tif},"cloid":${e.cloid}}}`,
  );

test('Status lines: a scanner in memory and the search for each kind learn the same', () => {
  let given = 0;
  let claims = 0;
  fc.assert(
    fc.property(fc.array(status, { maxLength: 6 }), (statuses) => {
      const result = assertAgree(Buffer.from(`${statuses.join(',')}]}`));
      given += result.count;
      claims += result.claims.length;
    }),
    { numRuns: 1000 },
  );
  assert.ok(given > 500 && claims > 200, `${given} ${claims}`);
});

test('Status lines: whatever is replaced, put in or taken out, both learn the same', () => {
  // Pieces of what is searched for, in any order: some meet at a quote.
  const shreds = [
    '"status":"',
    'open"',
    'triggered"',
    'canceled"',
    's',
    ':',
    '"',
    'status',
    ',"order":',
  ];
  const edit = fc.record({
    at: fc.nat(2000),
    removed: fc.nat(12),
    put: fc.array(fc.constantFrom(...shreds), { maxLength: 6 }),
  });
  fc.assert(
    fc.property(
      fc.array(status, { minLength: 1, maxLength: 3 }),
      fc.array(edit, { maxLength: 3 }),
      (statuses, edits) => {
        let text = `${statuses.join(',')}]}`;
        for (const { at, removed, put } of edits) {
          const place = at % text.length;
          text = text.slice(0, place) + put.join('') + text.slice(place + removed);
        }
        assertAgree(Buffer.from(text));
      },
    ),
    { numRuns: 2000 },
  );
});

test('Status lines: a kind is found wherever it stands among the vectors, and only whole', () => {
  const texts = ['"status":"open"', '"status":"triggered"', '"status":"canceled"'];
  for (const memory of MEMORIES) {
    texts.forEach((text, i) => {
      for (let at = 0; at < 140; at++) {
        memory.lines.fill(0x73, 0, 400).write(text, at);
        const behind = at + text.length;
        assert.equal(memory.findStatus(0, behind, 1 << i), at, `${text} at ${at}`);
        assert.equal(memory.findStatus(0, behind - 1, 1 << i), behind - 1, 'it is cut');
        assert.equal(memory.findStatus(0, 300, 7 - (1 << i)), 300, 'another kind');
        assert.equal(memory.findStatus(at + 1, 300, 7), 300, 'it begins before');
      }
    });
  }
  assert.deepEqual(Object.values(StatusKind), [1, 2, 4]);
});

test('Status lines: of the captured ones everything is learned alike', (t) => {
  const captures = capturesDirectory();
  if (captures === null) {
    t.skip('no captures: set RINGSIDE_CAPTURES');
    return;
  }
  const data = join(captures, 'hyperliquid/derived/dual_985148182_985148206/hl/data');
  const file = join(data, 'node_order_statuses_by_block/hourly/20260505/17');
  let given = 0;
  for (const line of readFileSync(file, 'latin1').split('\n').filter(Boolean)) {
    const { events } = JSON.parse(line) as { events: { order: { oid: number } }[] };
    const oids = events.map((event) => event.order.oid);
    given += assertAgree(Buffer.from(line, 'latin1'), oids).count;
  }
  assert.ok(given > 500, String(given));
});
