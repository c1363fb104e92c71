/** `ringside record`: a venue's raw frames into files that replay and verify read. Main thread, cold. */
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { channelsOf } from '../domain/channel.js';
import { FaultError } from '../faults/fault.js';
import { configuredVenue } from '../node/configured-venue.js';
import { RecordRun } from '../node/record-run.js';
import type { RecordSummary } from '../node/record-run.js';
import { loadConfig } from '../ops/config.js';
import { readTimelineOrigin } from '../time/system-clock.js';
import { venueById } from '../venues/registry.js';
import { EXIT_CODES_HELP } from './exit-codes.js';
import { reportFailure } from './failure.js';
import { addSettingOptions, givenSettings } from './setting-options.js';
import { onSignals } from './signals.js';

const EXAMPLES = `
Examples:
  $ ringside record --venue binance-futures --symbols BTCUSDT,ETHUSDT --out recordings
  $ ringside record --venue binance-futures --symbols all --out day --duration 24h --max-bytes 50GiB
  $ ringside record --venue binance-futures --rest-url http://127.0.0.1:9100 \\
      --ws-url ws://127.0.0.1:9100 --out test --duration 10s       from 'ringside sim --port 9100'
  $ ringside verify recordings/*.gz
  $ ringside replay recordings/*.gz --ndjson bbo

Frames are written as they came, with ns times, beside the REST snapshots and the instrument list. A
segment is VENUE-START-NNNN.txt.gz, and ends in .part until it is finished. Ctrl-C ends the recording:
the segment is closed, the summary is on stderr, the exit code 0.

${EXIT_CODES_HELP}`;

const SETTINGS_USED = [
  'venue.id',
  'venue.symbols',
  'venue.restUrl',
  'venue.webSocketUrl',
  'venue.settings',
  'venue.startTimeoutMs',
  'channels',
];
const SHOW_MS = 500;

interface RecordFlags {
  readonly out: string;
  readonly duration?: number;
  readonly maxBytes: number;
  readonly segmentBytes: number;
  readonly segmentTime: number;
  readonly json?: boolean;
}

export function recordCommand(): Command {
  const command = new Command('record')
    .description("write a venue's raw frames to files that replay and verify read")
    .requiredOption('--out <dir>', 'folder for the segments; made if missing')
    .option('--duration <time>', 'end after this, e.g. 60s, 15m, 24h', durationOf)
    .option('--max-bytes <size>', 'end when about this much is on disk', sizeOf, Infinity)
    .option('--segment-bytes <size>', 'begin another file at this size', sizeOf, 256 * 2 ** 20)
    .option('--segment-time <time>', 'begin another file after this', durationOf, 3600e9)
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', EXAMPLES);
  addSettingOptions(command, ({ path }) => SETTINGS_USED.includes(path));
  return command.action(async (flags: RecordFlags) => {
    try {
      await record(command, flags);
    } catch (error) {
      process.exitCode = reportFailure(error, flags.json === true);
    }
  });
}

async function record(command: Command, flags: RecordFlags): Promise<void> {
  const { config } = loadConfig({ flags: givenSettings(command), environment: process.env });
  if (config.venue.id === undefined) {
    throw new FaultError('BAD_CONFIG', 'record needs --venue; without a network see ringside sim');
  }
  const { venueId, venueOptions } = configuredVenue(config.venue);
  const origin = readTimelineOrigin();
  let end: (error: unknown) => void = () => {};
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  const run = new RecordRun({
    venue: venueById(venueId, venueOptions),
    symbols: config.venue.symbols ?? 'all',
    channels: channelsOf(config.channels),
    allowPrivate: venueOptions.restUrl !== undefined || venueOptions.webSocketUrl !== undefined,
    startTimeoutMs: config.venue.startTimeoutMs,
    origin,
    seed: Number(origin.unixNs & 0x7fff_ffffn),
    directory: flags.out,
    bytesMax: flags.maxBytes,
    segmentBytesMax: flags.segmentBytes,
    segmentNsMax: flags.segmentTime,
    reporter: {
      onConnection: ({ connection, event, detail }) => {
        if (event !== 'connecting' && event !== 'stopped') tell(`${connection} ${event} ${detail}`);
      },
      onSnapshot: ({ instrument, outcome, detail }) =>
        tell(`snapshot of ${instrument} ${outcome}: ${detail}`),
    },
    onRetry: (_, why, againMs) => tell(`no instruments yet: ${why}; again in ${againMs} ms`),
    onEnd: (error) => end(error),
  });
  const release = onSignals(() => end(null));
  const starting = run.start().then(
    () => tell(`recording ${run.names.length} instruments to ${flags.out}`),
    (error: unknown) => end(error),
  );
  const timer =
    flags.duration === undefined ? undefined : setTimeout(() => end(null), flags.duration / 1e6);
  const shown = process.stderr.isTTY ? setInterval(() => show(run.summary()), SHOW_MS) : undefined;
  const failure = await ended;
  clearTimeout(timer);
  clearInterval(shown);
  const summary = await conclude(run, starting, failure);
  release();
  const text = flags.json === true ? `${JSON.stringify(summary)}\n` : summaryText(summary);
  process.stderr.write(text);
}

/** Closes the segments whatever happened; throws what happened first. */
async function conclude(
  run: RecordRun,
  starting: Promise<void>,
  failure: unknown,
): Promise<RecordSummary> {
  try {
    const summary = await run.stop();
    await starting;
    if (failure === null) return summary;
  } catch (error) {
    throw failure ?? error;
  }
  throw failure;
}

function tell(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[2K' : ''}${pc.dim(text.trimEnd())}\n`);
}

function show(summary: RecordSummary): void {
  const text =
    `  ${summary.frames.toLocaleString('en')} frames  ${megabytes(summary.bytesWritten)} on disk  ` +
    `${summary.booksLive} of ${summary.books} books Live  ${summary.framesLost} lost`;
  process.stderr.write(`\r\u001b[2K${text.slice(0, (process.stderr.columns ?? 120) - 1)}`);
}

function summaryText(summary: RecordSummary): string {
  const { frames, answers, framesLost, segments, snapshots, gaps, booksLive, books } = summary;
  return (
    (process.stderr.isTTY ? '\r\u001b[2K' : '') +
    `${frames} frames and ${answers} answers in ${segments.length} segments, ` +
    `${megabytes(summary.bytesWritten)} on disk of ${megabytes(summary.bytes)} received; ` +
    `${framesLost} lost; ${booksLive} of ${books} books Live, ${snapshots} snapshots, ${gaps} gaps\n` +
    segments.map((path) => `  ${path}\n`).join('')
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

const NS_OF_UNIT: Readonly<Record<string, number>> = { s: 1e9, m: 60e9, h: 3600e9 };
/** A timer takes no more. */
const DURATION_NS_MAX = 2 ** 31 * 1e6 - 1e6;

/** In ns. */
function durationOf(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text) ?? [];
  const ns = Number(digits) * (NS_OF_UNIT[unit ?? ''] ?? NaN);
  if (!(ns > 0 && ns <= DURATION_NS_MAX)) {
    throw new InvalidArgumentError('expected a time such as 60s, 15m or 24h, of at most 24 days');
  }
  return ns;
}

const BYTES_OF_UNIT: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

function sizeOf(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMG]i?B)?$/.exec(text) ?? [];
  const bytes = Number(digits) * (BYTES_OF_UNIT[unit] ?? NaN);
  if (!(bytes > 0)) throw new InvalidArgumentError('expected a size such as 500MB or 2GiB');
  return bytes;
}
