/**
 * Diff lines of a Hyperliquid node: events as it writes them go through the scanner, and on any line,
 * whole or damaged, the parser says what it says reading name by name.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { capturesDirectory } from '../support/captures.js';
import { nodeInstrument } from '../../src/venues/hyperliquid-node/coins.js';
import { Envelope } from '../../src/venues/hyperliquid-node/envelope.js';
import { NodeInstruments } from '../../src/venues/hyperliquid-node/node-instruments.js';
import { DiffParser } from '../../src/venues/hyperliquid-node/parse-diffs.js';
import { DiffScanner } from '../../src/venues/hyperliquid-node/scan-diff.js';
import { LineMemory } from '../../src/venues/scan/line-memory.js';
import { TEST_TIMELINE } from './scratch-frames.js';

const INSTRUMENTS = new NodeInstruments([
  nodeInstrument('BTC', 3, 5),
  nodeInstrument('xyz:SP500', 5, 3),
  nodeInstrument('kPEPE', 7, 0),
]);
/** Behind a line there is more of the file, or nothing. */
const BEHIND = 600;
const HEAD =
  '{"local_time":"2026-05-05T17:39:13.394386432","block_time":"2026-05-05T17:39:13.024084407",' +
  '"block_number":985148182,"events":[';

interface Said {
  readonly head: readonly number[];
  readonly count: number;
  readonly fault: number;
  readonly skipped: number;
  readonly events: readonly number[][];
}

interface Way {
  readonly envelope: Envelope;
  readonly parser: DiffParser;
  /** Where the lines are put, if not in a buffer of their own. */
  readonly memory: LineMemory | null;
}

/** Kept for all lines: what an earlier one left behind must not matter. */
const BY_NAMES: Way = {
  envelope: new Envelope(null, false),
  parser: new DiffParser(INSTRUMENTS, null, false),
  memory: null,
};
/** The scanner of a memory, beside it the reading by names alone. */
const IN_MEMORY: Way[] = [true, false].map((withVectors) => {
  const memory = LineMemory.create(withVectors);
  assert.ok(memory?.usesVectors === withVectors, 'both are compiled: npm run build:code');
  return {
    envelope: new Envelope(memory, false),
    parser: new DiffParser(INSTRUMENTS, memory, false),
    memory,
  };
});
const SCANNING: Way[] = [
  { envelope: new Envelope(), parser: new DiffParser(INSTRUMENTS), memory: null },
  ...IN_MEMORY,
];

function said({ envelope, parser, memory }: Way, line: Uint8Array, behind: number): Said | null {
  const length = line.length + behind;
  const bytes = memory === null ? new Uint8Array(length) : memory.lines;
  // With nothing behind it, it ends where the lines do.
  const at = bytes.length - length;
  bytes.fill(0x39, at);
  bytes.set(line, at);
  const end = at + line.length;
  if (!envelope.read(bytes, at, end, TEST_TIMELINE)) return null;
  const events: number[][] = [];
  const skippedBefore = parser.skipped;
  const count = parser.parse(bytes, envelope, end, 5, {
    onOrderEvent: (event) => void events.push([...event]),
  });
  const { height, blockNs, localNs, eventsAt } = envelope;
  const head = [height, blockNs, localNs, eventsAt - at];
  return { head, count, fault: parser.fault, skipped: parser.skipped - skippedBefore, events };
}

/** What all ways say about a line, with digits behind it or at the end of its buffer. */
function assertAgree(line: Uint8Array): Said | null {
  let result: Said | null = null;
  for (const behind of [BEHIND, 0]) {
    result = said(BY_NAMES, line, behind);
    for (const way of SCANNING) {
      assert.deepEqual(said(way, line, behind), result, Buffer.from(line).toString('latin1'));
    }
  }
  return result;
}

const lineOf = (events: readonly string[]): Buffer => Buffer.from(`${HEAD}${events.join(',')}]}`);

