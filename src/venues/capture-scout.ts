/**
 * What a recording of a venue's traffic tells about itself, learnt in a first pass over it: which
 * instruments there are, with which decimals, and to whom its snapshots belong. Replay, cold. Each
 * venue that can be replayed has its own, since only the venue knows its words.
 */
import type { Instrument } from '../domain/instrument.js';

export interface CaptureScout {
  /**
   * A frame as it was received, in file number `file` of the run.
   * Never throws for odd bytes: whatever is wrong with them will be told when they are replayed.
   */
  onFrame(file: number, bytes: Uint8Array): void;
  /** The answer to an HTTP request. */
  onAnswer(file: number, url: string, bytes: Uint8Array): void;
  /** After the last entry. Throws FaultError CAPTURE_MALFORMED if this is no traffic of the venue. */
  finish(): CaptureFacts;
}

export interface CaptureFacts {
  /** In order of first appearance, ids from 0. */
  readonly instruments: readonly Instrument[];
  /** Settings that the venue needs to read this recording (VenueOptions.settings). */
  readonly settings: Readonly<Record<string, string>>;
  /**
   * Whose book a frame or answer is a snapshot of: 'none' if it is no snapshot, 'nobody' if it is one
   * that cannot be attributed.
   * @param url null for a frame
   */
  snapshotOwner(
    file: number,
    url: string | null,
    bytes: Uint8Array,
  ): Instrument | 'none' | 'nobody';
}
