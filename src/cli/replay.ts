/** `ringside replay`: recorded frames through the node's own path, printed as lines. Cold. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import pc from 'picocolors';
import { FaultError } from '../faults/fault.js';
import { assertVenueId } from '../node/configured-venue.js';
import { ReplayRun } from '../node/replay-run.js';
import type { ReplaySummary } from '../node/replay-run.js';
import { CaptureRun } from '../replay/capture-run.js';
import { Pacer } from '../replay/pacer.js';
import { surveyCapture } from '../replay/capture-survey.js';
import { readTimelineOrigin } from '../time/system-clock.js';
import { SystemScheduler } from '../time/system-scheduler.js';
import { VENUE_ID as NODE_VENUE } from '../venues/hyperliquid-node/coins.js';
import { venueById, venueIds } from '../venues/registry.js';
import { CaptureProgress } from './capture-progress.js';
import { collected, instrumentsWanted } from './capture-selection.js';
import { EXIT, EXIT_CODES_HELP } from './exit-codes.js';
import { LineOutput } from './line-output.js';
import { dataOption, layoutOption, marketsOption, snapshotOption } from './node-file-options.js';
import { replayNode } from './replay-node.js';

const EXAMPLES = `
Captures are read by their content: hftbacktest ("<local ns> <json>") and cryptofeed (raw text),
plain or gzip. Several files are one run, merged by receive time. Lines go to stdout, faults and the
summary to stderr.

Examples:
  $ ringside replay usdm_btcusdt_20240718.gz usdm_btcusdt_20240719.gz --ndjson bbo | head
  $ ringside replay BINANCE_FUTURES.* --instrument CTKUSDT --ndjson book --depth 5
  $ ringside replay capture.gz --ndjson trades --speed 10 > trades.ndjson
  $ ringside replay capture.gz                       only the summary
  $ ringside replay --venue hyperliquid-node --data hl/data --snapshot l4.json --ndjson bbo
  $ ringside replay --venue hyperliquid-node --data hl/data --snapshot l4.json --ndjson l2 \\
      --n-sig-figs 5 --mantissa 2 --depth 20

A capture that was cut is replayed up to the cut, and the exit code is 10.

${EXIT_CODES_HELP}`;

const MODES = ['bbo', 'book', 'trades', 'context', 'events'] as const;
const ALL_MODES = [...MODES, 'l2', 'orders'] as const;
const REPLAY_VENUES = [...venueIds(), NODE_VENUE];
const DEPTH_DEFAULT = 10;
const DEPTH_MAX = 100_000;
/** Lines are written in parts of about this many characters. */
const WRITE_CHARS = 64 * 1024;

interface ReplayFlags {
  readonly venue: string;
  readonly speed: number;
  readonly instrument?: string[] | undefined;
  readonly ndjson?: (typeof ALL_MODES)[number] | undefined;
  readonly depth?: number | undefined;
  readonly progress: boolean;
}

export function replayCommand() {
  return new Command('replay')
    .description('push recorded frames through the node and print what comes out')
    .argument('[file...]', 'capture files; several are one run')
    .option('--venue <id>', `whose traffic it is: ${REPLAY_VENUES.join(', ')}`, 'binance-futures')
    .addOption(
      new Option('--speed <factor>', 'max, or how many times faster than recorded')
        .argParser(speedOf)
        .default(Infinity, 'max'),
    )
    .option(
      '--instrument <name>',
      'only this, e.g. BTCUSDT or binance-futures:BTCUSDT; repeatable',
      collected,
    )
    .addOption(new Option('--ndjson <what>', 'one JSON line for each').choices(ALL_MODES))
    .option(
      '--depth <levels>',
      `levels a side in book lines (${DEPTH_DEFAULT}) and l2 lines (all)`,
      depthOf,
    )
    .addOption(dataOption())
    .addOption(snapshotOption())
    .addOption(layoutOption())
    .addOption(marketsOption())
    .option('--n-sig-figs <2-5>', 'hyperliquid-node: aggregate l2 lines', Number)
    .option('--mantissa <2|5>', 'hyperliquid-node: with 5 significant figures', Number)
    .option('--no-progress', 'no progress bar, even on a terminal')
    .addHelpText('after', EXAMPLES)
    .action(async (files, flags, command) => {
      const isNode = flags.venue === NODE_VENUE;
      if (!isNode && files.length === 0)
        command.error('error: at least one capture file is needed');
      process.exitCode = isNode ? await replayNode(flags) : await replay(files, flags);
    });
}

