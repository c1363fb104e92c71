/** Which faults are injected and how often, and how many were. Changeable while running. Cold. */
import { FaultError } from '../faults/fault.js';

/** Probabilities are in 0 … 1. */
export interface FaultSettings {
  /** Per market-data frame and connection. */
  readonly drop: number;
  readonly duplicate: number;
  /** The frame comes after the next one of its market and channel. */
  readonly reorder: number;
  /** A byte changed, an end cut off, or JSON of a wrong form; never a frame that looks right. */
  readonly corrupt: number;
  /** Per connection and second: nothing comes any more, the connection stays open. */
  readonly stall: number;
  /** How long; then what waited comes. 0: for ever, and nothing is kept (half-open). */
  readonly stallMs: number;
  /** Per connection and second: cut without a closing handshake. */
  readonly disconnect: number;
  /** Per snapshot request: the answer is held back. */
  readonly lateSnapshot: number;
  readonly lateSnapshotMs: number;
  /** Per snapshot request: an old book. */
  readonly staleSnapshot: number;
  /** Per REST request. */
  readonly refuse429: number;
  readonly refuse418: number;
  /** Per market and second: its tick becomes a tenth of what it was, or goes back to that. */
  readonly retick: number;
}

export const NO_FAULTS: FaultSettings = {
  drop: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  stall: 0,
  stallMs: 0,
  disconnect: 0,
  lateSnapshot: 0,
  lateSnapshotMs: 3000,
  staleSnapshot: 0,
  refuse429: 0,
  refuse418: 0,
  retick: 0,
};

const NAMES = Object.keys(NO_FAULTS) as (keyof FaultSettings)[];

/**
 * Reads `drop=0.01,stall=0.001,stallMs=5000`. Throws FaultError BAD_CONFIG naming what is wrong.
 */
export function parseFaults(text: string): Partial<FaultSettings> {
  const settings: { -readonly [name in keyof FaultSettings]?: number } = {};
  for (const part of text.split(',').filter((item) => item.trim() !== '')) {
    const [name = '', value = ''] = part.split('=').map((item) => item.trim());
    const known = NAMES.find((candidate) => candidate === name);
    if (known === undefined) {
      throw new FaultError('BAD_CONFIG', `unknown fault "${name}": one of ${NAMES.join(', ')}`);
    }
    settings[known] = value === '' ? NaN : Number(value);
  }
  checkFaults(settings);
  return settings;
}

/** Throws FaultError BAD_CONFIG on a value out of range. */
export function checkFaults(settings: Partial<FaultSettings>): void {
  for (const name of NAMES) {
    const value = settings[name];
    if (value === undefined) continue;
    const most = name.endsWith('Ms') ? 86_400_000 : 1;
    if (!(value >= 0 && value <= most)) {
      throw new FaultError('BAD_CONFIG', `fault ${name} must be in 0 … ${most}, not ${value}`);
    }
  }
}

/** What was done to clients so far. `book…` of it concerns depth frames, by market index. */
export class FaultCounters {
  frames = 0;
  dropped = 0;
  duplicated = 0;
  reordered = 0;
  corrupted = 0;
  stalls = 0;
  /** Frames that a stalled or cut connection never delivered. */
  lost = 0;
  disconnects = 0;
  lateSnapshots = 0;
  staleSnapshots = 0;
  refused429 = 0;
  refused418 = 0;
  reticks = 0;
  readonly bookDropped: Float64Array;
  readonly bookDuplicated: Float64Array;
  readonly bookReordered: Float64Array;
  readonly bookCorrupted: Float64Array;

  constructor(marketsCount: number) {
    this.bookDropped = new Float64Array(marketsCount);
    this.bookDuplicated = new Float64Array(marketsCount);
    this.bookReordered = new Float64Array(marketsCount);
    this.bookCorrupted = new Float64Array(marketsCount);
  }
}
