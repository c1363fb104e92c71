/**
 * Holds a fresh snapshot against the book that is shown, order by order, without stopping the
 * stream: the snapshot becomes a shadow ledger, the events kept since it was asked for bring it to
 * the book's height, from then on both get the same events, and every turn a slice is compared.
 * Books thread; cold, but bounded per turn.
 *
 *     Idle ─announced─▶ Keeping ─first part─▶ Loading ─last part─▶ Comparing ─▶ Idle: passed, or
 *                                                                              failed: a second
 *                                                                              snapshot has to tell
 *
 * Compared are side, price, size, owner and the neighbour in the queue of *every* order, and the
 * number of orders: equal counts and equal orders one way make the two books equal. A snapshot that
 * is older than the events kept, or that the venue's own events contradict, is Unverifiable: it must
 * not replace a book that they confirm.
 */
import {
  ORDERS_COUNT,
  SEQUENCE_LAST,
  SNAPSHOT_ORDERS,
  SNAPSHOT_ORDER_DOUBLES,
} from '../rings/record-types.js';
import { HashedLedger } from '../domain/hashed-ledger.js';
import { applyOrderEvent, loadSnapshotOrder } from './order-apply.js';
import { OWNER_WORDS } from '../domain/order-identities.js';
import { LedgerResult, NO_LEVELS, NO_SLOT, type OrderLedger } from '../domain/order-ledger.js';
import { PendingBuffer } from './pending-buffer.js';

const Phase = { Idle: 0, Keeping: 1, Loading: 2, Comparing: 3 } as const;

