/** Compiles a program of peers/ that a bench needs beside it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '../../bench');

/** There is a C compiler. Benches that need one say so in their definition (`needs`). */
export function hasCompiler(): boolean {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Path of the program made from `peers/NAME.c`. */
export function compilePeer(name: string): string {
  const program = join(folder, 'results', name);
  mkdirSync(join(folder, 'results'), { recursive: true });
  const source = join(folder, 'peers', `${name}.c`);
  execFileSync('cc', ['-O2', '-pthread', '-o', program, source], { stdio: 'pipe' });
  return program;
}
