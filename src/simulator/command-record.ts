/**
 * What the command under way did to its market: one record for the whole exchange, since commands
 * come one at a time. Simulator's thread; hot: filled by the market, read by the dialect, begun
 * anew.
 */
import { Side } from '../domain/side.js';
import { InvariantError } from '../faults/invariant.js';
import { CHANGES_PER_COMMAND_MAX } from './simulator-limits.js';

export class CommandRecord {
  /** Update id of the first level change. */
  firstUpdateId = 0;
  changesCount = 0;
  readonly changedSide = new Uint8Array(CHANGES_PER_COMMAND_MAX);
  readonly changedPrice = new Float64Array(CHANGES_PER_COMMAND_MAX);

  tradesCount = 0;
  readonly tradePrice = new Float64Array(CHANGES_PER_COMMAND_MAX);
  readonly tradeSize = new Float64Array(CHANGES_PER_COMMAND_MAX);
  readonly tradeId = new Float64Array(CHANGES_PER_COMMAND_MAX);
  /** Side of the taker of all the command's trades. */
  takerSide: Side = Side.Bid;

  begin(): void {
    this.changesCount = 0;
    this.tradesCount = 0;
  }

  addChange(side: Side, price: number, updateId: number): void {
    const at = this.changesCount++;
    if (at >= CHANGES_PER_COMMAND_MAX) throw new InvariantError('a command of too many changes');
    if (at === 0) this.firstUpdateId = updateId;
    this.changedSide[at] = side;
    this.changedPrice[at] = price;
  }

  addTrade(takerSide: Side, price: number, size: number, tradeId: number): void {
    const at = this.tradesCount++;
    if (at >= CHANGES_PER_COMMAND_MAX) throw new InvariantError('a command of too many trades');
    this.takerSide = takerSide;
    this.tradePrice[at] = price;
    this.tradeSize[at] = size;
    this.tradeId[at] = tradeId;
  }
}
