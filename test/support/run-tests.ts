/** Runs the compiled tests with node:test. Arguments are folders or files below test/; none means all. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const wanted = process.argv
  .slice(2)
  .map((argument) => join(root, argument.replace(/^test\//, '').replace(/\.ts$/, '.js')));

function testFiles(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join(path, file))
    .sort();
}

const files = (wanted.length > 0 ? wanted : [root]).flatMap(testFiles);
const options = [
  '--enable-source-maps',
  '--test',
  '--test-reporter=spec',
  // Many files start whole nodes with threads of their own: one after the other, on any machine.
  '--test-concurrency=1',
  // No test takes a tenth of this; one that waits for ever fails instead of holding up the run.
  '--test-timeout=300000',
];
const result = spawnSync(process.execPath, [...options, ...files], { stdio: 'inherit' });
process.exit(result.status ?? 1);
