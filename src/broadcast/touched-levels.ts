/**
 * The levels of one side that the current venue event touched, each with its size before the event:
 * what a depth view needs to know what changed. Broadcast thread, hot while an instrument has views.
 * A price that is touched twice keeps its first size: an open-addressing set, emptied by a stamp.
 */
const SLOTS_MIN = 64;

export class TouchedLevels {
  prices = new Float64Array(SLOTS_MIN);
  before = new Float64Array(SLOTS_MIN);
  count = 0;
  private slots = new Int32Array(SLOTS_MIN * 2);
  private stamps = new Int32Array(SLOTS_MIN * 2);
  private stamp = 1;

  clear(): void {
    this.count = 0;
    this.stamp = (this.stamp + 1) | 0;
    if (this.stamp === 0) {
      this.stamps.fill(0);
      this.stamp = 1;
    }
  }

  has(price: number): boolean {
    const mask = this.slots.length - 1;
    let slot = slotOf(price, mask);
    while (this.stamps[slot] === this.stamp) {
      if (this.prices[this.slots[slot]!] === price) return true;
      slot = (slot + 1) & mask;
    }
    return false;
  }

  /** Notes that `price` had `size` before this change. Hot. */
  note(price: number, size: number): void {
    const mask = this.slots.length - 1;
    let slot = slotOf(price, mask);
    while (this.stamps[slot] === this.stamp) {
      if (this.prices[this.slots[slot]!] === price) return;
      slot = (slot + 1) & mask;
    }
    this.stamps[slot] = this.stamp;
    this.slots[slot] = this.count;
    this.prices[this.count] = price;
    this.before[this.count] = size;
    this.count++;
    if (this.count === this.prices.length) this.grow();
  }

  private grow(): void {
    const { prices, before, count } = this;
    this.prices = new Float64Array(count * 2);
    this.before = new Float64Array(count * 2);
    this.slots = new Int32Array(count * 4);
    this.stamps = new Int32Array(count * 4);
    this.stamp = 1;
    this.count = 0;
    for (let i = 0; i < count; i++) this.note(prices[i]!, before[i]!);
  }
}

function slotOf(price: number, mask: number): number {
  return (Math.imul(price | 0, 0x9e3779b1) >>> 7) & mask;
}
