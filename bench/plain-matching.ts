/**
 * A matching engine as one writes it first: a Map of orders, sorted arrays of levels, arrays as
 * queues.
 */
import { Side } from '../src/domain/side.js';

interface PlainOrder {
  readonly id: number;
  readonly side: Side;
  readonly price: number;
  size: number;
}

interface PlainLevel {
  readonly price: number;
  readonly queue: PlainOrder[];
}

export class PlainMatching {
  traded = 0;
  private readonly orders = new Map<number, PlainOrder>();
  private readonly sides: readonly [PlainLevel[], PlainLevel[]] = [[], []];

  get count(): number {
    return this.orders.size;
  }

  limit(id: number, side: Side, price: number, size: number, rests: boolean): void {
    const opposite = this.sides[1 - side]!;
    let left = size;
    while (left > 0 && opposite.length > 0) {
      const best = opposite[0]!;
      if (side === Side.Bid ? best.price > price : best.price < price) break;
      while (left > 0 && best.queue.length > 0) {
        const maker = best.queue[0]!;
        const amount = Math.min(maker.size, left);
        maker.size -= amount;
        left -= amount;
        this.traded += amount;
        if (maker.size === 0) {
          best.queue.shift();
          this.orders.delete(maker.id);
        }
      }
      if (best.queue.length === 0) opposite.shift();
    }
    if (left > 0 && rests) this.rest({ id, side, price, size: left });
  }

  cancel(id: number): void {
    const order = this.orders.get(id);
    if (order === undefined) return;
    this.orders.delete(id);
    const levels = this.sides[order.side];
    const at = this.indexOf(levels, order.side, order.price);
    const { queue } = levels[at]!;
    queue.splice(queue.indexOf(order), 1);
    if (queue.length === 0) levels.splice(at, 1);
  }

  private rest(order: PlainOrder): void {
    const levels = this.sides[order.side];
    const at = this.indexOf(levels, order.side, order.price);
    if (levels[at]?.price !== order.price) levels.splice(at, 0, { price: order.price, queue: [] });
    levels[at]!.queue.push(order);
    this.orders.set(order.id, order);
  }

  /** First level that is not better than the price. */
  private indexOf(levels: PlainLevel[], side: Side, price: number): number {
    let low = 0;
    let high = levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = levels[middle]!.price;
      if (side === Side.Bid ? at > price : at < price) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
