/**
 * simdjson as a rival, where it is there: npm's `simdjson` is compiled when it is installed (a C++
 * compiler and Node's headers), so it is no dependency. `npm install --no-save simdjson`, or
 * RINGSIDE_SIMDJSON with the path of its folder.
 */
import { createRequire } from 'node:module';

export type ParseJson = (text: string) => unknown;

/** Null if it cannot be loaded. */
export function findSimdjson(): ParseJson | null {
  const place = process.env['RINGSIDE_SIMDJSON'] ?? 'simdjson';
  try {
    const { parse } = createRequire(import.meta.url)(place) as { readonly parse: ParseJson };
    return parse;
  } catch {
    return null;
  }
}
