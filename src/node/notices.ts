/** What the ingest room reports, as lines for the log: sent to the main thread, which limits them. Cold. */
import type { Instrument } from '../domain/instrument.js';
import type { NodeReport } from '../ingest/node-files-options.js';
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

/** What happens to the files of a node beside us, likewise. */
export function nodeNoticesOf(tell: (message: FromThread) => void): (report: NodeReport) => void {
  const notice = (level: LogLevel, event: string, key: string, message: string): void =>
    tell({ kind: 'notice', level, key: `${event}.${key}`, event, message });
  return (report) => {
    switch (report.kind) {
      case 'source': {
        const { source, path, state } = report;
        const level = state === 'up' ? 'info' : 'warn';
        return notice(level, `source.${state}`, source, `${source} ${state}: ${path}`);
      }
      case 'fault': {
        const { source, code, sample } = report;
        const message = `a line of ${source} was refused: ${code}: ${sample}`;
        return notice('warn', 'line.refused', `${source}.${code}`, message);
      }
      case 'hole': {
        const message = `blocks ${report.from} to ${report.to} are missing or not whole`;
        return notice('warn', 'blocks.missing', '', message);
      }
      case 'snapshot': {
        const message = `snapshot of block ${report.height}: ${report.orders} orders`;
        return notice('info', 'snapshot.read', '', message);
      }
      case 'snapshot-failed':
        return notice('warn', 'snapshot.refused', report.code, `${report.code}: ${report.message}`);
      case 'rewound': {
        const message = `blocks ${report.from} to ${report.to} are read again after an older snapshot`;
        return notice('info', 'blocks.again', '', message);
      }
      case 'lag': {
        const seconds = (report.lagNs / 1e9).toFixed(1);
        if (report.isOver) return notice('info', 'node.caught-up', '', `${seconds} s behind`);
        return notice('warn', 'node.lagging', '', `the node is ${seconds} s behind its chain`);
      }
      case 'unlisted': {
        const message = `not known at the start, taken after a restart: ${report.coins.join(', ')}`;
        return notice('warn', 'coins.unlisted', '', message);
      }
      case 'missing': {
        const message = `the snapshot does not hold ${report.instruments.join(', ')}`;
        return notice('warn', 'snapshot.missing', '', message);
      }
    }
  };
}
