/**
 * Changes of an order book as its benches use them: seeded, the same for everybody, and leading back
 * to where they began, so that they can be applied again and again.
 *
 * Taken from Hyperliquid's BTC book (25 blocks, 51,351 orders): most of it rests thousands of ticks
 * away and is not touched for days, half of what changes stands within 16 ticks of the touch, half of
 * the orders removed are younger than a second, one add in fifty opens a level. Here a tenth of the
 * book stands near the touch and has three of four changes, one of four hits any far order alike
 * (and mostly opens or empties a level): harder for everybody than what was captured. Of ten changes
 * four are new orders, four remove one, two fill a part of one. Ids grow with gaps from what they were
 * in 2026, beyond 32 bits.
 */
import { ORDER_INPUT_DOUBLES, OrderInput } from '../src/domain/order-ledger.js';
import { Prng } from '../src/domain/prng.js';

export const ADD = 0;
export const CHANGE = 1;
export const REMOVE = 2;
const AT_END = -1;

/** A block of Hyperliquid has some 25 changes of BTC. */
export const CHANGES_PER_BLOCK = 25;

const FIRST_ID = 412_036_231_803;
const ID_GAP_MAX = 60;
const MIDDLE = 81_307;
const SIZE_MAX = 500_000;
/** Ticks from the touch: the nearest, and how many times as far the farthest is. */
const NEAR = { from: 5, span: 60 } as const;
const FAR = { from: 300, span: 180 } as const;

export interface OrderChanges {
  readonly count: number;
  readonly kind: Uint8Array;
  /** ORDER_INPUT_DOUBLES each, as the ledger takes them; nothing is inserted before another. */
  readonly inputs: Float64Array;
}

export interface OrderMix {
  /** Adds that make the book. */
  readonly resting: OrderChanges;
  /** Half of them forth, half the same ones back. */
  readonly changes: OrderChanges;
}

interface LiveOrder {
  readonly id: number;
  readonly side: number;
  readonly price: number;
  size: number;
}

export function orderMix(orders: number, changesCount: number): OrderMix {
  const maker = new OrderMaker();
  const resting = emptyChanges(orders);
  for (let i = 0; i < orders; i++) put(resting, i, ADD, maker.place(i % 10 === 0), 0);
  const changes = emptyChanges(changesCount);
  for (let i = 0; i < changesCount / 2; i++) {
    const back = changesCount - 1 - i;
    const isNear = maker.draw(4) > 0;
    const draw = maker.draw(10);
    if (draw < 4) {
      const order = maker.place(isNear);
      put(changes, i, ADD, order, 0);
      put(changes, back, REMOVE, { ...order, size: 0 }, order.size);
    } else if (draw < 8) {
      const order = maker.take(isNear);
      put(changes, i, REMOVE, { ...order, size: 0 }, order.size);
      put(changes, back, ADD, order, 0);
    } else {
      const order = maker.pick(isNear);
      const sizeBefore = order.size;
      order.size = 1 + maker.draw(sizeBefore);
      put(changes, i, CHANGE, order, sizeBefore);
      put(changes, back, CHANGE, { ...order, size: sizeBefore }, order.size);
    }
  }
  return { resting, changes };
}

class OrderMaker {
  private readonly prng = new Prng(11);
  private readonly near: LiveOrder[] = [];
  private readonly far: LiveOrder[] = [];
  private id = FIRST_ID;

  draw(below: number): number {
    return this.prng.nextInt(below);
  }

  place(isNear: boolean): LiveOrder {
    this.id += 1 + this.draw(ID_GAP_MAX);
    const { from, span } = isNear ? NEAR : FAR;
    const away = Math.floor(from * span ** (this.draw(1e6) / 1e6)) - (isNear ? from - 1 : 0);
    const side = this.draw(2);
    const price = side === 0 ? MIDDLE - away : MIDDLE + away;
    const order = { id: this.id, side, price, size: 2 + this.draw(SIZE_MAX) };
    (isNear ? this.near : this.far).push(order);
    return order;
  }

  pick(isNear: boolean): LiveOrder {
    const live = isNear ? this.near : this.far;
    return live[this.draw(live.length)]!;
  }

  /** Picks an order that goes. */
  take(isNear: boolean): LiveOrder {
    const live = isNear ? this.near : this.far;
    const at = this.draw(live.length);
    const order = live[at]!;
    live[at] = live[live.length - 1]!;
    live.length--;
    return order;
  }
}

function emptyChanges(count: number): OrderChanges {
  return {
    count,
    kind: new Uint8Array(count),
    inputs: new Float64Array(count * ORDER_INPUT_DOUBLES),
  };
}

function put(
  to: OrderChanges,
  i: number,
  kind: number,
  { id, side, price, size }: LiveOrder,
  sizeBefore: number,
): void {
  to.kind[i] = kind;
  const at = i * ORDER_INPUT_DOUBLES;
  to.inputs[at + OrderInput.Side] = side;
  to.inputs[at + OrderInput.Price] = price;
  to.inputs[at + OrderInput.Size] = size;
  to.inputs[at + OrderInput.SizeBefore] = sizeBefore;
  to.inputs[at + OrderInput.Id] = id;
  to.inputs[at + OrderInput.BeforeId] = AT_END;
}
