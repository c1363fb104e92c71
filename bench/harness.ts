/**
 * What every bench shares: the shape of a bench and of its rows, and the way ours and its rivals are
 * measured against each other. Add a bench by adding a file `bench/NAME.bench.ts`:
 *
 *     export default defineBench({
 *       part: 'Encode a delta',                          // as in the table of bench/README.md
 *       mix: 'levels from a seeded book, half of them removals',
 *       async run() {
 *         return measure({
 *           part: 'Encode a delta', case: '20 levels', unit: 'ns/level',
 *           operations: 20 * 1000,                       // operations in one call of a contender
 *           ours: () => …,                               // does them all, returns its answer
 *           rivals: [{ name: 'JSON.stringify', run: () => … }],
 *         });
 *       },
 *     });
 *
 * `main.ts` finds it, runs it in a process of its own (so that one bench's type feedback and heap do
 * not colour another's) and prints its rows. A bench with its own driver (latency, fan-out) makes
 * its rows with `row`. Rules: check the answer; batch many operations into one call, for a call's
 * own timer costs 80 ns; state mix and load; no assertion on time.
 */
import { Bench as TinyBench } from 'tinybench';
import { invariant } from '../src/faults/invariant.js';

export interface BenchRow {
  readonly part: string;
  readonly case: string;
  /** In `unit`; for times the median of several rounds. */
  readonly ours: number;
  /** Name of what was measured in the same run, or null if this row has no rival. */
  readonly rival: string | null;
  readonly rivalNs: number | null;
  /** How many times better than the rival: above 1 we win, whatever the unit. */
  readonly ratio: number | null;
  readonly unit: string;
  /** A rate: more is better. Else it is a cost. */
  readonly higherIsBetter: boolean;
  readonly note: string;
}

export interface BenchDefinition {
  readonly part: string;
  /** Data and load, in one sentence. */
  readonly mix: string;
  /** Node flags that the bench's process needs, e.g. `--expose-gc`. */
  readonly nodeFlags?: readonly string[];
  /** `cc`: without a C compiler the bench is left out, and says so. */
  readonly needs?: 'cc';
  run(): Promise<BenchRow[]>;
}

export function defineBench(definition: BenchDefinition): BenchDefinition {
  return definition;
}

export interface RowInput {
  readonly part: string;
  readonly case: string;
  readonly ours: number;
  readonly rival?: string;
  readonly rivalNs?: number;
  readonly unit: string;
  readonly note?: string;
  /** For rates: then the ratio is ours / rival. */
  readonly higherIsBetter?: boolean;
}

export function row(input: RowInput): BenchRow {
  const rivalNs = input.rivalNs ?? null;
  const gain = rivalNs === null ? null : rivalNs / input.ours;
  return {
    part: input.part,
    case: input.case,
    ours: input.ours,
    rival: input.rival ?? null,
    rivalNs,
    ratio: gain !== null && input.higherIsBetter === true ? 1 / gain : gain,
    unit: input.unit,
    higherIsBetter: input.higherIsBetter === true,
    note: input.note ?? '',
  };
}

/** Does all its operations; returns a number that follows from its results (checksum, count). */
export type Contender = () => number;

export interface Rival {
  readonly name: string;
  readonly run: Contender;
  /** True if its answer is by nature not comparable (e.g. a length of another format). */
  readonly ownAnswer?: boolean;
}

export interface Comparison {
  readonly part: string;
  readonly case: string;
  readonly unit: string;
  /** Operations in one call; the same for everybody. */
  readonly operations: number;
  readonly ours: Contender;
  readonly rivals: readonly Rival[];
  readonly note?: string;
  readonly rounds?: number;
  /** Measuring time per contender and round. */
  readonly roundMs?: number;
}

const ROUNDS = 7;
const ROUND_MS = 80;
const WARM_MS = 150;

/**
 * Ours and every rival, interleaved: in each round everybody runs once for `roundMs`, and what counts
 * is the median over the rounds of the rounds' median call. One row a rival (one without, if none).
 */
export async function measure(comparison: Comparison): Promise<BenchRow[]> {
  const { ours, rivals, operations } = comparison;
  const answer = ours();
  for (const rival of rivals) {
    const theirs = rival.run();
    invariant(
      rival.ownAnswer === true || theirs === answer,
      `${comparison.case}: ours answers ${answer}, ${rival.name} ${theirs}`,
    );
  }
  const contenders = [ours, ...rivals.map((rival) => rival.run)];
  const rounds: number[][] = contenders.map(() => []);
  await runRound(contenders, WARM_MS);
  for (let round = 0; round < (comparison.rounds ?? ROUNDS); round++) {
    const medians = await runRound(contenders, comparison.roundMs ?? ROUND_MS);
    medians.forEach((callMs, index) => rounds[index]!.push((callMs * 1e6) / operations));
  }
  invariant(ours() === answer, `${comparison.case}: the answer changed while it was measured`);
  const [oursNs, ...rivalsNs] = rounds.map(median);
  const base = { ...comparison, note: comparison.note ?? '', ours: oursNs! };
  if (rivals.length === 0) return [row(base)];
  return rivals.map((rival, index) =>
    row({ ...base, rival: rival.name, rivalNs: rivalsNs[index]! }),
  );
}

/** Median duration of a call of each contender, in ms. */
async function runRound(contenders: readonly Contender[], timeMs: number): Promise<number[]> {
  const bench = new TinyBench({ time: timeMs, iterations: 3, warmup: false });
  let sink = 0;
  contenders.forEach((contender, index) => {
    bench.add(String(index), () => {
      sink += contender();
    });
  });
  const tasks = await bench.run();
  invariant(!Number.isNaN(sink), 'contenders answer with numbers');
  return tasks.map((task) => {
    const { result } = task;
    if (result.state === 'errored') throw result.error;
    invariant(result.state === 'completed', 'every contender runs to its end');
    return result.latency.p50;
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
