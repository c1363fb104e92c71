/**
 * An agent that does harm on request: throws, hangs, or eats all memory. The test orders it through
 * a word of shared memory; the order is taken once, by the first thread of that row that sees it.
 */
import type { Agent } from '../../src/runtime/agent.js';
import type { ThreadData } from '../../src/node/thread-data.js';

export const Harm = { None: 0, Throw: 1, Hang: 2, EatMemory: 3 } as const;
export type Harm = (typeof Harm)[keyof typeof Harm];

/** Words of the shared order: a harm for each row of threads. */
export function createOrders(rows: number): SharedArrayBuffer {
  return new SharedArrayBuffer(rows * 4);
}

export function order(orders: SharedArrayBuffer, row: number, harm: Harm): void {
  Atomics.store(new Int32Array(orders), row, harm);
}

/** True once the thread has taken its order and, if it is one to hang, does nothing else. */
export function taken(orders: SharedArrayBuffer, row: number): boolean {
  return Atomics.load(new Int32Array(orders), row) === Harm.None;
}

export class Saboteur implements Agent {
  readonly name = 'saboteur';
  private readonly words: Int32Array;
  private readonly row: number;

  constructor(data: ThreadData) {
    this.words = new Int32Array(data.extra!);
    this.row = data.row;
  }

  doWork(): number {
    const harm = Atomics.exchange(this.words, this.row, Harm.None);
    if (harm === Harm.Throw) throw new Error('ordered to throw');
    if (harm === Harm.Hang) for (;;) Atomics.load(this.words, this.row);
    if (harm === Harm.EatMemory) {
      const eaten: unknown[] = [];
      for (;;) eaten.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
    }
    return 0;
  }

  onClose(): void {}
}
