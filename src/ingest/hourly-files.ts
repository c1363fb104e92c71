/**
 * Finds the files of one source in the node's layout: `<root>/hourly/{YYYYMMDD}/{H}`, UTC, the hour
 * without a leading zero (a padded one is taken too), no extension. Ingest thread, cold.
 */
import { closeSync, openSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface HourlyFile {
  readonly path: string;
  /** Grows with time: hours since year 0 in a 24-hour day count of the name's digits. */
  readonly order: number;
}

const DAY = /^\d{8}$/;
const HOUR = /^\d{1,2}$/;

function namesIn(directory: string, pattern: RegExp): string[] {
  try {
    return readdirSync(directory).filter((name) => pattern.test(name));
  } catch {
    // A directory that is not there (yet) has no files; the caller tells that it waits.
    return [];
  }
}

function orderOf(day: string, hour: string): number {
  return Number(day) * 100 + Number(hour);
}

/** The oldest file after `order`, or null. */
export function nextFile(root: string, order: number): HourlyFile | null {
  const days = namesIn(join(root, 'hourly'), DAY)
    .filter((day) => Number(day) * 100 + 99 > order)
    .sort();
  for (const day of days) {
    const hours = namesIn(join(root, 'hourly', day), HOUR)
      .filter((hour) => orderOf(day, hour) > order)
      .sort((a, b) => Number(a) - Number(b));
    const hour = hours[0];
    if (hour !== undefined)
      return { path: join(root, 'hourly', day, hour), order: orderOf(day, hour) };
  }
  return null;
}

/** When the hour of the oldest file began, Unix milliseconds; null without files. */
export function firstHourUnixMs(root: string): number | null {
  const first = nextFile(root, -1);
  if (first === null) return null;
  const day = Math.floor(first.order / 100);
  const [year, month] = [Math.floor(day / 10_000), Math.floor(day / 100) % 100];
  return Date.UTC(year, month - 1, day % 100, first.order % 100);
}

/** The newest file, or null if there is none yet. */
export function newestFile(root: string): HourlyFile | null {
  const days = namesIn(join(root, 'hourly'), DAY).sort().reverse();
  for (const day of days) {
    const hours = namesIn(join(root, 'hourly', day), HOUR).sort((a, b) => Number(b) - Number(a));
    const hour = hours[0];
    if (hour !== undefined)
      return { path: join(root, 'hourly', day, hour), order: orderOf(day, hour) };
  }
  return null;
}

/** The height stands within the first bytes of a line. */
const HEIGHT = /"block_number":\s*(\d+)/;
const HEAD_BYTES = 512;

/** Height of the first line, or -1 if there is none that says it. */
function firstHeightOf(path: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return -1;
  }
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const read = readSync(descriptor, head, 0, HEAD_BYTES, 0);
    const found = HEIGHT.exec(head.toString('latin1', 0, read));
    return found === null ? -1 : Number(found[1]);
  } catch {
    return -1;
  } finally {
    closeSync(descriptor);
  }
}

/** Height of the first line of the oldest file, or -1 if there is none that says it. */
export function oldestHeight(root: string): number {
  const oldest = nextFile(root, -1);
  return oldest === null ? -1 : firstHeightOf(oldest.path);
}

/** The newest file that begins at or before `height`; the oldest if none does; null without files. */
export function fileOfHeight(root: string, height: number): HourlyFile | null {
  const files: HourlyFile[] = [];
  for (let file = nextFile(root, -1); file !== null; file = nextFile(root, file.order))
    files.push(file);
  for (let i = files.length - 1; i > 0; i--) {
    const first = firstHeightOf(files[i]!.path);
    if (first >= 0 && first <= height) return files[i]!;
  }
  return files[0] ?? null;
}