export const Verdict = { Open: 0, Passed: 1, Failed: 2, Unverifiable: 3 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Orders compared in one turn: about 100 µs. */
const ORDERS_PER_TURN = 1024;

export class OrderValidation {
  private shadow = new HashedLedger(NO_LEVELS, 1);
  private readonly kept: PendingBuffer;
  private phase: number = Phase.Idle;
  private height = 0;
  private cursor = 0;
  private failed = false;
  /** The snapshot contradicts itself or the venue's own events: it proves nothing. */
  private shadowBroken = false;
  private overflowed = false;
  /** Height of the book when the snapshot was asked for: events after it are kept. */
  private keptFrom = 0;

  constructor(recordsMax: number, bytesMax: number) {
    this.kept = new PendingBuffer(recordsMax, bytesMax);
  }

  get isActive(): boolean {
    return this.phase !== Phase.Idle;
  }

  get memoryBytes(): number {
    return this.kept.memoryBytes + this.shadow.ledger.memoryBytes;
  }

  /**
   * A snapshot was asked for: events after `height`, that of the book, are kept from now on. One that
   * was not decided until now (it is from the future, or never came) is given up: Unverifiable.
   */
  announce(height: number): Verdict {
    const isUndecided = this.phase === Phase.Comparing || this.phase === Phase.Loading;
    if (this.phase !== Phase.Idle) this.stop();
    this.phase = Phase.Keeping;
    this.overflowed = false;
    this.keptFrom = height;
    return isUndecided ? Verdict.Unverifiable : Verdict.Open;
  }

  /** An event that the book has just applied. */
  onEvent(record: Float64Array, at: number, doubles: number): void {
    if (this.phase === Phase.Idle) return;
    if (this.phase === Phase.Comparing) {
      // The snapshot may be ahead of the book: what it contains already is not applied again.
      if (record[at + SEQUENCE_LAST]! <= this.height) return;
      if (applyOrderEvent(this.shadow, record, at) !== LedgerResult.Done) this.shadowBroken = true;
    } else if (this.kept.add(record, at, doubles) > 0) {
      this.overflowed = true;
    }
  }

  /** Unverifiable if the snapshot is from before the events that were kept. */
  begin(height: number, ordersExpected: number): Verdict {
    if (this.phase !== Phase.Keeping) return Verdict.Open;
    if (height < this.keptFrom) {
      this.stop();
      return Verdict.Unverifiable;
    }
    this.phase = Phase.Loading;
    this.height = height;
    this.failed = false;
    this.shadowBroken = false;
    this.shadow = new HashedLedger(NO_LEVELS, Math.max(1024, ordersExpected));
    return Verdict.Open;
  }

  /** One part of the snapshot. */
  load(record: Float64Array, at: number): void {
    if (this.phase !== Phase.Loading) return;
    const count = record[at + ORDERS_COUNT]!;
    for (let i = 0; i < count; i++) {
      const order = at + SNAPSHOT_ORDERS + i * SNAPSHOT_ORDER_DOUBLES;
      if (loadSnapshotOrder(this.shadow, record, order) !== LedgerResult.Done)
        this.shadowBroken = true;
    }
  }

  /** The snapshot is whole: the events kept since then bring it to the book's height. */
  finish(): Verdict {
    if (this.phase !== Phase.Loading) return Verdict.Open;
    if (this.overflowed) {
      this.stop();
      return Verdict.Unverifiable;
    }
    while (this.kept.count > 0) {
      const at = this.kept.firstAt;
      if (this.kept.doubles[at + SEQUENCE_LAST]! > this.height) {
        if (applyOrderEvent(this.shadow, this.kept.doubles, at) !== LedgerResult.Done)
          this.shadowBroken = true;
      }
      this.kept.dropFirst();
    }
    this.kept.release();
    this.phase = Phase.Comparing;
    this.cursor = 0;
    return Verdict.Open;
  }

  /** Compares a slice. Call between blocks only: then both books stand at the same height. */
  step(ledger: OrderLedger, height: number): Verdict {
    if (this.phase !== Phase.Comparing || height < this.height) return Verdict.Open;
    if (this.shadowBroken) {
      this.stop();
      return Verdict.Unverifiable;
    }
    const other = this.shadow.ledger;
    other.settle();
    const end = Math.min(ledger.usedSlots, this.cursor + ORDERS_PER_TURN);
    for (let slot = this.cursor; slot < end && !this.failed; slot++) {
      if (ledger.isUsed(slot) && !isSameOrder(ledger, slot, other)) this.failed = true;
    }
    this.cursor = end;
    if (!this.failed && this.cursor < ledger.usedSlots) return Verdict.Open;
    if (ledger.orderCount !== other.orderCount) this.failed = true;
    this.phase = Phase.Idle;
    if (this.failed) return Verdict.Failed;
    this.dropShadow();
    return Verdict.Passed;
  }

  /** The book that was to be compared is gone. */
  stop(): void {
    this.phase = Phase.Idle;
    this.kept.clear();
    this.kept.release();
    this.dropShadow();
  }

  /** Gives the shadow away: the caller keeps what it took. */
  dropShadow(): void {
    this.shadow = new HashedLedger(NO_LEVELS, 1);
  }
}

function isSameOrder(ours: OrderLedger, slot: number, theirs: OrderLedger): boolean {
  const other = theirs.slotOf(ours.idOf(slot));
  if (other === NO_SLOT) return false;
  if (ours.sizeOf(slot) !== theirs.sizeOf(other)) return false;
  if (ours.sideOf(slot) !== theirs.sideOf(other) || ours.priceOf(slot) !== theirs.priceOf(other))
    return false;
  const ourOwner = ours.identities.ownerAt(slot);
  const theirOwner = theirs.identities.ownerAt(other);
  for (let i = 0; i < OWNER_WORDS; i++) {
    if (ours.identities.words[ourOwner + i] !== theirs.identities.words[theirOwner + i])
      return false;
  }
  return idAfter(ours, slot) === idAfter(theirs, other);
}

function idAfter(ledger: OrderLedger, slot: number): number {
  const next = ledger.nextOf(slot);
  return next === NO_SLOT ? NO_SLOT : ledger.idOf(next);
}
