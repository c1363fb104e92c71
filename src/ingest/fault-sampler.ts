/**
 * Refused frames, told without flooding: at most so many samples a minute of each code, each with its
 * first bytes; the rest is counted and said with the next one. Ingest thread; warm (faults only).
 */
import type { FaultCode } from '../faults/fault.js';
import { NS_PER_MS } from './limits.js';

const MINUTE_NS = 60_000 * NS_PER_MS;

export interface FaultSample {
  readonly code: FaultCode;
  /** Connection or `rest`. */
  readonly source: string;
  /** Instrument id, or -1 where the frame does not tell. */
  readonly instrumentId: number;
  /** The frame's beginning, printable. */
  readonly text: string;
  readonly bytes: number;
  /** Faults of this code that were not told since the last sample. */
  readonly suppressed: number;
}

interface Allowance {
  windowStartNs: number;
  told: number;
  suppressed: number;
}

export class FaultSampler {
  /** All faults that were counted and not told. */
  suppressed = 0;
  private readonly perMinute: number;
  private readonly bytesMax: number;
  private readonly emit: (sample: FaultSample) => void;
  private readonly allowances = new Map<FaultCode, Allowance>();

  constructor(perMinute: number, bytesMax: number, emit: (sample: FaultSample) => void) {
    this.perMinute = perMinute;
    this.bytesMax = bytesMax;
    this.emit = emit;
  }

  /** `bytes[start … end)` is the frame; lent, only its beginning is copied. */
  note(
    code: FaultCode,
    source: string,
    instrumentId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowNs: number,
  ): void {
    let allowance = this.allowances.get(code);
    if (allowance === undefined) {
      allowance = { windowStartNs: nowNs, told: 0, suppressed: 0 };
      this.allowances.set(code, allowance);
    }
    if (nowNs - allowance.windowStartNs >= MINUTE_NS) {
      allowance.windowStartNs = nowNs;
      allowance.told = 0;
    }
    if (allowance.told >= this.perMinute) {
      allowance.suppressed++;
      this.suppressed++;
      return;
    }
    allowance.told++;
    const { suppressed } = allowance;
    allowance.suppressed = 0;
    const text = printable(bytes, start, Math.min(end, start + this.bytesMax));
    this.emit({ code, source, instrumentId, text, bytes: end - start, suppressed });
  }
}

/** ASCII as it is, everything else as \xNN, so that a log line stays one line. */
function printable(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}
