/** Symbol table, strict JSON reader, frame memory and the scanners' bricks against plain models. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { SCAN_FAILED, scanInteger, scanPlainString } from '../../src/venues/byte-scan.js';
import { FrameMemory, SLACK_BYTES } from '../../src/venues/frame-memory.js';
import { JsonNumber, JsonObject, JsonSyntaxError, readJson } from '../../src/venues/json-text.js';
import type { JsonValue } from '../../src/venues/json-text.js';
import { NO_SYMBOL, SymbolTable } from '../../src/venues/symbol-table.js';

test('Symbol table: finds every symbol of any list, and nothing else', () => {
  const symbol = fc.stringMatching(/^[A-Z0-9_]{1,12}$/);
  fc.assert(
    fc.property(fc.uniqueArray(symbol, { maxLength: 200 }), symbol, (symbols, other) => {
      const table = new SymbolTable(symbols);
      for (const [index, text] of symbols.entries()) {
        const bytes = new TextEncoder().encode(`<${text}>`);
        assert.equal(table.find(bytes, 1, bytes.length - 1), index);
      }
      const bytes = new TextEncoder().encode(other);
      assert.equal(table.find(bytes, 0, bytes.length), symbols.indexOf(other));
    }),
    { numRuns: 200 },
  );
  assert.equal(new SymbolTable([]).find(new Uint8Array(4), 0, 4), NO_SYMBOL);
});

function plainOf(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.lexeme);
  if (Array.isArray(value)) return value.map(plainOf);
  if (!(value instanceof JsonObject)) return value;
  const result = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of value.members) result[name] = plainOf(member);
  return result;
}

function readsLike(text: string): void {
  let expected: unknown;
  let isValid = true;
  try {
    expected = JSON.parse(text);
  } catch {
    isValid = false;
  }
  if (!isValid) {
    assert.throws(() => readJson(text), JsonSyntaxError, JSON.stringify(text));
    return;
  }
  const value = readJson(text);
  if (value instanceof JsonObject && value.duplicates !== null) return;
  assert.equal(JSON.stringify(plainOf(value)), JSON.stringify(expected));
}

test('Strict JSON reader: accepts exactly what JSON.parse accepts, with the same meaning', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.nat(3), (text, indent) => {
      readsLike(JSON.stringify(JSON.parse(text), null, indent));
    }),
    { numRuns: 500 },
  );
  const change = fc.record({
    at: fc.nat(),
    text: fc.constantFrom(...'"\\,:[]{}.0123-eE+ utfn\t\u0001'.split(''), ''),
  });
  fc.assert(
    fc.property(fc.json({ maxDepth: 2 }), fc.array(change, { maxLength: 3 }), (text, changes) => {
      let changed = text;
      for (const { at, text: insert } of changes) {
        const place = at % (changed.length + 1);
        changed = changed.slice(0, place) + insert + changed.slice(place + (at % 2));
      }
      if (!/"__proto__"/.test(changed) && !hasDuplicates(changed)) readsLike(changed);
    }),
    { numRuns: 2000 },
  );
});

/** Nested names that stand twice are settled silently by JSON.parse: not to be compared. */
function hasDuplicates(text: string): boolean {
  const isDouble = (value: JsonValue): boolean => {
    if (Array.isArray(value)) return value.some(isDouble);
    if (!(value instanceof JsonObject)) return false;
    return value.duplicates !== null || [...value.members.values()].some(isDouble);
  };
  try {
    return isDouble(readJson(text));
  } catch {
    return false;
  }
}

test('Strict JSON reader: keeps the lexemes of numbers and tells of names that stand twice', () => {
  const value = readJson('{"a":0.10,"b":[1e-7],"a":2}');
  assert.ok(value instanceof JsonObject);
  assert.deepEqual(value.members.get('a'), new JsonNumber('0.10'));
  assert.deepEqual([...value.duplicates!], ['a']);
  assert.deepEqual(value.members.get('b'), [new JsonNumber('1e-7')]);
});

