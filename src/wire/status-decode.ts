/**
 * Bytes to what a status says of the instrument itself: the part of MessageDecoder that reads a
 * Definition. Cold; no allocation per message.
 */
import { DEFINITION_DOUBLES, DefinitionField } from '../domain/definition.js';
import { ContextCells } from './context-decode.js';
import { TWO_32, isExactInt64 } from './int64.js';
import { BodyType, DEFINITION_BYTES } from './message-layout.js';
import { DecodeError } from './table-reader.js';

export class StatusCells extends ContextCells {
  /** Of a Status: DefinitionField, if it tells one. */
  readonly definition = new Float64Array(DEFINITION_DOUBLES);
  hasDefinition = false;

  protected readDefinition(index: number): number {
    const at = this.field(index);
    this.hasDefinition = at !== 0;
    if (at === 0) return BodyType.Status;
    if (!this.holds(at, DEFINITION_BYTES)) return DecodeError.OutOfBounds;
    const { words, definition } = this;
    const word = this.wordIndex(this.table + at);
    const tickHigh = words[word + 1]!;
    const lotHigh = words[word + 3]!;
    if (!isExactInt64(tickHigh) || !isExactInt64(lotHigh)) return DecodeError.Precision;
    const packed = words[word + 4]!;
    definition[DefinitionField.TickSize] = tickHigh * TWO_32 + (words[word]! >>> 0);
    definition[DefinitionField.LotSize] = lotHigh * TWO_32 + (words[word + 2]! >>> 0);
    definition[DefinitionField.PriceDecimals] = decimalsOf(packed & 0xff);
    definition[DefinitionField.SizeDecimals] = decimalsOf((packed >>> 8) & 0xff);
    definition[DefinitionField.SignificantFigures] = (packed >>> 16) & 0xff;
    definition[DefinitionField.Trading] = packed >>> 24;
    return BodyType.Status;
  }
}

/** The wire's exponent is the negative of the decimals. */
export function decimalsOf(exponentByte: number): number {
  return -((exponentByte << 24) >> 24) + 0;
}
