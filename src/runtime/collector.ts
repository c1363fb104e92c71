/**
 * What this program asks of V8's garbage collector, for the whole process and all its threads. Called
 * by the command line once, before any thread starts; never by code that somebody embeds. Cold.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Threads that allocate next to nothing look idle to V8, and it compacts the heap of whoever looks
 * idle: up to three times, 20 to 45 ms each, with four helpers on all cores. On two cores that was the
 * 99th percentile (4.7 ms at 10,000 frames/s with it, 0.4 without). V8 reads this when a heap is made:
 * it holds for every worker; the main thread's own compactions are over some ten seconds after start.
 */
export function leaveIdleHeapsAlone(): void {
  setFlagsFromString('--no-memory-reducer');
}
