/** Runs test/python/feed_client.py on code that flatc makes of the schema, in a folder of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

export interface PythonSummary {
  /** By the schema's name of the body. */
  readonly messages: Record<string, number>;
  readonly hashes: { checked: number; recomputed: number; amid: number };
  readonly levelsMost: number;
  /** Contexts that told a mark price. */
  readonly marks: number;
  readonly streams: Record<string, { messages: number; next: number }>;
}

interface Prepared {
  readonly python: string;
  readonly generated: string;
}

let prepared: Prepared | string | null = null;

/** A Python that can import flatbuffers: Debian's package serves Debian's interpreter only. */
export function findPython(): string | null {
  for (const python of ['/usr/bin/python3', 'python3']) {
    if (spawnSync(python, ['-c', 'import flatbuffers']).status === 0) return python;
  }
  return null;
}

/** Python code of the schema into `folder`. False where there is no flatc. */
export function generatePython(folder: string): boolean {
  const schema = join(root, 'schemas', 'market-data.fbs');
  return spawnSync('flatc', ['--python', '-o', folder, schema]).status === 0;
}

function prepare(): Prepared | string {
  const python = findPython();
  if (python === null) return 'no python3 with flatbuffers: install python3-flatbuffers';
  const generated = mkdtempSync(join(tmpdir(), 'ringside-python-'));
  process.once('exit', () => rmSync(generated, { recursive: true, force: true }));
  return generatePython(generated)
    ? { python, generated }
    : 'no flatc: install flatbuffers-compiler';
}

/** Null where the client can run; otherwise the reason why not. */
export function pythonMissing(): string | null {
  prepared ??= prepare();
  return typeof prepared === 'string' ? prepared : null;
}

/** Reads that many data messages of the instrument's streams. */
export function runPythonClient(
  url: string,
  instrument: string,
  messages: number,
): Promise<{ code: number | null; summary: PythonSummary | null; err: string }> {
  prepared ??= prepare();
  if (typeof prepared === 'string') throw new Error(prepared);
  const { python, generated } = prepared;
  const client = join(root, 'test', 'python', 'feed_client.py');
  const parameters = ['-B', client, generated, `${url}/v1/feed`, instrument, String(messages)];
  return new Promise((done) => {
    const child = spawn(python, parameters);
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.on('close', (code) => {
      done({ code, err, summary: out === '' ? null : (JSON.parse(out) as PythonSummary) });
    });
  });
}
