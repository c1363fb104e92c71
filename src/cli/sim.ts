/**
 * `ringside sim`: runs the simulated exchange by itself until it is told to stop. Main thread,
 * cold.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';
import type { SimulatorUrls } from '../simulator/server.js';
import { RATE_DEFAULT, createSimulator } from '../simulator/simulator.js';
import type { Simulator, SimulatorOptions, SimulatorStats } from '../simulator/simulator.js';
import { NODE_RATE } from '../simulator/node-chain.js';
import { FaultError } from '../faults/fault.js';
import { parseFaults } from '../simulator/fault-settings.js';
import { MARKETS_COUNT_DEFAULT } from '../simulator/market-specs.js';
import { MARKETS_COUNT_MAX, RATE_MAX } from '../simulator/simulator-limits.js';
import { readTimelineOrigin } from '../time/system-clock.js';
import { SystemScheduler } from '../time/system-scheduler.js';
import { Timeline } from '../time/timeline.js';
import { EXIT_CODES_HELP } from './exit-codes.js';
import { onSignals } from './signals.js';

const EXAMPLES = `
Examples:
  $ ringside sim                                        24 instruments, calm, on a free port
  $ ringside sim --port 9100 --rate 50000               a busy market
  $ ringside sim --symbols 100 --seed 7 --json          one line of statistics a second
  $ ringside sim --faults drop=0.01,disconnect=0.001    a bad line to the exchange
  $ ringside sim --dialect hyperliquid --port 9100      Hyperliquid's public WebSocket and /info
  $ ringside sim --dialect hyperliquid-node --data /tmp/node    a node: its files and info server
  $ ringside serve --venue binance-futures --rest-url http://127.0.0.1:9100 \\
      --ws-url ws://127.0.0.1:9100                      a node on it, from another terminal

Faults, as probabilities in 0 … 1:
  drop, duplicate, reorder, corrupt      per market-data frame
  stall (stallMs), disconnect            per connection and second; stallMs=0: for ever
  lateSnapshot (lateSnapshotMs), staleSnapshot      per snapshot request
  refuse429, refuse418                   per REST request
  retick                                 per market and second: its tick size becomes a
                                         tenth, and goes back the next time (binance-futures)

${EXIT_CODES_HELP}`;

const LINE_MS = 500;
const JSON_LINE_MS = 1000;

const DIALECTS = ['binance-futures', 'hyperliquid', 'hyperliquid-node'] as const;
type Dialect = (typeof DIALECTS)[number];

interface SimOptions {
  readonly port: number;
  readonly host: string;
  readonly dialect: Dialect;
  readonly data?: string;
  readonly layout: 'by-block' | 'streaming';
  readonly rate?: number;
  readonly seed: number;
  readonly symbols: number;
  readonly faults: string;
  readonly json?: boolean;
}

export function simCommand(): Command {
  return new Command('sim')
    .description("run the simulated exchange, in a venue's REST and WebSocket dialect")
    .addOption(
      new Option('--dialect <name>', 'whose dialect it speaks')
        .choices(DIALECTS)
        .default('binance-futures'),
    )
    .option('--data <dir>', 'hyperliquid-node: where its files go (DIR/hl/data/…)')
    .addOption(
      new Option('--layout <name>', 'hyperliquid-node: a line a block, or a line an event')
        .choices(['by-block', 'streaming'])
        .default('by-block'),
    )
    .option('--port <number>', 'port to listen on, 0 for a free one', wholeNumber(0, 65_535), 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--rate <number>',
      `book updates a second, all together (default: ${RATE_DEFAULT}; a node: as measured)`,
      wholeNumber(0, RATE_MAX),
    )
    .option('--seed <number>', 'the same seed gives the same market', wholeNumber(0, 0xffffffff), 1)
    .option(
      '--symbols <number>',
      'how many instruments',
      wholeNumber(1, MARKETS_COUNT_MAX),
      MARKETS_COUNT_DEFAULT,
    )
    .option('--faults <list>', 'faults to inject, e.g. drop=0.01,corrupt=0.001', '')
    .option('--json', 'print what happens as JSON lines instead of text')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

function dialectOf({ dialect, data, layout }: SimOptions): Partial<SimulatorOptions> {
  if (dialect === 'hyperliquid') return { hyperliquid: {} };
  if (dialect !== 'hyperliquid-node') return {};
  if (data === undefined) {
    throw new FaultError('BAD_CONFIG', '--dialect hyperliquid-node writes files: say --data DIR');
  }
  return {
    hyperliquidNode: {
      directory: data,
      layouts: [layout === 'by-block' ? 'by_block' : 'streaming'],
    },
  };
}

async function run(options: SimOptions): Promise<void> {
  const origin = readTimelineOrigin();
  const scheduler = new SystemScheduler(origin.monotonicNs);
  const simulator = createSimulator({
    scheduler,
    timeline: new Timeline(origin.unixNs),
    port: options.port,
    host: options.host,
    ratePerSecond:
      options.rate ?? (options.dialect === 'hyperliquid-node' ? NODE_RATE : RATE_DEFAULT),
    ...dialectOf(options),
    seed: options.seed,
    markets: options.symbols,
    faults: parseFaults(options.faults),
  });
  const urls = await simulator.start();
  const json = options.json === true;
  process.stdout.write(json ? line({ event: 'listening', ...urls }) : banner(urls, simulator));
  const printer = printStatistics(simulator, () => scheduler.nowNs(), json);
  await new Promise<void>((resolve) => onSignals(resolve));
  clearInterval(printer);
  await simulator.stop();
  process.stdout.write(json ? line({ event: 'stopped' }) : '\nstopped\n');
}

function banner(urls: SimulatorUrls, simulator: Simulator): string {
  const { markets } = simulator.venue.exchange;
  const names = markets.map((market) => market.spec.symbol);
  const shown = names.slice(0, 8).join(', ') + (names.length > 8 ? ', …' : '');
  return [
    '',
    `  ${pc.bold('Simulated exchange')}  ${names.length} instruments: ${shown}`,
    ...placesOf(urls, simulator.venue.dialect.venue),
    '  Press Ctrl-C to stop.',
    '',
    '',
  ].join('\n');
}

/** Where to look, in the venue's own paths. */
function placesOf({ restUrl, webSocketUrl }: SimulatorUrls, venue: string): string[] {
  if (venue === 'binance-futures') {
    return [
      `  REST       ${pc.cyan(`${restUrl}/fapi/v1/exchangeInfo`)}`,
      `  WebSocket  ${pc.cyan(`${webSocketUrl}/public/stream?streams=btcusdt@depth@100ms`)}`,
      `             ${pc.cyan(`${webSocketUrl}/market/stream?streams=btcusdt@aggTrade`)}`,
    ];
  }
  const info = `  REST       ${pc.cyan(`POST ${restUrl}/info`)}`;
  return venue === 'hyperliquid' ? [info, `  WebSocket  ${pc.cyan(`${webSocketUrl}/ws`)}`] : [info];
}

