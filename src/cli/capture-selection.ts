/** Which instruments of a capture a command is about, from its options. Cold. */
import type { Instrument } from '../domain/instrument.js';
import { FaultError } from '../faults/fault.js';
import { suggestion } from '../ops/suggest.js';

/** Throws FaultError UNKNOWN_SYMBOL. */
export function instrumentsWanted(
  instruments: readonly Instrument[],
  names: readonly string[] | undefined,
  venueId: string,
): Instrument[] {
  if (names === undefined) return [...instruments];
  const symbols = instruments.map(({ symbol }) => symbol);
  const wanted = names.map((name) => {
    const found = instruments.find(({ symbol, name: full }) => name === symbol || name === full);
    if (found !== undefined) return found;
    const near = suggestion(name.replace(`${venueId}:`, ''), symbols);
    throw new FaultError(
      'UNKNOWN_SYMBOL',
      `${name} is not in this capture${near}; it has ${symbols.join(', ')}`,
    );
  });
  return [...new Set(wanted)];
}

/** Comma-separated, and again with every further option. */
export function collected(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), ...text.split(',').filter((name) => name !== '')];
}
