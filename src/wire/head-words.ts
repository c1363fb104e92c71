/**
 * The head of a finished message of this node's own layout, as words: to read and patch single
 * fields without decoding it. Hot. `words[at]` is the message's first word; for messages of foreign
 * layouts use the decoder.
 */
import { HEAD_WORD } from './message-layout.js';

const SEQUENCE = HEAD_WORD + 2;
const FIRST_SEQUENCE = HEAD_WORD + 4;
const VENUE_SEQUENCE = HEAD_WORD + 6;
const HASH = HEAD_WORD + 8;
const EXCHANGE = HEAD_WORD + 10;
const PUBLISHED = HEAD_WORD + 16;
const FOLDED = HEAD_WORD + 20;
const PACKED = HEAD_WORD + 21;
const TWO_32 = 4294967296;

export function flagsOf(words: Int32Array, at: number): number {
  return words[at + PACKED]! & 0xffff;
}

export function stateOf(words: Int32Array, at: number): number {
  return (words[at + PACKED]! >>> 16) & 0xff;
}

export function hashLowOf(words: Int32Array, at: number): number {
  return words[at + HASH]!;
}

export function hashHighOf(words: Int32Array, at: number): number {
  return words[at + HASH + 1]!;
}

export function reasonOf(words: Int32Array, at: number): number {
  return words[at + PACKED]! >>> 24;
}

/** Gives a message one sequence of its own. */
export function setSequence(words: Int32Array, at: number, sequence: number): void {
  const high = Math.floor(sequence / TWO_32);
  words[at + SEQUENCE] = sequence | 0;
  words[at + SEQUENCE + 1] = high;
  words[at + FIRST_SEQUENCE] = sequence | 0;
  words[at + FIRST_SEQUENCE + 1] = high;
  words[at + FOLDED] = 0;
}

export function addFlags(words: Int32Array, at: number, flags: number): void {
  words[at + PACKED] = words[at + PACKED]! | flags;
}

/** Says that the message stands for `first` … its sequence. */
export function setFold(words: Int32Array, at: number, first: number, folded: number): void {
  words[at + FIRST_SEQUENCE] = first | 0;
  words[at + FIRST_SEQUENCE + 1] = Math.floor(first / TWO_32);
  words[at + FOLDED] = folded;
}

export function setState(words: Int32Array, at: number, state: number, reason: number): void {
  words[at + PACKED] = (words[at + PACKED]! & 0xffff) | (state << 16) | (reason << 24);
}

/** Words of an origin: the venue's number; exchange, received and applied time. */
export const ORIGIN_WORDS = 2 + PUBLISHED - EXCHANGE;

/** Keeps a message's origin in `origin[0 … ORIGIN_WORDS)`. Hot. */
export function saveOrigin(words: Int32Array, at: number, origin: Int32Array): void {
  origin[0] = words[at + VENUE_SEQUENCE]!;
  origin[1] = words[at + VENUE_SEQUENCE + 1]!;
  for (let i = 2; i < ORIGIN_WORDS; i++) origin[i] = words[at + EXCHANGE + i - 2]!;
}

/** Gives a message the origin of another. */
export function stampOrigin(words: Int32Array, at: number, origin: Int32Array): void {
  words[at + VENUE_SEQUENCE] = origin[0]!;
  words[at + VENUE_SEQUENCE + 1] = origin[1]!;
  for (let i = 2; i < ORIGIN_WORDS; i++) words[at + EXCHANGE + i - 2] = origin[i]!;
}