const amount = fc.oneof(
  { weight: 30, arbitrary: fc.nat(99_999_999).map((n) => `${n / 10}`) },
  { weight: 20, arbitrary: fc.nat(999_999).map((n) => `${n}.0`) },
  { weight: 20, arbitrary: fc.nat(999_999_999).map((n) => (n / 1e5).toFixed(5)) },
  fc.stringMatching(/^\d{1,18}(\.\d{0,10})?$/),
  fc.constantFrom(
    '',
    '.',
    '.5',
    '5.',
    '-1.0',
    '1e3',
    '00.1',
    '9007199254740993',
    '1"',
    ' 1',
    '\\u0031',
  ),
);
const whole = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 999_999_999_999 }).map(String) },
  fc.constantFrom('0', '-1', '01', '1.5', '"1"', '9007199254740993', '12345678901234567'),
);
const user = fc.oneof(
  { weight: 30, arbitrary: fc.stringMatching(/^[0-9a-f]{40}$/) },
  fc.stringMatching(/^[0-9a-fA-F]{39,41}$/),
);
const coin = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('BTC', 'xyz:SP500', 'kPEPE', 'ETH') },
  fc.constantFrom('', 'B\\u0054C', 'A coin with a name that is much longer than any that there is'),
);
const change = fc.tuple(amount, amount, whole).chain(([a, b, id]) =>
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.constantFrom(
        '"remove"',
        `{"new":{"sz":"${a}"}}`,
        `{"new":{"sz":"${a}","insertBefore":${id}}}`,
        `{"update":{"origSz":"${a}","newSz":"${b}"}}`,
      ),
    },
    fc.constantFrom(
      `{"update":{"newSz":"${b}","origSz":"${a}"}}`,
      `{"new":{"insertBefore":${id},"sz":"${a}"}}`,
      `{"new":{}}`,
      '"removed"',
      '[]',
    ),
  ),
);
const eventText = fc
  .record({
    user,
    oid: whole,
    coin,
    side: fc.constantFrom('A', 'B', 'A', 'B', 'A', 'B', 'A', 'B', 'C', ''),
    px: amount,
    change,
    turn: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, 2, 5),
  })
  .map((e) => {
    const members = [
      `"user":"0x${e.user}"`,
      `"oid":${e.oid}`,
      `"coin":"${e.coin}"`,
      `"side":"${e.side}"`,
      `"px":"${e.px}"`,
      `"raw_book_diff":${e.change}`,
    ];
    return `{${[...members.slice(e.turn), ...members.slice(0, e.turn)].join(',')}}`;
  });

test('Diff lines: the scanner and the reading by names say the same of any line', () => {
  let whole = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(eventText, { maxLength: 3 }), (events) => {
      const result = assertAgree(lineOf(events));
      if (result !== null && result.count > 0) whole++;
      if (result !== null && result.count < 0) refused++;
    }),
    { numRuns: 3000 },
  );
  assert.ok(whole > 300 && refused > 300, `${whole} ${refused}`);
});

const OWNER = '"user":"0x5eaac7c475b1fad85701f02c4e9e796a53f94bd5"';
const SAMPLES = [
  `{${OWNER},"oid":412036231803,"coin":"BTC","side":"A","px":"81308.0","raw_book_diff":{"update":{"origSz":"0.1804","newSz":"0.18007"}}}`,
  `{${OWNER},"oid":412036451270,"coin":"kPEPE","side":"B","px":"0.004411","raw_book_diff":{"new":{"sz":"2058973.0"}}}`,
  `{${OWNER},"oid":412036451270,"coin":"BTC","side":"A","px":"81311.0","raw_book_diff":{"new":{"sz":"0.61488","insertBefore":105338503859}}}`,
  `{${OWNER},"oid":412036441463,"coin":"ETH","side":"B","px":"3233.1","raw_book_diff":"remove"}`,
];

test('Diff lines: with any byte replaced, put in, taken out or the line cut, both ways agree', () => {
  const odd = [0, 0x0a, 0x2f, 0x3a, 0x60, 0x67, 0x80, 0xff, ...Buffer.from(' "\\,]}.09-aAbBn[{:')];
  for (const sample of SAMPLES) {
    const bytes = [...lineOf([sample])];
    for (let at = HEAD.length; at < bytes.length; at++) {
      assertAgree(Uint8Array.from(bytes.toSpliced(at, 1)));
      const cut = assertAgree(Uint8Array.from(bytes.slice(0, at)));
      const isOpen = at < bytes.length - 1;
      assert.ok(!isOpen || cut === null || cut.count <= 0, 'the list of events is not closed');
      for (const byte of odd) {
        assertAgree(Uint8Array.from(bytes.with(at, byte)));
        assertAgree(Uint8Array.from(bytes.toSpliced(at, 0, byte)));
      }
    }
  }
});

test('Diff lines: with any byte of the envelope replaced, put in or taken out, both ways agree', () => {
  const odd = [0, 0x2f, 0x3a, 0x80, ...Buffer.from(' "\\,]}.019-:T[{')];
  const bytes = [...lineOf([SAMPLES[0]!])];
  for (let at = 0; at < HEAD.length; at++) {
    assertAgree(Uint8Array.from(bytes.toSpliced(at, 1)));
    for (const byte of odd) {
      assertAgree(Uint8Array.from(bytes.with(at, byte)));
      assertAgree(Uint8Array.from(bytes.toSpliced(at, 0, byte)));
    }
  }
});

