/** The version of this package, from its package.json. */
import { readFileSync } from 'node:fs';

interface Manifest {
  readonly version: string;
}

export function packageVersion(): string {
  // dist/src/cli → the package's root
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as Manifest).version;
}
