/** SIGINT and SIGTERM, for commands that run until they are told to stop. Main thread, cold. */
import { EXIT } from './exit-codes.js';

/** The first signal asks for a stop, the second does not ask. Returns what lets go of both again. */
export function onSignals(
  stop: () => void,
  insist: () => void = () => process.exit(EXIT.Interrupted),
): () => void {
  let asked = false;
  const onSignal = (): void => {
    if (asked) insist();
    asked = true;
    stop();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
}
