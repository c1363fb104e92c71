/**
 * Which core each thread of the node keeps to, if the configuration asks for it (`--pin`), and how it
 * is made to: Linux, by `taskset`, once a thread and incarnation. Off by default: on two cores it won
 * nothing (bench/README.md); it is for machines that set cores aside. Main thread, cold.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Log } from '../ops/log.js';
import type { NodePlan } from './topology.js';

export interface AffinityPlan {
  /** Core of each thread, by row; empty: none is pinned. */
  readonly cores: readonly number[];
  /** Why so, in one sentence. */
  readonly reason: string;
}

/**
 * A core for each thread, in the order of the data path, so that neighbours in the path are neighbours
 * on the chip. The first core stays free for the main thread and the system's interrupts if there is
 * one to spare. Threads that outnumber the cores are not pinned at all: two that keep to one core wait
 * for each other while another core idles.
 * @param allowed cores that this process may run on
 */
export function planAffinity(plan: NodePlan, allowed: readonly number[]): AffinityPlan {
  const { length: threads } = plan.threads;
  const counts = `${threads} threads, ${allowed.length} cores`;
  if (threads > allowed.length) {
    return { cores: [], reason: `not pinned: ${counts}; a thread would wait for another's core` };
  }
  const spared = threads < allowed.length ? 1 : 0;
  const cores = allowed.slice(spared, spared + threads);
  const rest = spared === 1 ? `, core ${allowed[0]} left to the rest` : ', none left over';
  return { cores, reason: `a core each: ${counts}${rest}` };
}

/** `0-3,8` → 0, 1, 2, 3, 8, as Linux writes lists of cores. */
export function readCoreList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter((part) => /^\d+(-\d+)?$/.test(part))
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
    });
}

/** Cores that this process may run on; empty where the system does not tell. */
export function allowedCores(): number[] {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    return readCoreList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '');
  } catch {
    return [];
  }
}

/** Pins a thread by its id; rejects with what was wrong. */
export type PinThread = (threadId: string, core: number) => Promise<void>;

export const pinByTaskset: PinThread = (threadId, core) =>
  new Promise((resolve, reject) => {
    execFile('taskset', ['-cp', String(core), threadId], (error, _, stderr) => {
      if (error === null) resolve();
      else if (error.code === 'ENOENT') reject(new Error('there is no taskset (util-linux)'));
      else reject(new Error(stderr.trim() === '' ? error.message : stderr.trim()));
    });
  });

/** Pins threads as they come up, replacements too. */
export class Pinning {
  private readonly affinity: AffinityPlan;
  private readonly log: Log;
  private readonly pin: PinThread;
  private told = false;

  constructor(affinity: AffinityPlan, log: Log, pin: PinThread = pinByTaskset) {
    this.affinity = affinity;
    this.log = log;
    this.pin = pin;
    if (affinity.cores.length === 0) log.warn('pin.none', `--pin: ${affinity.reason}`);
  }

  /** @param task `<pid>/task/<tid>`, null where the system has no such name */
  async onReady(name: string, row: number, task: string | null): Promise<void> {
    const core = this.affinity.cores[row];
    if (core === undefined) return;
    const threadId = task?.split('/').at(-1);
    if (threadId === undefined) {
      this.tellOnce('the system does not tell the ids of threads (Linux does)');
      return;
    }
    try {
      await this.pin(threadId, core);
      this.log.info('pin.done', `${name} keeps to core ${core}`, { thread: name, core });
    } catch (error) {
      this.tellOnce(error instanceof Error ? error.message : String(error));
    }
  }

  private tellOnce(why: string): void {
    if (this.told) return;
    this.told = true;
    this.log.warn('pin.failed', `--pin: threads run where the system puts them: ${why}`);
  }
}
