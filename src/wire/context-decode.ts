/**
 * Bytes to a context: the part of MessageDecoder that reads Context. Warm: some messages a second an
 * instrument; no allocation per message.
 */
import {
  CONTEXT_FIELDS,
  CONTEXT_VALUE_DOUBLES,
  DOUBLES_PER_DECIMAL,
} from '../domain/context-fields.js';
import { readLevels, unsigned64 } from './int64.js';
import { BodyType, DECIMAL_BYTES } from './message-layout.js';
import { OrderCells } from './orders-decode.js';
import { DecodeError } from './table-reader.js';

const FIRST_VALUE_FIELD = 1;
const NEXT_FUNDING_FIELD = FIRST_VALUE_FIELD + CONTEXT_FIELDS;
/** More places than a fraction below 10^15 can need. */
const PLACES_MAX = 15;

export class ContextCells extends OrderCells {
  /** Of a Context: whole, fraction, places of each value (domain/context-fields.ts). */
  readonly context = new Float64Array(CONTEXT_VALUE_DOUBLES);
  /** Bit i: value i was told. */
  contextPresent = 0;
  private readonly nextFundingWords = new Int32Array(2);

  /** Unix nanoseconds; 0 if not told. */
  nextFundingUnixNs(): bigint {
    return unsigned64(this.nextFundingWords, 0);
  }

  /** @param headProblem what reading the head gave */
  protected readContext(headProblem: number): number {
    if (headProblem !== 0) return headProblem;
    this.contextPresent = 0;
    for (let i = 0; i < CONTEXT_FIELDS; i++) {
      const problem = this.readValue(i);
      if (problem !== 0) return problem;
    }
    const at = this.field(NEXT_FUNDING_FIELD);
    if (at !== 0 && !this.holds(at, 8)) return DecodeError.OutOfBounds;
    const word = this.wordIndex(this.table + at);
    this.nextFundingWords[0] = at === 0 ? 0 : this.words[word]!;
    this.nextFundingWords[1] = at === 0 ? 0 : this.words[word + 1]!;
    return BodyType.Context;
  }

  private readValue(index: number): number {
    const { context } = this;
    const to = index * DOUBLES_PER_DECIMAL;
    const at = this.field(FIRST_VALUE_FIELD + index);
    if (at === 0) {
      context.fill(0, to, to + DOUBLES_PER_DECIMAL);
      return 0;
    }
    if (!this.holds(at, DECIMAL_BYTES)) return DecodeError.OutOfBounds;
    const word = this.wordIndex(this.table + at);
    const beyond = readLevels(this.words, word, context, to, 1);
    context[to + 2] = this.words[word + 4]! & 0xff;
    if (beyond !== 0 || context[to + 2]! > PLACES_MAX) return DecodeError.Precision;
    this.contextPresent |= 1 << index;
    return 0;
  }
}
