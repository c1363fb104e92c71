/** `ringside serve`: runs a feed node until it is told to stop. Main thread, cold. */
import { Command } from 'commander';
import { BookState } from '../domain/book-state.js';
import type { FaultError } from '../faults/fault.js';
import { FeedNode } from '../node/feed-node.js';
import { loadConfig } from '../ops/config.js';
import type { LoadedConfig } from '../ops/config.js';
import { configJsonSchema } from '../ops/config-schema.js';
import { isReady } from '../ops/health.js';
import { Log } from '../ops/log.js';
import { leaveIdleHeapsAlone } from '../runtime/collector.js';
import { readTimelineOrigin } from '../time/system-clock.js';
import { SystemScheduler } from '../time/system-scheduler.js';
import type { TimelineOrigin } from '../time/system-clock.js';
import { banner, endpointsOf } from './banner.js';
import { explain, explanationText } from './explain.js';
import { EXIT, EXIT_CODES_HELP } from './exit-codes.js';
import { reportFailure } from './failure.js';
import { addSettingOptions, givenSettings } from './setting-options.js';
import { onSignals } from './signals.js';
import { packageVersion } from './version.js';

const EXAMPLES = `
Examples:
  $ ringside serve                                            simulated exchange, dashboard on port 9001
  $ ringside serve --venue binance-futures --symbols BTCUSDT,ETHUSDT
  $ ringside serve --sim-rate 20000 --sim-faults drop=0.01,disconnect=0.0001
  $ ringside serve --explain --layout full                    what each hop would cost here
  $ ringside serve --venue hyperliquid-node --data ~/hl/data --info-url http://127.0.0.1:3001
  $ ringside serve --config ringside.yaml --port 9100 --admin-port 9101
  $ curl http://127.0.0.1:9001/v1/book/binance-futures:BTCUSDT?depth=5

Every option can also be set by its [VARIABLE] or in a file (YAML, TOML or JSON);
an option wins over a variable, a variable over the file.

${EXIT_CODES_HELP}`;

/** Books are looked at this often until all are Live. */
const LIVE_LOOK_MS = 100;
/** A shutdown that takes longer than this is cut short. */
const STOP_MS_MAX = 9_500;

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('run the feed node (on a simulated exchange unless --venue is given)')
    .option('--config <file>', 'read settings from this YAML, TOML or JSON file [RINGSIDE_CONFIG]')
    .option('--json', 'print what happens as JSON lines instead of text')
    .option(
      '--explain',
      'print threads, rings and what each hop costs here, measured now, and exit',
    )
    .option('--print-schema', 'print the JSON schema of the configuration file and exit')
    .addHelpText('after', EXAMPLES);
  addSettingOptions(command, () => true);
  return command.action(async (options: ServeOptions) => {
    if (options.printSchema === true) {
      process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
      return;
    }
    try {
      const loaded = loadConfig({
        flags: givenSettings(command),
        environment: process.env,
        ...(options.config === undefined ? {} : { file: options.config }),
      });
      if (options.explain === true) {
        const explanation = await explain(loaded.config, readTimelineOrigin());
        const text =
          options.json === true
            ? line({ event: 'explained', ...explanation })
            : explanationText(explanation);
        process.stdout.write(text);
      } else {
        await serve(loaded, options.json === true);
      }
    } catch (error) {
      process.exitCode = reportFailure(error, options.json === true);
    }
  });
}

interface ServeOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly explain?: boolean;
  readonly printSchema?: boolean;
}

/** Resolves when the node has stopped; sets the exit code. */
async function serve(loaded: LoadedConfig, json: boolean): Promise<void> {
  leaveIdleHeapsAlone();
  const { config } = loaded;
  const origin = readTimelineOrigin();
  const version = packageVersion();
  const log = createLog(loaded, json, origin);
  for (const warning of loaded.warnings) log.warn('config.warning', warning);
  let finish: (fault: FaultError | null) => void = () => {};
  const finished = new Promise<FaultError | null>((resolve) => {
    finish = resolve;
  });
  const node = new FeedNode({
    config,
    log,
    origin,
    version,
    reader: false,
    onFatal: finish,
    seed: Number(origin.unixNs & 0x7fff_ffffn),
  });
  const release = onSignals(
    () => finish(null),
    () => exitNow(node, EXIT.Interrupted),
  );
  let fault: unknown = null;
  try {
    const started = node.start().then(() => 'started' as const);
    started.catch(() => {});
    fault = await Promise.race([started, finished]);
    if (fault === 'started') {
      const text = json
        ? line({ event: 'listening', version, ...summary(node) })
        : banner(node, version);
      process.stdout.write(text);
      announceLive(node, json);
      fault = await finished;
    }
  } catch (error) {
    fault = error;
  }
  const watchdog = setTimeout(() => exitNow(node, EXIT.Unexpected), STOP_MS_MAX);
  watchdog.unref();
  await node.stop();
  release();
  if (fault !== null) {
    process.exitCode = reportFailure(fault, json);
    if (node.stuck) exitNow(node, EXIT.ThreadFailing);
  } else {
    process.stdout.write(json ? line({ event: 'stopped' }) : '\nstopped\n');
  }
}

function createLog(loaded: LoadedConfig, json: boolean, origin: TimelineOrigin): Log {
  const { log, server } = loaded.config;
  const pretty = log.format === 'auto' ? process.stderr.isTTY && !json : log.format === 'pretty';
  return new Log({
    level: log.level,
    format: pretty ? 'pretty' : 'json',
    clock: new SystemScheduler(origin.monotonicNs),
    secrets: server.token === undefined ? [] : [server.token],
    write: (text) => process.stderr.write(text),
  });
}

/**
 * The end without manners. A worker that still holds the server's sockets would make the process
 * abort with a core, so the kernel does it: the exit code is then 137 (SIGKILL).
 */
function exitNow(node: FeedNode, code: number): void {
  if (node.stuck) process.kill(process.pid, 'SIGKILL');
  else process.exit(code);
}

/** Says once when the node is ready: see ops/health.ts for what that means. */
function announceLive(node: FeedNode, json: boolean): void {
  const timer = setInterval(() => {
    const books = node.health.books();
    const live = books.filter((book) => book.state === BookState.Live).length;
    if (node.health.stopping()) clearInterval(timer);
    if (!isReady(node.health)) return;
    clearInterval(timer);
    const seconds = Number((node.health.uptimeNs() / 1e9).toFixed(1));
    const what =
      books.length > 0 ? `${live} of ${books.length} books Live` : 'No books asked for, subscribed';
    const text = `\n  ${what} after ${seconds} s. Press Ctrl-C to stop.\n`;
    process.stdout.write(json ? line({ event: 'live', books: live, seconds }) : text);
  }, LIVE_LOOK_MS);
  timer.unref();
}

function summary(node: FeedNode): Record<string, unknown> {
  const { plan, venue, instruments } = node;
  return {
    venue: venue.id,
    simulated: node.simulated,
    instruments: instruments.length,
    layout: plan.layout,
    idle: plan.idle,
    threads: plan.threads.map(({ name, agents }) => ({ name, agents })),
    ...endpointsOf(node),
  };
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
