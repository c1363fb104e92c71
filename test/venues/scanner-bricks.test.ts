/** Symbol table, strict JSON reader and frame memory against plain models. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
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
