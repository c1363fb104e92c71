/**
 * Finds the files of one source in the node's layout: `<root>/hourly/{YYYYMMDD}/{H}`, UTC, the hour
 * without a leading zero (a padded one is taken too), no extension. Ingest thread, cold.
 */
import { readdirSync } from 'node:fs';
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
