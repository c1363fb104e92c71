/**
 * The configuration of a node, from flags over RINGSIDE_* variables over a file over defaults.
 * Every mistake is reported at once, each with where it was made and what was expected there.
 * Main thread, cold.
 */
import type { z } from 'zod';
import { FaultError } from '../faults/fault.js';
import { readConfigFile } from './config-file.js';
import type { ConfigFile, ConfigPath } from './config-file.js';
import { configJsonSchema, configSchema } from './config-schema.js';
import type { NodeConfig } from './config-schema.js';
import { flagName, OTHER_VARIABLES, SETTINGS, variableOf } from './settings.js';
import type { Setting } from './settings.js';
import { suggestion } from './suggest.js';

export interface ConfigSources {
  /** Raw text of the flags that were given, by setting path. */
  readonly flags?: ReadonlyMap<string, string>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Path of a file, if any. */
  readonly file?: string;
}

export interface LoadedConfig {
  readonly config: NodeConfig;
  /** Where each setting that is not a default came from, e.g. `server.port` → `--port`. */
  readonly origins: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

type Tree = Record<string, unknown>;

/** Throws FaultError BAD_CONFIG whose message has a line for every mistake. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const environment = sources.environment ?? {};
  const fileName = sources.file ?? environment['RINGSIDE_CONFIG'];
  const file = fileName === undefined || fileName === '' ? null : readConfigFile(fileName);
  const tree: Tree = isTree(file?.value) ? structuredClone(file.value) : {};
  if (file !== null && !isTree(file.value)) {
    throw new FaultError('BAD_CONFIG', `${file.file}:1:1 expected a table of settings`);
  }
  const origins = new Map<string, string>();
  for (const setting of SETTINGS) {
    const variable = variableOf(setting);
    const fromEnvironment = environment[variable];
    if (fromEnvironment !== undefined && fromEnvironment !== '') {
      put(tree, setting.path, readText(setting, fromEnvironment));
      origins.set(setting.path, variable);
    }
    const fromFlag = sources.flags?.get(setting.path);
    if (fromFlag !== undefined) {
      put(tree, setting.path, readText(setting, fromFlag));
      origins.set(setting.path, flagName(setting));
    }
  }
  const result = configSchema.safeParse(tree);
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) => explain(issue, tree, origins, file));
    throw new FaultError('BAD_CONFIG', problems.join('\n'));
  }
  return { config: result.data, origins, warnings: unknownVariables(environment) };
}

/** Defaults filled in, mistakes refused: for programs that embed a node. */
export function completeConfig(input: unknown): NodeConfig {
  const tree: Tree = isTree(input) ? input : {};
  const result = configSchema.safeParse(tree);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => explain(issue, tree, new Map(), null));
  throw new FaultError('BAD_CONFIG', problems.join('\n'));
}

function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set([...SETTINGS.map(variableOf), ...OTHER_VARIABLES]);
  return Object.keys(environment)
    .filter((name) => name.startsWith('RINGSIDE_') && !known.has(name))
    .map((name) => `${name}: unknown variable${suggestion(name, known)}`);
}

/** Text of a flag or variable as a value; what cannot be read stays text, for the schema to refuse. */
function readText(setting: Setting, text: string): unknown {
  switch (setting.kind) {
    case 'number':
      return /^-?\d+(\.\d+)?(e\d+)?$/i.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || text === '1'
        ? true
        : text === 'false' || text === '0'
          ? false
          : text;
    case 'list':
      return text === 'all'
        ? text
        : text
            .split(',')
            .map((part) => part.trim())
            .filter(Boolean);
    case 'text':
      if (setting.path === 'simulator.faults') return readPairs(text, readFault);
      return setting.path === 'venue.settings' ? readPairs(text, (value) => value) : text;
  }
}

/** `drop=0.01,late-snapshot=0.02` as a table; names may be written with hyphens. */
function readPairs(text: string, readValue: (value: string) => unknown): unknown {
  const table: Tree = {};
  for (const part of text.split(',').filter(Boolean)) {
    const [name, value = ''] = part.split('=', 2);
    const key = name!.trim().replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    table[key] = readValue(value.trim());
  }
  return table;
}

function readFault(value: string): unknown {
  return value === '' ? value : Number(value);
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function put(tree: Tree, path: string, value: unknown): void {
  const keys = path.split('.');
  let at = tree;
  for (const key of keys.slice(0, -1)) {
    if (!isTree(at[key])) at[key] = {};
    at = at[key] as Tree;
  }
  at[keys.at(-1)!] = value;
}

function valueAt(tree: unknown, path: ConfigPath): unknown {
  let at: unknown = tree;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string | number, unknown>)[key];
  }
  return at;
}

function explain(
  issue: z.core.$ZodIssue,
  tree: Tree,
  origins: ReadonlyMap<string, string>,
  file: ConfigFile | null,
): string[] {
  const path = issue.path as ConfigPath;
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path);
    return issue.keys.map((key) => {
      const whole = [...path, key];
      const where = whereIs(whole, origins, file, 'key');
      return `${where}${whole.join('.')}: unknown setting${suggestion(key, known)}`;
    });
  }
  const where = whereIs(path, origins, file);
  const name = path.length === 0 ? 'configuration' : path.join('.');
  return [`${where}${name}: ${whatIsWrong(issue, path, tree)}`];
}

function whatIsWrong(issue: z.core.$ZodIssue, path: ConfigPath, tree: Tree): string {
  const secret = SETTINGS.some((setting) => setting.secret && setting.path === path.join('.'));
  const value = valueAt(tree, path);
  const found = secret || value === undefined ? '' : `, found ${JSON.stringify(value)}`;
  switch (issue.code) {
    case 'invalid_value': {
      const values = issue.values.map(String);
      const near = typeof value === 'string' ? suggestion(value, values) : '';
      return `expected ${values.length === 1 ? values[0]! : `one of ${values.join(', ')}`}${found}${near}`;
    }
    case 'invalid_type':
      return `expected ${issue.expected === 'int' ? 'a whole number' : issue.expected}${found}`;
    case 'too_small':
      return `expected at least ${issue.minimum}${issue.origin === 'string' ? ' characters' : ''}${found}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${found}`;
    case 'invalid_union':
      return `expected 'all' or a list of names${found}`;
    default:
      return `${issue.message}${found}`;
  }
}

/** `file:line:column `, `--flag ` or `VARIABLE `, whichever put the value there. */
function whereIs(
  path: ConfigPath,
  origins: ReadonlyMap<string, string>,
  file: ConfigFile | null,
  what: 'value' | 'key' = 'value',
): string {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin !== undefined) return `${origin} `;
  }
  if (file === null) return '';
  const at = file.positionOf(path, what);
  return `${file.file}:${at.line}:${at.column} `;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** Names that the schema knows inside the table at `path`. */
function knownKeys(path: ConfigPath): string[] {
  let at: JsonSchema | undefined = configJsonSchema() as JsonSchema;
  for (const key of path) at = at?.properties?.[String(key)];
  return Object.keys(at?.properties ?? {});
}
