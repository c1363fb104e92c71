/**
 * Wakes one thread, whichever of its rings got something. One 32-bit word: 0 awake, 1 asleep.
 *
 *     waiter                              ringer (after commit)
 *     prepare: store 1                    ring: compareExchange 1 → 0; if it was 1, notify
 *     look at all rings once more         (a busy waiter costs one load and no system call)
 *     nothing → wait while it is 1
 *
 * The second look after `prepare` closes the race with a ringer that committed before the store: both
 * sides store, then load what the other stored (the waiter: the bell, then the tail; the ringer: the
 * tail, then the bell). All four are Atomics, so in their one total order at least one of the two sees
 * the other's store. test/model/ring.pml checks just this, and finds the bug if the look is left out.
 */
const AWAKE = 0;
const ASLEEP = 1;

export function createDoorbell(): SharedArrayBuffer {
  return new SharedArrayBuffer(128);
}

export class DoorbellRinger {
  private readonly word: Int32Array;
  constructor(buffer: SharedArrayBuffer) {
    this.word = new Int32Array(buffer);
  }

  /** Call once after the commit of a batch. */
  ring(): void {
    if (Atomics.load(this.word, 0) === AWAKE) return;
    // release: pairs with the waiter's wait; whoever wins the exchange pays for the one notify
    if (Atomics.compareExchange(this.word, 0, ASLEEP, AWAKE) === ASLEEP)
      Atomics.notify(this.word, 0);
  }
}

export class DoorbellWaiter {
  private readonly word: Int32Array;
  constructor(buffer: SharedArrayBuffer) {
    this.word = new Int32Array(buffer);
  }

  /** Announces sleep. The caller must look at its rings once more before it waits. */
  prepare(): void {
    Atomics.store(this.word, 0, ASLEEP);
  }

  /** Takes the announcement back: the second look found work. */
  cancel(): void {
    Atomics.store(this.word, 0, AWAKE);
  }

  /**
   * Blocks this thread until rung (true) or until the time is over (false). After `prepare` and the
   * second look. Never on a thread with an event loop.
   */
  wait(timeoutMs: number): boolean {
    const outcome = Atomics.wait(this.word, 0, ASLEEP, timeoutMs);
    Atomics.store(this.word, 0, AWAKE);
    return outcome !== 'timed-out';
  }

  /**
   * For a thread with an event loop, after `prepare` and the second look: a promise that resolves when
   * rung, or undefined if it was rung already. It has no timeout, as each would leave a timer behind:
   * whoever wants one rings the bell himself. A pending promise does not keep the event loop alive.
   */
  waitAsync(): Promise<unknown> | undefined {
    const result = Atomics.waitAsync(this.word, 0, ASLEEP);
    return result.async ? result.value : undefined;
  }
}
