/**
 * The head of a finished message of this node's own layout, as words: to read and patch single
 * fields without decoding it. Hot. `words[at]` is the message's first word; for messages of foreign
 * layouts use the decoder.
 */
import { HEAD_WORD, HEAD_WORDS } from './message-layout.js';

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

/** Copies a message's head to `head[0 … HEAD_WORDS)`. */
export function saveHead(words: Int32Array, at: number, head: Int32Array): void {
  for (let i = 0; i < HEAD_WORDS; i++) head[i] = words[at + HEAD_WORD + i]!;
}

/** Gives a message the origin (venue's number, exchange, received and applied time) of a saved head. */
export function stampOrigin(words: Int32Array, at: number, head: Int32Array): void {
  words[at + VENUE_SEQUENCE] = head[VENUE_SEQUENCE - HEAD_WORD]!;
  words[at + VENUE_SEQUENCE + 1] = head[VENUE_SEQUENCE - HEAD_WORD + 1]!;
  for (let word = EXCHANGE; word < PUBLISHED; word++) words[at + word] = head[word - HEAD_WORD]!;
}
