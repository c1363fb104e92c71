/**
 * What the supervisor and one agent thread tell each other without messages: a few words of shared
 * memory, one table row a thread, 128 bytes apart. The thread may be blocked or spinning, so it can
 * only be asked to stop, and seen to be alive, through these.
 *
 *     word  what        written by   meaning
 *     0     command     supervisor   0 run, 1 stop
 *     1     heartbeat   thread       +1 every turn of its loop (wraps)
 *     2     phase       thread       ThreadPhase
 */
const ROW_WORDS = 32;
const COMMAND = 0;
const HEARTBEAT = 1;
const PHASE = 2;

export const ThreadPhase = { Starting: 0, Running: 1, Stopped: 2 } as const;
export type ThreadPhase = (typeof ThreadPhase)[keyof typeof ThreadPhase];

export function createThreadControls(rows: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(1, rows) * ROW_WORDS * 4);
}

/** The thread's side. */
export class ThreadPulse {
  private readonly words: Int32Array;
  private beats = 0;

  constructor(buffer: SharedArrayBuffer, row: number) {
    this.words = new Int32Array(buffer, row * ROW_WORDS * 4, ROW_WORDS);
    this.beats = Atomics.load(this.words, HEARTBEAT);
  }

  /** Hot: once a turn. */
  beat(): void {
    this.beats = (this.beats + 1) | 0;
    Atomics.store(this.words, HEARTBEAT, this.beats);
  }

  /** Hot: once a turn. */
  stopRequested(): boolean {
    // acquire: pairs with the store of ThreadWatch.requestStop
    return Atomics.load(this.words, COMMAND) !== 0;
  }

  setPhase(phase: ThreadPhase): void {
    Atomics.store(this.words, PHASE, phase);
  }
}

/** The supervisor's side. */
export class ThreadWatch {
  private readonly words: Int32Array;

  constructor(buffer: SharedArrayBuffer, row: number) {
    this.words = new Int32Array(buffer, row * ROW_WORDS * 4, ROW_WORDS);
  }

  requestStop(): void {
    Atomics.store(this.words, COMMAND, 1);
  }

  /** Before a replacement starts on the same row. */
  reset(): void {
    Atomics.store(this.words, PHASE, ThreadPhase.Starting);
    Atomics.store(this.words, COMMAND, 0);
  }

  heartbeat(): number {
    return Atomics.load(this.words, HEARTBEAT);
  }

  phase(): ThreadPhase {
    return Atomics.load(this.words, PHASE) as ThreadPhase;
  }
}
