/** Where the captured venue data is, if it is here. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** `RINGSIDE_CAPTURES`, or `../shared/captures` beside the repository; null if there is no such folder. */
export function capturesDirectory(): string | null {
  const repository = resolve(import.meta.dirname, '../../..');
  const path = process.env['RINGSIDE_CAPTURES'] ?? resolve(repository, '../shared/captures');
  return existsSync(path) ? path : null;
}
