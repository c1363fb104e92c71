/**
 * Two books of the same coin, order by order: which orders one has and the other has not, which differ
 * and in what, and whether those that both have wait in the same order. Pure, cold.
 *
 * The queue is compared among the orders that stand at the same price in both, so that one order that
 * is missing is not told again for everybody behind it.
 */
import { formatShortDecimal } from '../domain/decimal.js';
import type { Instrument } from '../domain/instrument.js';
import { OrderAttribute } from '../domain/order-attributes.js';
import { CLIENT_ID_WORDS, type OrderIdentities, OWNER_WORDS } from '../domain/order-identities.js';
import { NO_SLOT, type RestingOrders } from '../domain/resting-orders.js';
import { Side } from '../domain/side.js';

/** In which way an order differs: the first that holds. */
export type OrderDifferenceKind =
  'missing' | 'unexpected' | 'place' | 'size' | 'owner' | 'client id' | 'queue';

export interface OrderDifference {
  readonly instrument: string;
  readonly orderId: number;
  readonly kind: OrderDifferenceKind;
  /** The order as text, null where there is none; of a queue who stands at this place. */
  readonly expected: string | null;
  readonly ours: string | null;
}

export interface BookComparison {
  readonly instrument: string;
  /** Orders in either book. */
  readonly orders: number;
  readonly differing: number;
  /** Of the equal ones, those whose client id we were never told: their status was not seen. */
  readonly clientIdsUnknown: number;
  /** The first ones. */
  readonly differences: readonly OrderDifference[];
}

export function compareOrders(
  expected: RestingOrders,
  ours: RestingOrders,
  instrument: Instrument,
  differencesMax: number,
): BookComparison {
  const comparer = new Comparer(expected, ours, instrument, differencesMax);
  comparer.compareOrders();
  comparer.compareQueues();
  return {
    instrument: instrument.name,
    orders: expected.orderCount + comparer.unexpected,
    differing: comparer.differing.size,
    clientIdsUnknown: comparer.clientIdsUnknown,
    differences: comparer.differences,
  };
}

class Comparer {
  readonly differences: OrderDifference[] = [];
  readonly differing = new Set<number>();
  unexpected = 0;
  clientIdsUnknown = 0;

  constructor(
    private readonly expected: RestingOrders,
    private readonly ours: RestingOrders,
    private readonly instrument: Instrument,
    private readonly differencesMax: number,
  ) {}

  compareOrders(): void {
    const { expected, ours } = this;
    for (let slot = 0; slot < expected.usedSlots; slot++) {
      if (!expected.isUsed(slot)) continue;
      const other = ours.slotOf(expected.idOf(slot));
      const kind = other === NO_SLOT ? 'missing' : this.differenceOf(slot, other);
      if (kind !== null) this.tell(expected.idOf(slot), kind, slot, other);
    }
    for (let slot = 0; slot < ours.usedSlots; slot++) {
      if (!ours.isUsed(slot) || expected.slotOf(ours.idOf(slot)) !== NO_SLOT) continue;
      this.unexpected++;
      this.tell(ours.idOf(slot), 'unexpected', NO_SLOT, slot);
    }
  }

  /** The queues of all prices: the first difference of each. */
  compareQueues(): void {
    const { expected } = this;
    for (let slot = 0; slot < expected.usedSlots; slot++) {
      if (!expected.isUsed(slot) || expected.previousOf(slot) !== NO_SLOT) continue;
      const side = expected.sideOf(slot);
      const price = expected.priceOf(slot);
      const theirs = queueOf(expected, this.ours, side, price);
      const queue = queueOf(this.ours, expected, side, price);
      const at = theirs.findIndex((id, place) => queue[place] !== id);
      if (at < 0) continue;
      const id = theirs[at]!;
      this.differing.add(id);
      if (this.differences.length >= this.differencesMax) continue;
      const where = `#${at + 1} at ${this.priceText(price)}`;
      this.differences.push({
        instrument: this.instrument.name,
        orderId: id,
        kind: 'queue',
        expected: `${where} is ${id}`,
        ours: `${where} is ${queue[at]!}`,
      });
    }
  }

  private differenceOf(slot: number, other: number): OrderDifferenceKind | null {
    const { expected, ours } = this;
    if (!isSamePlace(expected, slot, ours, other)) return 'place';
    if (expected.sizeOf(slot) !== ours.sizeOf(other)) return 'size';
    const theirs = expected.identities;
    const known = ours.identities;
    const ownerAt = theirs.ownerAt(slot);
    const isOwnerTold = !isSame(theirs, ownerAt, null, 0, OWNER_WORDS);
    if (isOwnerTold && !isSame(theirs, ownerAt, known, known.ownerAt(other), OWNER_WORDS))
      return 'owner';
    if (isSame(theirs, theirs.clientIdAt(slot), known, known.clientIdAt(other), CLIENT_ID_WORDS))
      return null;
    if ((known.attributes(other) & OrderAttribute.Identified) !== 0) return 'client id';
    this.clientIdsUnknown++;
    return null;
  }

  private tell(id: number, kind: OrderDifferenceKind, slot: number, other: number): void {
    this.differing.add(id);
    if (this.differences.length >= this.differencesMax) return;
    this.differences.push({
      instrument: this.instrument.name,
      orderId: id,
      kind,
      expected: slot === NO_SLOT ? null : this.textOf(this.expected, slot),
      ours: other === NO_SLOT ? null : this.textOf(this.ours, other),
    });
  }

  private textOf(book: RestingOrders, slot: number): string {
    const { identities } = book;
    const side = book.sideOf(slot) === Side.Bid ? 'bid' : 'ask';
    const size = formatShortDecimal(book.sizeOf(slot), this.instrument.sizeDecimals);
    const owner = hexOf(identities, identities.ownerAt(slot), OWNER_WORDS);
    const hasClientId = (identities.attributes(slot) & OrderAttribute.HasClientId) !== 0;
    const clientId = hexOf(identities, identities.clientIdAt(slot), CLIENT_ID_WORDS);
    const ids = hasClientId ? `${owner} ${clientId}` : owner;
    return `${side} ${this.priceText(book.priceOf(slot))} x ${size} ${ids}`;
  }

  private priceText(price: number): string {
    return formatShortDecimal(price, this.instrument.priceDecimals);
  }
}

/** Ids of a queue, first in time first, as far as the other book has them at the same price. */
function queueOf(book: RestingOrders, other: RestingOrders, side: number, price: number): number[] {
  const ids: number[] = [];
  for (let slot = book.headAt(side, price); slot !== NO_SLOT; slot = book.nextOf(slot)) {
    const there = other.slotOf(book.idOf(slot));
    if (there !== NO_SLOT && isSamePlace(book, slot, other, there)) ids.push(book.idOf(slot));
  }
  return ids;
}

function isSamePlace(a: RestingOrders, slot: number, b: RestingOrders, other: number): boolean {
  return a.sideOf(slot) === b.sideOf(other) && a.priceOf(slot) === b.priceOf(other);
}

/** Against zeros where there is no `b`. */
function isSame(
  a: OrderIdentities,
  at: number,
  b: OrderIdentities | null,
  other: number,
  words: number,
): boolean {
  for (let i = 0; i < words; i++) {
    if (a.words[at + i] !== (b === null ? 0 : b.words[other + i])) return false;
  }
  return true;
}

function hexOf({ words }: OrderIdentities, at: number, count: number): string {
  let text = '0x';
  for (let i = 0; i < count; i++) text += (words[at + i]! >>> 0).toString(16).padStart(8, '0');
  return text;
}