async function replay(paths: readonly string[], flags: ReplayFlags): Promise<number> {
  const mode = MODES.find((name) => name === flags.ndjson);
  if (mode === undefined && flags.ndjson !== undefined) {
    throw new FaultError(
      'BAD_CONFIG',
      `--ndjson ${flags.ndjson}: ${flags.venue} has ${MODES.join(', ')}`,
    );
  }
  assertVenueId(flags.venue);
  const venue = venueById(flags.venue);
  const linesOnTerminal = flags.ndjson !== undefined && process.stdout.isTTY;
  const bar = new CaptureProgress('replay', paths, flags.progress && !linesOnTerminal);
  try {
    const { facts, firstSecond } = await surveyCapture(venue, paths, (bytes) => bar.show(bytes));
    const wanted = instrumentsWanted(facts.instruments, flags.instrument, venue.id);
    const replayRun = new ReplayRun({
      venue: venueById(flags.venue, { settings: facts.settings }),
      facts,
      wanted,
      firstSecond,
      mode: mode ?? 'none',
      depth: flags.depth ?? DEPTH_DEFAULT,
    });
    const capture = new CaptureRun(paths);
    const output = new LineOutput(process.stdout);
    await pump(capture, replayRun, output, flags.speed, bar);
    bar.stop();
    // whoever read the lines has seen enough: nobody waits for a summary
    if (output.isClosed) return EXIT.Ok;
    return conclude(capture, replayRun);
  } finally {
    bar.stop();
  }
}

/** Everything that was recorded, at the wanted pace, until the end or until nobody reads any more. */
async function pump(
  capture: CaptureRun,
  run: ReplayRun,
  output: LineOutput,
  speed: number,
  bar: CaptureProgress,
): Promise<void> {
  const pacer = new Pacer(new SystemScheduler(readTimelineOrigin().monotonicNs), speed);
  for await (const batch of capture.batches()) {
    for (const entry of batch) {
      if (!pacer.isDue(run.timeOf(entry))) {
        await output.write(run.lines.takeLines());
        await pacer.wait();
      }
      run.step(entry);
      if (run.lines.waitingChars >= WRITE_CHARS) await output.write(run.lines.takeLines());
      if (output.isClosed) return;
    }
    bar.show(bar.totalBytes / 2 + capture.bytesRead);
  }
  run.close();
  await output.write(run.lines.takeLines());
}

function conclude(capture: CaptureRun, run: ReplayRun): number {
  for (const file of capture.files) {
    if (file.linesMalformed > 0) {
      const where = `line ${file.firstMalformedLine}`;
      tell(
        'CAPTURE_MALFORMED',
        `${file.path}: ${file.linesMalformed} lines left out, the first is ${where}`,
      );
    }
    if (file.framesLost > 0) {
      tell('CAPTURE_INCOMPLETE', `${file.path}: its recorder lost ${file.framesLost} frames`);
    }
    if (file.truncation !== null) {
      tell('CAPTURE_TRUNCATED', `${file.path}: ${file.truncation}; replayed up to there`);
    }
  }
  const { firstFault, counts } = run.feed;
  if (firstFault !== null)
    tell('FRAME_MALFORMED', `first of the frames refused (${firstFault.why}): ${firstFault.text}`);
  if (counts.snapshotsOrphaned > 0) {
    tell(
      'CAPTURE_MALFORMED',
      `${counts.snapshotsOrphaned} snapshots without a symbol among several symbols`,
    );
  }
  const isTruncated = capture.files.some((file) => file.truncation !== null);
  const summary: ReplaySummary & { truncated?: true } = run.summary();
  process.stderr.write(
    `${JSON.stringify(isTruncated ? { ...summary, truncated: true } : summary)}\n`,
  );
  return isTruncated ? EXIT.BadCapture : EXIT.Ok;
}

function tell(code: string, text: string): void {
  process.stderr.write(`${pc.yellow(code)} ${text}\n`);
}

function speedOf(text: string): number {
  if (text === 'max') return Infinity;
  const factor = Number(text);
  if (text.trim() === '' || !(factor > 0))
    throw new InvalidArgumentError('expected max or a number above 0');
  return factor;
}

function depthOf(text: string): number {
  const depth = Number(text);
  if (!/^\d+$/.test(text) || depth < 1 || depth > DEPTH_MAX) {
    throw new InvalidArgumentError(`expected a whole number in 1 … ${DEPTH_MAX}`);
  }
  return depth;
}
