/**
 * Bugs: conditions that this program's own logic guarantees. A broken invariant ends its thread;
 * the supervisor replaces it. Cold paths call `invariant`; hot paths write
 * `if (bad) throw new InvariantError('constant text')` (an assert with a template costs 40 ns).
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Marks a switch as complete: the compiler refuses a missing case. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable case: ${String(value)}`);
}
