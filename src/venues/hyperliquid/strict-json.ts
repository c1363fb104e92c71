/** What the strict parsers of Hyperliquid expect of JSON values, or throw FaultError about. Cold. */
import { FaultError } from '../../faults/fault.js';
import { JsonNumber, JsonObject } from '../json-text.js';
import type { JsonValue } from '../json-text.js';

export function malformed(name: string): FaultError {
  return new FaultError('FRAME_MALFORMED', `field ${name}`);
}

/** An object in which no name stands twice; or none of those that matter. */
export function objectOf(
  value: JsonValue | undefined,
  name: string,
  matters: (name: string) => boolean = () => true,
): JsonObject {
  if (!(value instanceof JsonObject)) throw malformed(name);
  if (value.duplicates !== null && [...value.duplicates].some(matters)) throw malformed(name);
  return value;
}

export function arrayOf(value: JsonValue | undefined, name: string): JsonValue[] {
  if (!Array.isArray(value)) throw malformed(name);
  return value;
}

/** A whole number without sign, fraction or exponent. */
export function wholeOf(object: JsonObject, name: string): number {
  const value = object.members.get(name);
  if (!(value instanceof JsonNumber) || !/^\d+$/.test(value.lexeme)) throw malformed(name);
  const number = Number(value.lexeme);
  if (!Number.isSafeInteger(number)) throw new FaultError('FRAME_PRECISION', `field ${name}`);
  return number;
}
