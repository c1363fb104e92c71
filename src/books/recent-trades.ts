/**
 * The trades of one instrument that were told lately, by (time, id): for venues whose trade ids have no
 * order, so that only memory tells a repeated trade. Books thread; hot: once a trade.
 *
 * Bounded: the last TRADES_MAX trades in a circle, found through a table from id to the newest entry
 * with that id; entries of equal id are chained, since the same id may come again at another time.
 */
import { IdTable, NOT_FOUND } from '../domain/id-table.js';

/**
 * What a venue repeats after a subscription must be in here. Hyperliquid replays about 20 s; its
 * busiest coin has some 50 trades a second.
 */
const TRADES_MAX = 4096;
const NONE = NOT_FOUND;

export class RecentTrades {
  private readonly ids = new Float64Array(TRADES_MAX);
  private readonly times = new Float64Array(TRADES_MAX);
  /** Entry of the same id before this one, or NONE. */
  private readonly before = new Int32Array(TRADES_MAX);
  private readonly newest = new IdTable(TRADES_MAX);
  private next = 0;
  private count = 0;

  /** False if this trade was noted before; else notes it. */
  note(id: number, exchangeNs: number): boolean {
    const { ids, times, before, newest } = this;
    for (let at = newest.get(id); at !== NONE; at = before[at]!) {
      if (times[at] === exchangeNs) return false;
    }
    const at = this.next;
    this.next = at + 1 === TRADES_MAX ? 0 : at + 1;
    if (this.count === TRADES_MAX) this.forget(at);
    else this.count++;
    ids[at] = id;
    times[at] = exchangeNs;
    before[at] = newest.get(id);
    newest.set(id, at);
    return true;
  }

  /** The oldest entry makes room; its id leaves the table unless a newer entry has it. */
  private forget(at: number): void {
    const id = this.ids[at]!;
    if (this.newest.get(id) === at) this.newest.remove(id);
    else this.cutChain(this.newest.get(id), at);
  }

  private cutChain(from: number, at: number): void {
    let entry = from;
    while (this.before[entry] !== at) entry = this.before[entry]!;
    this.before[entry] = NONE;
  }
}
