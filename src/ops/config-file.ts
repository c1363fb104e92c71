/**
 * Reads a configuration file (YAML, TOML or JSON) and remembers where each value stands, so that a
 * mistake can be named as file:line:column. Main thread, cold.
 */
import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import { FaultError } from '../faults/fault.js';

export type ConfigPath = readonly (string | number)[];
export interface FilePosition {
  readonly line: number;
  readonly column: number;
}
export interface ConfigFile {
  readonly file: string;
  readonly value: unknown;
  /** Where the value (or its key) at `path` stands, or the nearest thing above it. */
  positionOf(path: ConfigPath, what?: 'value' | 'key'): FilePosition;
}

/** A configuration is a page, not a data set. */
const FILE_BYTES_MAX = 1_000_000;

/** Throws FaultError FILE_UNREADABLE, or BAD_CONFIG with every syntax error on a line of its own. */
export function readConfigFile(file: string): ConfigFile {
  let text: string;
  try {
    if (statSync(file).size > FILE_BYTES_MAX) {
      throw new Error(`larger than ${FILE_BYTES_MAX} bytes`);
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new FaultError('FILE_UNREADABLE', `cannot read ${file}: ${(error as Error).message}`);
  }
  return parseConfigText(file, text);
}

export function parseConfigText(file: string, text: string): ConfigFile {
  return extname(file).toLowerCase() === '.toml' ? tomlFile(file, text) : yamlFile(file, text);
}

/** JSON is YAML too, so one reader serves both. */
function yamlFile(file: string, text: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => {
      const at = lines.linePos(error.pos[0]);
      return `${file}:${at.line}:${at.col} ${error.message}`;
    });
    throw new FaultError('BAD_CONFIG', problems.join('\n'));
  }
  return {
    file,
    value: (document.toJS() as unknown) ?? {},
    positionOf(path, what = 'value') {
      const offset = yamlOffset(document, path, what);
      const at = lines.linePos(offset);
      return { line: Math.max(1, at.line), column: Math.max(1, at.col) };
    },
  };
}

function yamlOffset(document: Document.Parsed, path: ConfigPath, what: 'value' | 'key'): number {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent) && last !== undefined) {
    for (const pair of parent.items) {
      const key = pair.key as Node | null;
      const value = pair.value as Node | null;
      if (!isScalar(key) || String(key.value) !== String(last)) continue;
      const node = what === 'value' && value?.range ? value : key;
      if (node.range) return node.range[0];
    }
  }
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as Node | undefined;
    if (node?.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function tomlFile(file: string, text: string): ConfigFile {
  let value: unknown;
  try {
    value = parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = error.message.split('\n')[0]!;
    throw new FaultError('BAD_CONFIG', `${file}:${error.line}:${error.column} ${message}`);
  }
  const positions = tomlPositions(text);
  return {
    file,
    value,
    positionOf(path) {
      for (let length = path.length; length > 0; length--) {
        const found = positions.get(path.slice(0, length).join('.'));
        if (found !== undefined) return found;
      }
      return { line: 1, column: 1 };
    },
  };
}

/** Where each table and key of a TOML text begins. The text is known to be valid TOML. */
function tomlPositions(text: string): Map<string, FilePosition> {
  const positions = new Map<string, FilePosition>();
  let table: string[] = [];
  text.split('\n').forEach((line, index) => {
    const header = /^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}/.exec(line);
    if (header !== null) {
      table = tomlKey(header[1]!);
      positions.set(table.join('.'), { line: index + 1, column: line.indexOf('[') + 1 });
      return;
    }
    const pair =
      /^(\s*)((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=/.exec(
        line,
      );
    if (pair === null) return;
    const path = [...table, ...tomlKey(pair[2]!)];
    positions.set(path.join('.'), { line: index + 1, column: pair[1]!.length + 1 });
  });
  return positions;
}

function tomlKey(text: string): string[] {
  const parts = text.match(/"[^"]*"|'[^']*'|[A-Za-z0-9_-]+/g) ?? [];
  return parts.map((part) => part.replace(/^["']|["']$/g, ''));
}
