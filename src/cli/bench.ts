/** `ringside bench`: runs the benchmarks of the repository, where they are. Cold. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { FaultError } from '../faults/fault.js';
import { EXIT } from './exit-codes.js';
import { reportFailure } from './failure.js';

/** dist/src/cli → dist/bench */
const MAIN = new URL('../../bench/main.js', import.meta.url);

const EXAMPLES = `
Examples:
  $ ringside bench                 all of them
  $ ringside bench ring            one
  $ ringside bench --json          for machines

Arguments are handed on as they are: ringside bench -- --help lists the benches.`;

export function benchCommand(): Command {
  return new Command('bench')
    .description('run the benchmarks (in a clone of the repository)')
    .argument('[arguments...]', 'name of a bench, and its options')
    .allowUnknownOption()
    .addHelpText('after', EXAMPLES)
    .action(async (_: string[], __: unknown, command: Command) => {
      process.exitCode = await runBench(command.args);
    });
}

function runBench(args: readonly string[]): Promise<number> {
  const file = fileURLToPath(MAIN);
  if (!existsSync(file)) {
    const message = `the benchmarks are not part of the package; clone the repository (${file})`;
    return Promise.resolve(reportFailure(new FaultError('FILE_UNREADABLE', message)));
  }
  const child = spawn(process.execPath, [file, ...args], { stdio: 'inherit' });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve(code ?? EXIT.Interrupted));
  });
}
