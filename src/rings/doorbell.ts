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
 *
 * A ringer on the waiter's own thread (agents that share an event loop) needs no system call: it calls
 * the waiter's `onRungHere` instead of notifying. The pending waitAsync then stays in its list and is
 * kept for the next sleep: there is never more than one.
 */
const AWAKE = 0;
const ASLEEP = 1;

export function createDoorbell(): SharedArrayBuffer {
  return new SharedArrayBuffer(128);
}

/** What ringers and waiters of one bell share on one thread. */
interface BellHere {
  /** Of the waiter with an event loop, if it is on this thread. */
  onRungHere: (() => void) | null;
}

/** Of this thread: each has its own copy of this module. */
const bellsHere = new WeakMap<SharedArrayBuffer, BellHere>();

function bellHere(buffer: SharedArrayBuffer): BellHere {
  const known = bellsHere.get(buffer);
  if (known !== undefined) return known;
  const here: BellHere = { onRungHere: null };
  bellsHere.set(buffer, here);
  return here;
}

export class DoorbellRinger {
  private readonly word: Int32Array;
  private readonly here: BellHere;
  constructor(buffer: SharedArrayBuffer) {
    this.word = new Int32Array(buffer);
    this.here = bellHere(buffer);
  }

  /** Call once after the commit of a batch. */
  ring(): void {
    if (Atomics.load(this.word, 0) === AWAKE) return;
    // release: pairs with the waiter's wait; whoever wins the exchange pays for the one notify
    if (Atomics.compareExchange(this.word, 0, ASLEEP, AWAKE) !== ASLEEP) return;
    const { onRungHere } = this.here;
    if (onRungHere === null) Atomics.notify(this.word, 0);
    else onRungHere();
  }
}

export class DoorbellWaiter {
  private readonly word: Int32Array;
  private readonly here: BellHere;
  /** A waitAsync whose sleep was ended from this thread: it still stands in the list of waiters. */
  private isPending = false;
  constructor(buffer: SharedArrayBuffer) {
    this.word = new Int32Array(buffer);
    this.here = bellHere(buffer);
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
   * For a thread with an event loop, after `prepare` and the second look: `onRung` is called once when
   * another thread rings, `onRungHere` when this one does. False if it was rung already: then neither
   * is called. It has no timeout, as each would leave a timer behind: whoever wants one rings the bell
   * himself. A pending wait does not keep the event loop alive.
   */
  waitAsync(onRung: () => void, onRungHere: () => void): boolean {
    this.here.onRungHere = onRungHere;
    // Rung between `prepare` and here: its notify finds the one that still stands in the list.
    return this.isPending || this.beginWait(onRung);
  }

  /** Apart, for a call that makes a closure allocates what it closes over, whether it gets there or not. */
  private beginWait(onRung: () => void): boolean {
    const result = Atomics.waitAsync(this.word, 0, ASLEEP);
    if (!result.async) return false;
    this.isPending = true;
    void result.value.then(() => {
      this.isPending = false;
      onRung();
    });
    return true;
  }

  /** No ringer of this thread calls the waiter any more. */
  leave(): void {
    this.here.onRungHere = null;
  }
}
