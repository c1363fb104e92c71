/**
 * Orders by their id alone, without queues and levels: what every order-by-order book rests on. Once
 * as our ledger keeps them, then as one writes it first, an object an order in a Map, and as one writes
 * it second, a Map to places in columns. All keep id, side, price and size; a change or a removal looks
 * at what is held.
 */
import { KeyedRecords } from '../src/domain/keyed-records.js';
import { ORDER_INPUT_DOUBLES } from '../src/domain/order-ledger.js';
import { ADD, CHANGE } from './order-changes.js';
import type { OrderChanges } from './order-changes.js';

export interface OrderStore {
  /** Applies all; what was held by the orders changed and removed, and the number of orders. */
  apply(changes: OrderChanges): number;
}

/** Doubles of a record behind its key. */
const SIZE = 1;
const PRICE = 2;
const SIDE = 3;
const NOT_FOUND = -1;
/** Fields of an OrderInput. */
const IN_PRICE = 1;
const IN_SIZE = 2;
const IN_ID = 4;

export class RecordStore implements OrderStore {
  private readonly records = new KeyedRecords(1024);

  apply({ count, kind, inputs }: OrderChanges): number {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const at = i * ORDER_INPUT_DOUBLES;
      if (kind[i] === ADD) this.add(inputs, at);
      else if (kind[i] === CHANGE) sum += this.change(inputs, at);
      else sum += this.remove(inputs, at);
    }
    return sum + this.records.count;
  }

  private add(inputs: Float64Array, at: number): void {
    const { records } = this;
    if (records.find(inputs, at + IN_ID) !== NOT_FOUND) return;
    const slot = records.insertMissed(inputs, at + IN_ID);
    const { doubles } = records;
    doubles[(slot << 2) | SIDE] = inputs[at]!;
    doubles[(slot << 2) | PRICE] = inputs[at + IN_PRICE]!;
    doubles[(slot << 2) | SIZE] = inputs[at + IN_SIZE]!;
  }

  private change(inputs: Float64Array, at: number): number {
    const slot = this.records.find(inputs, at + IN_ID);
    if (slot === NOT_FOUND) return 0;
    const held = this.held(slot);
    this.records.doubles[(slot << 2) | SIZE] = inputs[at + IN_SIZE]!;
    return held;
  }

  private remove(inputs: Float64Array, at: number): number {
    const slot = this.records.find(inputs, at + IN_ID);
    if (slot === NOT_FOUND) return 0;
    const held = this.held(slot);
    this.records.removeFound(slot);
    return held;
  }

  private held(slot: number): number {
    const { doubles } = this.records;
    return (
      doubles[(slot << 2) | SIDE]! + doubles[(slot << 2) | PRICE]! + doubles[(slot << 2) | SIZE]!
    );
  }
}

interface PlainOrder {
  readonly id: number;
  readonly side: number;
  readonly price: number;
  size: number;
}

export class ObjectStore implements OrderStore {
  private readonly orders = new Map<number, PlainOrder>();

  apply({ count, kind, inputs }: OrderChanges): number {
    const { orders } = this;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const at = i * ORDER_INPUT_DOUBLES;
      const id = inputs[at + 4]!;
      if (kind[i] === ADD) {
        if (orders.has(id)) continue;
        orders.set(id, { id, side: inputs[at]!, price: inputs[at + 1]!, size: inputs[at + 2]! });
        continue;
      }
      const order = orders.get(id);
      if (order === undefined) continue;
      sum += order.side + order.price + order.size;
      if (kind[i] === CHANGE) order.size = inputs[at + 2]!;
      else orders.delete(id);
    }
    return sum + orders.size;
  }
}

export class ColumnStore implements OrderStore {
  private readonly slots = new Map<number, number>();
  private readonly free: number[] = [];
  private readonly ids: Float64Array;
  private readonly sides: Uint8Array;
  private readonly prices: Float64Array;
  private readonly sizes: Float64Array;

  /** @param ordersMax how many there may be at once */
  constructor(ordersMax: number) {
    this.ids = new Float64Array(ordersMax);
    this.sides = new Uint8Array(ordersMax);
    this.prices = new Float64Array(ordersMax);
    this.sizes = new Float64Array(ordersMax);
    for (let slot = ordersMax - 1; slot >= 0; slot--) this.free.push(slot);
  }

  apply({ count, kind, inputs }: OrderChanges): number {
    const { slots, free, ids, sides, prices, sizes } = this;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const at = i * ORDER_INPUT_DOUBLES;
      const id = inputs[at + 4]!;
      if (kind[i] === ADD) {
        if (slots.has(id)) continue;
        const slot = free.pop()!;
        slots.set(id, slot);
        ids[slot] = id;
        sides[slot] = inputs[at]!;
        prices[slot] = inputs[at + 1]!;
        sizes[slot] = inputs[at + 2]!;
        continue;
      }
      const slot = slots.get(id);
      if (slot === undefined) continue;
      sum += sides[slot]! + prices[slot]! + sizes[slot]!;
      if (kind[i] === CHANGE) {
        sizes[slot] = inputs[at + 2]!;
        continue;
      }
      slots.delete(id);
      free.push(slot);
    }
    return sum + slots.size;
  }
}
