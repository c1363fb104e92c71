/**
 * A strict JSON reader that keeps number lexemes: `0.10` stays "0.10". Cold: the parser of last resort
 * and the oracle of the fast scanners. It accepts exactly RFC 8259 in UTF-8, nothing more, and tells of
 * a name that stands twice in one object, which JSON.parse would silently settle.
 */
export class JsonNumber {
  constructor(readonly lexeme: string) {}
}

export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | JsonObject;

export class JsonObject {
  readonly members = new Map<string, JsonValue>();
  /** Names that stand more than once; the map holds the first. Null where there are none. */
  duplicates: Set<string> | null = null;
}

export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/** Deeper nesting is refused: no venue frame has more than six levels. */
const DEPTH_MAX = 32;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A string's characters up to the next quote or escape; control characters must be escaped. */
// eslint-disable-next-line no-control-regex
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Throws JsonSyntaxError. */
export function readJson(text: string): JsonValue {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.space();
  if (!reader.atEnd()) throw new JsonSyntaxError(`something follows the value at ${reader.at}`);
  return value;
}

/** Throws JsonSyntaxError, also for bytes that are not UTF-8. */
export function readJsonBytes(bytes: Uint8Array): JsonValue {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    throw new JsonSyntaxError('not UTF-8');
  }
  return readJson(text);
}

class Reader {
  at = 0;
  constructor(private readonly text: string) {}

  atEnd(): boolean {
    return this.at === this.text.length;
  }

  space(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.at++;
    }
  }

  value(depth: number): JsonValue {
    if (depth > DEPTH_MAX) throw new JsonSyntaxError(`nested deeper than ${DEPTH_MAX}`);
    this.space();
    switch (this.text[this.at] ?? '') {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonObject {
    const result = new JsonObject();
    this.at++;
    this.space();
    if (this.take('}')) return result;
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') throw this.unexpected();
      const name = this.string();
      this.space();
      if (!this.take(':')) throw this.unexpected();
      const value = this.value(depth + 1);
      if (result.members.has(name)) (result.duplicates ??= new Set()).add(name);
      else result.members.set(name, value);
      this.space();
      if (this.take('}')) return result;
      if (!this.take(',')) throw this.unexpected();
    }
  }

  private array(depth: number): JsonValue[] {
    const result: JsonValue[] = [];
    this.at++;
    this.space();
    if (this.take(']')) return result;
    for (;;) {
      result.push(this.value(depth + 1));
      this.space();
      if (this.take(']')) return result;
      if (!this.take(',')) throw this.unexpected();
    }
  }

  private string(): string {
    this.at++;
    let result = '';
    for (;;) {
      PLAIN.lastIndex = this.at;
      const plain = PLAIN.exec(this.text)![0];
      result += plain;
      this.at += plain.length;
      if (this.take('"')) return result;
      if (!this.take('\\')) throw this.unexpected();
      result += this.escape();
    }
  }

  private escape(): string {
    const c = this.text[this.at++] ?? '';
    if (c === 'u') {
      const digits = this.text.slice(this.at, this.at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.unexpected();
      this.at += 4;
      return String.fromCharCode(parseInt(digits, 16));
    }
    const plain = ESCAPES[c];
    if (plain === undefined) throw this.unexpected();
    return plain;
  }

  private number(): JsonNumber {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.unexpected();
    this.at += match[0].length;
    return new JsonNumber(match[0]);
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.unexpected();
    this.at += word.length;
    return value;
  }

  private take(c: string): boolean {
    if (this.text[this.at] !== c) return false;
    this.at++;
    return true;
  }

  private unexpected(): JsonSyntaxError {
    const found = this.atEnd() ? 'the end' : JSON.stringify(this.text[this.at]);
    return new JsonSyntaxError(`unexpected ${found} at ${this.at}`);
  }
}
