/** `ringside top`: the live ladder of one book in the terminal, through the feed client. Cold. */
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import pc from 'picocolors';
import { EXIT, EXIT_CODES_HELP } from './exit-codes.js';
import { FrameWriter } from './frame-writer.js';
import { keysOf } from './top-keys.js';
import { drawTop } from './top-screen.js';
import { DEPTHS, TopSession } from './top-session.js';
import { jsonLine, plainLadder, plainLine } from './top-text.js';

const EXAMPLES = `
On a terminal: a ladder that follows the book, with q to quit, up, down and tab to choose an
instrument, d for another depth. Elsewhere: one line a second.

Examples:
  $ ringside top                                     the node on this machine, its first instrument
  $ ringside top ETHUSDT --depth 20
  $ ringside top binance-futures:BTCUSDT --url wss://feed.example.com
  $ ringside top BTCUSDT --once --json               one book as JSON, then exit

${EXIT_CODES_HELP}`;

const FRAME_MS = 100;
const LINE_MS = 1000;
const DEPTH_MAX = 1000;

interface TopFlags {
  readonly url: string;
  readonly token?: string | undefined;
  readonly depth: number;
  readonly once?: true | undefined;
  readonly json?: true | undefined;
  readonly plain?: true | undefined;
  readonly wait: number;
}

export function topCommand() {
  return new Command('top')
    .description('show the live order book of one instrument in the terminal')
    .argument('[instrument]', 'e.g. BTCUSDT or binance-futures:BTCUSDT; the first if left out')
    .option('--url <url>', 'the node', 'ws://127.0.0.1:9001')
    .option('--token <token>', 'bearer token; better given as RINGSIDE_TOKEN')
    .option('--depth <levels>', 'levels a side', wholeNumber(1, DEPTH_MAX), DEPTHS[0])
    .option('--once', 'print the book once it is Live, then exit')
    .option('--json', 'JSON instead of text')
    .option('--plain', 'lines instead of a screen, also on a terminal')
    .option('--wait <seconds>', 'how long to wait for the node', wholeNumber(1, 3600), 10)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(instrument: string | undefined, flags: TopFlags): Promise<void> {
  const token = flags.token ?? process.env['RINGSIDE_TOKEN'];
  const session = new TopSession(flags.url, token, flags.depth);
  const lines = flags.once === true || flags.json === true || flags.plain === true;
  const interactive = !lines && process.stdout.isTTY && process.stdin.isTTY;
  const stopped = stopSignal();
  try {
    const started = session.start(instrument).then(() => 'started' as const);
    const result = await within(flags.wait, Promise.race([started, stopped]));
    if (result === 'stopped') return;
    if (result === 'late') {
      failNodeUnreachable(flags);
      return;
    }
    if (flags.once === true) await printOnce(session, flags, stopped);
    else if (interactive) await runScreen(session, stopped);
    else await printLines(session, flags, stopped);
  } finally {
    session.close();
  }
}

/** Resolves with the first SIGINT or SIGTERM. */
function stopSignal(): Promise<'stopped'> {
  return new Promise((resolve) => {
    const stop = (): void => resolve('stopped');
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    process.once('SIGHUP', stop);
  });
}

async function within<T>(seconds: number, work: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function failNodeUnreachable({ url, wait }: TopFlags): void {
  process.stderr.write(
    `${pc.red(pc.bold('NODE_UNREACHABLE'))} no node answers at ${url} within ${wait} s; ` +
      'is `ringside serve` running there?\n',
  );
  process.exitCode = EXIT.NodeUnreachable;
}

async function runScreen(session: TopSession, stopped: Promise<'stopped'>): Promise<void> {
  session.followAll();
  const { stdin, stdout } = process;
  const writer = new FrameWriter((text) => stdout.write(text));
  const draw = (): void => {
    const screen = { columns: stdout.columns, rows: stdout.rows, colors: pc.createColors(true) };
    writer.draw(drawTop(session.refresh(), screen));
  };
  const onResize = (): void => {
    writer.forget();
    draw();
  };
  // Also when something throws: a terminal left in this state is of no use to anybody.
  const restore = (): void => {
    writer.leave();
    stdin.setRawMode(false);
  };
  process.once('exit', restore);
  writer.enter();
  stdin.setRawMode(true);
  stdin.resume();
  stdout.on('resize', onResize);
  const timer = setInterval(draw, FRAME_MS);
  draw();
  await Promise.race([stopped, quitKey(session, draw)]);
  clearInterval(timer);
  stdout.off('resize', onResize);
  stdin.pause();
  process.off('exit', restore);
  restore();
}

/** Resolves when the user wants to leave; other keys act at once. */
function quitKey(session: TopSession, draw: () => void): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.on('data', (bytes: Buffer) => {
      for (const key of keysOf(bytes.toString('utf8'))) {
        if (key === 'quit') resolve();
        else if (key === 'depth') session.nextDepth();
        else session.choose(session.model.chosen + (key === 'next' ? 1 : -1));
      }
      draw();
    });
  });
}

async function printOnce(
  session: TopSession,
  flags: TopFlags,
  stopped: Promise<'stopped'>,
): Promise<void> {
  const live = async (): Promise<'live'> => {
    while (session.model.book?.isLive !== true) await pause(20);
    return 'live';
  };
  const result = await within(flags.wait, Promise.race([live(), stopped]));
  const model = session.refresh();
  if (result === 'late') {
    process.stderr.write(`the book is ${model.book?.stateName ?? 'not there'}, not Live\n`);
    process.exitCode = EXIT.CheckFailed;
  } else if (result === 'live') {
    process.stdout.write(flags.json === true ? jsonLine(model) : plainLadder(model));
  }
}

async function printLines(
  session: TopSession,
  flags: TopFlags,
  stopped: Promise<'stopped'>,
): Promise<void> {
  const gone = new Promise<'stopped'>((resolve) => {
    process.stdout.once('error', () => resolve('stopped'));
  });
  for (;;) {
    if ((await Promise.race([pause(LINE_MS), stopped, gone])) === 'stopped') return;
    const model = session.refresh();
    process.stdout.write(flags.json === true ? jsonLine(model) : plainLine(model));
  }
}

function pause(ms: number): Promise<'paused'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('paused'), ms);
  });
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
