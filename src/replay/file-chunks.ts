/**
 * The bytes of a file, decompressed if it is gzip, chunk by chunk: a file is never whole in memory.
 * Replay, cold.
 *
 * A gzip stream is ended only after everything that was in it has come out, so that a cut one gives
 * all it holds before it is found to be cut.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { Gunzip } from 'node:zlib';
import { FaultError } from '../faults/fault.js';

const CHUNK_BYTES = 128 * 1024;
/** Compressed bytes taken at a time: what a damaged piece would have given is lost. */
const PIECE_BYTES = 16 * 1024;
const MAGICS: readonly { readonly name: string; readonly bytes: readonly number[] }[] = [
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
  { name: 'zip', bytes: [0x50, 0x4b, 0x03, 0x04] },
];

export interface ChunkProgress {
  /** Bytes of the file itself that were read so far. */
  bytesRead: number;
  /** Why a compressed stream ended before its end, or null. */
  damage: string | null;
}

/** Throws FaultError FILE_UNREADABLE, or CAPTURE_MALFORMED for a compression that we do not read. */
export async function* fileChunks(path: string, progress: ChunkProgress): AsyncGenerator<Buffer> {
  const file = await openFile(path);
  try {
    const first = await readChunk(file, path);
    progress.bytesRead += first.length;
    const unread = MAGICS.find(({ bytes }) => bytes.every((byte, i) => first[i] === byte));
    if (unread !== undefined) {
      const message = `${path} is compressed with ${unread.name}; decompress it, or use gzip`;
      throw new FaultError('CAPTURE_MALFORMED', message);
    }
    if (first[0] === 0x1f && first[1] === 0x8b) yield* inflated(file, path, first, progress);
    else yield* plain(file, path, first, progress);
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function readChunk(file: FileHandle, path: string): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  try {
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): FaultError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const reasons: Record<string, string> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
  };
  const reason = reasons[code] ?? (cause as Error).message;
  return new FaultError('FILE_UNREADABLE', `cannot read ${path}: ${reason}`, { cause });
}

async function* plain(
  file: FileHandle,
  path: string,
  first: Buffer,
  progress: ChunkProgress,
): AsyncGenerator<Buffer> {
  for (let chunk = first; chunk.length > 0;) {
    yield chunk;
    chunk = await readChunk(file, path);
    progress.bytesRead += chunk.length;
  }
}

async function* inflated(
  file: FileHandle,
  path: string,
  first: Buffer,
  progress: ChunkProgress,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const output: Buffer[] = [];
  gunzip.on('data', (chunk: Buffer) => output.push(chunk));
  // told by those who wait below; without a listener it would end the process
  gunzip.on('error', () => {});
  try {
    for (let chunk = first; chunk.length > 0;) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        progress.damage = await fed(gunzip, chunk.subarray(at, at + PIECE_BYTES));
        yield* output.splice(0);
        if (progress.damage !== null) return;
      }
      chunk = await readChunk(file, path);
      progress.bytesRead += chunk.length;
    }
    progress.damage = await ended(gunzip);
    yield* output.splice(0);
  } finally {
    gunzip.destroy();
  }
}

/** Resolves when everything in the chunk has come out; with the reason if it is no gzip. */
function fed(gunzip: Gunzip, chunk: Buffer): Promise<string | null> {
  return new Promise((resolve) => {
    const onError = (error: Error): void => {
      resolve(error.message);
    };
    gunzip.once('error', onError);
    gunzip.write(chunk, () => {
      gunzip.off('error', onError);
      resolve(null);
    });
  });
}

function ended(gunzip: Gunzip): Promise<string | null> {
  return new Promise((resolve) => {
    gunzip.once('error', (error) => {
      resolve(error.message);
    });
    gunzip.once('end', () => {
      resolve(null);
    });
    gunzip.end();
  });
}