test('Strict JSON reader: nesting without end is refused, not a stack overflow', () => {
  assert.throws(() => readJson('['.repeat(100_000)), JsonSyntaxError);
});

test('Frame memory: any part of any buffer can be read, also where words reach beyond it', () => {
  const memory = new FrameMemory();
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(50),
      fc.nat(50),
      (bytes, before, after) => {
        const start = Math.min(before, bytes.length);
        const end = Math.max(start, bytes.length - after);
        const at = memory.load(bytes, start, end);
        assert.deepEqual(memory.bytes.slice(at, at + end - start), bytes.slice(start, end));
        memory.view.getInt32(at + (end - start) + SLACK_BYTES - 4);
      },
    ),
  );
  const large = new Uint8Array(1_000_000).fill(7);
  const at = memory.load(large, 0, large.length);
  assert.equal(memory.bytes[at + 999_999], 7);
});

/** Text that begins at 3, with digits behind it as an earlier frame may have left them. */
function viewOf(text: string): DataView {
  const bytes = new Uint8Array(text.length + 3 + SLACK_BYTES).fill(0x39);
  bytes.set(Buffer.from(text, 'latin1'), 3);
  return new DataView(bytes.buffer);
}

test('Whole numbers: every number of digits, whatever stands behind them', () => {
  const out = new Float64Array(2);
  const digits = fc
    .tuple(fc.integer({ min: 1, max: 18 }), fc.stringMatching(/^[1-9][0-9]{17}$/))
    .map(([length, text]) => text.slice(0, length));
  const behind = fc.integer({ min: 0, max: 255 }).filter((byte) => byte < 0x30 || byte > 0x39);
  fc.assert(
    fc.property(digits, behind, fc.boolean(), (text, byte, withZero) => {
      const number = withZero ? `0${text}` : text;
      out[1] = -5;
      const stop = scanInteger(viewOf(number + String.fromCharCode(byte)), 3, out, 1);
      const isRead = !withZero && Number.isSafeInteger(Number(text));
      assert.equal(stop, isRead ? 3 + text.length : SCAN_FAILED, number);
      assert.equal(out[1], isRead ? Number(text) : -5);
    }),
    { numRuns: 3000 },
  );
  assert.equal(scanInteger(viewOf('0,'), 3, out, 0), 4);
  assert.equal(scanInteger(viewOf(',1'), 3, out, 0), SCAN_FAILED);
});

test('Whole numbers: any byte that is no digit ends one of thirteen', () => {
  const out = new Float64Array(1);
  for (let place = 0; place < 13; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const text = Buffer.from('1723161256303,');
      text[place] = byte;
      const shown = text.toString('latin1');
      const read = /^(0|[1-9][0-9]*)(?![0-9])/.exec(shown)?.[0] ?? null;
      const stop = scanInteger(viewOf(shown), 3, out, 0);
      assert.equal(stop, read === null ? SCAN_FAILED : 3 + read.length, shown);
      if (read !== null) assert.equal(out[0], Number(read));
    }
  }
});

test('Plain strings: end at their first quote unless something odd stands before it', () => {
  const text = fc
    .array(fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0x21, max: 0x7e }) }, fc.nat(255)), {
      maxLength: 24,
    })
    .map((bytes) => Buffer.from(bytes).toString('latin1'));
  let found = 0;
  fc.assert(
    fc.property(text, fc.nat(30), (body, cut) => {
      const view = viewOf(`${body}"`);
      const end = Math.min(3 + cut, 4 + body.length);
      const quote = `${body}"`.indexOf('"');
      const isPlain = /^[ -!#-[\]-~]*$/.test(body.slice(0, quote)) && 3 + quote < end;
      const expected = isPlain ? 4 + quote : SCAN_FAILED;
      assert.equal(scanPlainString(view, 3, end), expected, JSON.stringify(body));
      if (isPlain) found++;
    }),
    { numRuns: 5000 },
  );
  assert.ok(found > 500, String(found));
});
