/** `ringside verify`: a capture through the node's own path, and what that proves. Cold. */
import { Command } from '@commander-js/extra-typings';
import pc from 'picocolors';
import { ReplayRun } from '../node/replay-run.js';
import type { InstrumentSummary, ReplaySummary } from '../node/replay-run.js';
import { CaptureRun } from '../replay/capture-run.js';
import { surveyCapture } from '../replay/capture-survey.js';
import { checksOf, countsOf, sumOfBooks, verdictOf } from '../replay/capture-verdict.js';
import type { BookChecks, RunChecks, Verdict } from '../replay/capture-verdict.js';
import { VENUE_ID as NODE_VENUE } from '../venues/hyperliquid-node/coins.js';
import { venueById, venueIds } from '../venues/registry.js';
import { CaptureProgress } from './capture-progress.js';
import { collected, instrumentsWanted } from './capture-selection.js';
import { EXIT, EXIT_CODES_HELP } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { dataOption, layoutOption, marketsOption, snapshotOption } from './node-file-options.js';
import { verifyNode } from './verify-node.js';
import { verdictLine, verifyTable } from './verify-table.js';

const EXAMPLES = `
Each check tells how often it was made, passed and failed, and how often there was nothing to judge by:
  aligned      the book stood on a snapshot and was Live at the end
  continuity   every update continues the one before
  uncrossed    best bid below best ask after every update
  bestPrices   best bid and ask, with sizes, against the venue's own best-price stream
  trades       every trade's number follows that of the trade before
  frames       every frame could be read;  recorded: the recorder lost none
Every message's hash is compared with a book rebuilt from the messages. The hash shown is that of the
final book: two runs over the same frames have the same one.

Examples:
  $ ringside verify usdm_btcusdt_20240718.gz usdm_btcusdt_20240719.gz
  $ ringside verify recordings/*.gz --instrument BTCUSDT --json | jq .checks.bestPrices
  $ ringside verify --venue hyperliquid-node --data hl/data --snapshot l4.json
  $ ringside verify --venue hyperliquid-node --data hl/data --snapshot l4.json --against later.json

Exit code 0: every check that ran passed, and at least one ran. 11: one failed, or none could run.
10: all passed, but the capture was cut short.

${EXIT_CODES_HELP}`;

export function verifyCommand() {
  return new Command('verify')
    .description('prove that a capture gives exact books: every check with its denominator')
    .argument('[file...]', 'capture files; several are one run')
    .option(
      '--venue <id>',
      `whose traffic it is: ${[...venueIds(), NODE_VENUE].join(', ')}`,
      'binance-futures',
    )
    .option(
      '--instrument <name>',
      'only this, e.g. BTCUSDT or binance-futures:BTCUSDT; repeatable',
      collected,
    )
    .option('--json', 'print one JSON object instead of a table')
    .addOption(dataOption())
    .addOption(snapshotOption())
    .option(
      '--against <file>',
      'hyperliquid-node: a later L4 snapshot, compared with the books at its height order by order',
    )
    .addOption(layoutOption())
    .addOption(marketsOption())
    .option('--no-progress', 'no progress bar, even on a terminal')
    .addHelpText('after', EXAMPLES)
    .action(async (files, flags, command) => {
      const isNode = flags.venue === NODE_VENUE;
      if (!isNode && flags.against !== undefined)
        command.error('error: --against is for --venue hyperliquid-node');
      if (!isNode && files.length === 0)
        command.error('error: at least one capture file is needed');
      process.exitCode = isNode ? await verifyNode(flags) : await verify(files, flags);
    });
}

interface VerifyFlags {
  readonly venue: string;
  readonly instrument?: string[] | undefined;
  readonly json?: true | undefined;
  readonly progress: boolean;
}

export interface VerifiedBook extends InstrumentSummary {
  readonly checks: BookChecks;
}

export interface VerifyReport extends Verdict {
  readonly files: readonly string[];
  /** Of each file that was cut, why. */
  readonly truncated: readonly string[];
  readonly malformedLines: number;
  readonly hashesCompared: number;
  readonly hash: string;
  readonly checks: BookChecks & RunChecks;
  readonly instruments: readonly VerifiedBook[];
}

/** Throws FaultError. Returns the exit code. */
async function verify(paths: readonly string[], flags: VerifyFlags): Promise<ExitCode> {
  const report = await verifyCapture(paths, flags);
  const isJson = flags.json === true;
  process.stdout.write(isJson ? `${JSON.stringify(report)}\n` : verifyTable(report));
  for (const why of report.truncated) {
    process.stderr.write(`${pc.yellow('CAPTURE_TRUNCATED')} ${why}; verified up to there\n`);
  }
  process.stderr.write(verdictLine(report));
  if (report.verdict !== 'passed') return EXIT.CheckFailed;
  return report.truncated.length > 0 ? EXIT.BadCapture : EXIT.Ok;
}

async function verifyCapture(paths: readonly string[], flags: VerifyFlags): Promise<VerifyReport> {
  const venue = venueById(flags.venue);
  const bar = new CaptureProgress('verify', paths, flags.progress);
  try {
    const { facts, firstSecond } = await surveyCapture(venue, paths, (bytes) => bar.show(bytes));
    const wanted = instrumentsWanted(facts.instruments, flags.instrument, venue.id);
    const run = new ReplayRun({
      venue: venueById(flags.venue, { settings: facts.settings }),
      facts,
      wanted,
      firstSecond,
      mode: 'none',
      depth: 1,
    });
    const capture = new CaptureRun(paths);
    for await (const batch of capture.batches()) {
      for (const entry of batch) run.step(entry);
      bar.show(bar.totalBytes / 2 + capture.bytesRead);
    }
    run.close();
    return reportOf(capture, run.summary(), run.lines.hashesChecked);
  } finally {
    bar.stop();
  }
}

function reportOf(
  capture: CaptureRun,
  summary: ReplaySummary,
  hashesCompared: number,
): VerifyReport {
  const instruments = summary.instruments.map((book) => ({ ...book, checks: checksOf(book) }));
  const count = (of: 'linesMalformed' | 'framesLost'): number =>
    capture.files.reduce((sum, file) => sum + file[of], 0);
  const lost = count('framesLost');
  const malformedLines = count('linesMalformed');
  const received = summary.frames + malformedLines;
  const run: RunChecks = {
    frames: countsOf(received, summary.faults + malformedLines),
    // Another recorder's file does not say what it lacks.
    recorded: capture.files.every(({ tellsLosses }) => tellsLosses)
      ? countsOf(received + lost, lost)
      : countsOf(lost, lost, received),
  };
  return {
    ...verdictOf(instruments, run),
    files: capture.files.map(({ path }) => path),
    truncated: capture.files.flatMap(({ path, truncation }) =>
      truncation === null ? [] : [`${path}: ${truncation}`],
    ),
    malformedLines,
    hashesCompared,
    hash: summary.hash,
    checks: { ...sumOfBooks(instruments.map(({ checks }) => checks)), ...run },
    instruments,
  };
}
