/** `ringside verify --venue hyperliquid-node`: a node's files through the node's own path. Cold. */
import type { NodeReport } from '../ingest/node-files-options.js';
import type { NodeReplaySummary } from '../node/node-replay-run.js';
import { countsOf } from '../replay/capture-verdict.js';
import type { CheckCounts, Verdict } from '../replay/capture-verdict.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { openNodeReplay } from './replay-node.js';
import type { NodeReplayFlags } from './replay-node.js';
import { Against, againstChecksOf, againstText } from './verify-against.js';
import { alignedTable, ratio, verdictLine } from './verify-table.js';

export interface NodeVerifyFlags extends Omit<
  NodeReplayFlags,
  'ndjson' | 'depth' | 'nSigFigs' | 'mantissa'
> {
  readonly json?: true | undefined;
  /** A snapshot of the node to hold the books against. */
  readonly against?: string | undefined;
}

interface NodeChecks {
  /** Coins whose book stood on the snapshot and was Live at the end. */
  readonly aligned: CheckCounts;
  /** Changes of orders that fit the book they change. */
  readonly diffs: CheckCounts;
  /** Blocks of a coin that continue the ones before. */
  readonly continuity: CheckCounts;
  readonly uncrossed: CheckCounts;
  readonly lines: CheckCounts;
  /** Orders that are as in the snapshot of `--against`, where one was given. */
  readonly against?: CheckCounts;
}

/** Throws FaultError. Returns the exit code. */
export async function verifyNode(flags: NodeVerifyFlags): Promise<ExitCode> {
  const notes: string[] = [];
  let against: Against | null = null;
  const { against: path } = flags;
  const run = openNodeReplay(
    flags,
    (report) => note(report, notes),
    path === undefined ? undefined : (coins) => (against = new Against(path, coins)),
  );
  await run.run(() => Promise.resolve(true));
  const summary = run.summary();
  const compared = (against as Against | null)?.report(run.height) ?? null;
  const checks: NodeChecks = {
    ...nodeChecksOf(summary),
    ...(compared === null ? {} : { against: againstChecksOf(compared) }),
  };
  const verdict = nodeVerdictOf(checks, notes);
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ ...verdict, ...summary, checks, against: compared })}\n`
      : tableOf(summary, checks) + (compared === null ? '' : againstText(compared)),
  );
  process.stderr.write(verdictLine(verdict));
  return verdict.verdict === 'passed' ? EXIT.Ok : EXIT.CheckFailed;
}

function note(report: NodeReport, notes: string[]): void {
  if (report.kind === 'hole') notes.push(`blocks ${report.from} to ${report.to} are missing`);
  if (report.kind === 'snapshot-failed') notes.push(report.message);
}

function nodeChecksOf(summary: NodeReplaySummary): NodeChecks {
  const { instruments, gaps, crossed, blocks, diffsChecked, diffsFailed } = summary;
  const live = instruments.filter(({ state }) => state === 'Live').length;
  return {
    aligned: countsOf(instruments.length, instruments.length - live),
    diffs: countsOf(diffsChecked, diffsFailed),
    continuity: countsOf(blocks + gaps, gaps),
    uncrossed: countsOf(blocks, Math.min(crossed, blocks)),
    lines: countsOf(summary.lines, summary.malformedLines),
  };
}

function nodeVerdictOf(checks: NodeChecks, notes: readonly string[]): Verdict {
  const failures = Object.entries(checks)
    .filter(([, { failed }]: [string, CheckCounts]) => failed > 0)
    .map(
      ([name, { failed, checked }]: [string, CheckCounts]) =>
        `${name}: ${failed} of ${checked} failed`,
    );
  const found = [...failures, ...notes];
  if (found.length > 0) {
    const more = found.length > 1 ? ` (and ${found.length - 1} more)` : '';
    return { verdict: 'failed', reason: `${found[0]!}${more}` };
  }
  const { diffs } = checks;
  if (diffs.checked === 0 && (checks.against?.checked ?? 0) === 0) {
    return { verdict: 'unverified', reason: 'nothing could be checked: no change of an order' };
  }
  const equal = checks.against === undefined ? '' : `, ${ratio(checks.against)} orders equal`;
  const reason =
    `${diffs.passed} of ${diffs.checked} changes fit, ${ratio(checks.aligned)} coins Live` + equal;
  return { verdict: 'passed', reason };
}

function tableOf(summary: NodeReplaySummary, checks: NodeChecks): string {
  const rows = summary.instruments.map((coin) => [
    coin.instrument,
    coin.state,
    String(coin.blocks),
    String(coin.restingOrders),
    String(coin.trades),
    coin.ordersHash,
    coin.bookHash,
  ]);
  const headings = [
    'instrument',
    'state',
    'blocks',
    'orders',
    'trades',
    'orders hash',
    'book hash',
  ];
  return (
    alignedTable(headings, rows) +
    `${ratio(checks.diffs)} changes of orders fit, ${ratio(checks.aligned)} coins Live, ` +
    `${summary.gaps} gaps, ${summary.resyncs} resyncs, ${summary.crossed} crossed, ` +
    `${summary.malformedLines} lines refused\n`
  );
}
