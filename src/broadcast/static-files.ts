/**
 * The dashboard's files, read once into memory when the server starts: a request is a look-up in a
 * map, so no path can lead anywhere else. Broadcast thread, cold.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { FaultError } from '../faults/fault.js';

export interface StaticFile {
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly etag: string;
  /** Built files carry their content's hash in their name and never change. */
  readonly immutable: boolean;
}

const FILES_MAX = 500;
const BYTES_MAX = 32 * 1024 * 1024;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};
const HASHED_NAME = /[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/** Files by URL path, `/` being index.html. Throws FaultError FILE_UNREADABLE beyond the bounds. */
export function readStaticFiles(directory: string | null): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  if (directory === null || !existsSync(directory)) return files;
  let bytes = 0;
  for (const name of readdirSync(directory, { recursive: true }).map(String)) {
    const path = join(directory, name);
    if (!statSync(path).isFile()) continue;
    const body = readFileSync(path);
    bytes += body.length;
    if (files.size >= FILES_MAX || bytes > BYTES_MAX) {
      throw new FaultError(
        'FILE_UNREADABLE',
        `${directory} is more than a dashboard: too many or too large files`,
      );
    }
    const url = `/${name.split(sep).join('/')}`;
    files.set(url, {
      contentType: CONTENT_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream',
      body,
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      immutable: url.startsWith('/assets/') && HASHED_NAME.test(url),
    });
  }
  const index = files.get('/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
}
