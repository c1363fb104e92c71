/** One block of the simulated chain as a node writes it, event by event, and its texts. Cold. */
import { formatShortDecimal } from '../domain/decimal.js';
import { Side } from '../domain/side.js';
import type { Timeline } from '../time/timeline.js';
import type { MarketSpec } from './market-specs.js';

export const NODE_SOURCES = ['diffs', 'statuses', 'fills'] as const;
export type NodeSource = (typeof NODE_SOURCES)[number];

/** Events as JSON texts, in the order in which they happened. */
export interface NodeBlock extends Readonly<Record<NodeSource, readonly string[]>> {
  readonly height: number;
  readonly timeNs: number;
}

/** What the node knows of an order besides side, price and size. */
export interface OrderFacts {
  readonly oid: number;
  readonly owner: number;
  readonly placedMs: number;
  /** Null where the client gave none. */
  readonly clientId: string | null;
  readonly originalSize: number;
  readonly timeInForce: 'Alo' | 'Gtc' | 'Ioc';
  readonly isTriggered: boolean;
}

/** As the node writes times: nanoseconds, no zone, meaning UTC. */
export function isoOf(timeNs: number, timeline: Timeline): string {
  const unixNs = timeline.toUnixNs(timeNs);
  const seconds = new Date(Number(unixNs / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(unixNs % 1_000_000_000n).padStart(9, '0')}`;
}

const addresses = new Map<number, string>();

/** 40 hex digits that look like an address, ever the same for an owner. */
export function addressOf(owner: number): string {
  let address = addresses.get(owner);
  if (address === undefined) addresses.set(owner, (address = `0x${hexOf(owner, 5)}`));
  return address;
}

/** 128 bits of an order that has a client id. */
export function clientIdOf(oid: number): string {
  return `0x${oid.toString(16).padStart(32, '0')}`;
}

/** A transaction's hash. */
export function hashOf(id: number): string {
  return `0x${hexOf(id, 8)}`;
}

function hexOf(seed: number, words: number): string {
  let text = '';
  for (let i = 1; i <= words; i++) {
    let h = Math.imul((seed % 4294967296) ^ Math.imul(i, 0x9e3779b1), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
    text += ((h ^ (h >>> 13)) >>> 0).toString(16).padStart(8, '0');
  }
  return text;
}

export function sideLetter(side: Side): 'A' | 'B' {
  return side === Side.Bid ? 'B' : 'A';
}

export function priceText(spec: MarketSpec, price: number): string {
  return formatShortDecimal(price, spec.priceDecimals);
}

export function sizeText(spec: MarketSpec, size: number): string {
  return formatShortDecimal(size, spec.sizeDecimals);
}

/**
 * The order as it stands in statuses (`isTrigger` as long as it waits, and at the moment it is
 * triggered) and in snapshots, where one that was triggered rests like any other.
 */
export function orderText(
  spec: MarketSpec,
  facts: OrderFacts,
  side: Side,
  price: number,
  size: number,
  isResting: boolean,
): string {
  const px = priceText(spec, price);
  const triggered = facts.isTriggered;
  const condition = isResting ? 'Triggered' : `Price above ${px}`;
  return (
    `{"coin":"${spec.symbol}","side":"${sideLetter(side)}","limitPx":"${px}",` +
    `"sz":"${sizeText(spec, size)}","oid":${facts.oid},"timestamp":${facts.placedMs},` +
    `"triggerCondition":"${triggered ? condition : 'N/A'}",` +
    `"isTrigger":${triggered && !isResting},` +
    `"triggerPx":"${triggered ? px : '0.0'}","children":[],"isPositionTpsl":false,` +
    `"reduceOnly":${triggered},"orderType":"${triggered ? 'Stop Limit' : 'Limit'}",` +
    `"origSz":"${sizeText(spec, facts.originalSize)}","tif":"${facts.timeInForce}",` +
    `"cloid":${facts.clientId === null ? 'null' : `"${facts.clientId}"`}}`
  );
}
