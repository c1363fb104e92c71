/** The keys of `ringside top`, out of what a terminal in raw mode sends. Pure. */
export type TopKey = 'quit' | 'next' | 'previous' | 'depth';

const ESCAPE = '\u001b';

const MEANINGS: Readonly<Record<string, TopKey>> = {
  q: 'quit',
  Q: 'quit',
  '\u0003': 'quit', // ctrl-C
  '\u0004': 'quit', // ctrl-D
  '\t': 'next',
  j: 'next',
  [`${ESCAPE}[B`]: 'next', // down
  [`${ESCAPE}OB`]: 'next', // down, application mode
  k: 'previous',
  [`${ESCAPE}[A`]: 'previous', // up
  [`${ESCAPE}OA`]: 'previous',
  [`${ESCAPE}[Z`]: 'previous', // shift-tab
  d: 'depth',
  D: 'depth',
};

/** Length of the key at `at`: one character, or a whole control sequence (ECMA-48). */
function keyLength(typed: string, at: number): number {
  if (typed[at] !== ESCAPE) return 1;
  if (typed[at + 1] === 'O') return 3;
  if (typed[at + 1] !== '[') return 1;
  let end = at + 2;
  // Parameters and intermediates stand before the final character, which is @ … ~.
  while (end < typed.length && typed[end]! < '@') end += 1;
  return end + 1 - at;
}

/** Several keys where they were typed fast; those without a meaning are left out. */
export function keysOf(typed: string): TopKey[] {
  const keys: TopKey[] = [];
  for (let at = 0; at < typed.length;) {
    const length = keyLength(typed, at);
    const meaning = MEANINGS[typed.slice(at, at + length)];
    if (meaning !== undefined) keys.push(meaning);
    at += length;
  }
  return keys;
}
