/** What statuses and fills say of a block's diffs, by a table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockWitness, WHOLE } from '../../src/ingest/block-witness.js';
import {
  ORDER_EVENT_DOUBLES,
  ORDER_ID,
  ORDER_KIND,
  OrderKind,
} from '../../src/rings/record-types.js';
import { Claim } from '../../src/venues/hyperliquid-node/claims.js';

function close(
  witness: BlockWitness,
  height: number,
  ...changes: readonly (readonly [number, OrderKind])[]
): boolean {
  const events = new Float64Array(ORDER_EVENT_DOUBLES * Math.max(1, changes.length));
  changes.forEach(([oid, kind], i) => {
    events[i * ORDER_EVENT_DOUBLES + ORDER_ID] = oid;
    events[i * ORDER_EVENT_DOUBLES + ORDER_KIND] = kind;
  });
  return witness.close(height, events, changes.length);
}

const { New, Update, Remove } = OrderKind;
const CASES: readonly [Claim, readonly OrderKind[], boolean][] = [
  [Claim.New, [New], true],
  [Claim.New, [New, Remove], true],
  [Claim.New, [Remove], false],
  [Claim.New, [], false],
  [Claim.Gone, [Remove], true],
  [Claim.Gone, [Update], false],
  [Claim.Shrunk, [Update], true],
  [Claim.Shrunk, [Remove], true],
  [Claim.Shrunk, [New], false],
];
for (const [claim, kinds, isWhole] of CASES) {
  test(`BlockWitness: claim ${claim} and changes [${kinds.join()}] are ${isWhole ? 'one' : 'at odds'}`, () => {
    const witness = new BlockWitness();
    close(witness, 9);
    witness.onClaim(10, 7, claim);
    const changes = kinds.map((kind) => [7, kind] as const);
    assert.equal(close(witness, 10, [8, New], ...changes), isWhole);
    assert.deepEqual([witness.checked, witness.passed], [1, isWhole ? 1 : 0]);
    assert.equal(witness.missingFrom, WHOLE);
  });
}

test('BlockWitness: a block of which nothing came is found when the next one closes', () => {
  const witness = new BlockWitness();
  close(witness, 9);
  witness.onClaim(11, 7, Claim.New);
  witness.onClaim(12, 8, Claim.New);
  assert.equal(close(witness, 12, [8, New]), true);
  assert.equal(witness.missingFrom, 11);
  assert.equal(close(witness, 13), true);
  assert.equal(witness.missingFrom, WHOLE, 'it is said once');
});

test('BlockWitness: what is claimed of blocks closed, given up or before the first proves nothing', () => {
  const witness = new BlockWitness();
  witness.onClaim(3, 1, Claim.New);
  assert.equal(close(witness, 5), true);
  witness.onClaim(5, 2, Claim.New);
  witness.onClaim(6, 3, Claim.New);
  witness.onClaim(7, 4, Claim.New);
  witness.skip(6);
  assert.deepEqual([witness.checked, witness.unverifiable], [0, 3]);
  assert.equal(close(witness, 7, [4, New]), true);
  assert.deepEqual([witness.checked, witness.passed], [1, 1]);
});
