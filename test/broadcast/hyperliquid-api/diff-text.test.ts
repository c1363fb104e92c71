import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffText } from '../../../src/broadcast/hyperliquid-api/api-text.js';
import { Side } from '../../../src/domain/side.js';
import { ABSENT, OrderKind } from '../../../src/rings/record-types.js';
import { nodeInstrument } from '../../../src/venues/hyperliquid-node/coins.js';
import { ORDER_CHANGE_FIELDS, ORDER_FIELDS } from '../../../src/wire/message-layout.js';

const BTC = nodeInstrument('BTC', 0, 5);

function told(kind: number, beforeId: number): unknown {
  const fields = new Float64Array(ORDER_CHANGE_FIELDS);
  fields.set([Side.Bid, 813070, 50000, 7]);
  fields.set([kind, kind === OrderKind.Update ? 60000 : ABSENT, beforeId], ORDER_FIELDS);
  const text = diffText(fields, 0, '"BTC"', BTC, false);
  return (JSON.parse(text) as { raw_book_diff: unknown }).raw_book_diff;
}

test('Raw diffs of /ws: an order placed in front of another says of which, for queues rebuilt', () => {
  assert.deepEqual(told(OrderKind.New, 9_007_199_254_740_991), {
    new: { sz: '0.5', insertBefore: 9_007_199_254_740_991 },
  });
});

test('Raw diffs of /ws: an order at the end of its queue is told as before', () => {
  assert.deepEqual(told(OrderKind.New, ABSENT), { new: { sz: '0.5' } });
  assert.deepEqual(told(OrderKind.New, 0), { new: { sz: '0.5' } });
  assert.deepEqual(told(OrderKind.Update, ABSENT), { update: { origSz: '0.6', newSz: '0.5' } });
  assert.equal(told(OrderKind.Remove, ABSENT), 'remove');
});
