/**
 * What of the venue's limits was spent lately, kept in a small file, so that a process that is started
 * again and again does not earn an address ban. Ingest thread; cold: written before a connection
 * attempt or a request goes out, of which the limits themselves allow a few a second.
 *
 * The file is replaced as a whole (write beside it, rename) and not synced: it is to outlive a process,
 * not a power cut.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { FaultError } from '../faults/fault.js';
import type { Timeline } from '../time/timeline.js';
import type { RateLimit, SpentWeight } from './rate-limit.js';

/** A file larger than this is not ours. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

export class BudgetFile {
  private readonly path: string;
  private readonly timeline: Timeline;
  private readonly budgets: Readonly<Record<string, RateLimit>>;

  /** @param budgets by the name under which they stand in the file */
  constructor(path: string, timeline: Timeline, budgets: Readonly<Record<string, RateLimit>>) {
    this.path = path;
    this.timeline = timeline;
    this.budgets = budgets;
  }

  /**
   * Enters what an earlier process spent, then writes the file once, to know that it can. A budget in
   * use already (this thread replaces another) stays as it is. Throws FaultError FILE_UNREADABLE.
   */
  open(nowNs: number): void {
    const kept = this.read();
    for (const [name, budget] of Object.entries(this.budgets)) {
      if (budget.usedWeight(nowNs) > 0) continue;
      budget.restore(kept.get(name) ?? [], nowNs, (ms) => this.timeline.fromUnixMs(ms));
    }
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      this.write(nowNs);
    } catch (error) {
      throw new FaultError('FILE_UNREADABLE', `cannot keep budgets in ${this.path}`, {
        cause: error,
      });
    }
  }

  /** Something is about to go out. A disk that fails must not stop the feed. */
  save(nowNs: number): void {
    try {
      this.write(nowNs);
    } catch {
      // The promise then holds for this process only; the next save tries again.
    }
  }

  private write(nowNs: number): void {
    const toUnixMs = (ns: number): number => Number(this.timeline.toUnixNs(ns) / 1_000_000n);
    const kept: Record<string, [number, number][]> = {};
    for (const [name, budget] of Object.entries(this.budgets)) {
      kept[name] = budget.spent(nowNs, toUnixMs).map(({ unixMs, weight }) => [unixMs, weight]);
    }
    const beside = `${this.path}.new`;
    writeFileSync(beside, JSON.stringify(kept), { mode: 0o600 });
    renameSync(beside, this.path);
  }

  /** What cannot be read counts as nothing: a file is a help, not a condition. */
  private read(): Map<string, SpentWeight[]> {
    const kept = new Map<string, SpentWeight[]>();
    let parsed: unknown;
    try {
      const text = readFileSync(this.path, 'utf8');
      parsed = text.length <= FILE_BYTES_MAX ? JSON.parse(text) : null;
    } catch {
      return kept;
    }
    if (typeof parsed !== 'object' || parsed === null) return kept;
    for (const [name, entries] of Object.entries(parsed)) {
      if (Array.isArray(entries)) kept.set(name, entries.flatMap(readEntry));
    }
    return kept;
  }
}

function readEntry(entry: unknown): SpentWeight[] {
  if (!Array.isArray(entry)) return [];
  const [unixMs, weight] = entry as unknown[];
  const good = Number.isFinite(unixMs) && Number.isFinite(weight);
  return good ? [{ unixMs: unixMs as number, weight: weight as number }] : [];
}
