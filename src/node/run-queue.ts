/**
 * How long a thread has waited for a core, as Linux counts it (/proc/…/schedstat): a thread that got
 * no core is no thread that hangs. Elsewhere nothing is known and nothing is excused. Cold.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** `<pid>/task/<tid>` of the calling thread, or null where the system does not tell. */
export function ownTask(): string | null {
  try {
    return readlinkSync('/proc/thread-self');
  } catch {
    return null;
  }
}

/** Nanoseconds that a thread has waited on a run queue since it began; 0 where it is not known. */
export function waitedForCoreNs(task: string | null): number {
  if (task === null) return 0;
  try {
    // time on a core, time waiting for one, turns
    const waited = Number(readFileSync(`/proc/${task}/schedstat`, 'latin1').split(' ')[1]);
    return Number.isFinite(waited) ? waited : 0;
  } catch {
    return 0;
  }
}