test('Diff lines: times of any minute are read alike, whichever was read before', () => {
  const time = fc
    .date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
    .chain((date) =>
      fc
        .stringMatching(/^\d{0,12}$/)
        .map(
          (fraction) => date.toISOString().slice(0, 19) + (fraction === '' ? '' : `.${fraction}`),
        ),
    );
  const close = fc.nat(200).map((s) => `2026-05-05T17:3${s % 7}:0${s % 9}.${100_000_000 + s}`);
  const any = fc.oneof(time, close, close);
  fc.assert(
    fc.property(any, any, fc.nat(1e9), (local, block, height) => {
      const head = `{"local_time":"${local}","block_time":"${block}","block_number":${height},"events":[`;
      assertAgree(Buffer.from(`${head}]}`));
    }),
    { numRuns: 2000 },
  );
});

/** How far each scanner comes with a text that is put where it reads; `read` of a memory. */
function takes(
  text: string,
  read: (memory: LineMemory, at: number, end: number) => number,
): number[] {
  return IN_MEMORY.map(({ memory }) => {
    const at = memory!.lines.length - text.length - BEHIND;
    memory!.lines.write(text, at, 'latin1');
    return read(memory!, at, at + text.length) - at;
  });
}

test('Diff lines: each scanner takes every line as the node writes it, head and events', (t) => {
  const scanner = new DiffScanner(INSTRUMENTS);
  const event = new Float64Array(64);
  const assertTaken = (text: string): void => {
    const bytes = Buffer.alloc(text.length + BEHIND, '9');
    bytes.write(text);
    const all = [text.length, text.length];
    assert.equal(scanner.scan(bytes, 0, text.length, event), text.length, text);
    assert.deepEqual(
      takes(text, (memory, at, end) => memory.scanDiff(at, end)),
      all,
      text,
    );
  };
  const assertHeadTaken = (line: string): void => {
    const behind = line.indexOf('[') + 1;
    const stops = takes(line, (memory, at, end) => memory.scanHead(at, end));
    assert.deepEqual(stops, [behind, behind], line);
  };
  for (const sample of SAMPLES) assertTaken(sample);
  assertHeadTaken(`${HEAD}]}`);
  const captures = capturesDirectory();
  if (captures === null) {
    t.skip('no captures: set RINGSIDE_CAPTURES');
    return;
  }
  const data = join(captures, 'hyperliquid/derived/dual_985148182_985148206/hl/data');
  let events = 0;
  for (const form of ['by_block', 'streaming']) {
    const file = join(data, `node_raw_book_diffs_${form}/hourly/20260505/17`);
    for (const line of readFileSync(file, 'latin1').split('\n').filter(Boolean)) {
      assertAgree(Buffer.from(line));
      assertHeadTaken(line);
      for (const each of (JSON.parse(line) as { events: unknown[] }).events) {
        assertTaken(JSON.stringify(each));
        events++;
      }
    }
  }
  assert.ok(events > 1000, String(events));
});

test('Diff lines: a coin that the scanner has no place for is not taken for one that nobody wants', () => {
  const memory = LineMemory.create()!;
  const spaced = new NodeInstruments([nodeInstrument('A B', 3, 5)]);
  const way: Way = {
    envelope: new Envelope(memory),
    parser: new DiffParser(spaced, memory),
    memory,
  };
  const event = SAMPLES[2]!.replace('BTC', 'A B');
  const line = lineOf([event, SAMPLES[3]!]);
  for (let i = 0; i < 2; i++) {
    const result = said(way, line, BEHIND);
    assert.deepEqual([result?.count, result?.skipped, result?.events.length], [2, 1, 1]);
    assert.ok(memory.widen());
  }
});

test('Diff lines: what stood in a memory is read on after it was widened', () => {
  const memory = LineMemory.create()!;
  const way: Way = {
    envelope: new Envelope(memory),
    parser: new DiffParser(INSTRUMENTS, memory),
    memory,
  };
  const line = lineOf(SAMPLES);
  const before = said(way, line, BEHIND);
  const { lines } = memory;
  const at = lines.length - line.length - BEHIND;
  assert.ok(memory.widen());
  assert.notEqual(memory.lines, lines);
  assert.equal(memory.lines.length, 2 * lines.length);
  assert.ok(lines.length > 0, 'no buffer is detached: V8 would look at every one from then on');
  assert.equal(memory.lines.toString('latin1', at, at + line.length), line.toString('latin1'));
  assert.deepEqual(said(way, line, BEHIND), before);
  // A line that stands elsewhere, too: its event is in the memory all the same.
  const elsewhere: Way = { ...way, memory: null };
  assert.deepEqual(said(elsewhere, line, BEHIND), before);
});
