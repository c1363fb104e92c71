/**
 * Copies doubles from one array to another. Every thread that writes events into a ring, hot.
 *
 * Eight a turn: a third less than one a turn (measured, 50 to 2,000 doubles), and unlike
 * `set(subarray())` it leaves nothing behind for the garbage collector.
 */
export function copyDoubles(
  source: Float64Array,
  count: number,
  target: Float64Array,
  at: number,
): void {
  const whole = count & ~7;
  let i = 0;
  for (; i < whole; i += 8) {
    target[at + i] = source[i]!;
    target[at + i + 1] = source[i + 1]!;
    target[at + i + 2] = source[i + 2]!;
    target[at + i + 3] = source[i + 3]!;
    target[at + i + 4] = source[i + 4]!;
    target[at + i + 5] = source[i + 5]!;
    target[at + i + 6] = source[i + 6]!;
    target[at + i + 7] = source[i + 7]!;
  }
  for (; i < count; i++) target[at + i] = source[i]!;
}
