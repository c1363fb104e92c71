import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockChanges } from '../../src/books/block-changes.js';
import {
  ORDER_ATTRIBUTES,
  ORDER_BEFORE_ID,
  ORDER_CLIENT_ID,
  ORDER_EVENT_DOUBLES,
  ORDER_ID,
  ORDER_KIND,
  ORDER_OWNER,
  ORDER_PLACED_MS,
  ORDER_PRICE,
  ORDER_SIDE,
  ORDER_SIZE,
  ORDER_SIZE_BEFORE,
} from '../../src/rings/record-types.js';
import { ORDER_CHANGE_FIELDS } from '../../src/wire/message-layout.js';

/** Where in a record each field of a change stands, in the order of the message. */
const FROM = [
  ORDER_SIDE,
  ORDER_PRICE,
  ORDER_SIZE,
  ORDER_ID,
  ORDER_PLACED_MS,
  ORDER_ATTRIBUTES,
  ...[0, 1, 2, 3, 4].map((word) => ORDER_OWNER + word),
  ...[0, 1, 2, 3].map((word) => ORDER_CLIENT_ID + word),
  ORDER_KIND,
  ORDER_SIZE_BEFORE,
  ORDER_BEFORE_ID,
];

test('BlockChanges: has the fields of every event where the message wants them, however many', () => {
  assert.equal(FROM.length, ORDER_CHANGE_FIELDS);
  const block = new BlockChanges();
  const at = 3;
  const record = new Float64Array(at + ORDER_EVENT_DOUBLES);
  // More than it has room for at first, twice; and again after it was cleared.
  for (let round = 0; round < 2; round++) {
    const events = 300;
    for (let event = 0; event < events; event++) {
      for (let i = 0; i < ORDER_EVENT_DOUBLES; i++) record[at + i] = event * 1000 + i + round / 2;
      block.add(record, at);
    }
    assert.equal(block.count, events);
    for (let event = 0; event < events; event++) {
      const first = event * ORDER_CHANGE_FIELDS;
      const fields = [...block.fields.subarray(first, first + ORDER_CHANGE_FIELDS)];
      assert.deepEqual(
        fields,
        FROM.map((i) => event * 1000 + i + round / 2),
      );
    }
    block.clear();
    assert.equal(block.count, 0);
  }
});
