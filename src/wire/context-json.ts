/** A decoded context as a plain object, values as the decimal text that the venue wrote. Cold. */
import { CONTEXT_FIELD_NAMES, DOUBLES_PER_DECIMAL } from '../domain/context-fields.js';
import type { ContextFieldName } from '../domain/context-fields.js';
import { formatExactDecimal } from '../domain/exact-decimal.js';
import type { ContextCells } from './context-decode.js';

/** Null: not told, or told to be none. */
export type JsonContext = Readonly<Record<ContextFieldName, string | null>> & {
  readonly nextFundingNs: string | null;
};

export function contextOf(cells: ContextCells): JsonContext {
  const { context, contextPresent } = cells;
  const texts = CONTEXT_FIELD_NAMES.map((name, i): [ContextFieldName, string | null] => {
    if ((contextPresent & (1 << i)) === 0) return [name, null];
    const at = i * DOUBLES_PER_DECIMAL;
    return [name, formatExactDecimal(context[at]!, context[at + 1]!, context[at + 2]!)];
  });
  const nextFundingNs = cells.nextFundingUnixNs();
  return {
    ...(Object.fromEntries(texts) as Record<ContextFieldName, string | null>),
    nextFundingNs: nextFundingNs === 0n ? null : String(nextFundingNs),
  };
}
