/** What the ingest room reports, as lines for the log: sent to the main thread, which limits them. Cold. */
import type { Instrument } from '../domain/instrument.js';
import type { IngestReporter } from '../ingest/ingest.js';
import type { LogLevel } from '../ops/log.js';
import type { FromThread } from './thread-message.js';

const LEVEL_OF_EVENT: Readonly<Record<string, LogLevel>> = {
  connecting: 'debug',
  subscribed: 'info',
  stopped: 'debug',
  rotated: 'info',
};

export function noticesOf(
  tell: (message: FromThread) => void,
  instruments: readonly Instrument[],
): IngestReporter {
  return {
    onConnection: ({ connection, event, detail }) =>
      tell({
        kind: 'notice',
        level: LEVEL_OF_EVENT[event] ?? 'warn',
        key: `connection.${event}.${connection}`,
        event: `connection.${event}`,
        message: `${connection} ${event}${detail === '' ? '' : `: ${detail}`}`,
        fields: { connection },
      }),
    onSnapshot: ({ instrument, outcome, detail, retryAfterMs }) =>
      tell({
        kind: 'notice',
        level: 'warn',
        key: `snapshot.${outcome}`,
        event: `snapshot.${outcome}`,
        message: `snapshot of ${instrument} ${outcome}: ${detail}; again in ${Math.round(retryAfterMs)} ms`,
        fields: { instrument },
      }),
    onFault: ({ code, source, instrumentId, text, bytes, suppressed }) =>
      tell({
        kind: 'notice',
        level: 'warn',
        key: `frame.${code}`,
        event: 'frame.refused',
        message: `a frame from ${source} was refused: ${code}`,
        fields: {
          code,
          source,
          instrument: instruments[instrumentId]?.name ?? null,
          bytes,
          text,
          more: suppressed,
        },
      }),
  };
}
