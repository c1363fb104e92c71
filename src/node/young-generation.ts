/**
 * How much a thread with sockets may allocate between two collections of its young generation. Cold.
 *
 * Our own path allocates nothing while frames come, but Node does: 56 bytes each time its event loop
 * goes round (its check phase makes an empty object for whatever native immediates there may be). At
 * 20,000 reads a second, each of which wakes the loop, that is 67 MB a minute; V8 by itself begins with
 * a semi-space of 1 MB and would collect every second, and grows it only when much survives, which
 * nothing does here.
 *
 * The room is taken up only as it is used, and up to twice (V8 has two semi-spaces). Its first two
 * collections take 10 ms each at this size, as V8 reserves the pages then; a thread has them behind it
 * before it begins (`settleYoungGeneration`): in a bare worker those that follow then take 0.5 to 1 ms.
 */
import { totalmem } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A minute at 20,000 turns of the loop a second, and some. */
const YOUNG_MB_MAX = 96;
/** V8's own largest. */
const YOUNG_MB_MIN = 16;
/** Two threads with two semi-spaces each take at most a thirty-second of the machine's memory. */
const SHARE_OF_MEMORY = 128;
/** By V8's rule the young generation is two semi-spaces and as much again for large objects. */
const SEMI_SPACES = 3;

/** @param wantedMb as configured; 0 lets the memory decide */
export function chooseYoungMb(wantedMb: number, memoryBytes: number): number {
  if (wantedMb > 0) return wantedMb;
  const share = Math.floor(memoryBytes / 2 ** 20 / SHARE_OF_MEMORY);
  return Math.min(YOUNG_MB_MAX, Math.max(YOUNG_MB_MIN, share));
}

/** Of this machine, or of the container if that is less. */
export function memoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/**
 * The limit of a worker whose semi-space is to be so large from the beginning. V8 takes the first size
 * from a flag of the process, which isolates look at when they are made and which their own limit (16
 * MB where nothing is said) caps: isolates that exist already do not change.
 */
export function youngLimit(youngMb: number): { readonly maxYoungGenerationSizeMb: number } {
  setFlagsFromString(`--min-semi-space-size=${youngMb}`);
  return { maxYoungGenerationSizeMb: youngMb * SEMI_SPACES };
}

/** On the thread itself, before it has anything to do: takes some 15 ms. */
export function settleYoungGeneration(): void {
  // The collector can only be called by name from a context made while it is exposed.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  setFlagsFromString('--no-expose-gc');
  for (let semiSpace = 0; semiSpace < 2; semiSpace++) collect({ type: 'minor' });
}
