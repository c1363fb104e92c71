/** How a command ends badly: one clear text on stderr, and a stable exit code. */
import pc from 'picocolors';
import { FaultError } from '../faults/fault.js';
import { exitCodeOf } from './exit-codes.js';

/** Writes what went wrong; with `json`, as one object. Returns the exit code. */
export function reportFailure(error: unknown, json = false): number {
  const exitCode = exitCodeOf(error);
  const code = error instanceof FaultError ? error.code : 'UNEXPECTED';
  const message = error instanceof Error ? error.message : String(error);
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: code, message, exitCode })}\n`);
    return exitCode;
  }
  const lines = message.split('\n');
  const head = pc.red(pc.bold(code));
  const text = lines.length === 1 ? `${head} ${lines[0]!}` : `${head}\n  ${lines.join('\n  ')}`;
  process.stderr.write(`${text}\n`);
  if (!(error instanceof FaultError) && error instanceof Error && error.stack !== undefined) {
    process.stderr.write(`${pc.dim(error.stack)}\n`);
  }
  return exitCode;
}
