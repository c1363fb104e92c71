/**
 * Waiting in tests: for conditions, never for times. The deadline is so far off that only something
 * that will never come passes it, on however busy a machine; no test measures by it.
 */
export const PATIENCE_MS = 60_000;

/** `what` completes "waited in vain until …"; as a function it is asked when that is said. */
export async function until(
  condition: () => boolean,
  what: string | (() => string),
  everyMs = 5,
): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) {
      throw new Error(`waited in vain until ${typeof what === 'string' ? what : what()}`);
    }
    await pause(everyMs);
  }
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
