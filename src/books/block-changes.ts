/**
 * The order events of one block as the message that tells them takes them: ORDER_CHANGE_FIELDS doubles
 * each, one behind another, until it is told. Books thread; hot: once an event.
 */
import {
  ORDER_BEFORE_ID,
  ORDER_ID,
  ORDER_KIND,
  ORDER_PLACED_MS,
  ORDER_PRICE,
  ORDER_SIDE,
  ORDER_SIZE,
  ORDER_SIZE_BEFORE,
} from '../rings/record-types.js';
import { ORDER_CHANGE_FIELDS, ORDER_FIELDS } from '../wire/message-layout.js';

const CHANGES_FIRST = 64;
/** Constants of this module are built into its code, imported ones are loaded at every use. */
const FIELDS = ORDER_CHANGE_FIELDS;
const KIND = ORDER_KIND;
const SIDE = ORDER_SIDE;
const PRICE = ORDER_PRICE;
const SIZE = ORDER_SIZE;
const SIZE_BEFORE = ORDER_SIZE_BEFORE;
const ID = ORDER_ID;
const BEFORE_ID = ORDER_BEFORE_ID;
/** From here on event and order have the same: placed ms, attributes, owner × 5, client id × 4. */
const PLACED_MS = ORDER_PLACED_MS;
const CHANGE_PLACED_MS = 4;
const CHANGE_KIND = ORDER_FIELDS;

export class BlockChanges {
  fields = new Float64Array(FIELDS * CHANGES_FIRST);
  count = 0;

  /** Takes an OrderEvent record. */
  add(record: Float64Array, at: number): void {
    const to = this.count * FIELDS;
    if (to === this.fields.length) this.grow();
    const { fields } = this;
    fields[to] = record[at + SIDE]!;
    fields[to + 1] = record[at + PRICE]!;
    fields[to + 2] = record[at + SIZE]!;
    fields[to + 3] = record[at + ID]!;
    const rest = at + PLACED_MS - CHANGE_PLACED_MS - to;
    for (let i = to + CHANGE_PLACED_MS; i < to + CHANGE_KIND; i++) fields[i] = record[i + rest]!;
    fields[to + CHANGE_KIND] = record[at + KIND]!;
    fields[to + CHANGE_KIND + 1] = record[at + SIZE_BEFORE]!;
    fields[to + CHANGE_KIND + 2] = record[at + BEFORE_ID]!;
    this.count++;
  }

  clear(): void {
    this.count = 0;
  }

  private grow(): void {
    const wider = new Float64Array(this.fields.length * 2);
    wider.set(this.fields);
    this.fields = wider;
  }
}
