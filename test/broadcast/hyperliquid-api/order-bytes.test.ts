/** Orders and numbers as bytes, against the texts that strings make of them; what is frozen stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberText } from '../../../src/broadcast/hyperliquid-api/api-text.js';
import { AsciiWriter } from '../../../src/broadcast/hyperliquid-api/ascii-writer.js';
import { OrderBytes } from '../../../src/broadcast/hyperliquid-api/order-bytes.js';
import { FrozenLedger } from '../../../src/domain/frozen-ledger.js';
import type { Instrument } from '../../../src/domain/instrument.js';
import { CLIENT_ID_WORDS, OWNER_WORDS } from '../../../src/domain/order-identities.js';
import {
  LedgerResult,
  NO_LEVELS,
  NO_SLOT,
  ORDER_INPUT_DOUBLES,
  OrderInput,
  OrderLedger,
} from '../../../src/domain/order-ledger.js';
import { Prng } from '../../../src/domain/prng.js';
import type { RestingOrders } from '../../../src/domain/resting-orders.js';
import { nodeInstrument } from '../../../src/venues/hyperliquid-node/coins.js';
import { orderText } from './naive-order-text.js';

const AT_END = -1;

const textOf = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString('utf8');

test('Numbers as bytes: equal to their text at all scales, up to 2^53', () => {
  const writer = new AsciiWriter(64);
  const written = (write: () => void): string => {
    writer.begin();
    write();
    return textOf(writer.finish());
  };
  const prng = new Prng(3);
  const values = [0, 1, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 10 ** 15];
  for (let i = 0; i < 3_000; i++) {
    const digits = 1 + prng.nextInt(16);
    const value = Math.min(Math.floor(prng.nextFloat() * 10 ** digits), 2 ** 53 - 1);
    // Half of them end in zeros, which are left out.
    values.push(i % 2 === 0 ? value : value - (value % 10 ** prng.nextInt(8)));
  }
  for (const value of values) {
    assert.equal(
      written(() => writer.whole(value)),
      String(value),
    );
    for (const decimals of [0, 1, 5, 8]) {
      for (const places of [0, 1]) {
        const expected = numberText(value, decimals, places);
        const got = written(() => writer.decimal(value, decimals, places));
        assert.equal(got, expected, `${value} at ${decimals}, ${places} places`);
      }
    }
  }
});

/** A ledger after random adds, changes and removes, with all kinds of attributes. */
function randomLedger(prng: Prng, operations: number): OrderLedger {
  const ledger = new OrderLedger(NO_LEVELS, 16);
  for (let i = 0; i < operations; i++) churn(ledger, prng, i);
  return ledger;
}

function churn(ledger: OrderLedger, prng: Prng, i: number): void {
  const input = new Float64Array(ORDER_INPUT_DOUBLES);
  const identity = new Float64Array(2 + OWNER_WORDS + CLIENT_ID_WORDS);
  const side = prng.nextInt(2);
  const price = 1_000 + prng.nextInt(60) + side * 60;
  const kind = prng.nextInt(4);
  const oid = kind < 2 ? 4_000_000_000_000 + i : 4_000_000_000_000 + prng.nextInt(i + 1);
  input[OrderInput.Id] = oid;
  input[OrderInput.Side] = side;
  input[OrderInput.Price] = price;
  input[OrderInput.BeforeId] = AT_END;
  input[OrderInput.SizeBefore] = -1;
  if (kind < 2) {
    input[OrderInput.Size] = 1 + prng.nextInt(2 ** 30) * 1_000;
    if (ledger.add(input, 0) !== LedgerResult.Done) return;
    identity[0] = 1_778_000_000_000 + prng.nextInt(2 ** 30);
    identity[1] = prng.nextInt(2 ** 13);
    for (let w = 2; w < identity.length; w++) identity[w] = Math.floor(prng.nextFloat() * 2 ** 32);
    ledger.identities.set(ledger.lastSlot, identity, 0);
    return;
  }
  const slot = ledger.slotOf(oid);
  if (slot === NO_SLOT) return;
  input[OrderInput.Side] = ledger.sideOf(slot);
  input[OrderInput.Price] = ledger.priceOf(slot);
  input[OrderInput.Size] = 1 + prng.nextInt(900);
  if (kind === 2) ledger.change(input, 0);
  else ledger.remove(input, 0);
}

/** All orders, by whatever reader of the book. */
function slotsOf(book: RestingOrders): { side: number; price: number; slot: number }[] {
  const slots = [];
  for (const side of [0, 1]) {
    for (let price = 1_200; price >= 1_000; price--) {
      for (let slot = book.headAt(side, price); slot !== NO_SLOT; slot = book.nextOf(slot))
        slots.push({ side, price, slot });
    }
  }
  return slots;
}

test('Orders as bytes: equal to their text, in either print, across the pieces', () => {
  const prng = new Prng(17);
  const ledger = randomLedger(prng, 1_500);
  const frozen = new FrozenLedger();
  ledger.freezeInto(frozen);
  const instruments: Instrument[] = [
    nodeInstrument('BTC', 0, 5),
    nodeInstrument('@107', 1, null),
    nodeInstrument('xyz:"ß\\', 2, 2),
  ];
  for (const instrument of instruments) {
    for (const places of [0, 1]) {
      const coinJson = JSON.stringify(instrument.symbol);
      const writer = new AsciiWriter(1_000);
      const bytes = new OrderBytes(writer, instrument, coinJson, places);
      writer.begin();
      const expected: string[] = [];
      for (const { side, price, slot } of slotsOf(frozen)) {
        bytes.beginLevel(side, price);
        bytes.write(frozen, slot, expected.length === 0);
        expected.push(orderText(ledger, slot, coinJson, instrument, places));
      }
      assert.ok(expected.length > 300);
      const pieces = writer.finish();
      assert.ok(pieces.length > 100);
      assert.equal(textOf(pieces), expected.join(','));
    }
  }
});

test('A frozen ledger: stays what the book was, whatever becomes of the book, and is used again', () => {
  const prng = new Prng(29);
  const frozen = new FrozenLedger();
  const ledger = randomLedger(prng, 50);
  const show = (book: RestingOrders, slots: { slot: number }[]) =>
    slots.map(({ slot }) => [
      book.idOf(slot),
      book.sizeOf(slot),
      book.identities.placedMs(slot),
      book.identities.words[book.identities.clientIdAt(slot)],
    ]);
  let operations = 50;
  for (let round = 0; round < 40; round++) {
    ledger.freezeInto(frozen);
    const before = slotsOf(ledger);
    const shown = show(ledger, before);
    assert.equal(frozen.orderCount, before.length);
    assert.deepEqual(slotsOf(frozen), before);
    // Sometimes it grows or is emptied meanwhile: the copy's arrays are of another size then.
    if (round % 9 === 8) ledger.clear();
    for (let i = 0; i < 20 * round; i++) churn(ledger, prng, operations++);
    assert.deepEqual(slotsOf(frozen), before);
    assert.deepEqual(show(frozen, before), shown);
  }
});
