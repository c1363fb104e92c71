/**
 * A snapshot file as bytes to be read piece by piece without waiting: plain files by position, gzip
 * unpacked at once (they come from recordings). Ingest thread, cold.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { FaultError } from '../faults/fault.js';
import type { SnapshotBytes } from './node-files-options.js';

/** A packed snapshot of all markets unpacks to far less than this. */
const UNPACKED_BYTES_MAX = 2 ** 31;

/**
 * Opens a snapshot. `height` only where the file cannot say it itself (the command line of the node
 * writes none). Throws FILE_UNREADABLE.
 */
export function openSnapshotFile(path: string, height: number | null): SnapshotBytes {
  try {
    return isGzip(path)
      ? inMemory(gunzipSync(readFileSync(path), { maxOutputLength: UNPACKED_BYTES_MAX }), height)
      : byPosition(path, height);
  } catch (error) {
    throw new FaultError('FILE_UNREADABLE', `${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function isGzip(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    readSync(descriptor, magic, 0, 2, 0);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(descriptor);
  }
}

function inMemory(bytes: Buffer, height: number | null): SnapshotBytes {
  let at = 0;
  return {
    height,
    read(bytesMax) {
      if (at >= bytes.length) return null;
      const piece = bytes.subarray(at, at + bytesMax);
      at += piece.length;
      return piece;
    },
    close() {
      at = bytes.length;
    },
  };
}

function byPosition(path: string, height: number | null): SnapshotBytes {
  let descriptor = openSync(path, 'r');
  let at = 0;
  return {
    height,
    read(bytesMax) {
      if (descriptor < 0) return null;
      const piece = Buffer.allocUnsafe(bytesMax);
      const read = readSync(descriptor, piece, 0, bytesMax, at);
      at += read;
      return read === 0 ? null : piece.subarray(0, read);
    },
    close() {
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
    },
  };
}
