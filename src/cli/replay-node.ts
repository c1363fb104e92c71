/** `ringside replay --venue hyperliquid-node`: a node's files through the node's own path. Cold. */
import pc from 'picocolors';
import type { Instrument } from '../domain/instrument.js';
import { FaultError } from '../faults/fault.js';
import { type NodeLayout, findNodeData } from '../ingest/node-data.js';
import type { NodeReport } from '../ingest/node-files-options.js';
import { NodeReplayRun, readSnapshotCoins } from '../node/node-replay-run.js';
import type { NodeCheckpoint, NodeLineMode } from '../replay/node-lines.js';
import type { Markets } from '../venues/hyperliquid-node/coins.js';
import { EXIT } from './exit-codes.js';
import { LineOutput } from './line-output.js';

export const NODE_LINE_MODES = ['bbo', 'l2', 'trades', 'orders'] as const;

export interface NodeReplayFlags {
  readonly data?: string | undefined;
  readonly snapshot?: string | undefined;
  readonly layout: NodeLayout | 'auto';
  readonly markets: Markets;
  readonly instrument?: readonly string[] | undefined;
  readonly ndjson?: string | undefined;
  readonly depth?: number | undefined;
  readonly nSigFigs?: number | undefined;
  readonly mantissa?: number | undefined;
}

/** Throws FaultError for whatever cannot be used. Returns the exit code. */
export async function replayNode(flags: NodeReplayFlags): Promise<number> {
  const run = openNodeReplay(flags, tell);
  const output = new LineOutput(process.stdout);
  await run.run(async () => {
    await output.write(run.lines.takeLines());
    return !output.isClosed;
  });
  if (output.isClosed) return EXIT.Ok;
  process.stderr.write(`${JSON.stringify(run.summary())}\n`);
  return EXIT.Ok;
}

/** Throws FaultError for whatever cannot be used. */
export function openNodeReplay(
  flags: NodeReplayFlags,
  report: (report: NodeReport) => void,
  checkpointOf?: (instruments: readonly Instrument[]) => NodeCheckpoint,
): NodeReplayRun {
  if (flags.data === undefined || flags.snapshot === undefined) {
    throw new FaultError(
      'BAD_CONFIG',
      'hyperliquid-node is replayed from --data DIR and --snapshot FILE',
    );
  }
  const aggregation = aggregationOf(flags);
  const mode = modeOf(flags.ndjson);
  const data = findNodeData(flags.data, flags.layout);
  const names = flags.instrument?.map((name) => name.replace(/^hyperliquid-node:/, '')) ?? null;
  const instruments = readSnapshotCoins(flags.snapshot, flags.markets, names);
  const missing = names?.filter((name) => !instruments.some(({ symbol }) => symbol === name)) ?? [];
  if (missing.length > 0 || instruments.length === 0) {
    const what = missing.length > 0 ? missing.join(', ') : `any coin of --markets ${flags.markets}`;
    throw new FaultError('UNKNOWN_SYMBOL', `${flags.snapshot} does not hold ${what}`);
  }
  return new NodeReplayRun({
    data,
    snapshotPath: flags.snapshot,
    instruments,
    mode,
    levels: flags.depth ?? 0,
    ...aggregation,
    report,
    ...(checkpointOf === undefined ? {} : { checkpoint: checkpointOf(instruments) }),
  });
}

function modeOf(text: string | undefined): NodeLineMode {
  if (text === undefined) return 'none';
  const mode = NODE_LINE_MODES.find((name) => name === text);
  if (mode === undefined) {
    throw new FaultError(
      'BAD_CONFIG',
      `--ndjson ${text}: hyperliquid-node has ${NODE_LINE_MODES.join(', ')}`,
    );
  }
  return mode;
}

/** The rule of the venue's l2Book: 2 to 5 figures, a mantissa of 2 or 5 with 5 figures only. */
function aggregationOf(flags: NodeReplayFlags): { sigFigs: number; mantissa: number } {
  const { nSigFigs, mantissa } = flags;
  if (nSigFigs === undefined && mantissa !== undefined) {
    throw new FaultError('BAD_CONFIG', '--mantissa needs --n-sig-figs 5');
  }
  if (nSigFigs !== undefined && (nSigFigs < 2 || nSigFigs > 5 || !Number.isInteger(nSigFigs))) {
    throw new FaultError('BAD_CONFIG', `--n-sig-figs is 2 to 5, not ${nSigFigs}`);
  }
  if (mantissa !== undefined && (nSigFigs !== 5 || ![1, 2, 5].includes(mantissa))) {
    throw new FaultError('BAD_CONFIG', '--mantissa is 1, 2 or 5, with --n-sig-figs 5');
  }
  return { sigFigs: nSigFigs ?? 0, mantissa: mantissa ?? 1 };
}

function tell(report: NodeReport): void {
  switch (report.kind) {
    case 'fault':
      process.stderr.write(`${pc.yellow(report.code)} ${report.source}: ${report.sample}\n`);
      return;
    case 'hole':
      process.stderr.write(
        `${pc.yellow('GAP')} blocks ${report.from} to ${report.to} are missing\n`,
      );
      return;
    case 'snapshot-failed':
      process.stderr.write(`${pc.yellow(report.code)} ${report.message}\n`);
      return;
    case 'source':
      if (report.state === 'waiting')
        process.stderr.write(`${report.source}: nothing at ${report.path}\n`);
      return;
    default:
  }
}
