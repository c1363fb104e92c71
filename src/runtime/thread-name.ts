/**
 * The calling thread's name as the system shows it (`top -H`, `ps -L`, perf). Linux lets a process
 * write the names of its own threads, 15 bytes long; elsewhere nothing happens. Cold.
 */
import { writeFileSync } from 'node:fs';

/** What the kernel keeps of a name. */
export const THREAD_NAME_BYTES_MAX = 15;

/** False where the system does not let us. */
export function nameOwnThread(name: string): boolean {
  try {
    writeFileSync('/proc/thread-self/comm', name.slice(0, THREAD_NAME_BYTES_MAX));
    return true;
  } catch {
    return false;
  }
}
