/**
 * The few words that a thread and its supervisor share: how it is told to stop, and how it shows
 * that it is alive. One buffer a thread; the heartbeat costs a duty cycle about 10 ns.
 *
 *     word    what            written by    read by       ordering
 *     0       stop requested  supervisor    thread        release by requestStop / acquire by a turn
 *     32      heartbeat       thread        supervisor    release by beat / acquire by the check
 *     33      state           thread        supervisor    release by setState / acquire by the check
 *
 * The heartbeat counts duty cycles and wraps: alive means that it differs from the last look. A runner
 * beats at least once in its longest idle interval, so a value that stands still for several of them
 * is a thread that hangs. The two halves stand 128 bytes apart (see rings/ring-layout.ts).
 */
import { DoorbellRinger } from '../rings/doorbell.js';

export const ThreadState = {
  /** The buffer exists; no runner has begun. */
  Starting: 0,
  Running: 1,
  /** Told to stop: the agents are being closed. */
  Stopping: 2,
  Stopped: 3,
  /** An agent threw; the error went to whoever started the runner. */
  Failed: 4,
} as const;
export type ThreadState = (typeof ThreadState)[keyof typeof ThreadState];

const STOP_WORD = 0;
const HEARTBEAT_WORD = 32;
const STATE_WORD = 33;
const WORDS = 64;

export function createThreadControl(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * 4);
}

/** The supervisor's end. */
export class ThreadController {
  private readonly words: Int32Array;
  private readonly bell: DoorbellRinger;

  /** @param doorbell the bell that the thread sleeps at, so that a request to stop wakes it */
  constructor(control: SharedArrayBuffer, doorbell: SharedArrayBuffer) {
    this.words = new Int32Array(control);
    this.bell = new DoorbellRinger(doorbell);
  }

  requestStop(): void {
    // release: pairs with the acquire of STOP in ThreadReporter.stopRequested
    Atomics.store(this.words, STOP_WORD, 1);
    this.bell.ring();
  }

  /** Duty cycles since the thread began, modulo 2^32: only "changed or not" means something. */
  heartbeat(): number {
    return Atomics.load(this.words, HEARTBEAT_WORD);
  }

  state(): ThreadState {
    return Atomics.load(this.words, STATE_WORD) as ThreadState;
  }
}

/** The thread's end. */
export class ThreadReporter {
  private readonly words: Int32Array;
  private beats = 0;

  constructor(control: SharedArrayBuffer) {
    this.words = new Int32Array(control);
    this.beats = Atomics.load(this.words, HEARTBEAT_WORD);
  }

  /** Hot: once a duty cycle. */
  beat(): void {
    this.beats = (this.beats + 1) | 0;
    // release: pairs with the acquire of HEARTBEAT in ThreadController.heartbeat
    Atomics.store(this.words, HEARTBEAT_WORD, this.beats);
  }

  stopRequested(): boolean {
    // acquire: pairs with the release of STOP in ThreadController.requestStop
    return Atomics.load(this.words, STOP_WORD) !== 0;
  }

  setState(state: ThreadState): void {
    Atomics.store(this.words, STATE_WORD, state);
  }
}