function printStatistics(simulator: Simulator, nowNs: () => number, json: boolean): NodeJS.Timeout {
  let before = simulator.stats();
  let framesBefore = before.faults.frames;
  let beforeNs = nowNs();
  const show = (): void => {
    const stats = simulator.stats();
    const seconds = (nowNs() - beforeNs) / 1e9;
    const updates = Math.round((stats.updatesCount - before.updatesCount) / seconds);
    const frames = Math.round((stats.faults.frames - framesBefore) / seconds);
    before = stats;
    beforeNs = nowNs();
    framesBefore = stats.faults.frames;
    if (json) {
      process.stdout.write(line({ event: 'statistics', updates, frames, ...figures(stats) }));
    } else if (process.stdout.isTTY) {
      const text =
        `  ${updates.toLocaleString('en')} updates/s   ${frames.toLocaleString('en')} frames/s   ` +
        `${stats.sessionsCount} connections${faultsText(stats)}`;
      process.stdout.write(`\r\u001b[2K${text.slice(0, (process.stdout.columns ?? 120) - 1)}`);
    }
  };
  return setInterval(show, json ? JSON_LINE_MS : LINE_MS);
}

function figures(stats: SimulatorStats): Record<string, unknown> {
  return {
    connections: stats.sessionsCount,
    updatesTotal: stats.updatesCount,
    tradesTotal: stats.tradesCount,
    skippedMs: Math.round(stats.skippedNs / 1e6),
    faults: injected(stats),
  };
}

function injected(stats: SimulatorStats): Record<string, number> {
  const { faults } = stats;
  return {
    dropped: faults.dropped,
    duplicated: faults.duplicated,
    reordered: faults.reordered,
    corrupted: faults.corrupted,
    stalls: faults.stalls,
    disconnects: faults.disconnects,
    lateSnapshots: faults.lateSnapshots,
    staleSnapshots: faults.staleSnapshots,
    refused: faults.refused429 + faults.refused418,
    reticks: faults.reticks,
  };
}

function faultsText(stats: SimulatorStats): string {
  const shown = Object.entries(injected(stats)).filter(([, count]) => count > 0);
  const behind = stats.skippedNs > 0 ? `   ${Math.round(stats.skippedNs / 1e6)} ms left out` : '';
  return `${shown.map(([name, count]) => `   ${name} ${count}`).join('')}${behind}`;
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`expected a whole number in ${least} … ${most}`);
    }
    return value;
  };
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
