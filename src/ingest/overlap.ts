/**
 * When a successor may take over: which streams have joined it. Ingest thread; cold, pure.
 */
import type { Leg } from './leg.js';
import { LegPhase } from './leg.js';
import type { IngestLimits } from './limits.js';
import { NS_PER_MS } from './limits.js';
import type { LineArbiter } from './line-arbiter.js';
import type { StreamBoard } from './stream-watch.js';
import { NEVER_NS, StreamStatus } from './stream-watch.js';

/** True if closing the old socket now loses nothing of any stream. */
export function hasJoinedAll(
  board: StreamBoard,
  arbiter: LineArbiter,
  old: Leg,
  successor: Leg,
  options: { readonly limits: IngestLimits },
  nowNs: number,
): boolean {
  if (successor.phase !== LegPhase.Up) return false;
  if (nowNs < successor.subscribedNs + options.limits.overlapMsMin * NS_PER_MS) return false;
  for (let index = 0; index < board.slots.length; index++) {
    if (!hasJoined(index, board, arbiter, old, successor)) return false;
  }
  return true;
}

/** True if the stream changes hands without loss. */
export function hasJoined(
  index: number,
  board: StreamBoard,
  arbiter: LineArbiter,
  old: Leg,
  successor: Leg,
): boolean {
  const slot = board.slots[index]!;
  if (arbiter.isJoined(slot)) return true;
  // Not alive on the old one either: nothing that could be lost.
  if (board.statusOf(index) !== StreamStatus.Up) return true;
  // Quiet since both are subscribed: neither has brought anything that the other lacks.
  if (successor.phase !== LegPhase.Up || board.streams[index]!.silenceMsMax > 0) return false;
  const oldIsQuiet = old.watch.lastNs[slot]! <= successor.subscribedNs;
  return oldIsQuiet && successor.watch.lastNs[slot] === NEVER_NS;
}
