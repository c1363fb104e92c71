#!/usr/bin/env node
/** argv to command; nothing else. */
import { Command } from 'commander';
import { benchCommand } from './cli/bench.js';
import { EXIT, EXIT_CODES_HELP } from './cli/exit-codes.js';
import { reportFailure } from './cli/failure.js';
import { recordCommand } from './cli/record.js';
import { replayCommand } from './cli/replay.js';
import { serveCommand } from './cli/serve.js';
import { simCommand } from './cli/sim.js';
import { topCommand } from './cli/top.js';
import { verifyCommand } from './cli/verify.js';
import { packageVersion } from './cli/version.js';

const EXAMPLES = `
Examples:
  $ ringside serve                        run on the simulated exchange, dashboard on port 9001
  $ ringside top                          watch a live book in the terminal
  $ ringside replay FILE --venue binance-futures --ndjson bbo
  $ ringside verify FILE                  prove that a capture gives exact books
  $ ringside serve --help                 every option of a command, with examples

${EXIT_CODES_HELP}`;

const program = new Command('ringside')
  .description('Low-latency market-data node: exact order books, served as FlatBuffers deltas')
  .version(packageVersion(), '-V, --version', 'print the version')
  .showSuggestionAfterError(true)
  .showHelpAfterError("(try 'ringside --help')")
  .addHelpText('after', EXAMPLES)
  .addCommand(serveCommand())
  .addCommand(recordCommand())
  // Some commands are typed by commander's extra typings; the class is the same.
  .addCommand(replayCommand() as unknown as Command)
  .addCommand(verifyCommand() as unknown as Command)
  .addCommand(simCommand())
  .addCommand(topCommand() as unknown as Command)
  .addCommand(benchCommand());

for (const command of program.commands) {
  command.showHelpAfterError(`(try 'ringside ${command.name()} --help')`);
}
for (const command of [program, ...program.commands]) {
  command.exitOverride((error) => {
    // Help and version are no failures; everything else here is a wrong command line.
    process.exit(error.exitCode === 0 ? EXIT.Ok : EXIT.Usage);
  });
}

// A reader that leaves (`| head`) is no failure. What goes on for ever ends as if it were asked to;
// what ends by itself notices where it writes; what is said on stderr is then said to nobody.
let readerLeft = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (!readerLeft) process.emit('SIGTERM', 'SIGTERM');
  readerLeft = true;
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
